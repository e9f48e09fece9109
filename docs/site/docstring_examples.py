"""What mkdocstrings reads docstrings with: a section `Example:` is one, as `Examples:` is."""

from __future__ import annotations

import re
from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Griffe knows the heading in the plural alone."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put the heading in the plural."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
