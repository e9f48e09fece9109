"""The module of examples/custom_task.py, loaded once: it registers its task."""

import importlib.util
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "custom_task", Path(__file__).parents[1] / "examples/custom_task.py"
)
CUSTOM = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(CUSTOM)
