"""Programs, circuits and runs as pictures."""
