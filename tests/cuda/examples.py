"""What kernel sources of the packages are specialised on in the tests that only compile them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nram_env.machine.backends.cuda.kernels import Defines

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    source for package in ("nram_env", "agents", "analysis") for source in (ROOT / package).rglob("*.cu")
)

EXAMPLES: Mapping[str, Sequence[Defines]] = {"hard.cu": [{}], "optimiser.cu": [{}]}
"""For every source, by name, one or a few sets of defines as its wrapper makes them."""
