"""Doing a trial: an ordinary run folder, made by the code of `nram train`, and a file of what came out.

A trial may be broken off at any moment and done again, here or elsewhere: it goes on from what was saved,
and what is finished is not done twice. Its result is written last, when all its files are on the disk.
"""

from __future__ import annotations

import errno
import json
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from agents.checkpoint import load_agent
from agents.metrics import call_seconds
from agents.run import Watch
from agents.run_files import POPULATION_FILE, Ending, RunError, ending_of
from analysis.extraction.pipeline import extract
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.program.file import load_program, save_program
from analysis.program.program import Program
from analysis.proofs.certify import evidence_file, note_proof
from analysis.proofs.evidence import save_evidence
from analysis.proofs.prover import prove
from analysis.simplification.canonical import canonical_hash
from analysis.studies.judged import judged_run, train
from analysis.studies.scheduler import error_text, plain
from analysis.studies.table import TABLE_FILE, trial_folder
from analysis.studies.trial import RESULT, TRIAL, Result, Trial
from nram_env.files import read_json
from nram_env.support import make_durable, sweep, write_atomically
from nram_env.tasks import get_task, import_tasks

RESULT_FILE, TRIAL_LOCK = "result.json", "trial.lock"

LOCK_SECONDS = 600.0
"""How long to wait for whoever still works in a trial's folder, as one whose driver was killed."""

MOST_CALLS = 8
"""Calls that are kept of where an error was raised."""

_STORAGE = {errno.ENOSPC, errno.EROFS, errno.EDQUOT}
"""What the system says where nothing can be written; to try again is of no use."""


def work(study: str, content: dict[str, Any], imports: Sequence[str], watch: Watch) -> dict[str, Any]:
    """Do a trial of a study, and say how it went, in plain values; nothing is raised.

    Args:
        study: Folder of the study, on storage that its driver sees as well.
        content: The trial, as its `to_json` gives it.
        imports: Files and modules that register tasks.
        watch: Told of every update.

    Returns:
        `kind` is "finished", with the `result`; "stopped", if it was asked to; "failed" or "storage", with
        the `error` and `where` it was raised.
    """
    torch.set_num_threads(1)
    try:
        for source in imports:
            import_tasks(source)
        result = do_trial(Path(study), TRIAL(content, ""), watch)
    except Exception as error:
        kind = "storage" if isinstance(error, OSError) and error.errno in _STORAGE else "failed"
        return {"kind": kind, "error": error_text(error), "where": _where(error)}
    return {"kind": "stopped"} if result is None else {"kind": "finished", "result": asdict(result)}


def _where(error: Exception) -> list[str]:
    """The last calls that led to an error, the innermost last."""
    calls = traceback.extract_tb(error.__traceback__)[-MOST_CALLS:]
    return [plain(f"{call.filename}:{call.lineno} {call.name}") for call in calls]


def do_trial(study: Path, trial: Trial, watch: Watch) -> Result | None:
    """Do a trial, or what is left of it.

    Returns:
        What came out, once that is on the disk; None if it was asked to stop, and saved.

    Raises:
        RunError: The study's folder is not to be seen from here, or somebody else works in the trial's.
        FileError: What is saved there is damaged.
        OSError: The disk is full or cannot be written.
    """
    if not (study / TABLE_FILE).is_file():
        raise RunError(f"there is no study in {study} here; its folder must lie where all workers see it")
    folder = trial_folder(study, trial.key)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / TRIAL_LOCK, timeout=LOCK_SECONDS):
            sweep(folder)
            if not (folder / RESULT_FILE).exists():
                ending = _trained(folder, trial, watch)
                if ending is None:
                    return None
                result = _result(folder, trial, ending)
                make_durable(folder, study)  # all that the result is about, before the result
                write_atomically(folder / RESULT_FILE, json.dumps(asdict(result)) + "\n")
            make_durable(folder, study)
    except Timeout as error:
        raise RunError(f"somebody else has worked in {folder} for {LOCK_SECONDS:g} s") from error
    found: Result = read_json(folder / RESULT_FILE, RESULT)
    return found


def _trained(folder: Path, trial: Trial, watch: Watch) -> Ending | None:
    """Train, or go on, unless that is done; returns the ending, None if it was asked to stop."""
    ending = ending_of(folder)
    if ending is not None and ending.reason != "interrupted":
        return ending
    config = None if (folder / POPULATION_FILE).exists() else trial.config
    budget = trial.goal.budget(sum(call_seconds(folder)))
    if _is_judged(trial):
        judged_run(folder, config, budget, watch, lambda line: None)
    else:
        train(folder, config, budget, watch, judge=None)
    ending = ending_of(folder)
    return None if ending is None or ending.reason == "interrupted" else ending


def _is_judged(trial: Trial) -> bool:
    return trial.goal.success in ("checked", "proved")


def _result(folder: Path, trial: Trial, ending: Ending) -> Result:
    program = proof = None
    if ending.solved and _is_judged(trial):
        program = _program(folder)
    if program is not None and trial.goal.success == "proved":
        proof = _verdict(folder / PROGRAM_FILE, program, trial.config.task)
    return Result(
        success=ending.solved > 0 and proof in (None, "PROVED"),
        reason=ending.reason,
        updates=ending.update,
        attempts=ending.attempt,
        seconds=round(sum(call_seconds(folder)[:-1]) + ending.seconds, 2),
        solved=ending.solved,
        program=None if program is None else canonical_hash(program),
        proof=proof,
        island=ending.island,
    )


def _program(folder: Path) -> Program:
    """The program of the accepted member; read anew where a kill came before it was saved."""
    file = folder / PROGRAM_FILE
    if not file.exists():
        save_program(extract(load_agent(folder)), file)
    return load_program(file)


def _verdict(file: Path, program: Program, task: str) -> str:
    """Look for a proof of a program, and keep its evidence."""
    found = prove(program, get_task(task))
    if found.proof is not None:
        save_evidence(found.proof, evidence_file(file))
        note_proof(found.proof, file)
    return found.verdict
