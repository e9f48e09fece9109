"""How many instances the further tasks have, and the sizes of which tests take them all."""

from nram_env.tasks import get_task, task_names

FURTHER = task_names("NRAM-X")


def arrays(n, m):
    """Arrays of n elements in 1..m-1."""
    return (m - 1) ** n


COUNTS = {
    "x-max": arrays,
    "x-sum": arrays,
    "x-last": arrays,
    "x-length": arrays,
    "x-shiftleft": arrays,
    "x-find": lambda n, m: (m - 1) * (arrays(n, m) - arrays(n, m - 1)),
    "x-prefixsums": arrays,
}


def small_sizes(name):
    """The three smallest n without and with a slack, as far as there are few instances."""
    task = get_task(name)
    first = task.smallest_difficulty
    wanted = [(first, 0), (first + 1, 0), (first + 1, 1), (first + 2, 0), (first + 2, 1)]
    sizes = [(n, task.smallest_memory_size(n) + slack) for n, slack in wanted]
    return [size for size in sizes if COUNTS[name](*size) <= 2_000]


SMALL_SIZES = {name: small_sizes(name) for name in FURTHER}
