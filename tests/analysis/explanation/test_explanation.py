"""What a program means to a reader comes from its proof, and from nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis import Program, load_program
from analysis.explanation.names import meaning_names
from analysis.explanation.page import explained, explanation, foundation
from analysis.proofs.evidence import load_evidence
from analysis.proofs.proof import Proof
from docs import list_programs
from nram_env import get_task

DATA = Path(__file__).parents[2] / "data"


def shortened(name: str) -> tuple[Program, Proof]:
    evidence = load_evidence(DATA / f"short_{name}.proof.zip")
    return load_program(DATA / f"short_{name}.json"), evidence.proof


def test_an_address_from_a_list_is_a_node_and_a_number_that_goes_with_time_a_counter():
    assert meaning_names(*shortened("listsearch"))[0] == "node"
    assert meaning_names(*shortened("copy")) == ("i", "j")


def test_without_a_proof_roles_give_names():
    program, _ = shortened("listsearch")
    assert meaning_names(program, None) == ("p", "x")


def test_names_are_unique():
    program, proof = shortened("copy")
    places = {place: (proof.setting.registers[0].equals(7), *facts) for place, facts in proof.places()}
    for names in (meaning_names(program, replace(proof, invariants=places)), meaning_names(program, None)):
        assert len(set(names)) == program.num_registers


def test_lines_are_explained_in_the_words_of_the_task():
    program, proof = shortened("listsearch")
    found = {line.line.strip(): line for line in explained(program, get_task("listsearch"), proof) or ()}
    assert found["node = mem[node]"].sentence == (
        "node becomes the next node; the first time, where node is 0, it becomes head, "
        "the address of the first node"
    )
    assert found["if mem[1] == mem[node + 1]:"].sentence == "if v is the value of the node"
    assert found["repeat:"].invariant[:2] == (
        "u is how many passes are done",
        "node is number u - 1 of the nodes on the way, counted from 0",
    )


def test_what_is_as_wanted_is_said_with_its_exception():
    program, proof = shortened("copy")
    found = {line.line.strip(): line for line in explained(program, get_task("copy"), proof) or ()}
    assert found["while j != 0:"].sentence.endswith("passed the last cell, M - 1, it is 0 again")
    assert found["mem[j] = mem[i]"].sentence.endswith("output cell (from the second pass on)")
    assert "the output cells up to cell j - 1 are as wanted" in found["while j != 0:"].invariant


def test_without_a_proof_there_are_no_invariants_and_it_says_so():
    program, _ = shortened("copy")
    lines = explained(program, get_task("copy"), None) or []
    assert not any(line.invariant or "wanted" in line.sentence for line in lines)
    assert (explanation(program, get_task("copy"), None, 100) or "").startswith("Not proved:")


def test_invariants_are_spoken_of_only_where_some_are_in_words():
    program, proof = shortened("copy")
    lines = explained(program, get_task("copy"), proof) or []
    assert foundation(lines, proof).startswith("Proved: what stands behind #")
    bare = [replace(line, invariant=()) for line in lines]
    assert foundation(bare, proof) == "Proved, by invariants of which none is in words here."


def test_no_line_but_code_is_wider_than_asked():
    program, proof = shortened("listsearch")
    text = explanation(program, get_task("listsearch"), proof, 90) or ""
    assert max(map(len, text.splitlines())) <= 90


def test_a_task_without_words_is_refused():
    program, _ = shortened("copy")
    task = get_task("copy")
    bare = type("Bare", (type(task),), {"spec": None})()
    with pytest.raises(ValueError, match="no specification"):
        explained(program, bare, None)


def test_a_proof_of_other_code_is_refused():
    program, _ = shortened("copy")
    with pytest.raises(ValueError, match="whose code is not"):
        explained(program, get_task("copy"), shortened("listsearch")[1])


def test_the_page_of_short_programs_shows_them_as_they_are():
    assert list_programs.PAGE.read_text(encoding="utf-8") == list_programs.page(), (
        "run docs/list_programs.py --write"
    )
