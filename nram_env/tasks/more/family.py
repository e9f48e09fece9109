"""What the further tasks are called as a family."""

FURTHER = "NRAM-X"
"""Namespace of their environments; their names begin with `x-`."""
