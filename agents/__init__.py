"""The learner: controllers, training, checkpoints."""

from nram_env import __version__

__all__ = ["__version__"]
