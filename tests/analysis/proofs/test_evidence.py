"""Evidence holds what the proof gives, and whatever else is written into it is found out."""

import io
import json
import zipfile
from dataclasses import replace

import pytest

from analysis.proofs.archive import MOST_UNPACKED, packed, unpacked
from analysis.proofs.claims import Stops, Window
from analysis.proofs.evidence import code_hash, evidence_texts, load_evidence, save_evidence
from analysis.proofs.minimise import minimal
from analysis.proofs.proof import Proof
from analysis.proofs.prover import Finding
from analysis.proofs.recheck import recheck
from analysis.proofs.setting import t
from analysis.proofs.term_files import TermReader, term_record
from nram_env import get_task
from nram_env.checks import FieldError
from nram_env.files import FileError
from nram_env.tasks import task_names
from nram_env.tasks.spec import M, n
from nram_env.tasks.terms import Number, free_names
from tests.analysis.proofs.settings import attempted, kept


@pytest.fixture(scope="module")
def access() -> Proof:
    found = attempted("access", Stops(Number(2)))
    return minimal(Proof(found.setting, found.claim, found.invariants, found.unchanged))


@pytest.fixture(scope="module")
def increment() -> Proof:
    found = attempted("increment", Window(n, M + 1), splits=(t < M,))
    return minimal(Proof(found.setting, found.claim, found.invariants, found.unchanged))


def changed(proof, file, **texts):
    """The evidence of a proof with some texts in place of its own."""
    file.write_bytes(packed(evidence_texts(proof) | texts))
    return file


def edited(proof, edit):
    """proof.json after an edit of its record."""
    record = json.loads(evidence_texts(proof)["proof.json"])
    edit(record)
    return json.dumps(record)


@pytest.mark.parametrize("name", ["access", "increment"])
def test_what_is_saved_is_read_back_as_it_was(name, request, tmp_path):
    proof = request.getfixturevalue(name)
    save_evidence(proof, tmp_path / "a.zip")
    found = load_evidence(tmp_path / "a.zip")
    assert found.differing == ()
    assert found.proof == replace(proof, invariants=dict(proof.places()))
    save_evidence(found.proof, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_both_solvers_agree_to_all_of_it(access, tmp_path):
    save_evidence(access, tmp_path / "a.zip")
    found = recheck(tmp_path / "a.zip", kept("access"))
    assert found.problems == ()
    assert found.obligations == len([name for name in evidence_texts(access) if name.endswith(".smt2")])


def test_an_obligation_that_was_made_easier_is_found_out(access, tmp_path):
    name = "obligations/00003.smt2"
    file = changed(access, tmp_path / "a.zip", **{name: "(assert false)\n(check-sat)\n"})
    assert load_evidence(file).differing == (name,)
    assert f"{name} is not what the proof gives" in recheck(file, solvers=("z3",), seeds=(0,)).problems


def test_words_that_claim_more_are_found_out(access, tmp_path):
    statement = evidence_texts(access)["statement.txt"].replace("at most 2 steps", "at most 1 steps")
    assert load_evidence(changed(access, tmp_path / "a.zip", **{"statement.txt": statement})).differing == (
        "statement.txt",
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda record: record["locations"].pop(),
        lambda record: record["locations"][1]["facts"].clear(),
        lambda record: record["claim"].update(last=1),
        lambda record: (
            record["locations"][1]["facts"].append(["<=", 1, "t"]) or record["claim"].update(last=1)
        ),
    ],
    ids=["a place left out", "facts left out", "fewer steps", "a false fact"],
)
def test_what_does_not_follow_is_refused_by_the_solvers_though_all_texts_fit(access, tmp_path, edit):
    texts = {"proof.json": edited(access, edit)}
    proof = load_evidence(changed(access, tmp_path / "a.zip", **texts)).proof
    save_evidence(proof, tmp_path / "b.zip")
    found = recheck(tmp_path / "b.zip", solvers=("z3",), seeds=(0,))
    assert found.evidence.differing == ()
    assert any(problem.startswith("z3 (seed 0) says ") for problem in found.problems)


def test_another_program_is_refused(access, tmp_path):
    program = json.loads(evidence_texts(access)["program.json"])
    program["min_size"] += 1
    file = changed(access, tmp_path / "a.zip", **{"program.json": json.dumps(program)})
    with pytest.raises(FileError, match=r"a\.zip: the proof is about another program"):
        load_evidence(file)
    save_evidence(access, file)
    problems = recheck(file, kept("copy"), solvers=("z3",), seeds=(0,)).problems
    assert problems == ("it is about another program than copy: their code differs",)


def test_a_hash_depends_on_the_code_and_not_on_names():
    program = kept("copy")
    named = replace(program, name="other", certificates=(), origin={})
    assert code_hash(named) == code_hash(program)
    assert code_hash(replace(program, min_size=program.min_size + 1)) != code_hash(program)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda record: record.update(format="nram-proof-9"), "format is 'nram-proof-9'"),
        (lambda record: record["claim"].update(last="x) (assert false"), "must be one of"),
        (lambda record: record["locations"][0].update(next=7), "there is no location"),
        (lambda record: record["locations"][0].update(history=[1, 1]), "there is no location"),
        (lambda record: record["locations"][0]["facts"].append("t"), "a list that begins with what it is"),
        (lambda record: record.update(task="no-such-task"), "no-such-task"),
    ],
)
def test_a_record_that_makes_no_sense_is_one_clear_error(access, tmp_path, edit, message):
    file = changed(access, tmp_path / "a.zip", **{"proof.json": edited(access, edit)})
    with pytest.raises(FileError, match=message):
        load_evidence(file)


def test_every_term_of_every_task_is_read_back():
    for name in task_names():
        spec = get_task(name).spec
        if spec is not None:
            functions = {"mem", "before", *(ghost.name for ghost in spec.ghosts)}
            for fact in (*spec.axioms(), spec.post()):
                reader = TermReader(free_names(fact) - functions, functions)
                assert reader.fact(json.loads(json.dumps(term_record(fact))), "") == fact


@pytest.mark.parametrize("value", [True, 2**40, 1.5, None, [], ["+", 1, ["t"]], ["entry", "t", 1], ["no", 1]])
def test_what_is_no_term_is_refused(value):
    with pytest.raises(FieldError):
        TermReader({"t"}, {"mem"}).term(value, "here")


def zipped(names, content=b"x", compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip at all", "not a zip of texts"),
        (zipped(["a"])[:40], "not a zip of texts"),
        (zipped(["../a"]), "no text of its own"),
        (zipped(["/a"]), "no text of its own"),
        (zipped(["a"], compression=zipfile.ZIP_BZIP2), "no text of its own"),
        (zipped(["a"], b"\xff"), "not a zip of texts"),
        (zipped(["a"], b"0" * (MOST_UNPACKED + 1)), "unpacks to more than"),
        (b"0" * (3 << 20), "larger than"),
        (zipped(["a"]), None),
    ],
    ids=["text", "cut", "parent", "root", "bzip2", "bytes", "bomb", "large", "harmless"],
)
def test_a_zip_is_read_with_suspicion(content, message, tmp_path):
    (tmp_path / "a.zip").write_bytes(content)
    if message is None:
        assert unpacked(tmp_path / "a.zip") == {"a": "x"}
        return
    with pytest.raises(FileError, match=message):
        unpacked(tmp_path / "a.zip")


def test_where_nothing_is_proved_there_is_nothing_to_save(tmp_path):
    with pytest.raises(ValueError, match="there is no proof to save: the verdict is UNKNOWN"):
        Finding("UNKNOWN", "it stops").save(tmp_path / "evidence.zip")
    assert list(tmp_path.iterdir()) == []
