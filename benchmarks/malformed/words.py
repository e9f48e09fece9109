"""Words for malformed calls of the command line: good calls to spoil, and values that spoil them."""

from __future__ import annotations

GOOD: dict[str, list[str]] = {
    "demo": [],
    "tasks": ["copy"],
    "train": ["copy"],
    "eval": ["zoo:access"],
    "extract": ["zoo:access"],
    "show": ["zoo:copy"],
    "run": ["zoo:copy"],
    "trace": ["zoo:copy"],
    "verify": ["zoo:copy"],
    "sweep": ["zoo:copy"],
    "export": ["zoo:copy", "--to", "python"],
    "diff": ["zoo:copy", "zoo:access"],
    "plot": ["zoo:access"],
    "zoo": [],
    "reproduce": ["access"],
    "bench": [],
}
"""A good call of every verb, to which something malformed is done."""

NO_WHOLE = [
    "",
    " ",
    "x",
    "2.5",
    "1e3",
    "0x10",
    "nan",
    "None",
    "True",
    "--",
    "[1]",
    "٣x",
    "\x00",
    "\x1b[31m",
    "é" * 300,
]
NO_NUMBER = ["", "x", "1,5", "None", "--", "1e", "[1]", "\x00"]
BELOW = ["0", "-1", "-7", str(-(2**63)), str(-(2**70))]
NEGATIVE = ["-1", "-7", str(-(2**63)), str(-(2**70))]
ABSURD = [str(2**63), str(2**64), str(10**30), str(10**400)]
PLACES = [
    "nowhere",
    "no/such/run",
    "",
    ".",
    "folder",
    "text.txt",
    "empty.json",
    "list.json",
    "program.safetensors",
    "fifo",
    "/dev/zero",
    "/dev/null",
    "/proc/self/mem",
    "nul\x00byte",
    "line\nbreak",
    "\x1b[31mred",
    "long" * 2000,
    "\udcff",
    "zoo:",
    "zoo:copi",
    "zoo:../copy",
    "zoo:copy/",
    "ZOO:copy",
    "zoo:*",
]
TASKS = ["", "coppy", "copy ", "../copy", "\x00", "copy\n", "é", "zoo:copy", "-1"]
MEMORIES = [
    ["1"],
    ["5", "1", "2"],
    ["-1", "0", "0"],
    ["0", "0", "99"],
    ["x"],
    [str(2**70), "1"],
    ["1.5", "2"],
    [],
]

RANGES: dict[str, dict[str, list[str]]] = {
    "demo": {
        "--seed": NEGATIVE,
        "--minutes": ["-1", "nan", "inf", "-inf"],
        "--run": ["/dev/null/x", "text.txt", ""],
    },
    "tasks": {"--n": BELOW + ABSURD, "--memory-size": BELOW + ABSURD, "--seed": NEGATIVE},
    "train": {
        "--seed": NEGATIVE,
        "--updates": NEGATIVE,
        "--minutes": ["-1", "nan", "inf"],
        "--solved": BELOW,
        "--threads": BELOW,
        "--run": ["/dev/null/x", "text.txt"],
        **{
            f"--{name}": BELOW
            for name in (
                "population",
                "batch-size",
                "hidden-size",
                "num-registers",
                "gate-repeats",
                "max-level",
            )
        },
        **{f"--{name}": ["-0.1", "1.5", "nan"] for name in ("easy-share", "cull-share", "family-share")},
    },
    "eval": {"--sizes": BELOW + ABSURD, "--examples": BELOW, "--seed": NEGATIVE},
    "extract": {"--seed": NEGATIVE},
    "show": {},
    "run": {"--n": BELOW + ABSURD, "--steps": NEGATIVE, "--task": TASKS, "--seed": NEGATIVE},
    "trace": {"--n": BELOW + ABSURD, "--steps": NEGATIVE, "--seed": NEGATIVE},
    "verify": {
        "--n": BELOW + ABSURD,
        "--examples": BELOW,
        "--task": TASKS[1:],
        "--agent": PLACES,
        "--seed": NEGATIVE,
    },
    "export": {"--out": ["/dev/null/x", "folder"]},
    "sweep": {"--sizes": BELOW + ABSURD, "--examples": BELOW, "--seed": NEGATIVE},
    "diff": {},
    "plot": {"--n": BELOW, "--seed": NEGATIVE},
    "zoo": {},
    "reproduce": {"--seed": NEGATIVE, "--run": ["/dev/null/x", "text.txt"]},
    "bench": {"--device": ["cuda", "tpu"]},
}
"""By verb, options with values of the right type that are out of their range or name nothing."""
