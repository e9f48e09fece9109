"""Builds the optional native library of the fused backend; all else is in pyproject.toml.

Where there is no C++ compiler, the package installs without the library and runs on the reference backend.
The library has a C interface and is loaded with ctypes: it needs neither Python's nor torch's headers.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

BACKENDS = Path("nram_env/machine/backends")
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


setup(
    ext_modules=[
        Extension(
            "nram_env.machine.backends.libnram_fused",
            sources=sorted(str(path) for path in (BACKENDS / "native").glob("*.cpp")),
            depends=sorted(str(path) for path in (BACKENDS / "native").glob("*.h")),
            extra_compile_args=FLAGS,
            extra_link_args=["-pthread"],
            language="c++",
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary},
)
