"""Every example in a docstring of nram_env runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import nram_env


def _modules() -> list[str]:
    found = pkgutil.walk_packages(nram_env.__path__, "nram_env.")
    return ["nram_env", *(module.name for module in found)]


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of_a_module_hold(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
