"""What an installation holds: every package, and the files beside the modules that they read."""

import re
import tomllib
from pathlib import Path

import nram_env
from docs.site.links import on_index

ROOT = Path(__file__).parents[1]
PACKAGES = ("nram_env", "agents", "analysis")


def test_every_folder_with_modules_is_a_package_that_is_found():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "packages" not in settings or settings["packages"].keys() == {"find"}, "a list forgets new rooms"
    assert settings["packages"]["find"] == {"include": [f"{name}*" for name in PACKAGES], "namespaces": False}
    folders = {module.parent for name in PACKAGES for module in (ROOT / name).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_sources_that_are_compiled_or_put_into_pages_are_installed():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = {file for name in PACKAGES for pattern in data[name] for file in (ROOT / name).glob(pattern)}
    kinds = ("*.cu*", "*.js", "*.css")
    found = {file for name in PACKAGES for kind in kinds for file in (ROOT / name).rglob(kind)}
    assert found <= installed
    assert {file.suffix for file in found} >= {".cu", ".js", ".css"}


README = "[a](docs/tasks.md#b) and [c](CHANGELOG.md)\n\n![d](docs/pictures/hero.svg)\n\n*what it shows*\n\n[e](https://f.org)\n"


def test_links_of_the_readme_lead_to_the_site_on_an_index():
    assert on_index(README, "https://docs.org/nram/") == (
        "[a](https://docs.org/nram/tasks.html#b) and [c](https://docs.org/nram/changelog.html)\n\n"
        "![d](https://docs.org/nram/pictures/hero.svg)\n\n*what it shows*\n\n[e](https://f.org)\n"
    )


def test_links_of_the_readme_are_words_on_an_index_as_long_as_there_is_no_site():
    assert on_index(README, None) == "a and c\n\n\n[e](https://f.org)\n"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((?!https?:)", on_index(text, None)) == []


def test_what_is_said_of_the_package_elsewhere_is_what_it_says_itself():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation, recipe = (ROOT / "CITATION.cff").read_text(), (ROOT / "conda" / "recipe.yaml").read_text()
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [nram_env.__version__]
    assert re.findall(r"^  version: (\d.+)$", recipe, re.MULTILINE) == [nram_env.__version__]
    needed = {line.replace("torch", "pytorch").replace(" ", "") for line in project["dependencies"]}
    run = recipe.partition("  run:\n")[2].partition("tests:")[0]
    assert {line.strip("- ").replace(" ", "") for line in run.splitlines()} == {
        *needed,
        f"python{project['requires-python']}",
    }


def test_a_source_distribution_takes_every_folder_and_file_of_the_top():
    taken = (ROOT / "MANIFEST.in").read_text().split()
    tops = (
        {path.name for path in ROOT.iterdir()} - _ignored() - {".git", "PKG-INFO", "MANIFEST.in", "setup.cfg"}
    )
    by_itself = {"LICENSE", "README.md", "pyproject.toml", "setup.py", *PACKAGES}
    assert sorted(tops - by_itself - set(taken)) == []


def _ignored() -> set[str]:
    """What git does not keep, and what caches and builds leave."""
    lines = (ROOT / ".gitignore").read_text().split()
    return {path.name for line in lines for path in ROOT.glob(line.strip("/"))}
