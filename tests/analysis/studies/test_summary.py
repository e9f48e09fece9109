"""What a study amounts to: intervals and times against known figures, and the page."""

import numpy as np
import pytest

from analysis.studies.progress import Standing
from analysis.studies.report import page, write_report
from analysis.studies.statistics import quantile, survival, wilson
from analysis.studies.summary import Summary, counts, effects
from analysis.studies.trial import Goal, Result, Trial


def standing(seed: int, seconds: float, success: bool, **settings) -> Standing:
    trial = Trial.make("access", seed, Goal(), settings)
    reason = "solved" if success else "minutes"
    return Standing(trial, Result(success, reason, 100, 1, seconds, int(success)))


def study(*found: Standing) -> dict[str, Standing]:
    return {one.trial.key: one for one in found}


@pytest.mark.parametrize(
    ("good", "runs", "low", "high"),
    [(0, 10, 0.0, 0.2775), (9, 10, 0.5958, 0.9821), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval_is_that_of_the_literature(good, runs, low, high):
    """The last from Newcombe (1998), table I."""
    assert wilson(good, runs) == pytest.approx((low, high), abs=6e-5)


def test_without_censoring_the_survival_curve_is_the_share_that_is_left():
    times = np.random.default_rng(0).integers(1, 20, 200)
    steps = survival([(float(time), True) for time in times])
    assert all(share == pytest.approx((times > moment).mean()) for moment, share in steps)


def test_the_survival_curve_of_a_textbook():
    """Nine of 21 patients relapse, the others leave before (Freireich and others, 1963)."""
    relapsed, left = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    steps = survival([(t, True) for t in relapsed] + [(t, False) for t in left])
    shares = [round(share, 3) for _, share in steps]
    assert shares == [1.0, 0.857, 0.807, 0.753, 0.69, 0.627, 0.538, 0.448]
    assert (quantile(steps, 0.5), quantile(steps, 0.75)) == (23, None)


def test_effects_are_counted_by_value_and_of_drawn_settings_by_thirds():
    by_value = study(*(standing(seed, 5, seed < 2, sharpening=0.1 * (seed % 2)) for seed in range(4)))
    assert [(value, summary.good) for _, _, value, summary in effects(by_value)] == [("0.0", 1), ("0.1", 1)]
    drawn = study(*(standing(seed, 5, seed < 3, sharpening=0.1 + seed) for seed in range(9)))
    found = [(value, len(summary.results), summary.good) for _, _, value, summary in effects(drawn)]
    assert [(runs, good) for _, runs, good in found] == [(3, 3), (3, 0), (3, 0)]
    assert found[0][0].startswith("0.1 to ")


def test_a_setting_that_all_share_has_no_effect():
    assert not list(effects(study(standing(0, 5, True, population=4), standing(1, 5, True, population=4))))


def test_the_page_says_what_is_done_and_what_is_not(tmp_path):
    found = study(standing(0, 10, True), standing(1, 30, False), standing(2, 20, True))
    missing = Trial.make("access", 3, Goal(), {})
    broken = Trial.make("copy", 0, Goal(), {})
    found |= study(Standing(missing), Standing(broken, failures=3, error="ValueError: no"))
    assert counts(found) == {"trials": 5, "finished": 3, "succeeded": 2, "open": 1, "given_up": 1}
    text = page(found, "easy", "nram search easy.toml", "easy.png")
    assert "3 of 5 trials are finished, 1 open, 1 given up" in text
    assert "| access | 2 of 3 | 67% (21% to 94%) | 10 | 20 | - | 1, 1, 1 | 1 |" in text
    assert f"- {broken.key}: ValueError: no" in text
    write_report(found, tmp_path / "easy.md", "easy", "nram search easy.toml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["easy.jsonl", "easy.md", "easy.png"]


def test_nothing_is_known_of_a_study_without_results(tmp_path):
    empty = study(Standing(Trial.make("access", 0, Goal(), {})))
    assert Summary.of(empty.values()).to_json()["high"] == 1.0
    write_report(empty, tmp_path / "none.md", "none", "nram search")
