"""The learner: controllers, training, checkpoints."""
