"""Every example in a docstring of the three packages runs and prints what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _modules() -> list[str]:
    """Every module that shows an example."""
    files = (
        path for package in ("nram_env", "agents", "analysis") for path in (ROOT / package).rglob("*.py")
    )
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in files if ">>>" in path.read_text())
    return sorted(".".join(names).removesuffix(".__init__") for names in parts)


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of_a_module_hold(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
