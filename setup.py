"""Builds the optional native libraries of the machine and of the learner; all else is in pyproject.toml.

Where there is no C++ compiler, the package installs without the libraries and runs on torch alone.
They have C interfaces and are loaded with ctypes: they need neither Python's nor torch's headers, and one
wheel serves every Python of a platform. NRAM_NATIVE=required makes a failed compilation an error, for wheels
that are published.
"""

import os
import sys
import tomllib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from docs.site.links import on_index  # noqa: E402

MACHINE, LEARNER = Path("nram_env/machine/backends/native"), Path("agents/native")
FLAGS = [
    "-std=c++17",
    "-O3",
    "-g0",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
    "-pthread",
]


class BuildLibrary(build_ext):
    """Names the library plainly: it is no Python module."""

    def get_ext_filename(self, fullname: str) -> str:
        """File of the library inside the package."""
        return str(Path(*fullname.split(".")).with_suffix(".so"))

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Only what the sources export: there is no module function to ask for."""
        return ext.export_symbols


class BuildWheel(bdist_wheel):
    """Names what the wheel runs on: a platform, or any without libraries; never a Python's ABI."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tags of interpreter, ABI and platform."""
        native = any(Path(self.bdist_dir).rglob("*.so"))
        return "py3", "none", super().get_tag()[2] if native else "any"


def readme() -> str:
    """The README as a package index shows it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return on_index(text, project.get("urls", {}).get("Documentation"))


def library(name: str, folder: Path) -> Extension:
    """A native library whose sources lie in a folder."""
    return Extension(
        name,
        sources=sorted(map(str, folder.glob("*.cpp"))),
        depends=sorted(str(header) for part in (MACHINE, LEARNER) for header in part.glob("*.h")),
        extra_compile_args=FLAGS,
        extra_link_args=["-pthread"],
        language="c++",
        optional=os.environ.get("NRAM_NATIVE") != "required",
    )


setup(
    ext_modules=[
        library("nram_env.machine.backends.libnram_fused", MACHINE),
        library("agents.libnram_learner", LEARNER),
    ],
    cmdclass={"bdist_wheel": BuildWheel, "build_ext": BuildLibrary},
    long_description=readme(),
    long_description_content_type="text/markdown",
)
