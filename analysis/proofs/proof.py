"""A proof: a claim about a program with an invariant that it follows from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.proofs.claims import Claim
from analysis.proofs.obligations import Obligation, obligations
from analysis.proofs.setting import Setting
from analysis.proofs.system import Invariants


@dataclass(frozen=True)
class Proof:
    """A claim and what it follows from. What it is worth, its obligations say once solvers agree to them.

    Attributes:
        setting: Program, task and knobs.
        claim: The claim.
        invariants: Facts that hold at every location that a run may reach.
    """

    setting: Setting
    claim: Claim
    invariants: Invariants

    def obligations(self) -> Iterator[Obligation]:
        """What solvers have to agree to."""
        return obligations(self.setting, self.claim, self.invariants)
