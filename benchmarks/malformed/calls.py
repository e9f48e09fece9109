"""What a malformed call is, how it is judged, and the table of families that generate them.

A family is a function from a random generator to a `Call`; `@family` puts it into `FAMILIES`. A new kind of
call is a module in this folder with such functions, imported in `benchmarks/fuzz_calls.py`.
"""

from __future__ import annotations

import re
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

REFUSALS = (ValueError, TypeError, gymnasium.error.Error)
LONGEST_MESSAGE = 1000
_SITE = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True)
class Call:
    """One malformed call.

    Attributes:
        text: What is called, with what.
        fault: Runs it and says what is wrong with the answer; empty if it was refused as it should be.
    """

    text: str
    fault: Callable[[], str]


Family = Callable[[np.random.Generator], Call]
FAMILIES: dict[str, Family] = {}


def family(name: str) -> Callable[[Family], Family]:
    """Register a family of calls under its name."""

    def register(function: Family) -> Family:
        FAMILIES[name] = function
        return function

    return register


def refused(text: str, run: Callable[[], Any], fingerprint: Callable[[], Any] = lambda: None) -> Call:
    """A call of a Python function that must raise one clear error and leave `fingerprint` as it was."""

    def fault() -> str:
        before = fingerprint()
        try:
            answer = run()
        except REFUSALS as error:
            return _unclear(error) or ("" if fingerprint() == before else f"changed something: {error}")
        except BaseException as error:
            return f"raised {type(error).__name__}: {error}"
        return f"was accepted and gave {answer!r}"

    return Call(re.sub(" at 0x[0-9a-f]+", "", text), fault)


def _unclear(error: BaseException | None) -> str:
    """What is wrong with an error, or with one that is shown above it."""
    while error is not None:
        message, place = str(error), Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        foreign = place.relative_to(_SITE).parts[0] if _SITE in place.parents else ""
        if foreign not in ("", "gymnasium"):
            return f"raised inside {foreign}: {message}"
        if not message or (len(message) > LONGEST_MESSAGE and not foreign):
            return f"said {len(message)} characters: {message[:200]}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return ""
