"""The part of a report in which a program is run step by step, and what stands there without scripts."""

from __future__ import annotations

from analysis.pages.code import MOST_BLOCKS, blocks_listing
from analysis.pages.examples import example_sizes
from analysis.pages.markup import details, section, table
from analysis.pages.subject import Subject
from analysis.printing.trace import Trace, access_entries, trace
from analysis.verification.stopping import limits, stops_by_itself
from nram_env.markup import Markup, join, tag
from nram_env.tasks import example_of

_STATIC_SIZE = 3
"""n of the run that is printed for readers without scripts."""


def stepper_section(subject: Subject) -> Markup:
    """The blocks of the program, the controls, the machine, and one run as a table."""
    program = subject.long.program
    more = len(program.edges) - MOST_BLOCKS
    left = [tag("h3", "Its blocks"), blocks_listing(program)]
    left += [tag("p", f"{more} more blocks are not printed here.")] if more > 0 else []
    listing = tag(
        "div", *left, class_="listing", id="listing", tabindex="0", role="region", aria_label="blocks"
    )
    machine = tag("div", _controls(subject), _machine(), id="machine", hidden=True)
    return section(
        "steps",
        "The program as it was learned, step by step",
        tag("div", listing, machine, class_="side-by-side"),
        tag("noscript", tag("p", "With scripts switched on, runs can be stepped through here.")),
        _static_run(subject),
    )


def _controls(subject: Subject) -> Markup:
    example = tag("label", "Example ", tag("select", id="example"))
    buttons = [
        tag("button", text, type="button", id=identifier, aria_label=label)
        for identifier, text, label in (
            ("first", "|\N{BLACK LEFT-POINTING TRIANGLE}", "first step"),
            ("back", "\N{BLACK LEFT-POINTING TRIANGLE}", "one step back"),
            ("forth", "\N{BLACK RIGHT-POINTING TRIANGLE}", "one step on"),
            ("last", "\N{BLACK RIGHT-POINTING TRIANGLE}|", "the end"),
        )
    ]
    slider = tag("input", type="range", id="slider", min="1", max="1", value="1", aria_label="timestep")
    hint = tag(
        "p", "Arrow keys step; Home and End jump. The address of this page names the step.", class_="hint"
    )
    return tag(
        "div",
        tag("p", example, class_="row"),
        tag("p", *buttons, slider, class_="row"),
        tag("p", id="now", role="status", aria_live="polite"),
        hint,
        _own_input(subject),
        id="controls",
    )


def _own_input(subject: Subject) -> Markup:
    """The form for an input of one's own."""
    what = f" of {subject.task.name}" if subject.task else ""
    field = tag(
        "label",
        f"Memory{what}, M integers in 0..M-1 ",
        tag(
            "input", type="text", id="own-memory", inputmode="numeric", autocomplete="off", spellcheck="false"
        ),
    )
    steps = tag(
        "label",
        "Timesteps, where it does not stop by itself ",
        tag("input", type="text", id="own-steps", inputmode="numeric", autocomplete="off"),
        id="own-steps-label",
        hidden=True,
    )
    run = tag("button", "Run", type="submit")
    said = tag("p", id="own-said", role="alert")
    form = tag("form", tag("p", field), tag("p", steps, run, class_="row"), said, id="own")
    return details("An input of your own", form, id="own-input")


def _machine() -> Markup:
    panels = [
        tag(
            "div",
            tag("h3", heading),
            tag("div", id=f"{identifier}-memory"),
            tag("div", id=f"{identifier}-registers"),
            class_="panel",
            id=identifier,
        )
        for identifier, heading in (("hard", "The program: integers"), ("soft", "The network: probabilities"))
    ]
    attention = tag(
        "div", tag("h3", "What the network chooses from"), tag("div", id="selectors"), id="attention"
    )
    return tag("div", *panels, attention, id="panels")


def _static_run(subject: Subject) -> Markup:
    program, task = subject.long.program, subject.task
    if task is None:
        return tag("p", "It names no task that is known here, so there is no example to run.")
    n = min(example_sizes(task), key=lambda size: abs(size - _STATIC_SIZE))
    batch = example_of(task, n, seed=0)
    most = int(limits(task, batch, stops_by_itself(program, task))[0])
    found = trace(program, batch.memory[0].tolist(), most)
    caption = f"A whole run at n = {n}, seed 0; a cell that the timestep before wrote is marked"
    return details("One run as a table", _trace_table(found, caption), open=True, id="static-run")


def _trace_table(found: Trace, caption: str) -> Markup:
    heads = [
        "t",
        "block",
        *(f"cell {cell}" for cell in range(found.num_cells)),
        *found.register_names,
        "READ",
        "WRITE",
    ]
    rows = [
        (
            str(row.time),
            row.block,
            *(
                tag("mark", str(value)) if cell in row.written else str(value)
                for cell, value in enumerate(row.memory)
            ),
            *map(str, row.registers),
            *access_entries(row.accesses),
        )
        for row in found.rows
    ]
    ends = {
        "halted": "It then stops by itself.",
        "horizon": "It is then cut.",
        "unseen": "There no block fits.",
    }
    return join([table(caption, heads, rows, class_="trace"), tag("p", ends[found.outcome])])
