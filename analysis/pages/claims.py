"""What is claimed of a program, each claim with its badge and the statement behind it; and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.explanation.at_hand import AtHand
from analysis.pages.markup import details, section
from analysis.pages.subject import Subject
from analysis.program.certificate import FAITHFUL, FAR, MEANINGS, PROOF, Certificate
from analysis.proofs.certify import CHECKED
from analysis.proofs.statement import invariants_text, statement
from nram_env.markup import Markup, join, tag

TITLES: Mapping[str, str] = {
    "stops": "When it stops",
    PROOF: "Right on every legal memory of every size",
    "exhaustive": "Right on all small instances",
    "random": "Right on random instances of many sizes",
    "mutation": "The checks would notice an error",
    "table": "The same as the hardened network, case by case",
    "fidelity": "The same as the hardened network, step by step",
    "long horizon": "The same as the hardened network, far beyond its horizon",
    FAR: "The same as the hardened network, on runs far longer than all others",
    "time": "From when on the output is right",
    "effects": "What else it changes",
}
"""What each check is about, in the order in which claims are shown."""

_BESIDE_THE_PROGRAM = (TITLES["effects"], TITLES[FAR])
"""Claims that say nothing of whether the program is right, and stand in no headline."""

_OF_THE_BADGES: dict[str, str] = {
    "REFUTED": "by an instance, which is shown",
    "UNKNOWN": "not decided",
    "NOT AT HAND": "a proof is claimed, but its evidence was not seen to hold here",
    **{str(word): meaning for word, meaning in MEANINGS.items()},
}
_LONGEST = 60_000
"""Characters of invariants that are printed."""


@dataclass(frozen=True)
class Claim:
    """A claim as it is shown.

    Attributes:
        title: What it is about.
        badge: PROVED, EXHAUSTIVE, TESTED, REFUTED, UNKNOWN; or NOT AT HAND for a proof without its evidence.
        says: What is claimed.
        bound: How far, or by what.
    """

    title: str
    badge: str
    says: str
    bound: str


def claims_of(form: AtHand) -> list[Claim]:
    """The claims that a program carries."""
    found = {certificate.check: certificate for certificate in form.program.certificates}
    order = [*filter(found.__contains__, TITLES), *(check for check in found if check not in TITLES)]
    return [_claim(found[check], form.standing) for check in order]


def _claim(certificate: Certificate, standing: str | None) -> Claim:
    title, badge, bound = (
        TITLES.get(certificate.check, certificate.check),
        certificate.verdict,
        str(certificate),
    )
    bound = bound.removeprefix(f"{badge} ")
    if certificate.check == PROOF and standing is not None:
        held = standing == CHECKED
        return Claim(title, badge if held else "NOT AT HAND", certificate.claim, f"{bound} ({standing})")
    return Claim(title, badge, certificate.claim, bound)


def claims_section(subject: Subject) -> Markup:
    """The badges, what they mean, and what is not claimed."""
    forms = [("The program as it was learned", subject.long)]
    if subject.short is not None:
        forms.append(("Its short form, which the code below shows", subject.short))
    shown = [part for heading, form in forms for part in _form(heading, form, len(forms) > 1)]
    missing = tag("ul", *(tag("li", text) for text in not_claimed(subject)))
    return section(
        "claims",
        "What is claimed",
        *shown,
        tag("h3", "What is not claimed"),
        missing,
        tag("h3", "What the badges mean"),
        _legend(subject),
    )


def _form(heading: str, form: AtHand, several: bool) -> Iterator[Markup]:
    if several:
        yield tag("h3", heading)
    claims = claims_of(form)
    if not claims:
        yield tag("p", "Nothing was checked yet.")
    else:
        yield tag("ul", *map(_item, claims), class_="claims")
    if (proof := form.proof) is not None:
        yield details(
            "The exact statement that is proved, and what has to be trusted", _pre(statement(proof))
        )
        yield details("The invariants of its proof, location by location", _pre(_cut(invariants_text(proof))))


def _item(claim: Claim) -> Markup:
    return tag(
        "li",
        badge(claim.badge),
        tag("div", tag("strong", claim.title), tag("p", claim.says), tag("p", claim.bound, class_="bound")),
    )


def badge(word: str) -> Markup:
    """A verdict as a badge; its colour says nothing that the word does not."""
    return tag("span", word, class_=f"badge {word.lower().replace(' ', '-')}")


def not_claimed(subject: Subject) -> list[str]:
    """What a reader might take for claimed, and is not."""
    return list(_not_claimed(subject))


def _not_claimed(subject: Subject) -> Iterator[str]:
    found = {certificate.check: certificate for certificate in subject.long.program.certificates}
    if subject.long.proof is None:
        known = f" ({subject.long.standing})" if subject.long.standing else ""
        yield f"That the program is right at every size: no proof of that was seen to hold here{known}."
    if subject.short is not None and subject.short.proof is None:
        yield "That the short form is right at every size: it was tested, not proved."
    if "table" not in found or found["table"].verdict != "EXHAUSTIVE":
        compared = "only compared on runs" if set(FAITHFUL) & found.keys() else "not compared"
        yield f"That the program is the hardened network in every case: the two were {compared}."
    if "stops" not in found:
        yield "That it stops by itself."
    yield "Anything about memories that are not legal instances of the task."
    yield "Anything about the soft network, before it was hardened: what follows of it is measured, no more."


def _legend(subject: Subject) -> Markup:
    forms = [subject.long, *([subject.short] if subject.short else [])]
    words = {claim.badge for form in forms for claim in claims_of(form)}
    shown = [word for word in _OF_THE_BADGES if word in words]
    rows = (tag("div", tag("dt", badge(word)), tag("dd", _OF_THE_BADGES[word])) for word in shown)
    return tag("dl", *rows, class_="legend")


def headline(subject: Subject) -> Markup:
    """The strongest that is known of the program, as badges beside the title."""
    words = dict.fromkeys(
        claim.badge for claim in claims_of(subject.long) if claim.title not in _BESIDE_THE_PROGRAM
    )
    order = [word for word in ("REFUTED", "PROVED", "NOT AT HAND", "EXHAUSTIVE", "TESTED") if word in words]
    return join([badge(word) for word in order])


def _pre(text: str) -> Markup:
    return tag("pre", text, tabindex="0")


def _cut(text: str) -> str:
    return (
        text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n... {len(text) - _LONGEST:,} more characters"
    )
