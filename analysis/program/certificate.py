"""What a check says: a certificate, and the counterexample that goes with a refutation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nram_env.checks import is_plain_text, shown

Verdict = Literal["PROVED", "EXHAUSTIVE", "TESTED", "REFUTED", "UNKNOWN"]
VERDICTS: tuple[Verdict, ...] = ("PROVED", "EXHAUSTIVE", "TESTED", "REFUTED", "UNKNOWN")

FAITHFUL = ("table", "fidelity", "long horizon")
"""Checks that say whether a program is the hardened network, as far as each of them goes."""

FAR = "far runs"
"""The check that says whether a network with a state of its own is still its program far beyond those. No
controller is refused for it: that it was asked to come so far nobody has said."""

MEANINGS: dict[Verdict, str] = {
    "TESTED": "on random instances; what is rare may have been missed",
    "EXHAUSTIVE": "on every instance, or in every case, of what is named; nothing is said of what is not",
    "PROVED": "for every legal memory of every size, by evidence to which two solvers agreed",
}
"""What the verdicts on a right program are worth, side by side."""

PROOF, NOT_AT_HAND = "proof", "evidence not at hand"
"""The check that a proof stands for; and what is said of it where nobody has looked at its evidence."""

_JOINTS = {"PROVED": "for", "EXHAUSTIVE": "to", "TESTED": "on", "REFUTED": "by", "UNKNOWN": "on"}


@dataclass(frozen=True)
class Counterexample:
    """An input on which the program is wrong, replayed before it is shown.

    Attributes:
        memory: The memory before, M integers.
        horizon: T, after which the run is cut.
        step: The step after which the output was read.
        cell: First wrong output cell, or None if the program came into an unseen situation, or did not stop.
        got: What the cell holds.
        wanted: What it should hold.
        shrunk: Whether smaller inputs were tried first.
        must_stop: Whether the program has to stop by itself: then `horizon` is a cap, and no T is said.
        endless: Whether it did not stop within the cap.
    """

    memory: tuple[int, ...]
    horizon: int
    step: int
    cell: int | None
    got: int | None
    wanted: int | None
    shrunk: bool = False
    must_stop: bool = False
    endless: bool = False

    def __str__(self) -> str:
        place = f"mem = {list(self.memory)}{'' if self.must_stop else f', T = {self.horizon}'}: "
        if self.endless:
            return place + f"does not stop by itself in {self.horizon:,} steps"
        if self.cell is None:
            return place + f"unseen situation at step {self.step}"
        return place + f"cell {self.cell} holds {self.got} after step {self.step}, wanted {self.wanted}"


@dataclass(frozen=True)
class Certificate:
    """One claim about a program with what was found.

    Attributes:
        check: Rung of the ladder: "table", "fidelity", "random", "exhaustive", "mutation", ...
        claim: What was asked, as in "program = hardened network".
        verdict: One of the five fixed words.
        domain: On what: sizes, counts, horizons.
        count: How many cases were tried.
        counterexample: The case that refutes the claim, in words, where there is one.
        error_below: TESTED on random samples: a larger share of failures among such samples is excluded with
            95 % confidence; what is rarer may have been missed.

    Raises:
        ValueError: The verdict is none of the five, the count is no count, `error_below` is no share or not
            of a test, or a text is not plain.

    Example:
        >>> found = Certificate("random", "output right", "TESTED", "100 instances, n to 8", 100)
        >>> found.verdict, found.domain
        ('TESTED', '100 instances, n to 8')
    """

    check: str
    claim: str
    verdict: Verdict
    domain: str
    count: int
    counterexample: str | None = None
    error_below: float | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"the verdict is {self.verdict!r}; it is one of {', '.join(VERDICTS)}")
        if type(self.count) is not int or self.count < 0:
            raise ValueError(f"the count of a certificate is {self.count!r}; it is an integer of at least 0")
        if self.error_below is not None and not (self.verdict == "TESTED" and 0 < self.error_below <= 1):
            raise ValueError(
                f"error_below is {self.error_below!r} and the verdict {self.verdict}; "
                "what is TESTED may have one above 0, at most 1"
            )
        for text in (self.check, self.claim, self.domain, self.counterexample or ""):
            if not is_plain_text(text):
                raise ValueError(f"a certificate holds {shown(text)}; its texts are plain, on one line")

    def __str__(self) -> str:
        found = self.counterexample if self.verdict == "REFUTED" else self.domain
        return f"{self.verdict} {_JOINTS[self.verdict]} {found}{self._missed}"

    @property
    def _missed(self) -> str:
        if self.error_below is None:
            return ""
        return f" (error rate < {100 * self.error_below:.2g}% with 95% confidence)"


def meanings(certificates: Iterable[Certificate]) -> Iterator[str]:
    """A line for each word in which something is claimed, where one of them is PROVED.

    Example:
        >>> list(meanings([Certificate("random", "output right", "TESTED", "100 instances", 100)]))
        []
    """
    verdicts = {certificate.verdict for certificate in certificates}
    if "PROVED" in verdicts:
        yield from (f"{word}: {meaning}" for word, meaning in MEANINGS.items() if word in verdicts)


def rule_of_three(samples: int) -> float:
    """The share of failures that so many independent samples without any exclude with 95 % confidence.

    Example:
        >>> rule_of_three(6_000)
        0.0005
    """
    return min(1.0, 3 / samples)


def is_equal(certificates: Iterable[Certificate]) -> bool:
    """Whether a program was found to be the hardened network, at the sizes to which controllers are judged.

    Every check of `FAITHFUL` that there is counts, and one that was left undecided counts as failed.
    """
    found = [certificate.verdict for certificate in certificates if certificate.check in FAITHFUL]
    return bool(found) and not {"REFUTED", "UNKNOWN"} & set(found)


def leaves(certificates: Iterable[Certificate]) -> bool:
    """Whether a network was found to leave its program on runs far beyond those sizes."""
    return any(found.check == FAR and found.verdict == "REFUTED" for found in certificates)
