"""`nram bench --device cuda --check`: the card at hand against the reference."""

from dataclasses import replace

from agents.cuda import check, episodes


def test_kernels_are_within_the_tolerance(device):
    found = list(check.differences(device))
    assert [difference.sample for difference in found] == list(check.SAMPLES)
    assert all(difference.passes and difference.returns < 1e-4 for difference in found)


def test_a_wrong_number_is_seen(device, monkeypatch):
    def play(controller, rules, examples):
        return played(controller, replace(rules, activation_clip=0.4), examples)

    played = episodes.play
    monkeypatch.setattr(episodes, "play", play)
    monkeypatch.setattr(check, "SAMPLES", check.SAMPLES[2:3])
    (difference,) = check.differences(device)
    assert not difference.passes
    assert not replace(difference, gradient=float("nan")).passes
