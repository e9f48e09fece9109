"""Where memory runs out, a verb says so in one line and exits with 2."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")

PROGRAM = """
import resource, sys
from pathlib import Path
import agents.trainer
from analysis.commands.cli import main

used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, [used + int(sys.argv[1]) * 2**20] * 2)
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("mebibytes", [50, 450])  # too few to begin, to save
def test_training_that_runs_out_of_memory_is_one_error(mebibytes, tmp_path):
    size = ("--population", "60", "--hidden-size", "128", "--updates", "1")
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        str(mebibytes),
        "train",
        "copy",
        *size,
        "--run",
        str(tmp_path / "run"),
    ]
    result = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "nram: error: there is not enough memory for this"
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run" / "population.safetensors").exists()
