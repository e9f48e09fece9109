"""The reader: programs, extracted from controllers, run, printed and verified."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis import pictures
    from analysis.exporters import export
    from analysis.extraction.adapters import ModuleNetwork
    from analysis.extraction.check import check_network
    from analysis.extraction.foreign import from_circuits
    from analysis.extraction.network import Network
    from analysis.extraction.pipeline import extract
    from analysis.extraction.resolve import find_program
    from analysis.machine.vm import run
    from analysis.pages.report import write_report
    from analysis.printing.difference import diff
    from analysis.printing.page import listing
    from analysis.printing.trace import trace
    from analysis.program.certificate import Certificate
    from analysis.program.file import load_program, save_program
    from analysis.program.program import Program
    from analysis.proofs.prover import prove
    from analysis.proofs.recheck import recheck
    from analysis.rewriting.search import shorten
    from analysis.verification.ladder import verify
    from analysis.verification.random_inputs import check_sizes
    from nram_env import __version__

_MODULE_OF = {
    "Certificate": "program.certificate",
    "ModuleNetwork": "extraction.adapters",
    "Network": "extraction.network",
    "Program": "program.program",
    "check_network": "extraction.check",
    "check_sizes": "verification.random_inputs",
    "diff": "printing.difference",
    "export": "exporters",
    "extract": "extraction.pipeline",
    "find_program": "extraction.resolve",
    "from_circuits": "extraction.foreign",
    "listing": "printing.page",
    "load_program": "program.file",
    "pictures": "",
    "prove": "proofs.prover",
    "recheck": "proofs.recheck",
    "run": "machine.vm",
    "save_program": "program.file",
    "shorten": "rewriting.search",
    "trace": "printing.trace",
    "verify": "verification.ladder",
    "write_report": "pages.report",
}


def __getattr__(name: str) -> Any:
    """A name that is loaded when it is used, so that the command line begins without any other package."""
    import nram_env

    if name == "__version__":
        return nram_env.__version__
    return nram_env.support.lazy_name(__name__, _MODULE_OF, name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Certificate",
    "ModuleNetwork",
    "Network",
    "Program",
    "__version__",
    "check_network",
    "check_sizes",
    "diff",
    "export",
    "extract",
    "find_program",
    "from_circuits",
    "listing",
    "load_program",
    "pictures",
    "prove",
    "recheck",
    "run",
    "save_program",
    "shorten",
    "trace",
    "verify",
    "write_report",
]
