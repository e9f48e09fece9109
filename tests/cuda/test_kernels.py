"""Compiling kernels by NVRTC, which needs no card, what is kept on the disk, and what may be missing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nram_env.machine.backends.cuda import compiler, disk, driver, kernels, sources
from nram_env.machine.backends.cuda.error import KernelError
from tests.cuda.examples import EXAMPLES, ROOT, SOURCES

SMALL = Path(__file__).parent / "kernels" / "faulty.cu"
H100 = 90

needs_compiler = pytest.mark.skipif(compiler.load() is None, reason="NVRTC is not installed")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty folder in which compiled kernels are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nram" / "kernels"


@pytest.fixture
def compiled(monkeypatch):
    """Sources that NVRTC was given, which here makes nothing but their lengths of them."""
    calls = []

    def measure(self, name, texts, options):
        calls.append((name, options))
        return f"{len(texts[name])} {options[-1]}".encode(), "no complaints"

    monkeypatch.setattr(compiler.Compiler, "compile", measure)
    return calls


@pytest.fixture
def source(tmp_path):
    """A copy of a source, which includes a header beside it."""
    header, copy = tmp_path / "own.cuh", tmp_path / "small.cu"
    header.write_text("#define OWN 1\n")
    shutil.copy(SMALL, copy)
    copy.write_text('#include "own.cuh"\n' + copy.read_text())
    return copy


@needs_compiler
def test_a_source_becomes_machine_code():
    assert kernels.binary(SMALL, {"SIZE": 32}, H100).startswith(b"\x7fELF")


@needs_compiler
@pytest.mark.parametrize(
    ("name", "defines"), [(name, defines) for name, examples in EXAMPLES.items() for defines in examples]
)
def test_the_sources_of_the_packages_compile(name, defines):
    (source,) = (source for source in SOURCES if source.name == name)
    assert kernels.binary(source, defines, H100).startswith(b"\x7fELF")


def test_every_source_has_an_example_of_what_it_is_specialised_on():
    assert EXAMPLES.keys() == {source.name for source in SOURCES}, "see tests/cuda/examples.py"


@needs_compiler
def test_errors_in_a_source_are_told(source):
    source.write_text(source.read_text() + "\nKERNEL(wrong, Job, SIZE, 1) { f.nothing = 1; }\n")
    with pytest.raises(
        KernelError, match=r'(?s)small.cu does not compile .*small.cu.*has no member "nothing"'
    ):
        kernels.binary(source, {}, H100)


@needs_compiler
def test_the_compiler_tells_what_kernels_use():
    told = [*kernels.options({"SIZE": 32}, H100), "--ptxas-options=-v"]
    _, log = compiler.load().compile(SMALL.name, sources.texts(SMALL), told)
    assert re.search(
        r"entry function 'reverse' for 'sm_90'[^']* 0 bytes spill stores[^']*Used \d+ registers", log
    )


@needs_compiler
def test_what_was_compiled_is_kept(compiled, cache, source):
    first = kernels.binary(source, {"SIZE": 32}, H100)
    assert kernels.binary(source, {"SIZE": 32}, H100) == first
    assert len(compiled) == 1
    assert [file.name.partition("-")[0] for file in cache.iterdir()] == ["small"]


@needs_compiler
def test_whatever_changes_is_compiled_anew(compiled, cache, source, monkeypatch):
    kernels.binary(source, {"SIZE": 32}, H100)
    kernels.binary(source, {"SIZE": 64}, H100)
    kernels.binary(source, {"SIZE": 32}, 80)
    source.write_text(source.read_text() + "//")
    kernels.binary(source, {"SIZE": 32}, H100)
    (source.parent / "own.cuh").write_text("#define OWN 2\n")
    kernels.binary(source, {"SIZE": 32}, H100)
    monkeypatch.setattr(compiler.load(), "version", (99, 0))
    kernels.binary(source, {"SIZE": 32}, H100)
    assert len(compiled) == len(list(cache.iterdir())) == 6


@needs_compiler
@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:40], lambda b: b"", lambda b: b[:-1] + b"x"]
)
def test_a_damaged_file_is_made_anew(compiled, cache, source, damage):
    first = kernels.binary(source, {}, H100)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert kernels.binary(source, {}, H100) == first
    assert len(compiled) == 2
    assert file.read_bytes() == whole


@needs_compiler
def test_a_folder_that_cannot_be_written_is_no_error(compiled, cache, source):
    cache.parent.write_text("a file where the folder should be")
    assert kernels.binary(source, {}, H100) == kernels.binary(source, {}, H100)
    assert len(compiled) == 2


def test_the_folder_is_in_the_user_s_cache(monkeypatch, tmp_path):
    assert disk.folder() == tmp_path / "nram" / "kernels"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert disk.folder() == Path.home() / ".cache" / "nram" / "kernels"


def test_a_missing_compiler_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(
        compiler, "candidates", lambda preferred: iter(["libnvrtc.so.0", "/nowhere/libnvrtc.so"])
    )
    monkeypatch.setattr(compiler, "load", compiler.load.__wrapped__)
    with pytest.raises(KernelError, match="no NVRTC was found; install it: pip install nvidia-cuda-nvrtc"):
        kernels.binary(SMALL, {}, H100)


@needs_compiler
@pytest.mark.parametrize(
    ("architecture", "advice"),
    [(990, "pip install --upgrade nvidia-cuda-nvrtc"), (20, "the card is too old")],
)
def test_a_compiler_that_does_not_know_the_card_is_an_error(architecture, advice):
    with pytest.raises(KernelError, match=rf"does not know .* sm_{architecture}, but .*90.*; .*{advice}"):
        kernels.binary(SMALL, {}, architecture)


def test_the_compiler_for_which_torch_was_built_is_looked_for_first():
    names = [Path(name).name for name in compiler.candidates(12)]
    assert names.index("libnvrtc.so.12") < names.index("libnvrtc.so.13")
    names = [Path(name).name for name in compiler.candidates(None)]
    assert names.index("libnvrtc.so.13") < names.index("libnvrtc.so.12")


@pytest.fixture
def card(monkeypatch):
    """Let torch say that there are two cards; returns their capability, at first an H100's."""
    capability = {"of": (9, 0)}
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability["of"])
    return capability


@needs_compiler
def test_a_card_that_is_there_is_no_obstacle(card):
    assert kernels.obstacle(torch.device("cuda")) is None
    assert kernels.obstacle(torch.device("cuda:1")) is None


@needs_compiler
def test_obstacles_say_what_is_missing(card, monkeypatch):
    assert kernels.obstacle(torch.device("cpu")) == "kernels run on NVIDIA cards, not on cpu"
    assert (
        kernels.obstacle(torch.device("cuda:2")) == "there is no cuda:2; torch finds 2 card(s), from cuda:0"
    )
    card["of"] = (99, 0)
    assert "does not know this card's architecture, sm_990" in kernels.obstacle(torch.device("cuda"))
    monkeypatch.setattr(compiler, "load", lambda: None)
    assert "no NVRTC was found" in kernels.obstacle(torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "torch finds no card" in kernels.obstacle(torch.device("cuda"))
    monkeypatch.setattr(torch.version, "cuda", None)
    assert kernels.obstacle(torch.device("cuda")) == "this torch was built without CUDA; install one with it"
    with pytest.raises(KernelError, match="this torch was built without CUDA"):
        kernels.build(SMALL, {}, torch.device("cuda"))


@needs_compiler
def test_kernels_are_compiled_ahead_and_loaded_once(card, compiled, source, monkeypatch):
    loads = []
    monkeypatch.setattr(driver, "Loaded", lambda binary, device: loads.append((binary, device)) or object())
    cuda = torch.device("cuda")
    kernels.ahead(source, [{"SIZE": size} for size in (8, 16)], cuda)
    built = [kernels.build(source, {"SIZE": size}, cuda) for size in (8, 16, 8, 32)]
    assert built[0] is built[2]
    assert len(compiled) == len(loads) == 3
    assert {device for _, device in loads} == {torch.device("cuda", 1)}


def test_nothing_is_compiled_ahead_where_nothing_can_run(compiled):
    kernels.ahead(SMALL, [{}], torch.device("cpu"))
    assert compiled == []


LEAVE_WHILE_COMPILING = """
import sys, time, torch
from pathlib import Path
from nram_env.machine.backends.cuda import kernels
torch.version.cuda, torch.cuda.is_available = "13.0", lambda: True
torch.cuda.device_count, torch.cuda.current_device = lambda: 1, lambda: 0
torch.cuda.get_device_capability = lambda device: (9, 0)
kernels.ahead(Path(sys.argv[1]), [{}], torch.device("cuda"))
time.sleep(0.3)
"""


@needs_compiler
def test_a_process_that_still_compiles_ends_soon_and_well(cache, source):
    kernel = "KERNEL(more{0}, Job, 32, 1) {{ f.out[threadIdx.x] = sinf(f.in[threadIdx.x + {0}]); }}\n"
    source.write_text(source.read_text() + "".join(map(kernel.format, range(1000))))
    command = [sys.executable, "-c", LEAVE_WHILE_COMPILING, str(source)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert not cache.exists()
