"""Workers on Ray, a cluster of two nodes as processes: the short form of benchmarks/kill_search.py."""

from importlib.util import find_spec

import pytest

from analysis.commands.cli import main
from benchmarks.kill_search import check

HAS_RAY = find_spec("ray") is not None


@pytest.mark.skipif(not HAS_RAY, reason="needs Ray, an extra: pip install 'nram[ray]'")
def test_killed_nodes_workers_and_drivers_lose_nothing():
    assert not check(kills=3, seed=0, local=False)


def test_without_ray_it_is_said_what_to_install_before_anything_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("analysis.studies.on_ray.find_spec", lambda name: None)
    assert main(["search", "--tasks", "access", "--run", str(tmp_path / "study")]) == 2
    assert "pip install 'nram[ray]', or --local N" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not HAS_RAY, reason="needs Ray, an extra: pip install 'nram[ray]'")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "no.such.host.invalid:6379"])
def test_a_cluster_that_is_not_there_is_an_error_at_once(tmp_path, capsys, address):
    words = ["search", "--tasks", "access", "--run", str(tmp_path / "study"), "--address", address]
    assert main(words) == 2
    assert f"cannot reach Ray at {address}: " in capsys.readouterr().err
