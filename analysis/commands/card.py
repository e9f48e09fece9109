"""What `nram bench --check` compares on a card, for machines and for people. Needs torch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from rich.console import Group
from rich.table import Table

from agents.cuda.check import TOLERANCE, Difference, differences
from nram_env.machine.backends.cuda import kernels


def compare_card(device: str) -> tuple[bool, dict[str, Any], Group]:
    """Compare episodes by kernel with the reference.

    Args:
        device: "cuda", as in "nram bench --device cuda".

    Returns:
        Whether all are within the tolerance; the result for machines, and the same for people.

    Raises:
        ValueError: The device is no card that kernels can run on.
    """
    reason = kernels.obstacle(torch.device(device))
    if reason is not None:
        raise ValueError(f"there are no kernels to check: {reason}")
    found = list(differences(torch.device(device)))
    passes = all(difference.passes for difference in found)
    rows = [_as_json(difference) for difference in found]
    card = torch.cuda.get_device_name(device)
    result = {
        "card": card,
        "torch": torch.__version__,
        "tolerance": TOLERANCE,
        "passes": passes,
        "episodes": rows,
    }
    verdict = "every gradient is within" if passes else "NOT every gradient is within"
    return (
        passes,
        result,
        Group(_table(rows), f"{card}: {verdict} {TOLERANCE:g} of the reference in float64."),
    )


def _as_json(difference: Difference) -> dict[str, Any]:
    sample = asdict(difference.sample)
    gates = [gate.label for gate in difference.sample.gates]
    numbers = {"returns": difference.returns, "gradient": difference.gradient, "passes": difference.passes}
    return {**sample, "gates": gates, **numbers}


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("controller", "R", "H", "gates", "M", "batch", "loss", "returns differ", "gradients differ")
    for row in rows:
        sizes = (row["registers"], row["hidden"], len(row["gates"]), row["memory"], row["batch"])
        numbers = (f"{row['returns']:.1e}", f"{row['gradient']:.1e}")
        table.add_row(row["kind"], *map(str, sizes), row["loss"], *numbers)
    return table
