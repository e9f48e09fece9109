"""The figures behind the table of results, as they stand in docs/results.json."""

from __future__ import annotations

from agents.zoo import RECORD
from analysis.measurement.results import PAPER, PROOF_COUNTS, SHOWN, SIZES
from analysis.program.certificate import FAR, VERDICTS
from analysis.program.program import KINDS
from nram_env.checks import (
    LONGEST_TEXT,
    boolean,
    choice,
    integer,
    list_of,
    mapping,
    nullable,
    number,
    record,
    text,
)

_COUNT, _SHARE, _WORDS = integer(0, 2**62), number(0, 1), nullable(text(LONGEST_TEXT))
_MODES = record({"hard": _SHARE}, {"soft": _SHARE})
_FINDING = record(
    {
        "verdict": choice(*VERDICTS),
        "count": _COUNT,
        "error_below": nullable(_SHARE),
        "counterexample": _WORDS,
        **dict.fromkeys(("claim", "domain"), text(LONGEST_TEXT)),
    }
)
_PROGRAM = record(
    {
        "kind": choice(*KINDS),
        **dict.fromkeys(("states", "gates", "examples"), _COUNT),
        "exact_error": _SHARE,
        **dict.fromkeys(SHOWN, _FINDING),
    },
    {FAR: _FINDING},
)
_SIZE = record(dict.fromkeys(("n", "memory_size", "wrong", "instances"), _COUNT))
_SWEEP = record(
    {
        "task": choice(*PAPER),
        "stops": boolean(),
        **dict.fromkeys(("sizes", "instances", "wrong"), _COUNT),
        "wrong_sizes": list_of(_SIZE, 100_000),
        "first": _WORDS,
    }
)
_PROOF = record(
    {
        "verdict": choice(*VERDICTS),
        **dict.fromkeys(("program", "statement"), text(LONGEST_TEXT)),
        "seconds": number(0, 2**62),
        **dict.fromkeys(PROOF_COUNTS, nullable(_COUNT)),
    }
)
_ROW = record(
    {
        "name": text(),
        "task": choice(*PAPER),
        "controller": text(),
        **dict.fromkeys(("registers", "gates", "trained_to"), _COUNT),
        **dict.fromkeys(("examples", "soft_examples", "far_examples"), _COUNT),
        "sizes": record(dict.fromkeys(("train", "paper", *map(str, SIZES)), _COUNT)),
        "errors": record(dict.fromkeys(("train", "paper", *map(str, SIZES)), _MODES)),
        "program": _PROGRAM,
        "sweep": _SWEEP,
        "easy_share": _SHARE,
        "records": mapping(RECORD),
    },
    {"proof": _PROOF},
)

FIGURES = record({"rows": mapping(_ROW)})
"""Check of the file: a row for every entry of the zoo that was measured, as `results.page` takes it."""
