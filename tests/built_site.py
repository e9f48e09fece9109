"""The built site in a browser, which `make docs` looks at when it has built it: not a part of the suite."""

import time
from pathlib import Path

import pytest
from axe_core_python.base import AXE_SCRIPT
from selenium.webdriver.common.by import By

from tests.browser import opened_browser

SITE = Path(__file__).parent.parent / "build" / "site"
PAGES = ["index.html", "environments/copy.html", "tutorials/prove_it.html", "api.html", "results.html"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PATIENCE = 20
"""Seconds until a page of the search's answer counts as missing."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_for_everybody_and_keeps_to_itself(browser, page, scheme, width):
    browser.resize(width)
    browser.colours(scheme)
    browser.open(SITE / page)
    browser.ask("localStorage.clear()")  # where the theme keeps the colours of the first visit
    browser.open(SITE / page)
    assert (
        browser.ask("return document.body.dataset.mdColorScheme")
        == {"light": "default", "dark": "slate"}[scheme]
    )
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []
    assert [address for address in browser.requests() if not address.startswith(("file:", "data:"))] == []
    found = browser.ask(
        f"{AXE_SCRIPT}; return axe.run(document, {{runOnly: arguments[0], preload: false}})", RULES
    )
    wrong = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]
    assert wrong == []


def test_a_page_from_disk_is_searched(browser):
    browser.resize(1280)
    browser.open(SITE / "index.html")
    field = browser.driver.find_element(By.CSS_SELECTOR, ".md-search__input")
    field.click()
    field.send_keys("proved")
    end = time.monotonic() + PATIENCE
    while not (found := browser.ask("return document.querySelectorAll('.md-search-result__link').length")):
        assert time.monotonic() < end, browser.text(".md-search-result__meta")
    assert found > 0
    assert browser.complaints() == []
