"""The tasks: sampler, oracle, enumerator and horizon of each."""
