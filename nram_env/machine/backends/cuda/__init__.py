"""Kernels for NVIDIA cards: compiled when they are first needed, loaded and started (see kernels)."""
