"""What of the learner runs on an NVIDIA card, in kernels: see `nram_env.machine.backends.cuda`."""
