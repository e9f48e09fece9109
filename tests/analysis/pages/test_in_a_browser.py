"""A report in a browser: steps, links, inputs of one's own; it complains of nothing and asks for nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from analysis import find_program
from analysis.explanation.at_hand import AtHand
from analysis.machine.vm import run
from analysis.pages.subject import Subject
from analysis.printing.trace import trace
from nram_env.tasks import draw_plan, example_of, get_task, task_names
from tests.analysis.programs import CASES, endless_where_the_first_value_is_1, program_of

NAME = "</script><b>x"
PAPER = task_names()[:10]
NOT_LOOKED_AT = "or (for some k in 0..n - 1: place[k] <= i <= place[k] + 2)."
"""The last fact of a specification that speaks of sequences which are not found on the page."""


@pytest.fixture
def opened(browser, zoo_report):
    """Opens the report of an entry of the zoo; afterwards nothing was complained of and nothing asked for."""
    pages = []

    def open_page(name, fragment=""):
        pages.append(zoo_report(name))
        browser.open(pages[-1], fragment)
        return browser

    yield open_page
    assert browser.complaints() == []
    assert {address.partition("#")[0] for address in browser.requests()} <= {page.as_uri() for page in pages}


def numbers(browser, identifier):
    """The values of a row of cells."""
    return [int(value) for value in browser.texts(f"#{identifier} .value")]


def run_own(browser, memory, steps=""):
    """Put in an input of one's own and press the button; what the page says to it."""
    fill = "document.getElementById(arguments[0]).value = arguments[1]"
    browser.ask("document.getElementById('own-input').open = true")
    browser.ask(fill, "own-memory", memory)
    browser.ask(fill, "own-steps", str(steps))
    browser.ask("document.querySelector('#own button').click()")
    return browser.text("#own-said")


def end(browser):
    browser.ask("document.getElementById('last').click()")


def test_buttons_slider_and_arrow_keys_step_through_the_run_that_trace_prints(opened):
    browser = opened("copy", "#step=1&n=5&seed=2")
    program = find_program("zoo:copy")
    *rows, _ = trace(program, example_of(get_task("copy"), 5, 2).memory[0].tolist(), 100).rows
    keyboard = browser.driver.find_element(By.TAG_NAME, "body")
    slider = browser.driver.find_element(By.ID, "slider")
    moves = {
        "button": lambda: browser.driver.find_element(By.ID, "forth").click(),
        "key": lambda: keyboard.send_keys(Keys.ARROW_RIGHT),
        "slider": lambda: slider.send_keys(Keys.ARROW_RIGHT),
    }
    for number, row in enumerate(rows):
        state = row.block.partition(".")[0]
        (block,) = browser.texts("#listing .now .block-title")
        assert f" {state} \N{RIGHTWARDS ARROW}" in block
        assert (
            browser.text("#now").split(";")[0]
            == f"Step {number + 1} of {len(rows)}: block {' '.join(block.split())}"
        )
        assert numbers(browser, "hard-memory") == list(row.memory)
        assert numbers(browser, "hard-registers") == list(row.registers)
        list(moves.values())[number % 3]()
    assert browser.text("#now") == f"The end: stopped by itself after {len(rows)} timesteps."
    assert browser.texts("#hard-memory .right .remark") == ["right"] * 5
    keyboard.send_keys(Keys.ARROW_LEFT)
    assert browser.text("#now").startswith(f"Step {len(rows)} of {len(rows)}:")
    browser.driver.find_element(By.ID, "back").send_keys(Keys.HOME)
    assert browser.text("#now").startswith("Step 1 of")
    assert browser.driver.current_url.endswith("#step=1&n=5&seed=2")


def test_reads_and_writes_are_marked_and_said(opened):
    browser = opened("copy", "#step=4&n=3&seed=0")
    said = browser.text("#now")
    reads, writes = browser.texts("#hard-memory .read .name"), browser.texts("#hard-memory .write .name")
    assert reads
    assert writes
    assert all(f"READ cell {cell}, which holds" in said for cell in reads)
    assert all(f"into cell {cell}" in said for cell in writes)


def test_links_lead_to_a_step_of_an_example_or_of_an_input(opened):
    browser = opened("merge", "#step=7&n=5&seed=2")
    program, task = find_program("zoo:merge"), get_task("merge")
    memory = example_of(task, 5, 2).memory[0].tolist()
    assert numbers(browser, "hard-memory") == list(trace(program, memory, 100).rows[6].memory)
    browser.ask("location.hash = arguments[0]", f"step=2&memory={','.join(map(str, memory))}")
    browser.ask("return new Promise((done) => setTimeout(done))")
    assert browser.text("#now").startswith("Step 2 of")
    assert numbers(browser, "hard-memory") == list(trace(program, memory, 100).rows[1].memory)
    opened("merge", "#step=3&n=77&seed=2")
    assert browser.text("#now") == "This page has no example with n = 77 and seed = 2."


def test_the_soft_network_stands_beside_and_shows_what_it_chose_from(opened):
    browser = opened("merge", "#step=3&n=3&seed=0")
    assert numbers(browser, "soft-memory") == numbers(browser, "hard-memory")
    first, second = browser.driver.find_elements(By.CSS_SELECTOR, "#selectors .chip")[:2]
    first.send_keys(Keys.NULL)  # the focus goes to it
    assert browser.text("#readout p") == f"{first.text.partition(' ←')[0]} ←"
    ActionChains(browser.driver).move_to_element(second).perform()
    assert browser.text("#readout p") == f"{second.text.partition(' ←')[0]} ←"
    shares = [float(line.split()[-1].rstrip("%")) for line in browser.texts("#readout li")]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=3)  # what has less than half a per cent is left out


def test_an_input_is_typed_in_and_run(opened):
    browser = opened("copy")
    browser.driver.find_element(By.CSS_SELECTOR, "#own-input summary").click()
    browser.driver.find_element(By.ID, "own-memory").send_keys("3, 6 5,0,0 0 0", Keys.ENTER)
    assert numbers(browser, "hard-memory") == [3, 6, 5, 0, 0, 0, 0]
    assert browser.text("#own-said").startswith("Memory at the end: 3, 6, 5, 6, 5,")
    assert browser.text("#now").startswith("Step 1 of")
    assert browser.driver.current_url.endswith("#step=1&memory=3,6,5,0,0,0,0")


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        ("", "Not run: memory has 0 cells; 3 are needed."),
        ("3, 7, 5, 0, 0, 0, 0", "Not run: cell 1 holds 7, not in 0..6."),
        ("3, -1, 5, 0, 0", "Not run: cell 1 holds -1, not in 0..4."),
        ("3, 1.5, 0", 'Not run: "1.5" is no integer.'),
        ("<b>3</b>", 'Not run: "<b>3</b>" is no integer.'),
        ("2 " + "1 " * 1_000_001, "Not run: 1 timesteps on 1000002 cells are too many for this page."),
    ],
    ids=["empty", "too large", "negative", "no integer", "markup", "too long"],
)  # fmt: skip
def test_an_input_that_cannot_be_run_says_why_and_the_page_goes_on(opened, memory, says):
    browser = opened("copy")
    before = browser.text("#now")
    assert run_own(browser, memory) == says
    assert browser.text("#now") == before
    assert run_own(browser, "2, 1, 0").startswith("Memory at the end: 2, 1, 1")


@pytest.mark.parametrize("name", PAPER)
def test_ten_random_inputs_of_a_task_end_in_the_integer_machine_s_memory(opened, name):
    program, task, rng = find_program(f"zoo:{name}"), get_task(name), np.random.default_rng(21)
    browser = opened(name)
    sizes = [max(n, task.smallest_difficulty) for n in (1, 2, 3, 5, 8)]
    batches = draw_plan(task, rng, sizes, 2).batches(task, rng)
    memories = [memory for batch in batches for memory in batch.memory.tolist()]
    assert len(memories) == 10
    for memory in memories:
        horizon = len(memory) * 4
        said = run_own(browser, ", ".join(map(str, memory)), horizon)
        wanted = list(run(program, memory, horizon).memory)
        assert said.startswith(
            f"Memory at the end: {', '.join(map(str, wanted))}. It is a legal memory of {name}"
        )
        assert said.endswith(NOT_LOOKED_AT if name == "walkbst" else "The output is right.")
        end(browser)
        assert numbers(browser, "hard-memory") == wanted


def test_an_input_that_the_task_calls_illegal_is_named_so(opened):
    browser = opened("copy")
    said = run_own(browser, "3, 6, 5, 0, 0, 1, 0")
    assert said.startswith(
        "Memory at the end: 3, 6, 5, 6, 5, 6, 5. It is NOT a legal memory of copy: with n = 2"
    )
    assert said.endswith("You see what the program does, no more.")
    end(browser)
    assert browser.texts("#hard-memory :is(.right, .wrong)") == []


def test_a_program_without_a_task_runs_inputs_and_an_endless_run_is_cut(browser, written):
    browser.open(written(subject_of(endless_where_the_first_value_is_1())))
    assert numbers(browser, "hard-memory") == [0, 0]
    assert run_own(browser, "2, 0, 3, 0").startswith("Memory at the end: ")
    assert run_own(browser, "2, 1, 3, 0").startswith("Memory at the end: ")
    end(browser)
    assert browser.text("#now").startswith("The end: cut after")
    assert browser.complaints() == []


def subject_of(program, task=None):
    return Subject("p.json", AtHand(program, Path("nowhere.proof.zip"), None), task=task and get_task(task))


def test_a_program_whose_name_ends_a_script_is_a_page_like_any_other(browser, written):
    program = replace(program_of(CASES["copy"]), name=NAME, states=(NAME, "<!--"))
    page = written(subject_of(program, "copy"))
    browser.open(page)
    assert browser.complaints() == []
    assert browser.text("h1") == f"Program {NAME}"
    assert browser.driver.title == f"{NAME}: a program that a network learned"
    assert browser.ask("return document.querySelectorAll('b').length") == 0
    assert NAME in browser.text("#now")
    end(browser)
    assert browser.text("#now").startswith("The end:")
    assert browser.requests() == [page.as_uri()]


def test_without_scripts_the_page_reads_from_top_to_bottom(browser, zoo_report):
    with browser.without_scripts():
        browser.open(zoo_report("merge"))
        text = browser.text("main")
        assert not browser.ask("return document.getElementById('machine').checkVisibility()")
        for part in ("PROVED", "What is not claimed", "One run as a table", "With scripts switched on"):
            assert part in text
        program = find_program("zoo:merge")
        rows = trace(program, example_of(get_task("merge"), 3, 0).memory[0].tolist(), 100).rows
        cells = [row.split() for row in browser.texts(".trace tbody tr")]
        assert [list(map(int, row[2 : 2 + len(rows[0].memory)])) for row in cells] == [
            list(row.memory) for row in rows
        ]
        assert browser.complaints() == []
