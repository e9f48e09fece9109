"""The layer rule, nram_env <- agents <- analysis, and which modules run without torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "nram_env": {"nram_env"},
    "agents": {"nram_env", "agents"},
    "analysis": {"nram_env", "agents", "analysis"},
}


def _imported(path: Path) -> set[str]:
    """Top-level names of all absolute imports of a file."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    by_from = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in plain + by_from}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_itself_and_those_to_its_left(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        beyond = _imported(path) & (set(ALLOWED) | {"tests", "examples"}) - ALLOWED[package]
        assert not beyond, f"{path.relative_to(ROOT)} imports {beyond}"


@pytest.mark.parametrize(
    "statement",
    [
        "import nram_env",
        "from nram_env.machine import MachineConfig, ActionLayout, Gate, apply_gate; MachineConfig(4).layout",
        "import tests.cases",
    ],
)
def test_importing_needs_no_torch(statement):
    code = f"{statement}; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
