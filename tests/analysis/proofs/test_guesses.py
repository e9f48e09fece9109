"""What is guessed from situations holds in all of them."""

import numpy as np
import pytest

from analysis.proofs.guesses import TEMPLATES, distinctions
from analysis.proofs.runs import locations
from analysis.proofs.setting import Setting, t
from analysis.proofs.view import View
from nram_env import get_task
from nram_env.tasks.spec import n
from tests.analysis.proofs.settings import kept, small_runs


@pytest.fixture(scope="module", params=["access", "increment", "copy"])
def views(request):
    """The locations of a program, none of whose registers holds bits alone."""
    program = kept(request.param)
    setting = Setting(program, get_task(program.task), splits=(t <= n,))
    found = locations(small_runs(program), setting)
    return [
        View(setting, rows.chosen(np.arange(min(len(rows), 100))), frozenset()) for rows in found.values()
    ]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.__name__)
def test_every_guess_holds_in_every_situation_that_it_is_made_from(views, template):
    for view in views:
        assert all(view.rows.holds(fact) for fact in template(view))


def test_registers_that_are_never_equal_are_told_apart(views):
    """Where one is always the larger, a difference says more."""
    view = views[-1]
    first = view.setting.registers[0]
    beside = np.where(np.arange(len(view.rows)) % 2, 1, -1)
    rows = view.rows.with_integer(first.name, beside + view.rows.value(n))
    assert first.differs(n) in list(distinctions(View(view.setting, rows, frozenset())))
