"""What kernel sources of the packages are specialised on in the tests that only compile them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.cuda.blocks import defines
from agents.zoo import usual_config
from nram_env.envs.episode import Rules
from nram_env.machine import MachineConfig
from nram_env.machine.backends.cuda import timestep
from nram_env.machine.backends.cuda.kernels import Defines
from tests.cuda.emulator import SHARED_MEMORY

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    source for package in ("nram_env", "agents", "analysis") for source in (ROOT / package).rglob("*.cu")
)

_MERGE = usual_config("merge")
_RULES = Rules(_MERGE.machine, _MERGE.loss)

EXAMPLES: Mapping[str, Sequence[Defines]] = {
    "hard.cu": [{}],
    "optimiser.cu": [{}],
    "episodes.cu": [defines(_MERGE.spec, _RULES, 15, _MERGE.batch_size, SHARED_MEMORY)],
    "timestep.cu": [timestep.defines(MachineConfig(4), 16, scored=True)],
}
"""For every source, by name, one or a few sets of defines as its wrapper makes them."""
