"""Where the words of a verb go: results to standard output, all else where it is in nobody's way."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def say(text: str) -> None:
    """A line about what is going on, on standard error."""
    print(text, file=sys.stderr, flush=True)


def emit(result: Mapping[str, Any], text: str, as_json: bool) -> None:
    """Print a result: exactly one JSON object with --json, else the text."""
    if as_json:
        print(json.dumps(result, allow_nan=False))
    else:
        print(text.rstrip("\n"))
