"""`nram show --explain`: a program's lines beside what they do in the words of its task."""

from __future__ import annotations

from analysis.explanation.at_hand import at_hand, short_at_hand
from analysis.explanation.page import explanation
from analysis.program.program import Program
from nram_env.tasks import get_task


def explained_text(name: str, program: Program, width: int) -> str:
    """The short form of a program that lies beside it, or the program itself, explained line by line.

    Args:
        name: What the program is called by.
        program: The program.
        width: Columns of the page.

    Raises:
        ValueError: It names no task, its task has no specification, or it cannot be written as nested code.
    """
    found = short_at_hand(name, program) or at_hand(name, program)
    shown = found.program
    if shown.task is None:
        raise ValueError(f"program {program.name} names no task, so that there are no words to explain it in")
    text = explanation(shown, get_task(shown.task, shown.imports), found.proof, width)
    if text is None:
        raise ValueError(f"the states of program {program.name} do not nest; nram shorten may help")
    return text
