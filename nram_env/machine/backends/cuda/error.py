"""What is raised where a kernel cannot be compiled, loaded or started."""


class KernelError(RuntimeError):
    """A kernel cannot be compiled, loaded or started; says why and what can be done."""
