"""What kernels for cards use, without a card: registers, spilled bytes, instructions.

python -m benchmarks.kernel_resources                # of all, specialised as tests/cuda/examples.py says
python -m benchmarks.kernel_resources episodes.cu    # of one source
"""

import re
import struct
import sys

from agents.cuda import blocks
from benchmarks.gpu import BATCH, SIZES, increment
from nram_env.envs.episode import Rules
from nram_env.machine.backends.cuda import compiler, kernels, sources
from tests.cuda.emulator import SHARED_MEMORY
from tests.cuda.examples import EXAMPLES, SOURCES

ARCHITECTURE = 90
USED = re.compile(
    r"entry function '(\w+)'.*?(\d+) bytes stack.*?(\d+) bytes spill stores"
    r", (\d+) bytes spill loads.*?(\d+) registers",
    re.DOTALL,
)


def increment_defines(controller: str, size: int) -> kernels.Defines:
    """What the episodes of Increment are specialised on."""
    config = increment(controller, size, 1)
    rules = Rules(config.machine, "expected")
    return blocks.defines(config.spec, rules, size, BATCH, SHARED_MEMORY)


MEASURED = [increment_defines(controller, size) for controller in ("lstm", "feedforward") for size in SIZES]
"""The episodes that benchmarks.gpu times."""

INSTRUCTION = 16
"""Bytes, since compute capability 7.0."""


def instructions(binary: bytes) -> dict[str, int]:
    """How many every kernel has, by the sizes of the ELF file's sections of code."""
    (first,) = struct.unpack_from("<Q", binary, 40)
    size, count, names = struct.unpack_from("<3H", binary, 58)
    sections = [struct.unpack_from("<2I4Q", binary, first + number * size) for number in range(count)]
    table = sections[names][4]
    ends = {table + section[0]: section[5] for section in sections}
    found = {binary[at : binary.index(b"\0", at)].decode(): length for at, length in ends.items()}
    return {name[6:]: length // INSTRUCTION for name, length in found.items() if name.startswith(".text.")}


def main() -> None:
    nvrtc = compiler.load()
    if nvrtc is None:
        raise SystemExit("NVRTC is not installed: pip install nvidia-cuda-nvrtc")
    for source in SOURCES:
        if source.name not in (sys.argv[1:] or EXAMPLES):
            continue
        for defines in [*EXAMPLES[source.name], *(MEASURED if source == blocks.SOURCE else ())]:
            told = [*kernels.options(defines, ARCHITECTURE), "--ptxas-options=-v"]
            binary, log = nvrtc.compile(source.name, sources.texts(source), told)
            counts = instructions(binary)
            print(f"{source.name} {dict(defines)}")
            for name, stack, stored, loaded, registers in USED.findall(log):
                used = f"{counts[name]} instructions, {registers} registers, {stack} bytes of stack"
                print(f"    {name}: {used}, {stored} + {loaded} spilled")


if __name__ == "__main__":
    main()
