"""Further tasks, which nothing was tuned on: what else one learns to program an array, or a list, for."""

from nram_env.tasks.base import Task
from nram_env.tasks.more.find import Find
from nram_env.tasks.more.last import Last
from nram_env.tasks.more.length import Length
from nram_env.tasks.more.max import Max
from nram_env.tasks.more.prefix_sums import PrefixSums
from nram_env.tasks.more.shift_left import ShiftLeft
from nram_env.tasks.more.sum import Sum

FURTHER_TASKS: tuple[type[Task], ...] = (Max, Sum, Last, Length, ShiftLeft, Find, PrefixSums)
"""In the order in which they are registered."""
