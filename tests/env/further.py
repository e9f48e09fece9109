"""How many instances the further tasks have, and the sizes of which tests take them all."""

from math import comb, perm

from nram_env.tasks import get_task, task_names

FURTHER = task_names("NRAM-X")


def arrays(n, m):
    """Arrays of n elements in 1..m-1."""
    return (m - 1) ** n


def holding(n, m):
    """The same, with a value that each of them holds."""
    return (m - 1) * (arrays(n, m) - arrays(n, m - 1))


def ascending(n, m):
    """Arrays of n elements in 1..m-1 that never fall."""
    return comb(m - 2 + n, n)


def lists(n, m):
    """Lists of n nodes, with a value in every other cell."""
    return perm(m - 3 - n, n) * m ** (m - 3 - n)


COUNTS = dict.fromkeys(FURTHER, arrays) | {
    "x-find": holding,
    "x-count": lambda n, m: arrays(n + 1, m),
    "x-replace": lambda n, m: arrays(n + 2, m),
    "x-removezeros": lambda n, m: m**n,
    "x-rotate": lambda n, m: n * m**n,
    "x-interleave": lambda n, m: m ** (2 * n),
    "x-binarysearch": lambda n, m: m * ascending(n, m),
    "x-insert": lambda n, m: (m - 1) * ascending(n, m),
    "x-partition": lambda n, m: m ** (n + 1),
    "x-add": lambda n, m: m ** (2 * n),
    "x-listreverse": lists,
    "x-listlength": lists,
    "x-contains": lambda n, m: arrays(n + 1, m),
    "x-clip": lambda n, m: arrays(n + 1, m),
    "x-findlast": holding,
    "x-addto": lambda n, m: arrays(n + 1, m),
    "x-pairmax": lambda n, m: m ** (2 * n),
    "x-listlast": lists,
}


def small_sizes(name):
    """The three smallest n without and with a slack, as far as there are few instances."""
    task = get_task(name)
    first = task.smallest_difficulty
    wanted = [(first, 0), (first + 1, 0), (first + 1, 1), (first + 2, 0), (first + 2, 1)]
    sizes = [(n, task.smallest_memory_size(n) + slack) for n, slack in wanted]
    return [size for size in sizes if COUNTS[name](*size) <= 7_000]


SMALL_SIZES = {name: small_sizes(name) for name in FURTHER}
