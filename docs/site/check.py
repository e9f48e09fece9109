"""Looks at the built site: links lead somewhere, anchors are there, nothing is fetched from elsewhere.

python -m docs.site.check build/site
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}
"""What a browser loads without being asked to; a link is followed by a reader."""


class _Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str, str]] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what it names, and what it leads to."""
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.append((tag, name, value))
            if name in ("id", "name") and value:
                self.anchors.add(value)


@cache
def _page(path: Path) -> _Page:
    return _Page(path.read_text(encoding="utf-8"))


def faults(site: Path) -> Iterator[str]:
    """What is wrong, a line each."""
    for path in sorted(site.rglob("*.html")):
        for tag, name, target in _page(path).links:
            if fault := _fault(path, (tag, name), target):
                yield f"{path.relative_to(site)}: {target} {fault}"
    for style in sorted(site.rglob("*.css")):
        for target in re.findall(r"url\(['\"]?(https?:[^)'\"]+)", style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)}: {target} is fetched from elsewhere"


def _fault(page: Path, where: tuple[str, str], target: str) -> str | None:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        fetched = where in _FETCHED and parts.scheme != "data"
        return "is fetched from elsewhere" if fetched else None
    file = (page.parent / unquote(parts.path)) if parts.path else page
    file = file / "index.html" if file.is_dir() else file
    if not file.is_file():
        return None if page.name == "404.html" else "is not there"
    if parts.fragment and file.suffix == ".html" and unquote(parts.fragment) not in _page(file).anchors:
        return "has no such anchor"
    return None


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print(*found, f"{len(found)} faults", sep="\n")
    sys.exit(bool(found))
