"""How the environments become known to Gymnasium, and that every page and example shows the same way."""

import re
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import nram_env

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "examples", "benchmarks", "nram_env", "agents", "analysis")
ENDINGS = (".md", ".py")
IMPORTED = re.compile(r"^ *(>>> )?import (gymnasium as gym, )?nram_env\b", re.MULTILINE)


def in_a_bare_interpreter(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_importing_the_package_is_all_that_registration_needs():
    """`gym.register_envs` does nothing but show to readers and linters what the import is for."""
    count = "import gymnasium, nram_env; print(sum(name.startswith('NRAM/') for name in gymnasium.registry))"
    assert in_a_bare_interpreter(count) == "10"
    assert gym.register_envs(nram_env) is None


@pytest.mark.parametrize("call", ["make('nram_env:NRAM/Copy-v0')", "make_vec('nram_env:NRAM/Copy-v0')"])
def test_the_module_prefix_needs_no_import(call):
    assert in_a_bare_interpreter(f"import gymnasium; print(gymnasium.{call}.spec.id)") == "NRAM/Copy-v0"


def test_gymnasium_prints_them_under_namespaces_of_their_own():
    printed = gym.pprint_registry({name: gym.spec(name) for name in nram_env.env_ids()}, disable_print=True)
    _, *parts = re.split(r"===== (.*) =====\n", printed)
    listed = [name for part in parts[1::2] for name in part.split()]
    assert parts[0] == "NRAM"
    assert listed == nram_env.env_ids()
    assert [name.split("/")[0] for part in parts[1::2] for name in part.split()[:1]] == parts[::2]


def test_whatever_imports_it_for_the_registration_says_so_to_gymnasium():
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in ENDINGS]
    texts = {file: file.read_text(encoding="utf-8") for file in [*files, ROOT / "README.md"]}
    making = {file: text for file, text in texts.items() if "gym.make" in text and IMPORTED.search(text)}
    assert {"README.md", "environments.md", "rollout.py", "vector_env.py"} <= {file.name for file in making}
    assert [file for file, text in making.items() if "gym.register_envs(nram_env)" not in text] == []
