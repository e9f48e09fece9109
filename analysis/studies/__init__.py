"""Training runs that end with a checked program, and studies of many of them that lose nothing."""
