"""What came of looking for a proof as notebooks show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analysis.proofs.statement import claim_text, invariants_text, statement
from nram_env.markup import Markup, tag

if TYPE_CHECKING:
    from analysis.proofs.prover import Finding


def finding_page(found: Finding) -> Markup:
    """The verdict and the claim; the statement and the invariants, the counterexample, or what was tried."""
    claim = found.claim if found.proof is None else claim_text(found.proof)
    head = tag("p", tag("strong", found.verdict), f" in {found.seconds:.0f} s: {claim}")
    return tag("div", head, *_behind(found))


def _behind(found: Finding) -> Iterator[Markup]:
    if found.proof is not None:
        yield _details("the statement, and what has to be trusted", statement(found.proof))
        yield _details("the invariants", invariants_text(found.proof))
    elif found.counterexample is not None:
        yield tag("p", str(found.counterexample))
    else:
        yield tag("p", "tried:")
        yield tag("ul", *(tag("li", line) for line in found.tried))


def _details(summary: str, text: str) -> Markup:
    return tag("details", tag("summary", summary), tag("pre", text))
