"""Malformed calls by family, for `benchmarks/fuzz_calls.py`; importing a module registers its families."""
