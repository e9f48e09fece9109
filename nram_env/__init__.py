"""The world: the differentiable machine, its tasks and its Gymnasium environments."""
