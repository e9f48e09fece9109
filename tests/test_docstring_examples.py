"""Every example in a docstring of nram_env runs and prints what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _modules() -> list[str]:
    files = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "nram_env").rglob("*.py"))
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in files)


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of_a_module_hold(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
