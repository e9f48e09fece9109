"""How many known programs are read back out of LSTMs: trained to imitate them, or compiled from them.

    python benchmarks/imitation.py [--machines 50] [--seed 0] [--compiled]

Plants the paper's five programs and random machines of 2 to 6 states, extracts a program from every LSTM
and compares its hash with the planted one's. Every other one must be unrolled or report a mismatch: that
the program found is not the network, or that the network was not trained to be the planted program. Prints
one JSON object; exit code 0 if at least 95 % are recovered and none of these is called refuted, and every
other one says so. Takes about three minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.pop(0)  # the folder of this file, which holds what is called like a package
sys.path.insert(0, str(Path(__file__).parents[1]))  # the known programs are part of the tests

import torch

from tests.analysis.recovery import (
    compiled_networks,
    imitating_networks,
    paper_programs,
    planted_machines,
    recover_planted,
)

SHARE = 0.95


def main() -> int:
    """Plant, train or compile, extract, compare and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--machines", type=int, default=50, help="how many programs are planted in all")
    parser.add_argument("--seed", type=int, default=0, help="of the training of the LSTMs")
    parser.add_argument("--compiled", action="store_true", help="compile the weights instead of training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    programs = [*paper_programs(), *planted_machines(options.machines - 5)]
    networks = (compiled_networks if options.compiled else imitating_networks)(programs, seed=options.seed)
    trained = time.perf_counter() - start
    found = [recover_planted(*pair) for pair in zip(programs, networks, strict=True)]
    outcomes = Counter(recovery.outcome for recovery in found)
    doubted = sum(recovery.outcome == "recovered" and recovery.mismatches > 0 for recovery in found)
    report = {
        "lstm": "compiled" if options.compiled else "trained to imitate",
        "planted": len(programs),
        "outcomes": outcomes,
        "recovered_but_called_refuted": doubted,
        "left_at_step_in_runs_ten_times_as_long": sorted(r.left_at for r in found if r.left_at is not None),
        "training_seconds": round(trained, 1),
        "seconds": round(time.perf_counter() - start, 1),
        "others": [asdict(recovery) for recovery in found if recovery.outcome != "recovered"],
    }
    print(json.dumps(report, indent=1))
    right = outcomes["recovered"] >= SHARE * len(programs) and not outcomes["different"] and not doubted
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
