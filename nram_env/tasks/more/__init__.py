"""Further tasks, without recipes: what else one learns to program an array, or a list, for."""

from nram_env.tasks.base import Task
from nram_env.tasks.more.add import Add
from nram_env.tasks.more.add_to import AddTo
from nram_env.tasks.more.argmax import Argmax
from nram_env.tasks.more.binary_search import BinarySearch
from nram_env.tasks.more.clip import Clip
from nram_env.tasks.more.contains import Contains
from nram_env.tasks.more.count import Count
from nram_env.tasks.more.dedup import Dedup
from nram_env.tasks.more.differences import Differences
from nram_env.tasks.more.double import Double
from nram_env.tasks.more.find import Find
from nram_env.tasks.more.find_last import FindLast
from nram_env.tasks.more.insert import Insert
from nram_env.tasks.more.interleave import Interleave
from nram_env.tasks.more.last import Last
from nram_env.tasks.more.length import Length
from nram_env.tasks.more.list_last import ListLast
from nram_env.tasks.more.list_length import ListLength
from nram_env.tasks.more.list_reverse import ListReverse
from nram_env.tasks.more.max import Max
from nram_env.tasks.more.min import Min
from nram_env.tasks.more.pair_max import PairMax
from nram_env.tasks.more.partition import Partition
from nram_env.tasks.more.prefix_max import PrefixMax
from nram_env.tasks.more.prefix_sums import PrefixSums
from nram_env.tasks.more.remove_zeros import RemoveZeros
from nram_env.tasks.more.replace import Replace
from nram_env.tasks.more.reverse_in_place import ReverseInPlace
from nram_env.tasks.more.rotate import Rotate
from nram_env.tasks.more.shift_left import ShiftLeft
from nram_env.tasks.more.shift_right import ShiftRight
from nram_env.tasks.more.sort import Sort
from nram_env.tasks.more.sum import Sum

FURTHER_TASKS: tuple[type[Task], ...] = (
    *(Max, Sum, Last, Length, ShiftLeft, Find, PrefixSums),
    *(Min, Argmax, Count, Replace, RemoveZeros, Dedup, ReverseInPlace, Rotate, Interleave, PrefixMax),
    *(BinarySearch, Insert, Partition, Sort, Add, ListReverse, ListLength),
    *(ShiftRight, Differences, Contains),
    *(Clip, Double, FindLast),
    *(AddTo, PairMax, ListLast),
)
"""In the order in which they are registered. Those of the last three lines were written after generic
settings had been fixed: for the first time, the second, the third."""
