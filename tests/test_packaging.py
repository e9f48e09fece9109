"""What an installation holds: every package, and the files beside the modules that they read."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("nram_env", "agents", "analysis")


def test_every_folder_with_modules_is_a_package_that_is_found():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "packages" not in settings or settings["packages"].keys() == {"find"}, "a list forgets new rooms"
    assert settings["packages"]["find"] == {"include": [f"{name}*" for name in PACKAGES], "namespaces": False}
    folders = {module.parent for name in PACKAGES for module in (ROOT / name).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_sources_that_are_compiled_when_they_are_needed_are_installed():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = {file for name in PACKAGES for pattern in data[name] for file in (ROOT / name).glob(pattern)}
    found = {file for name in PACKAGES for file in (ROOT / name).rglob("*.cu*")}
    assert found <= installed
    assert found
