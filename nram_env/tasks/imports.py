"""Importing what registers tasks of one's own: a Python file, or a module."""

from __future__ import annotations

import hashlib
import importlib
import shlex
import sys
import traceback
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from nram_env.checks import list_of, text
from nram_env.tasks.registry import importing

IMPORTS = list_of(text(4096, least=1), 16)
"""Check of a file's entry that says what registers its task: `task_imports` of the process that wrote it."""


def import_tasks(source: str) -> None:
    """Import a Python file or a module, so that it registers its tasks; a second time nothing happens.

    A file's folder joins the places where modules are searched, behind all others, so that it can import
    what lies beside it.

    Args:
        source: Path of a file, as in "double.py" or "/tasks/double.py", or a module's name, as in
            "mytasks.double".

    Raises:
        ValueError: There is no such file or module, its name cannot be recorded, or its import fails; the
            message says where.
    """
    file = Path(source).resolve() if _is_file(source) else None
    if file is not None and not file.is_file():
        raise ValueError(f"cannot import {shlex.quote(source)}: there is no such file{_without_name(source)}")
    IMPORTS([str(file or source)], "--import")
    try:
        with importing(str(file or source)):
            _import_file(file) if file else importlib.import_module(source)
    except (Exception, SystemExit) as error:  # whatever foreign code raises
        raise ValueError(f"cannot import {shlex.quote(source)}: {_described(source, error)}") from error


def _is_file(source: str) -> bool:
    """Whether a source is meant as a path: it ends like one, is one, or cannot be a module's name."""
    is_module = all(part.isidentifier() for part in source.split("."))
    return source.endswith(".py") or Path(source).is_file() or not is_module


def _without_name(source: str) -> str:
    """Advice for who names a class or an environment as well, as in mytasks:Double."""
    module = source.rpartition(":")[0]
    return f"; what registers tasks is named alone, as in --import {shlex.quote(module)}" if module else ""


def _import_file(path: Path) -> None:
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    if _is_importable(path):
        importlib.import_module(path.stem)
        return
    name = f"nram_import_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        _execute(spec_from_file_location(name, path))


def _is_importable(path: Path) -> bool:
    """Whether the file is what `import stem` means, and not hidden by another module of that name."""
    if not path.stem.isidentifier():
        return False
    try:
        spec = find_spec(path.stem)
    except ValueError:  # as for __main__
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == path


def _execute(spec: ModuleSpec | None) -> None:
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file; its name has to end in .py")
    module = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise


def _described(source: str, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == source.partition(".")[0]:
        return f"there is no module {error.name}; a file is called by its path, as in {error.name}.py"
    foreign = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<frozen", str(Path(__file__).parent)))
    ]
    place = f" ({Path(foreign[-1].filename).name}, line {foreign[-1].lineno})" if foreign else ""
    return f"{type(error).__name__}: {error}{place}"
