"""A browser for tests of pages: Chromium without a window, driven by Selenium.

Selenium drives the system's Chromium and chromedriver, on Debian the packages chromium and chromium-driver,
which `.ci/browser` installs; Playwright would download a browser of its own.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "NRAM_BROWSER"
"""Environment variable; where it is "required", a browser that is not there is a failure."""

FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars
--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4
"""
"""The last line gives it a mouse: pages may heed that there is none."""


def program_or_skip(*names: str) -> str:
    """The first of these that is here; without one the test is skipped, or fails if REQUIRED says so."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        what = f"not run, as there is no {' or '.join(names)} here (see .ci/browser)"
        (pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip)(what)
    return found


class Browser:
    """One tab, what it asked for and what it complained about."""

    def __init__(self, profile: Path) -> None:
        options = Options()
        options.binary_location = program_or_skip(*BROWSERS)
        for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(options, Service(program_or_skip("chromedriver")))
        self.resize(1280)

    def devtools(self, command: str, **arguments) -> dict:
        """A command of the browser's own protocol."""
        return self.driver.execute_cdp_cmd(command, arguments)

    def resize(self, width: int) -> None:
        """Show pages at a width in pixels, as on a screen of one point a pixel."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )

    def colours(self, scheme: str) -> None:
        """Ask pages for "light" or "dark"."""
        self.devtools(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file anew, with a fragment that begins with # or is empty; the logs begin here."""
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(page.as_uri() + fragment)

    @contextmanager
    def without_scripts(self) -> Iterator[None]:
        """Scripts of pages do not run meanwhile."""
        self.devtools("Emulation.setScriptExecutionDisabled", value=True)
        try:
            yield
        finally:
            self.devtools("Emulation.setScriptExecutionDisabled", value=False)

    def ask(self, script: str, *arguments):
        """What a piece of JavaScript returns; a promise is waited for."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """What stands in the elements that a selector finds, as it is laid out."""
        return self.ask(
            "return [...document.querySelectorAll(arguments[0])].map((found) => found.innerText.trim())",
            selector,
        )

    def text(self, selector: str) -> str:
        """What stands in the only such element."""
        (found,) = self.texts(selector)
        return found

    def complaints(self) -> list[Mapping]:
        """What was written to the console since this was asked last."""
        return self.driver.get_log("browser")

    def requests(self) -> list[str]:
        """Addresses that were asked for since this was asked last."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]


@contextmanager
def opened_browser(profile: Path) -> Iterator[Browser]:
    """A browser with a new profile, closed at the end."""
    browser = Browser(profile)
    try:
        yield browser
    finally:
        browser.driver.quit()
