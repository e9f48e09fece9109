"""What kernels for cards use, without a card: registers, spilled bytes, machine code.

python -m benchmarks.kernel_resources                # of all, specialised as tests/cuda/examples.py says
python -m benchmarks.kernel_resources episodes.cu    # of one source
"""

import re
import sys

from nram_env.machine.backends.cuda import compiler, kernels, sources
from tests.cuda.examples import EXAMPLES, SOURCES

ARCHITECTURE = 90
USED = re.compile(
    r"entry function '(\w+)'.*?(\d+) bytes stack.*?(\d+) bytes spill stores"
    r", (\d+) bytes spill loads.*?(\d+) registers",
    re.DOTALL,
)


def main() -> None:
    nvrtc = compiler.load()
    if nvrtc is None:
        raise SystemExit("NVRTC is not installed: pip install nvidia-cuda-nvrtc")
    for source in SOURCES:
        for defines in EXAMPLES[source.name] if source.name in sys.argv[1:] or not sys.argv[1:] else ():
            told = [*kernels.options(defines, ARCHITECTURE), "--ptxas-options=-v"]
            binary, log = nvrtc.compile(source.name, sources.texts(source), told)
            print(f"{source.name} {dict(defines)}: {len(binary)} bytes of machine code")
            for name, stack, stored, loaded, registers in USED.findall(log):
                print(
                    f"    {name}: {registers} registers, {stack} bytes of stack, {stored} + {loaded} spilled"
                )


if __name__ == "__main__":
    main()
