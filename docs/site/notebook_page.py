"""An executed notebook as a page of the site, with its pictures and the notebook itself beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

from docs.run_tutorials import written

_FENCE = "```"


def notebook_page(name: str, made: NotebookNode) -> dict[str, str | bytes]:
    """The page NAME.md, what it shows, and NAME.ipynb, by file.

    Args:
        name: Of the files, without folder.
        made: The notebook, after its run.
    """
    pictures: dict[str, str | bytes] = {}
    parts = [part for cell in made.cells for part in _cell(cell, name, pictures)]
    link = f"[Download as a notebook]({name}.ipynb){{ download }}"
    title, _, rest = parts[0].partition("\n")
    page = "\n\n".join([title, link, rest.strip(), *parts[1:]]) + "\n"
    return {f"{name}.md": page, f"{name}.ipynb": written(made), **pictures}


def _cell(cell: NotebookNode, name: str, pictures: dict[str, str | bytes]) -> Iterator[str]:
    """The parts of a page that a cell becomes; its pictures are added to the others."""
    if cell.cell_type == "markdown":
        yield cell.source
        return
    yield f"{_FENCE}python\n{cell.source}\n{_FENCE}"
    for output in cell.outputs:
        if output.output_type == "stream":
            yield _text(output.text)
        else:
            yield _shown(output.data, cell.source.splitlines()[-1], name, pictures)


def _shown(data: dict[str, Any], drawn_by: str, name: str, pictures: dict[str, str | bytes]) -> str:
    """What a browser would show of an output: a table, a picture, or text."""
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    for kind, ending in (("image/svg+xml", "svg"), ("image/png", "png")):
        if kind in data:
            file = f"{name}-{len(pictures) + 1}.{ending}"
            pictures[file] = data[kind] if ending == "svg" else base64.b64decode(data[kind])
            return f"![what {drawn_by.replace('[', '(').replace(']', ')')} draws]({file})"
    return _text(data["text/plain"])


def _text(text: str) -> str:
    return f"{_FENCE}text\n{text.rstrip()}\n{_FENCE}"
