"""The layers nram_env <- agents <- analysis, the rooms of analysis, and what runs without torch."""

import subprocess
import sys

import pytest

from docs.draw_rooms import PAGE, ROOMS, ROOT, drawn, imports, modules, room_of

PACKAGES = ("nram_env", "agents", "analysis")


def rule_broken(module: str, source: str) -> str | None:
    """What a module imports from a package or room to its right, in words; None if nothing."""
    room = room_of(module)
    for name in imports(source):
        top = name.split(".")[0]
        if top in ("tests", "examples", "benchmarks", "docs"):
            return f"{module} imports {name}; the packages import nothing of {top}/"
        if room and (other := room_of(name)) and ROOMS.index(other) > ROOMS.index(room):
            allowed = ", ".join(ROOMS[: ROOMS.index(room) + 1])
            return f"{module} imports {name}, which is in {other}; {room} imports only {allowed}"
    return None


def test_every_module_imports_only_what_stands_to_its_left():
    found = [rule_broken(module, path.read_text(encoding="utf-8")) for module, path in modules().items()]
    assert not [rule for rule in found if rule]
    assert len(found) > 100


def test_every_module_of_analysis_is_in_a_room():
    assert [module for module in modules() if room_of(module) is None] == ["analysis"]


@pytest.mark.parametrize(
    ("module", "source", "rule"),
    [
        ("nram_env.tasks.copy", "import agents", "nram_env.tasks.copy imports agents, which is in agents"),
        (
            "agents.run",
            "def f():\n    from analysis.machine import vm",
            "agents imports only nram_env, agents",
        ),
        ("analysis.program.block", "from analysis.machine.vm import run", "which is in analysis.machine"),
        ("analysis.program.block", "from analysis import extraction", "which is in analysis.extraction"),
        ("analysis.commands.cli", "from tests import cases", "the packages import nothing of tests/"),
    ],
)
def test_a_broken_rule_is_named(module, source, rule):
    assert rule in rule_broken(module, source)


def test_the_page_on_architecture_shows_the_imports_as_they_are():
    assert PAGE.read_text(encoding="utf-8") == drawn(), "run python docs/draw_rooms.py --write"


@pytest.mark.parametrize(
    "statement",
    [
        "import nram_env, agents, analysis",
        "from nram_env.machine import MachineConfig, ActionLayout, Gate, apply_gate; MachineConfig(4).layout",
        "from analysis import find_program, listing, run, verify; listing(find_program('zoo:copy'))",
        "import tests.cases",
    ],
)
def test_importing_needs_no_torch(statement):
    code = f"{statement}; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
