"""Runs the tutorials, docs/tutorials/*.py, as notebooks: each in a kernel of its own, from an empty folder.

python -m docs.run_tutorials                        # executed notebooks into build/tutorials
python -m docs.run_tutorials FOLDER write_a_task    # one of them, somewhere else
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from nram_env.support import write_atomically

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "docs" / "tutorials"
TUTORIALS = ("ten_minutes", "write_a_task", "own_network", "prove_it")
"""In the order in which one reads them."""

SECONDS = 600
"""Limit of a cell, for a computer that does much else."""

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_PAGE = re.compile(r"\[([^\]]+)\]\(\.\./([\w/]+\.md)(?:#[\w-]+)?\)")


def notebook(name: str) -> NotebookNode:
    """A tutorial without outputs.

    Args:
        name: One of TUTORIALS.
    """
    made = jupytext.read(SOURCES / f"{name}.py", fmt="py:percent")
    made.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    return made


def executed(name: str, folder: Path) -> NotebookNode:
    """A tutorial with the outputs of a run in a fresh kernel, of the packages in this checkout.

    Args:
        name: One of TUTORIALS.
        folder: Where it runs, and leaves what it saves.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed; the message shows it.
    """
    made = notebook(name)
    with tempfile.TemporaryDirectory() as private:
        connection = {"transport": "ipc", "connection_file": f"{private}/kernel.json"}  # files, no network
        manager = AsyncKernelManager(kernel_name=_KERNEL["name"], **connection)
        client = NotebookClient(made, km=manager, timeout=SECONDS, record_timing=False, coalesce_streams=True)
        client.execute(cleanup_kc=True, cwd=str(folder), env=_environment(private))
    return made


def _environment(private: str) -> dict[str, str]:
    """What the kernel runs in: the packages of this checkout, one thread, nobody's settings."""
    return os.environ | {
        "IPYTHONDIR": private,
        "OMP_NUM_THREADS": "1",  # small tensors
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger says nothing
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }


def written(made: NotebookNode) -> str:
    """The file of a notebook, to be read anywhere: it names pages of the documentation and links to none."""
    alone = nbformat.from_dict(made)
    for cell in alone.cells:
        if cell.cell_type == "markdown":
            cell.source = _PAGE.sub(r"\1 (`docs/\2`)", cell.source)
    return nbformat.writes(alone)


def main(folder: str = "build/tutorials", *names: str) -> None:
    """Execute tutorials, all unless some are named, and write them into a folder."""
    for name in names or TUTORIALS:
        with tempfile.TemporaryDirectory() as empty:
            made = executed(name, Path(empty))
        place = Path(folder) / f"{name}.ipynb"
        write_atomically(place, written(made))
        print(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
