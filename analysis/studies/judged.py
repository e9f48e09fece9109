"""Training that ends with a program: a solved member counts once its program passes every check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agents.checkpoint import Agent
from agents.config import TrainConfig
from agents.run import Budget, Judge, Outcome, Watch, resume_run, start_run
from agents.run_files import own_files
from analysis.extraction.pipeline import extract
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.program.certificate import FAITHFUL, is_equal
from analysis.program.file import load_program, save_program
from analysis.program.program import Program
from analysis.studies.exam import Exam
from analysis.verification import stops_by_itself
from analysis.verification.ladder import MUST_HOLD
from nram_env.tasks import get_task

Say = Callable[[str], None]


@dataclass
class ProgramJudge:
    """Accepts a solved member that passes an exam and whose program passes every check, which it keeps.

    Attributes:
        say: Told what goes on.
        seed: Seed of the extraction.
        programs: Those of the accepted members, by member.
        exam: What members are asked before their programs are read.
    """

    say: Say
    seed: int = 0
    programs: dict[int, Program] = field(default_factory=dict)
    exam: Exam = field(default_factory=Exam)

    def __call__(self, agent: Agent) -> bool:
        """Read and check the member's program, and say what came out."""
        if self.exam.fails(agent):
            self.say(f"Member {agent.info['member']} passes every test, but not the exam; training goes on.")
            return False
        self.say(f"Member {agent.info['member']} passes every test. Reading and checking its program ...")
        program = extract(agent, seed=self.seed)
        if faults := faults_of(agent, program):
            self.say(f"Its program is not good: {', '.join(faults)}; training goes on.")
            return False
        self.programs[agent.info["member"]] = program
        return True


def refuted_checks(program: Program) -> list[str]:
    """The checks that must hold and do not."""
    must_hold = (*FAITHFUL, *MUST_HOLD)
    return [c.check for c in program.certificates if c.check in must_hold and c.verdict == "REFUTED"]


def faults_of(agent: Agent, program: Program) -> list[str]:
    """What is wrong with an agent's program: the checks that refute it; that it is not known to equal the
    agent; and that it does not stop, if the agent was to learn that."""
    faults = [f"{check} REFUTED" for check in refuted_checks(program)]
    if not is_equal(program.certificates):
        faults.append("it is not known to equal the agent")
    if agent.must_stop and not stops_by_itself(program, get_task(agent.task)):
        faults.append("it does not stop by itself")
    return faults


def train(
    folder: Path,
    config: TrainConfig | None,
    budget: Budget,
    watch: Watch,
    judge: Judge | None,
    device: str = "cpu",
) -> Outcome:
    """Train in a folder: from nothing with a configuration, or on from where it was saved without one.

    Raises:
        RunError: The folder cannot be used for that.
        FileError: What is saved there is damaged.
        OSError: The disk is full or cannot be written.
    """
    own_files(folder, {PROGRAM_FILE: load_program}, "a run")
    if config is None:
        return resume_run(folder, budget, watch, judge=judge, device=device)
    return start_run(folder, config, budget, watch, judge=judge, device=device)


def judged_run(
    folder: Path, config: TrainConfig | None, budget: Budget, watch: Watch, say: Say, device: str = "cpu"
) -> tuple[Outcome, Program | None]:
    """Train until a member's program passes every check, and save that program; arguments as in `train`.

    Returns:
        How training ended; the program of the best member if there is one that was accepted.
    """
    judge = ProgramJudge(say)
    outcome = train(folder, config, budget, watch, judge, device)
    program = judge.programs[outcome.best] if outcome.solved else None
    if program is not None:
        save_program(program, folder / PROGRAM_FILE)
    return outcome, program
