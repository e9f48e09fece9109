"""What hardening does to an agent, in words and figures for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.measurement.hardening import Difference, Hardening


def firmness(row: Hardening) -> dict[str, str]:
    """How firm the choices are, and how far soft and hard agree at the worst timestep, by name."""
    margins = row.margins
    return {
        "live selectors": str(row.live_selectors),
        "margin in logits, smallest": f"{margins.smallest:.3f}" if margins else "-",
        "margin, 0.1 % quantile": f"{margins.permille:.3f}" if margins else "-",
        "margin, 1 % quantile": f"{margins.percent:.3f}" if margins else "-",
        "margin, median": f"{margins.median:.3f}" if margins else "-",
        "ties": str(row.ties),
        "fragile": str(row.fragile),
        "registers agree": f"{min(agreement.registers for agreement in row.agreement):.4f}",
        "memory agrees": f"{min(agreement.memory for agreement in row.agreement):.4f}",
        "hard stop step": f"{row.hard_stop:.2f}",
        "expected soft stop step": f"{row.expected_stop:.2f}",
    }


def difference_text(first: Difference | None) -> str:
    """Where soft and hard part, in a sentence."""
    if first is None:
        return "soft and hard agree at every timestep."
    return (
        f"first difference after t = {first.time}, example {first.example}: "
        f"{first.place} is {first.soft} soft, {first.hard} hard; "
        f"least sure choice: {first.selector} at t = {first.selector_time}, "
        f"{first.chosen} ({first.chosen_mass:.3f}) over {first.other} ({first.other_mass:.3f})."
    )
