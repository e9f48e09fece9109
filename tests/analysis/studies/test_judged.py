"""Which solved members end a run: those that pass the exam and whose programs pass every check."""

from dataclasses import replace

import pytest
import torch

from agents.checkpoint import Agent
from agents.controllers import Controller
from agents.hard import hard_failures
from agents.zoo import find_entry
from analysis.studies import exam
from analysis.studies.exam import Exam
from analysis.studies.judged import ProgramJudge


def spoilt(agent: Agent) -> Agent:
    """An agent of the same kind that does not solve the task."""
    noise = torch.randn(agent.controller.parameters.shape, generator=torch.Generator().manual_seed(0))
    parameters = agent.controller.parameters + 3 * noise.to(agent.controller.parameters)
    return replace(agent, controller=Controller(agent.controller.spec, parameters))


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """How many instances are asked at a time."""
    asked, run = [], hard_failures

    def counted(controller, batch, *rest):
        asked.append(batch.batch_size)
        return run(controller, batch, *rest)

    monkeypatch.setattr("agents.hard.hard_failures", counted)
    return asked


def test_a_good_member_is_accepted_and_its_program_is_kept(asked):
    agent, said = find_entry("increment").agent, list[str]()
    judge = ProgramJudge(said.append)
    assert judge(agent)
    assert list(judge.programs) == [agent.info["member"]]
    assert sum(asked) == exam.GROUPS * exam.GROUP, "the whole exam"


def test_who_fails_the_exam_is_refused_unread(monkeypatch):
    monkeypatch.setattr("analysis.studies.judged.extract", lambda *_, **__: pytest.fail("was read"))
    said: list[str] = []
    judge = ProgramJudge(said.append)
    assert not judge(spoilt(find_entry("increment").agent))
    assert not judge.programs
    assert ["not the exam" in line for line in said] == [True]


def test_what_one_failed_on_is_asked_first_of_the_next(asked):
    agent, asking = find_entry("increment").agent, Exam()
    assert asking.fails(spoilt(agent))
    del asked[:]
    assert asking.fails(spoilt(agent))
    assert asked == [1]
    assert not asking.fails(agent)


def test_who_is_to_stop_and_never_does_fails():
    agent = find_entry("increment").agent
    parameters = agent.controller.parameters.clone()
    parameters[:, -1] = -1000.0  # the bias of the halting logit
    endless = replace(agent, controller=Controller(agent.controller.spec, parameters))
    assert Exam().fails(endless)
