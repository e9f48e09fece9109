"""The machine driven by hand, one timestep after another, without a terminal: `nram play` is its shell."""
