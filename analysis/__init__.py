"""The reader: programs, extracted from controllers, run, printed and verified."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """The version, looked up when it is asked for, so that the command line begins without other packages."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nram_env import __version__

    return __version__
