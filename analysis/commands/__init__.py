"""The verbs of `nram`: one frozen dataclass each; calling it does the work and returns the exit code."""
