"""Workers as processes: the short form of benchmarks/kill_search.py --local."""

from benchmarks.kill_search import check


def test_killed_workers_and_drivers_lose_nothing():
    assert not check(kills=2, seed=1, local=True)
