"""The tutorials, run as notebooks from an empty folder: what they say they made is there, none complains."""

import base64
import random
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis import find_program, load_program, recheck, run, verify
from analysis.verification.ladder import MUST_HOLD
from docs.run_tutorials import SOURCES, TUTORIALS, executed, notebook, written
from docs.site.notebook_page import notebook_page


class Played:
    """A tutorial after its run."""

    def __init__(self, name, folder):
        folder.mkdir()
        self.folder, self.notebook = folder, executed(name, folder)
        self.outputs = [
            output for cell in self.notebook.cells if cell.cell_type == "code" for output in cell.outputs
        ]

    def shown(self, kind):
        return [output.data[kind] for output in self.outputs if kind in output.get("data", {})]

    @property
    def printed(self):
        return "".join(output.text for output in self.outputs if output.get("name") == "stdout")

    @property
    def complaints(self):
        return [output.text for output in self.outputs if output.get("name") == "stderr"]

    @property
    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


def is_right(program) -> bool:
    """Whether it passes all checks, on instances that the tutorial has not drawn."""
    found = {certificate.check: certificate.verdict for certificate in verify(program, seed=1)}
    return {found[check] for check in MUST_HOLD} <= {"TESTED", "EXHAUSTIVE"}


def test_every_source_is_a_tutorial():
    assert sorted(path.stem for path in SOURCES.glob("*.py")) == sorted(TUTORIALS)


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_says_what_one_will_have_and_where_to_go_next(name):
    cells = notebook(name).cells
    assert re.match(r"# .+\n\nIn ten minutes you will have ", cells[0].source)
    assert "## Where to go next\n" in cells[-1].source
    assert max(cell.source.count("\n") for cell in cells) < 32


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_links_to_pages_of_the_documentation(name):
    text = "\n".join(cell.source for cell in notebook(name).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert links
    assert [link for link in links if not (SOURCES / link).is_file()] == []


def test_a_notebook_that_is_read_alone_names_pages_instead_of_linking_to_them():
    text = written(notebook("prove_it"))
    assert "Proofs (`docs/proofs.md`)" in text
    assert "](" not in text


def test_a_page_shows_what_the_cells_of_a_notebook_gave():
    shown = [
        new_output("stream", name="stdout", text="1 < 2\n"),
        new_output("display_data", {"text/plain": "a", "text/html": "<table></table>"}),
        new_output("display_data", {"text/plain": "a", "image/png": base64.b64encode(b"dots").decode()}),
        new_output("execute_result", {"text/plain": "'a'"}),
    ]
    cells = [new_markdown_cell("# Title\n\nWords."), new_code_cell("f(x)", outputs=shown)]
    made = notebook_page("name", new_notebook(cells=cells))
    assert made.keys() == {"name.md", "name.ipynb", "name-1.png"}
    assert made["name-1.png"] == b"dots"
    assert made["name.md"] == (
        "# Title\n\n[Download as a notebook](name.ipynb){ download }\n\nWords.\n\n"
        "```python\nf(x)\n```\n\n```text\n1 < 2\n```\n\n"
        "<div class=\"output\"><table></table></div>\n\n![what f(x) draws](name-1.png)\n\n```text\n'a'\n```\n"
    )


def test_from_attention_to_a_program(tmp_path):
    played = Played("ten_minutes", tmp_path / "empty")
    assert (played.complaints, played.files) == ([], ["access.json"])
    learned = load_program(played.folder / "access.json")
    assert is_right(learned)
    assert learned.origin["controller"] == "lstm"
    assert len(played.shown("image/png")) == 6
    assert len(played.shown("image/svg+xml")) == 1
    assert len(played.shown("text/html")) == 2


def test_a_task_is_written_learned_and_proved(tmp_path):
    played = Played("write_a_task", tmp_path / "empty")
    assert (played.complaints, played.files) == ([], ["store.json", "store.proof.zip"])
    assert "override or mend draw or oracle" in played.printed
    assert "<strong>PROVED</strong>" in played.shown("text/html")[-1]
    program, chance = load_program(played.folder / "store.json"), random.Random(1)
    for size in range(4, 200):
        n = chance.randrange(1, size - 2)
        address, value = chance.randrange(2, n + 2), chance.randrange(size)
        array = [chance.randrange(1, size) for _ in range(n)]
        done = run(program, [address, value, *array, *[0] * (size - n - 2)], max_steps=10)
        array[address - 2] = value
        assert (done.outcome, list(done.memory[2 : n + 2])) == ("halted", array)


def test_a_network_of_ones_own_becomes_a_program(tmp_path):
    played = Played("own_network", tmp_path / "empty")
    assert (played.complaints, played.files) == ([], ["own.json"])
    learned = load_program(played.folder / "own.json")
    assert is_right(learned)
    assert learned.origin["controller"] == "ModuleNetwork"
    assert "dice:  the same zeros and states gave other logits the second time" in played.printed
    assert len(played.shown("image/png")) == 3


def test_what_tests_do_not_tell_apart_is_proved_and_refuted(tmp_path):
    played = Played("prove_it", tmp_path / "empty")
    assert (played.complaints, played.files) == ([], ["hasty.json", "hasty.proof.zip"])
    verdicts = re.findall(r"<strong>(\w+)</strong>", "".join(played.shown("text/html")))
    assert verdicts == ["REFUTED", "PROVED"]
    assert played.printed.count("exact error 0.00%") == 6
    assert "obligations, problems: ()" in played.printed
    hasty = load_program(played.folder / "hasty.json")
    assert hasty.edges != find_program("zoo:copy").edges
    assert recheck(played.folder / "hasty.proof.zip", hasty, solvers=("cvc5",), seeds=(2,)).problems == ()
