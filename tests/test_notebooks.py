"""What notebooks show of environments, examples, programs, traces and proofs: readable tables, escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from analysis import Certificate, find_program
from analysis.printing.trace import trace
from analysis.program.certificate import Counterexample
from analysis.proofs.evidence import load_evidence
from analysis.proofs.prover import Finding
from nram_env import get_task
from nram_env.tasks import instance_of
from tests.env.test_rendering import copying

EVIL, GAP = "<script>alert('&')</script>", "\N{HORIZONTAL ELLIPSIS}"
DATA = Path(__file__).parent / "data"


class Table(HTMLParser):
    """Rows of a page's tables as texts, with the titles of the entries, and whether tags nest."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.titles, self.captions, self.scopes, self._open = [], [], [], set(), []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, name, attrs):
        self._open.append(name)
        if name == "tr":
            self.rows.append([])
            self.titles.append([])
        if name in ("td", "th"):
            self.rows[-1].append("")
            self.titles[-1].append(dict(attrs).get("title"))
            self.scopes.add(dict(attrs).get("scope"))
        if name == "caption":
            self.captions.append("")

    def handle_endtag(self, name):
        assert self._open.pop() == name

    def handle_data(self, data):
        if "caption" in self._open:
            self.captions[-1] += data
        elif "tr" in self._open:
            self.rows[-1][-1] += data


def shown(value) -> Table:
    table = Table(value._repr_html_())
    assert table.scopes == {"col", "row", None}
    assert all(table.captions)
    return table


def test_an_environment_is_the_papers_table():
    table = shown(copying(None).unwrapped)
    assert table.captions == ["Copy, n = 2, M = 8, step 2 of 5, survival 1.000"]
    assert table.rows == [
        ["step", *"01234567", "r0", "r1", "r2", "r3", "READ, WRITE"],
        ["2", *"37500000", *"1300", "READ 1 -> 7  WRITE 3 <- 7"],
        ["3", *"37570000", *"1311", ""],
        ["want", *"...75...", *[""] * 4, ""],
    ]
    assert [table.titles[1][2], table.titles[2][4]] == ["read", "written, as wanted"]


def test_an_environment_marks_what_is_uncertain():
    env = gym.make("NRAM/Copy-v0").unwrapped
    env.reset(seed=0)
    env.step(np.zeros(env.layout.size, np.float32))
    assert "~" in shown(env).rows[2][1]


@pytest.mark.parametrize("make", [gym.make, lambda name: gym.make_vec(name, num_envs=3)])
def test_before_the_first_reset_there_is_nothing_to_show(make):
    assert make("NRAM/Copy-v0").unwrapped._repr_html_() is None


@pytest.mark.parametrize("differentiable", [False, True])
def test_many_environments_have_a_row_each(differentiable):
    envs = gym.make_vec("NRAM/Access-v0", num_envs=100, differentiable=differentiable, memory_size=300)
    envs.reset(seed=0)
    table = shown(envs.unwrapped)
    assert table.captions == ["Access, 100 machines, M = 300, 0 finished"]
    assert [row[0] for row in table.rows] == ["row", "0", "1", "2", "3", "4", GAP, "98", "99"]
    assert {len(row) for row in table.rows} == {1 + 40 + 4}
    assert table.rows[0][29:32] == ["28", GAP, "290"]


def test_examples_show_what_is_there_and_what_is_wanted():
    table = shown(instance_of(get_task("copy"), [[3, 7, 5, 0, 0, 0, 0, 0]]))
    assert table.captions == ["copy, n = 2, M = 8"]
    assert table.rows == [
        ["", *"01234567"],
        ["memory", *"37500000"],
        ["wanted", "", "", "", "7", "5", "", "", ""],
    ]


def test_of_many_examples_in_large_memories_some_are_shown():
    batch = get_task("access").sample(np.random.default_rng(0), np.arange(1, 51), 1_000)
    table = shown(batch)
    assert table.captions == ["access, 50 examples, n = 1 to 50, M = 1000"]
    assert [row[0] for row in table.rows][-3:] == [GAP, "49: memory", "49: wanted"]
    assert {len(row) for row in table.rows} == {41}
    assert len(batch._repr_html_()) < 50_000


def test_a_program_shows_its_blocks_and_what_was_found_out():
    program = find_program("zoo:copy")
    table = shown(program)
    assert table.captions[0] == f"program copy, task copy, M >= {program.min_size}; arithmetic is modulo M"
    assert table.rows[0] == ["state", "if", "does", "then"]
    blocks = table.rows[1 : 1 + len(program.edges)]
    assert blocks[0] == ["S0", "", "c = mem[0]\ni = 1\nflag = [c == 0]\np = c", "S1"]
    assert blocks[-1][3] == "stop"
    findings = {row[0]: row[2] for row in table.rows[2 + len(blocks) :]}
    assert findings.keys() == {certificate.check for certificate in program.certificates}
    assert findings["proof"].endswith("(evidence not at hand)")


def test_a_program_that_nobody_checked_has_one_table():
    assert len(shown(replace(find_program("zoo:copy"), certificates=())).captions) == 1


def test_of_a_program_of_many_blocks_some_are_shown():
    program = find_program("zoo:copy")
    state = replace(program.edges[0], target=None)
    many = replace(
        program,
        states=tuple(f"S{number}" for number in range(500)),
        edges=tuple(replace(state, source=number) for number in range(500)),
        certificates=(),
    )
    assert [row[0] for row in shown(many).rows][-11:-9] == [GAP, "S490"]


def test_a_trace_is_the_papers_table():
    table = shown(trace(find_program("zoo:copy"), [3, 4, 2, 0, 0], 100))
    assert table.captions == ["M = 5, halted"]
    assert table.rows[0] == ["t", "block", *"01234", "i", "c", "flag", "p", "READ", "WRITE"]
    assert table.rows[-1][1:7] == ["end", *"34242"]
    assert table.titles[2][3] == "read"
    assert table.titles[3][5] == "written"


def test_a_long_trace_in_a_large_memory_shows_some_of_it():
    memory = [300, *[1] * 299, *[0] * 500]
    table = shown(trace(find_program("zoo:copy"), memory, 1_000))
    assert len(table.rows) == 61
    assert {len(row) for row in table.rows} == {2 + 40 + 4 + 2}


def test_of_a_proof_the_claim_comes_first():
    proof = load_evidence(DATA / "short_copy.proof.zip").proof
    page = Finding("PROVED", str(proof.claim), proof, seconds=2.4)._repr_html_()
    Table(page)
    assert page.startswith("<div><p><strong>PROVED</strong> in 2 s: for every M &gt;= ")
    assert page.count("<details>") == 2


def test_of_what_is_refuted_the_instance_is_shown():
    wrong = Counterexample((2, 1, 0), 3, 3, 2, 0, 1, must_stop=True)
    page = Finding("REFUTED", "stops, output right", counterexample=wrong)._repr_html_()
    assert "mem = [2, 1, 0]: cell 2 holds 0 after step 3, wanted 1" in page


def test_of_what_is_unknown_it_is_said_what_was_tried():
    page = Finding("UNKNOWN", "stops", tried=("a < b", "out of time"))._repr_html_()
    assert page.endswith("<p>tried:</p><ul><li>a &lt; b</li><li>out of time</li></ul></div>")


def test_names_are_escaped():
    program = find_program("zoo:copy")
    evil = replace(
        program,
        name=EVIL,
        task=EVIL,
        states=(EVIL, "S1"),
        registers=(replace(program.registers[0], name=EVIL), *program.registers[1:]),
        certificates=(Certificate(EVIL, EVIL, "REFUTED", EVIL, 1, EVIL),),
    )
    pages = [evil, trace(evil, [3, 4, 2, 0, 0], 100), Finding("UNKNOWN", EVIL, tried=(EVIL,))]
    pages.append(replace(instance_of(get_task("copy"), [[3, 4, 2, 0, 0]]), task=EVIL))
    for page in pages:
        assert "<script" not in page._repr_html_()
        assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)" in page._repr_html_()


def test_colours_are_left_to_the_page():
    """So that text can be read on light and dark pages alike; marks are outlines, or see-through."""
    styles = re.findall(r'style="(.*?)"', copying(None).unwrapped._repr_html_())
    declared = {item.partition(":")[0].strip() for style in styles for item in style.split(";")}
    assert declared & {"color", "background-color"} == set()
    backgrounds = {found for style in styles for found in re.findall("background: ([^;]*)", style)}
    assert backgrounds == {"rgba(46, 160, 67, 0.3)"}
