"""Programs rewritten to be read: fewer lines, the same output."""

from dataclasses import replace

import pytest

from agents import zoo
from analysis import find_program, load_program, shorten
from analysis.extraction.resolve import SHORT_FILE, find_short
from analysis.printing.code import as_code
from analysis.proofs.certify import evidence_file
from analysis.rewriting.search import SHORTENED
from analysis.rewriting.size import flags, size
from analysis.simplification.canonical import canonical_hash
from analysis.verification import check_random
from nram_env.tasks import get_task

MOST_LINES = {"merge": 13}
"""Of the code of a short form, by entry; of all others 12."""


def test_access_is_one_statement():
    short = shorten(find_program("zoo:access"), get_task("access"))
    assert as_code(short, get_task("access")).lines == ("mem[0] = mem[mem[0]]", "stop")
    assert short.certificates == ()


def test_flags_become_control_and_phases_one_loop():
    task, program = get_task("listk"), find_program("zoo:listk")
    edits: list[str] = []
    short = shorten(program, task, watch=edits.append)
    assert 3 * size(short) < size(program)
    assert (program.num_registers, short.num_registers) == (5, 2)
    assert len(as_code(short, task).lines) == 6
    assert check_random(short, task, 60, 2_000, seed=9).verdict == "TESTED"
    assert short.origin[SHORTENED] == canonical_hash(program)
    assert any(line.startswith("stores: ") for line in edits)
    assert "stores" in short.origin["edits"]


def test_a_wrong_program_is_not_shortened():
    with pytest.raises(ValueError, match="only a right program can be shortened"):
        shorten(find_program("zoo:access"), get_task("copy"))


def test_a_program_that_does_not_stop_is_not_shortened():
    program = find_program("zoo:access")
    endless = replace(program, edges=tuple(replace(edge, target=0) for edge in program.edges))
    with pytest.raises(ValueError, match="does not stop by itself"):
        shorten(endless, get_task("access"))


@pytest.mark.parametrize("name", zoo.entries())
def test_a_shipped_program_has_a_short_form_of_few_lines(name):
    program = find_program(f"zoo:{name}")
    found = find_short(f"zoo:{name}", program)
    assert found is not None
    short, file = found
    code = as_code(short, get_task(program.task))
    assert len(code.lines) <= MOST_LINES.get(name, 12), "\n".join(code.lines)
    assert code.remarks == ()
    assert not flags(short)
    verdicts = {certificate.check: certificate.verdict for certificate in short.certificates}
    assert (verdicts.get("proof") == "PROVED") == evidence_file(file).is_file()
    assert verdicts["random"] == "TESTED"
    assert verdicts["exhaustive"] == "EXHAUSTIVE"


def test_a_short_form_of_another_program_is_left_alone(tmp_path):
    for file in ("program.json", SHORT_FILE):
        (tmp_path / file).write_bytes((zoo.PLACE / "copy" / file).read_bytes())
    program = load_program(tmp_path / "program.json")
    assert find_short(str(tmp_path), program) is not None
    assert find_short(str(tmp_path), find_program("zoo:reverse")) is None
