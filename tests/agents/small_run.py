"""A run of a fraction of a second."""

from agents.config import TrainConfig

SMALL = TrainConfig(
    task="access",
    population=2,
    batch_size=2,
    max_level=2,
    first_level=1,
    evaluate_every=10,
    cull_every=5,
    cull_share=0.5,
    spare_age=5,
)


def ignore(*_: object) -> None:
    """Watch nothing."""
