"""Links of pages that are read in a checkout, as they are in the site, and on a package index."""

from __future__ import annotations

import posixpath
import re

_LINK = re.compile(r"(?P<before>!?\[(?P<text>[^\]]*)\]\()(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)\n(\n\*[^*]+\*\n)?")
"""With its caption in italics."""

_PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.md": "index.md"}
"""Files of the repository's top that are pages of the site."""


def in_site(markdown: str, folder: str) -> str:
    """A page with its links to files of the repository turned into links to pages of the site.

    Args:
        markdown: The page, which becomes one at the top of the site.
        folder: Where it lies in the repository: "docs", or "" for the top.

    Raises:
        ValueError: A link leads to a file of the repository that is no page.
    """
    return _LINK.sub(lambda link: f"{link['before']}{_place(link, folder)})", markdown)


def on_index(readme: str, site: str | None) -> str:
    """The README with its links to files of the repository turned into links to the site.

    Args:
        readme: The README.
        site: Address of the site, or None where there is none: then words stand for links, and pictures go.
    """

    def there(link: re.Match[str]) -> str:
        if _is_address(link["target"]):
            return link[0]
        if site is None:
            return link["text"]
        return f"{link['before']}{site.rstrip('/')}/{_place(link, '').replace('.md', '.html', 1)})"

    return _LINK.sub(there, readme if site else _PICTURE.sub("", readme))


def _is_address(target: str) -> bool:
    return re.match(r"[a-z]+:", target) is not None


def _place(link: re.Match[str], folder: str) -> str:
    """Where a link leads to, from the top of the site."""
    target, anchor = link["target"], link["anchor"] or ""
    if _is_address(target):
        return target + anchor
    path = posixpath.normpath(posixpath.join(folder, target))
    top, _, rest = path.partition("/")
    if path in _PAGES:
        return _PAGES[path] + anchor
    if top == "docs":
        return rest + anchor
    if top == "examples":
        return f"examples.md#{rest}"
    raise ValueError(f"{target} is no page of the site: link to a page, or write the path as code")
