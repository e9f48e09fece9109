"""The packages' faces: what is public is shown at work and listed, and loads nothing before it is used."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from docs.list_api import FACES, PAGE, page, public

ROOT = Path(__file__).parent.parent
NAMES = [(face, name, value) for face in FACES for name, value in public(face)]


@pytest.mark.parametrize(("face", "name", "value"), NAMES, ids=[f"{face}.{name}" for face, name, _ in NAMES])
def test_a_public_name_is_shown_at_work(face, name, value):
    """That the examples hold is for test_docstring_examples.py."""
    assert ">>> " in (inspect.getdoc(value) or ""), f"{face}.{name} shows no example"


@pytest.mark.parametrize(("face", "name", "value"), NAMES, ids=[f"{face}.{name}" for face, name, _ in NAMES])
def test_a_public_name_is_no_module_s_as_well(face, name, value):
    """Else it would stand for the module from the moment at which somebody imports that."""
    places = (ROOT / face / f"{name}.py", ROOT / face / name / "__init__.py")
    assert inspect.ismodule(value) or not any(place.exists() for place in places)


def test_the_page_of_public_names_is_what_the_packages_offer():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python docs/list_api.py --write"


@pytest.mark.parametrize("face", FACES)
def test_a_face_says_what_it_does_not_have(face):
    module = __import__(face)
    with pytest.raises(AttributeError, match=f"module '{face}' has no attribute 'tuples'"):
        _ = module.tuples
    assert set(module.__all__) <= set(dir(module))


def test_the_faces_load_no_torch():
    code = "import analysis, agents, nram_env, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
