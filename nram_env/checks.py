"""What a field of a file may hold: checks that are put together as the file is.

A check takes a value as JSON has it and the place where it stands; it returns the value or raises a
FieldError that names the place, shows the value and says what would be right.

    agent = record({"task": text(), "machine": record({"num_registers": integer(1, 63)})})
    agent({"task": "copy", "machine": {"num_registers": 10**9}}, "")
    FieldError: machine.num_registers is 1000000000; must be an integer in 1..63
"""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], Any]
"""Value and its place ("machine.gates[2]", "" for the whole) -> the value, checked."""

LONGEST_NAME = 100
"""Characters of a name, as of a task, a register or a state."""

LONGEST_TEXT = 1 << 16
"""Characters of any text."""

MOST_ENTRIES = 1_000
"""Entries of a free-form object or list."""

_WORD = 2**63


class FieldError(ValueError):
    """A field that breaks its rule.

    Args:
        where: The field's place; "" for the whole.
        found: What is wrong with it.
        rule: What would be right.
    """

    def __init__(self, where: str, found: str, rule: str) -> None:
        super().__init__(f"{where or 'the whole'} is {found}; must be {rule}")


def shown(value: object) -> str:
    """A value as it stands in an error: short, on one line, nothing in it that steers a terminal.

    Example:
        >>> shown("a\\x1b[31m")
        "'a\\\\x1b[31m'"
    """
    return " ".join(line.strip() for line in _SHORT.repr(value).splitlines())


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60
_SHORT.maxlevel = 3


def is_plain_text(value: object, longest: int = LONGEST_TEXT) -> bool:
    """Whether a value is text that prints as itself on one line, without control or direction characters.

    Example:
        >>> is_plain_text("list search"), is_plain_text("two\\nlines"), is_plain_text("\\u202e")
        (True, False, False)
    """
    return isinstance(value, str) and len(value) <= longest and value.isprintable()


def text(longest: int = LONGEST_NAME, least: int = 0) -> Check:
    """Plain text, see `is_plain_text`, of `least` to `longest` characters."""
    rule = f"plain text of {least} to {longest} characters on one line"
    return _such_that(lambda value: is_plain_text(value, longest) and len(value) >= least, rule)


def lines(longest: int = LONGEST_TEXT) -> Check:
    """Text of plain lines, of at most `longest` characters in all."""
    return _such_that(
        lambda value: (
            type(value) is str and len(value) <= longest and all(map(is_plain_text, value.split("\n")))
        ),
        f"plain lines of at most {longest} characters",
    )


def integer(low: int = -_WORD, high: int = _WORD - 1) -> Check:
    """An integer in low..high; neither a boolean nor 16.0."""
    rule = f"an integer in {low}..{high}"
    return _such_that(lambda value: type(value) is int and low <= value <= high, rule)


def number(low: float = -sys.float_info.max, high: float = sys.float_info.max) -> Check:
    """A finite number in low..high, returned as a float; an integer only if it is one exactly."""

    def holds(value: Any) -> bool:
        return type(value) in (int, float) and low <= value <= high and float(value) == value

    check = _such_that(holds, f"a finite number in {low:g}..{high:g}")
    return lambda value, where: float(check(value, where))


def boolean() -> Check:
    """True or false."""
    return _such_that(lambda value: type(value) is bool, "true or false")


def choice(*known: str) -> Check:
    """One of a few texts."""
    return _such_that(lambda value: type(value) is str and value in known, f"one of {', '.join(known)}")


def nullable(check: Check) -> Check:
    """Null, or what another check accepts."""
    return lambda value, where: None if value is None else check(value, where)


def scalar() -> Check:
    """Null, a boolean, an integer, a finite number, or plain text."""
    return _such_that(
        lambda value: value is None or type(value) in (bool, int, float) or is_plain_text(value),
        "plain text, a number, true, false or null",
    )


def list_of(check: Check, most: int = MOST_ENTRIES, least: int = 0) -> Check:
    """A list of `least` to `most` equal entries, returned as a tuple."""
    rule = f"a list of {least} to {most} entries"

    def checked(value: Any, where: str) -> tuple[Any, ...]:
        if type(value) not in (list, tuple):
            raise FieldError(where, shown(value), rule)
        if not least <= len(value) <= most:
            raise FieldError(where, f"a list of {len(value)} entries", rule)
        return tuple(check(entry, f"{where}[{position}]") for position, entry in enumerate(value))

    return checked


def tuple_of(*checks: Check) -> Check:
    """A list with one entry for each check, returned as a tuple."""
    entries = list_of(lambda value, where: value, len(checks), len(checks))

    def checked(value: Any, where: str) -> tuple[Any, ...]:
        pairs = enumerate(zip(checks, entries(value, where), strict=True))
        return tuple(check(entry, f"{where}[{position}]") for position, (check, entry) in pairs)

    return checked


def mapping(check: Check, most: int = MOST_ENTRIES) -> Check:
    """An object with any plain names and equal entries."""

    def checked(value: Any, where: str) -> dict[str, Any]:
        names = _names(value, where)
        if len(names) > most:
            raise FieldError(where, f"an object of {len(names)} entries", f"of at most {most}")
        return {name: check(value[name], _below(where, name)) for name in names}

    return checked


def record(
    fields: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    others: Check | None = None,
) -> Check:
    """An object with named entries, each with a check of its own.

    Args:
        fields: Entries that have to be there, checked in this order.
        optional: Entries that may be missing, and are then missing in what is returned.
        others: Check of entries of any other name; without it they are refused.
    """
    known = {**fields, **(optional or {})}

    def checked(value: Any, where: str) -> dict[str, Any]:
        names = _names(value, where)
        found = {}
        for name, check in known.items():
            if name in value:
                found[name] = check(value[name], _below(where, name))
            elif name in fields:
                raise FieldError(_below(where, name), "missing", "there")
        for name in names:
            if name in known:
                continue
            if others is None:
                raise FieldError(_below(where, name), "unknown", f"one of {', '.join(known)}")
            found[name] = others(value[name], _below(where, name))
        return {name: found[name] for name in names}  # in the order of the file

    return checked


def built(check: Check, build: Callable[[Any], Any]) -> Check:
    """What `build` makes of a value that a check accepts; a ValueError that it raises gets the place."""

    def checked(value: Any, where: str) -> Any:
        parts = check(value, where)
        try:
            return build(parts)
        except ValueError as error:
            raise ValueError(f"{where}: {error}" if where else str(error)) from error

    return checked


def anything() -> Check:
    """Whatever JSON can hold, its texts plain and its lists and objects not too long; lists stay lists."""

    def checked(value: Any, where: str) -> Any:
        if type(value) is list:
            return list(list_of(checked)(value, where))
        return mapping(checked)(value, where) if type(value) is dict else scalar()(value, where)

    return checked


def check_noise(sharp_registers: bool, noisy_registers: bool) -> None:
    """Accept noise for registers that are sharp.

    Raises:
        ValueError: They are not.
    """
    if noisy_registers and not sharp_registers:
        raise ValueError("noisy_registers needs sharp_registers: ask for both or for neither")


def _names(value: Any, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise FieldError(where, shown(value), "an object with named entries")
    for name in value:
        if not is_plain_text(name, LONGEST_NAME):
            raise FieldError(f"the name of an entry of {where or 'the whole'}", shown(name), "plain text")
    return value


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _such_that(holds: Callable[[Any], bool], rule: str) -> Check:
    def checked(value: Any, where: str) -> Any:
        if not holds(value):
            raise FieldError(where, shown(value), rule)
        return value

    return checked
