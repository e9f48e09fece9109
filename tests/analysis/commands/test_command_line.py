"""`nram` itself: what it imports, how it stops, its version, its completion."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import agents
import analysis
import nram_env
from analysis.commands import cli
from analysis.commands.cli import VERBS, main
from analysis.commands.output import command

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "sklearn", "scipy", "pandas", "matplotlib", "seaborn")
LIGHT_CALLS = [
    ["--version"],
    ["--completion", "bash"],
    ["zoo"],
    ["tasks", "copy"],
    ["show", "zoo:copy"],
    ["run", "zoo:copy"],
    ["trace", "zoo:copy"],
    ["diff", "zoo:copy", "zoo:copy"],
    ["verify", "zoo:access", "--n", "8"],
    *([verb, "--help"] for verb in VERBS),
]

LISTS_WHAT_IT_LOADS = """
import sys
from analysis.commands.cli import main
for words in {calls}:
    code = main(words)
    loaded = [name for name in {heavy} if name in sys.modules]
    if code or loaded:
        sys.exit(f"nram {{' '.join(words)}}: exit code {{code}}, loads {{loaded}}")
"""

INTERRUPTS_THE_IMPORT = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from analysis.commands.cli import main
sys.exit(main({words}))
"""


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_nothing_slow_is_loaded_where_it_is_not_needed() -> None:
    done = run_python(LISTS_WHAT_IT_LOADS.format(calls=LIGHT_CALLS, heavy=HEAVY))
    assert done.returncode == 0, done.stderr


def test_the_command_line_begins_with_the_standard_library_alone() -> None:
    code = "import sys, analysis.commands.cli; sys.exit('numpy' in sys.modules or 'tyro' in sys.modules)"
    done = run_python(code)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("gymnasium", ["zoo"]),
        ("analysis.printing.page", ["show", "zoo:copy"]),
        ("tyro", ["train", "--help"]),
        ("torch", ["eval", "zoo:copy"]),
        ("torch", ["reproduce", "copy"]),
    ],
)
def test_an_interrupted_import_is_an_interruption(module: str, words: list[str]) -> None:
    done = run_python(INTERRUPTS_THE_IMPORT.format(module=module, words=words))
    assert (done.returncode, done.stderr) == (130, "nram: interrupted\n")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "nram: interrupted"),
        (MemoryError(), 2, "nram: error: there is not enough memory for this"),
        (RuntimeError("can't start new thread"), 2, "nram: error: there is not enough memory for this"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 2, "not enough memory"),
        (RecursionError("maximum recursion depth exceeded"), 2, "nested too deeply"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (ValueError("there is no a\nb"), 2, r"there is no a\nb"),
    ],
)
def test_what_is_no_fault_of_the_program_is_one_line_and_a_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr(cli, "_load", fail)
    assert main(["zoo"]) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_a_warning_is_one_line_without_its_place_in_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def load(name: str) -> None:
        warnings.warn("weights are rounded", stacklevel=1)
        raise ValueError("no more")

    monkeypatch.setattr(cli, "_load", load)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["zoo"]) == 2
    assert capsys.readouterr().err == "nram: warning: weights are rounded\nnram: error: no more\n"


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(cli, "_load", fail)
    with pytest.raises(RuntimeError, match="a fault"):
        main(["zoo"])


def test_all_packages_and_the_command_tell_one_version(capsys: pytest.CaptureFixture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nram {nram_env.__version__}\n"
    assert analysis.__version__ == agents.__version__ == nram_env.__version__


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["sh"], {"show", "shorten"}),
        (["show", "--v"], {"--view"}),
        (["show", "zoo:copy", "--view", ""], {"listing", "choices", "circuit", "machine"}),
        (["train", "--batch"], {"--batch-size"}),
    ],
)
def test_bash_completes_verbs_options_and_choices(
    typed: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["--completion", "bash"]) == 0
    (tmp_path / "nram.bash").write_text(capsys.readouterr().out)
    words = " ".join(repr(word) for word in ["nram", *typed])
    script = f"source nram.bash; COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _tyro_nram"
    done = subprocess.run(
        ["bash", "-c", f'{script}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_every_verb(shell: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["--completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in VERBS)
    assert "--second-read" in script


@pytest.mark.parametrize("words", [["--completion"], ["--completion", "tcsh"], ["--completion", "zsh", "x"]])
def test_an_unknown_shell_is_answered_by_those_that_there_are(
    words: list[str], capsys: pytest.CaptureFixture
) -> None:
    assert main(words) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err


def test_options_of_the_parser_itself_are_no_options_of_a_verb(capsys: pytest.CaptureFixture) -> None:
    assert main(["show", "--tyro-print-completion", "perl"]) == 2
    assert "unknown option --tyro-print-completion" in capsys.readouterr().err


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two installations of the command, `here` and `elsewhere`, and a PATH that leads to neither."""
    for folder in ("here", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nram").write_text("#!/bin/sh\n")
        (tmp_path / folder / "nram").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "called", "shown"),
    [
        ("nowhere", "here/nram", "here/nram eval 'my run'"),
        ("here", "here/nram", "nram eval 'my run'"),
        ("elsewhere", "here/nram", "here/nram eval 'my run'"),
        ("nowhere", "pytest", "nram eval 'my run'"),
    ],
)
def test_a_hint_works_as_it_is_printed(
    path: str, called: str, shown: str, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(scripts / path))
    monkeypatch.setattr(sys, "argv", [called])
    assert command("eval", "my run") == shown


def test_a_hint_of_the_module_calls_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [cli.__file__])
    monkeypatch.setattr(sys, "orig_argv", ["python3", "-m", "analysis.commands.cli", "demo"])
    assert command("eval", "run") == "python3 -m analysis.commands.cli eval run"


@pytest.mark.parametrize(
    "words",
    [
        ["--version", "x"],
        ["--help", "shwo"],
        ["show"],
        ["show", "zoo:copy", "more"],
        ["show", "zoo:copy", "--viw", "circuit"],
        ["show", "zoo:copy", "--view", "everything"],
        ["show", "x" * 5_000],
        ["show", "nul\0byte"],
        ["run", "zoo:copy", "--memory"],
        ["run", "zoo:copy", "--task", ""],
        ["eval", "zoo:access", "--sizes"],
        ["reproduce", "copy", "--table"],
        ["reproduce", "--table", "--examples", "0"],
        ["eval", "zoo:access", "--examples", "-7"],
        ["sweep", "zoo:access", "--sizes", str(10**30)],
        ["sweep", "zoo:access", "--sizes"],
        ["sweep", "zoo:access", "zoo:copi"],
        ["reproduce", "--programs", "--entries"],
        ["tasks", "copy", "--memory-size", str(2**63)],
        ["plot", "zoo:access", "--n", "0"],
        ["tasks", "--import", ""],
        ["export", "zoo:copy", "--to", "python", "--out", "/dev/null/copy.py"],
    ],
)
def test_a_malformed_call_is_one_short_error_and_writes_nothing(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Siblings of these by the thousand: benchmarks/fuzz_calls.py."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert len(shown.err) < 2_000
    assert not list(tmp_path.iterdir())


def test_help_may_stand_before_its_verb(capsys: pytest.CaptureFixture) -> None:
    assert main(["--help", "show"]) == 0
    assert "usage: nram show" in capsys.readouterr().out
