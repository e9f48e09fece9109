"""Builds the optional native libraries of the machine and of the learner; all else is in pyproject.toml.

Where there is no C++ compiler, the package installs without the libraries and runs on torch alone.
They have C interfaces and are loaded with ctypes: they need neither Python's nor torch's headers.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

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


def library(name: str, folder: Path) -> Extension:
    """A native library whose sources lie in a folder."""
    return Extension(
        name,
        sources=sorted(map(str, folder.glob("*.cpp"))),
        depends=sorted(str(header) for part in (MACHINE, LEARNER) for header in part.glob("*.h")),
        extra_compile_args=FLAGS,
        extra_link_args=["-pthread"],
        language="c++",
        optional=True,
    )


setup(
    ext_modules=[
        library("nram_env.machine.backends.libnram_fused", MACHINE),
        library("agents.libnram_learner", LEARNER),
    ],
    cmdclass={"build_ext": BuildLibrary},
)
