"""The reader: programs, extracted from controllers, run, printed and verified."""
