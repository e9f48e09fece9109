"""Tasks of one's own: what registers them, and what is said where nothing has."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from nram_env.tasks import (
    UnknownTaskError,
    find_task,
    get_task,
    import_tasks,
    plugin_names,
    register_task,
    registry,
    task_imports,
    task_names,
)

OWN = (*task_names()[:10], *task_names("NRAM-X"))

SOURCE = """
from nram_env.tasks import check_task, register_task
from nram_env.tasks.copy import Copy

class {title}(Copy):
    name, title = "{title}".lower(), "{title}"

register_task({title}())
"""


@pytest.fixture(autouse=True)
def as_in_a_fresh_process(monkeypatch):
    """nram's own tasks alone; what a test registers and imports is gone after it."""
    for table in ("_TASKS", "_SOURCES"):
        monkeypatch.setattr(registry, table, {name: getattr(registry, table)[name] for name in OWN})
    monkeypatch.setattr(registry, "_done", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    ids, modules = set(gym.registry), set(sys.modules)
    yield
    for table, before in ((gym.registry, ids), (sys.modules, modules)):
        for name in set(table) - before:
            del table[name]


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "doubled.py", SOURCE.format(title="Doubled"))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def distribution(folder, entries, name="nram-extra"):
    """An installed distribution, as far as entry points go."""
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = "".join(f"{task} = {value}\n" for task, value in entries.items())
    write(info / "entry_points.txt", f"[nram.tasks]\n{lines}")
    sys.path.insert(0, str(folder))


def test_importing_a_file_makes_its_task_and_environment_known(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    import_tasks("doubled.py")
    import_tasks(str(file))  # again, under another name of the file
    assert get_task("Doubled").name == "doubled"
    assert gym.make("NRAM/Doubled-v0").reset(seed=0)
    assert task_imports("doubled") == (str(file),), "so that another process finds it from any folder"


def test_importing_a_module_records_its_name(file):
    sys.path.append(str(file.parent))
    import_tasks("doubled")
    assert task_imports("doubled") == ("doubled",)


def test_a_file_may_be_called_like_a_module_and_import_what_lies_beside_it(tmp_path):
    write(tmp_path / "beside.py", SOURCE.format(title="Beside"))
    file = write(tmp_path / "copy.py", "import beside\n" + SOURCE.format(title="Hidden"))
    import_tasks(str(file))
    assert task_names()[len(OWN) :] == ("beside", "hidden")
    assert task_imports("beside") == (str(file),)
    import_tasks(str(tmp_path / "beside.py"))  # the same module, not a second class of that name


def test_a_task_that_a_script_registers_is_recorded_with_the_file_of_its_class(file):
    sys.path.append(str(file.parent))
    __import__("doubled")
    assert task_imports("doubled") == (str(file),)
    assert task_imports("copy") == task_imports("nothing") == ()


@pytest.mark.parametrize(
    ("source", "content", "message"),
    [
        ("gone.py", None, "cannot import gone.py: there is no such file"),
        ("a/gone.py", None, "cannot import a/gone.py: there is no such file"),
        ("bad.py", "x = 1\ny = z\n", "NameError: name 'z' is not defined (bad.py, line 2)"),
        ("bad.py", "x =\n", "SyntaxError: invalid syntax (bad.py, line 1)"),
        ("bad.py", "raise SystemExit(0)", "SystemExit: 0 (bad.py, line 1)"),
        ("bad.py", "import not_there", "No module named 'not_there' (bad.py, line 1)"),
        ("bad", None, "there is no module bad; a file is called by its path, as in bad.py"),
        ("bad.txt", None, "there is no module bad; a file"),
        ("./bad.txt", "x", "its name has to end in .py"),
        ("..", None, "there is no such file"),
        ("", None, "there is no such file"),
        ("mytasks:Doubled", None, "named alone, as in --import mytasks"),
        ("my tasks.py:NRAM/Doubled-v0", None, "named alone, as in --import 'my tasks.py'"),
        ("bad.py", "from nram_env.tasks import *\nregister_task(1)\n", "Fill(), got 1 (bad.py, line 2)"),
    ],
)
def test_an_import_that_fails_is_one_error_that_says_where(source, content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        write(Path(source), content)
    for _ in range(2):  # a second time it is not taken for done
        with pytest.raises(ValueError, match=f"^cannot import {re.escape(shlex.quote(source))}: ") as raised:
            import_tasks(source)
        assert message in str(raised.value)
    assert task_names() == OWN


def test_a_file_that_names_an_unknown_task_asks_for_the_import_that_it_records(file, tmp_path):
    with pytest.raises(UnknownTaskError) as raised:
        get_task("doubled", imports=[str(file)])
    wanted = f"unknown task 'doubled'; it was registered by doubled.py: add --import {file}"
    assert str(raised.value) == wanted
    import_tasks(str(file))
    assert get_task("doubled", imports=[str(file)]) is get_task("doubled")
    with pytest.raises(UnknownTaskError, match=r"registered by doubled\.py, which does so no more"):
        get_task("tripled", imports=[str(file)])


def test_the_flag_that_is_asked_for_is_one_that_a_shell_takes():
    with pytest.raises(UnknownTaskError) as raised:
        get_task("doubled", imports=["/my tasks/it's.py", "tasks.double"])
    flags = "--import '/my tasks/it'\"'\"'s.py' --import tasks.double"
    assert str(raised.value).endswith(f"add {flags}, from where it lies now")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mytasks:Doubled", "alone, as in 'doubled'; --import mytasks registers it"),
        ("my.tasks:NRAM/Doubled-v0", "alone, as in 'doubled'; --import my.tasks registers it"),
        ("./my tasks.py:Doubled", "alone, as in 'doubled'; --import './my tasks.py' registers it"),
        ("NRAM/Copy-v0", "alone, as in 'copy'"),
        ("NRAM-X/Max-v0", "alone, as in 'x-max'"),
        ("max", "one of your own needs --import FILE_OR_MODULE"),
        ("zoo:copy", "alone, as in 'copy'"),
        ("doubled", "one of your own needs --import FILE_OR_MODULE"),
    ],
)
def test_a_name_that_is_none_of_a_task_is_answered_by_what_would_be(name, message):
    with pytest.raises(UnknownTaskError) as raised:
        get_task(name)
    assert f"unknown task {name!r}; " in str(raised.value)
    assert str(raised.value).endswith(message)


def test_gymnasium_imports_the_module_before_the_colon(file):
    code = "import gymnasium; print(gymnasium.make('doubled:NRAM/Doubled-v0').reset(seed=0)[1])"
    path = os.pathsep.join([str(file.parent), str(Path.cwd())])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert "memory_size" in done.stdout, done.stderr


def test_an_installed_distribution_brings_tasks_along_that_are_loaded_when_asked_for(file):
    distribution(file.parent, {"doubled": "plugged:Doubled", "broken": "not_there:Task"})
    write(file.parent / "plugged.py", SOURCE.format(title="Doubled").replace("register_task(D", "(D"))
    assert plugin_names() == ("broken", "doubled")
    assert "plugged" not in sys.modules
    assert get_task("Doubled").title == "Doubled"
    assert gym.make("NRAM/Doubled-v0").reset(seed=0)
    assert task_imports("doubled") == (), "its name is enough"
    with pytest.raises(UnknownTaskError, match=r"Valid: .*, walkbst, .*, doubled, broken; one of"):
        get_task("nothing")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"broken": "not_there:Task"}, "cannot be loaded: ModuleNotFoundError: No module named 'not_there'"),
        ({"broken": "doubled:Missing"}, "cannot be loaded: AttributeError"),
        ({"broken": "doubled:Doubled"}, "is not the class of a task of that name"),
        ({"broken": "pathlib:Path"}, "is not the class of a task of that name"),
        ({"broken": "nram_env.tasks:Task"}, "cannot be loaded: TypeError: Can't instantiate abstract class"),
    ],
)
def test_a_broken_plugin_names_its_distribution_and_harms_no_other_task(entries, message, file):
    distribution(file.parent, entries)
    with pytest.raises(ValueError, match="task 'broken', ") as raised:
        get_task("broken")
    assert f"{entries['broken']} of nram-extra 1.2, {message}" in str(raised.value)
    assert get_task("copy").name == "copy"
    assert find_task("nothing") is None


def test_two_distributions_of_one_task_are_told_apart(tmp_path):
    for name in ("one", "two"):
        distribution(tmp_path / name, {"broken": "x:Y"}, name=f"nram-{name}")
    with pytest.raises(ValueError, match=r"'broken' is brought along by nram-two 1\.2 and by nram-one 1\.2"):
        get_task("broken")


def test_a_task_cannot_be_taken_over_by_importing_another_of_its_name(file, tmp_path):
    import_tasks(str(file))
    other = write(tmp_path / "other" / "other.py", SOURCE.format(title="Doubled"))
    with pytest.raises(ValueError, match="task name 'doubled' is taken by Doubled"):
        import_tasks(str(other))
    register_task(get_task("doubled"))
    assert task_imports("doubled") == (str(file),)


def test_the_task_of_the_documentation_is_sound(capsys):
    example, says = re.findall(r"```python\n(.*?)```", Path("docs/tasks.md").read_text(), flags=re.DOTALL)
    names = {"__name__": "documented"}
    exec(compile(example, "docs/tasks.md", "exec"), names)
    exec(compile(says, "docs/tasks.md", "exec"), names)
    names["Double"].spec = names["spec"]
    assert names["check_task"](names["Double"]()) == []
    assert capsys.readouterr().out == ""
    assert get_task("double").sample(np.random.default_rng(0), 3, 9).target[:, 0].tolist() == [6]
