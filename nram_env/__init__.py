"""The world: the differentiable machine, its tasks and its Gymnasium environments.

Importing it registers `NRAM/Copy-v0` and the others with Gymnasium, and does not import torch.
"""

from nram_env import tasks

__version__ = "0.1.0"

__all__ = ["__version__", "tasks"]
