"""A report for everybody: contrast, labels, keyboard, narrow screens, paper."""

import base64
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from axe_core_python.base import AXE_SCRIPT
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import analysis.pages

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
REPORTS = ["merge", "copy", "copy-feedforward"]
STYLE = (Path(analysis.pages.__file__).parent / "assets" / "page.css").read_text(encoding="utf-8")
ON_ALL_GROUNDS = ("text", "quiet", "link")
"""Colours of words that may stand on the page itself and on what is raised."""


@pytest.fixture(params=["light", "dark"])
def scheme(request, browser):
    browser.colours(request.param)
    yield request.param
    browser.colours("light")


@pytest.fixture(params=[1280, 400])
def width(request, browser):
    browser.resize(request.param)
    yield request.param
    browser.resize(1280)


def open_everything(browser):
    browser.ask("document.querySelectorAll('details').forEach((part) => { part.open = true; })")


@pytest.mark.parametrize("name", REPORTS)
def test_axe_finds_nothing(browser, zoo_report, name, scheme):
    browser.open(zoo_report(name), "#step=4&n=3&seed=0")
    open_everything(browser)
    found = browser.ask(f"{AXE_SCRIPT}; return axe.run(document, {{runOnly: arguments[0]}})", RULES)
    wrong = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]
    assert wrong == []
    passed = {rule["id"]: len(rule["nodes"]) for rule in found["passes"]}
    assert passed["color-contrast"] > 200
    assert browser.ask("return matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")


def luminance(colour):
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first, second):
    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("number", [0, 1], ids=["light", "dark"])
def test_words_are_readable_on_every_ground_that_they_stand_on(number):
    """Axe leaves out words of one or two letters, and those in pictures."""
    variables = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[number]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", variables))
    pairs = [(name, ground) for name in ON_ALL_GROUNDS for ground in ("ground", "raised")]
    pairs += [(name.removesuffix("-ground"), name) for name in colours if name.endswith("-ground")]
    pairs += [("text", name) for name in colours if name.endswith("-ground")] + [("text", "now")]
    pairs += [("quiet", name) for name in ("read-ground", "write-ground", "state-ground")]
    assert [pair for pair in pairs if contrast(*(colours[name] for name in pair)) < 4.5] == []


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_wider_than_the_page_but_what_scrolls_by_itself(browser, zoo_report, name, width):
    browser.open(zoo_report(name), "#step=4&n=5&seed=0")
    open_everything(browser)
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    cut = browser.ask(
        """return [...document.querySelectorAll("main *")].filter((part) =>
             part.checkVisibility() && !part.closest(".scroll, svg, .listing, pre") &&
             (part.getBoundingClientRect().right > innerWidth || part.getBoundingClientRect().left < 0)
           ).map((part) => part.outerHTML.slice(0, 80))"""
    )
    assert cut == []


def test_cells_and_buttons_do_not_overlap(browser, zoo_report, width):
    browser.open(zoo_report("merge"), "#step=9&n=5&seed=1")
    overlapping = browser.ask(
        """const boxes = [...document.querySelectorAll(".cell, button, select, #slider, #now, .panel h3")]
             .filter((part) => part.checkVisibility()).map((part) => [part, part.getBoundingClientRect()]);
           return boxes.flatMap(([first, a], index) => boxes.slice(index + 1).filter(([, b]) =>
             a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
           ).map(([second]) => [first.outerHTML.slice(0, 80), second.outerHTML.slice(0, 80)]))"""
    )
    assert overlapping == []


def test_the_whole_stepper_is_reached_and_worked_by_keyboard(browser, zoo_report):
    browser.open(zoo_report("copy"), "#step=2&n=3&seed=0")
    focus = browser.driver.switch_to.active_element
    reached = []
    for _ in range(40):
        focus.send_keys(Keys.TAB)
        focus = browser.driver.switch_to.active_element
        reached.append(focus.get_attribute("id") or focus.tag_name)
        if focus.tag_name == "summary" and focus.text == "An input of your own":
            break
    wanted = ["listing", "example", "first", "back", "forth", "last", "slider", "summary"]
    assert [name for name in reached if name in wanted][-len(wanted) :] == wanted
    focus.send_keys(Keys.ENTER)
    browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    field = browser.driver.switch_to.active_element
    assert field.get_attribute("id") == "own-memory"
    field.send_keys("2 1 0", Keys.ENTER)
    assert browser.text("#now").startswith("Step 1 of")


def test_what_changes_is_said_to_readers_of_the_screen(browser, zoo_report):
    browser.open(zoo_report("copy"), "#step=2&n=3&seed=0")
    now = browser.driver.find_element(By.ID, "now")
    assert now.get_attribute("aria-live") == "polite"
    assert browser.driver.find_element(By.ID, "own-said").get_attribute("role") == "alert"
    slider = browser.driver.find_element(By.ID, "slider")
    assert (slider.accessible_name, slider.get_attribute("aria-valuetext")) == ("timestep", "timestep 2")
    names = [
        button.accessible_name for button in browser.driver.find_elements(By.CSS_SELECTOR, "#controls button")
    ]
    assert names[:4] == ["first step", "one step back", "one step on", "the end"]
    assert (
        browser.driver.find_element(By.ID, "own-memory").get_attribute("aria-label") is None
    )  # it has a label
    assert (
        browser.driver.find_element(By.CSS_SELECTOR, "#listing .now").get_attribute("aria-current") == "step"
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_all_that_can_be_read_is_printed(browser, zoo_report, scripts):
    browser.resize(730)  # a letter between its margins
    with nullcontext() if scripts else browser.without_scripts():
        browser.open(zoo_report("merge"))
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    try:
        hidden = browser.ask(
            """return [...document.querySelectorAll("main :is(p, pre, tr, li, svg, h2, h3)")]
                 .filter((part) => !part.checkVisibility() && !part.closest("#machine, noscript"))
                 .map((part) => part.outerHTML)"""
        )
        cut = browser.ask(
            """return [...document.querySelectorAll("pre, .listing, .scroll")].filter((part) =>
                 part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1
               ).map((part) => part.outerHTML.slice(0, 80))"""
        )
    finally:
        browser.devtools("Emulation.setEmulatedMedia", media="")
        browser.resize(1280)
    assert hidden == []
    assert cut == []
    printed = base64.b64decode(browser.devtools("Page.printToPDF")["data"])
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", printed)) > 5
