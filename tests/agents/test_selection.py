"""Selection: who stays, who is cloned, and what becomes of clones."""

from dataclasses import replace

import pytest
import torch

from agents.config import TrainConfig
from agents.controllers import Controller
from agents.population import Population, start
from agents.selection import next_generation, rescale, select

CONFIG = TrainConfig(
    task="access", population=8, cull_share=0.5, spare_age=10, rescale_share=0.0, family_share=1.0
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def population_with(**changes: list) -> Population:
    population = replace(start(CONFIG, 8, generator()), tenure=torch.full((8,), 50))
    return replace(population, **{name: torch.tensor(values) for name, values in changes.items()})


def kept(before: Population, after: Population) -> list[int]:
    return [index for index in range(8) if torch.equal(after.parameters[index], before.parameters[index])]


def test_selection_replaces_the_worst_and_spares_the_young_and_the_solved():
    population = population_with(
        tenure=[50, 50, 50, 50, 50, 50, 5, 50],
        level=[3, 2, 2, 2, 1, 1, 1, 1],
        loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 0.8],
        best_error=[[1.0, 1.0]] * 7 + [[0.0, 0.0]],
    )
    after = select(population, CONFIG, generator())
    assert kept(population, after) == [0, 1, 6, 7]
    assert torch.equal(after.parameters[5], population.parameters[7]), "the best, a solved one, is cloned"
    assert after.tenure.tolist() == [50, 50, 0, 0, 0, 0, 5, 50]
    assert not after.solved[5], "a clone has yet to be tested"


def test_a_member_is_spared_until_it_has_stood_for_spare_age_updates():
    population = population_with(
        tenure=[50, 50, 50, 50, 8, 9, 10, 11], loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    )
    assert kept(population, select(population, CONFIG, generator())) == [0, 1, 4, 5]


def test_a_solved_member_stays_even_where_all_others_are_better():
    population = population_with(best_error=[[0.0, 0.0]] * 6 + [[0.0, 1.0], [0.1, 1.0]])
    assert kept(population, select(population, CONFIG, generator())) == [0, 1, 2, 3, 4, 5, 6]


def test_at_the_same_level_the_running_loss_ranks_even_where_every_example_is_still_wrong():
    population = population_with(
        level=[5] * 8, error=[1.0] * 8, loss=[4.0, 2.0, 3.0, 1.0, 8.0, 7.0, 6.0, 5.0]
    )
    assert population.ranking() == [3, 1, 2, 0, 7, 6, 5, 4]


def test_among_members_of_equal_errors_those_that_take_fewer_timesteps_rank_first():
    population = population_with(
        best_error=[[0.0, 0.0]] * 3 + [[0.0, 0.5], [0.5, 1.0]] + [[1.0, 1.0]] * 3,
        best_steps=[9.0, 7.0, 8.0, 1.0, 2.0, 0.0, 0.0, 0.0],
        level=[9, 9, 9, 9, 9, 8, 9, 8],
        loss=[0.1, 0.3, 0.2, 0.1, 0.1, 0.2, 0.3, 0.1],
    )
    assert population.ranking() == [1, 2, 0, 3, 4, 6, 7, 5]


def test_a_clone_has_no_timesteps_yet():
    population = population_with(best_steps=[7.0] * 8, loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert select(population, CONFIG, generator()).best_steps.tolist() == [7.0] * 4 + [0.0] * 4


def test_a_family_beyond_its_share_gives_way_first_and_its_best_stays():
    population = population_with(
        loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], family=[7, 7, 7, 7, 1, 2, 3, 4]
    )
    after = select(population, replace(CONFIG, family_share=0.25, cull_share=0.25), generator())
    assert kept(population, after) == [0, 1, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("share", "family", "gone"),
    [
        (0.0, [7, 7, 1, 2, 3, 4, 5, 6], 1),  # one of a family always has its place
        (0.25, [7, 7, 1, 2, 3, 4, 5, 6], 7),
        (0.25, [7, 7, 7, 2, 3, 4, 5, 6], 2),
    ],
)
def test_a_family_s_share_is_of_the_population_and_never_below_one_member(share, family, gone):
    population = population_with(loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], family=family)
    after = select(population, replace(CONFIG, family_share=share, cull_share=0.125), generator())
    assert kept(population, after) == [index for index in range(8) if index != gone]


def test_once_a_member_masters_the_top_level_families_are_not_held_to_their_share():
    population = population_with(
        loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        family=[7, 7, 7, 7, 1, 2, 3, 4],
        level=[CONFIG.top_level] * 8,
        error=[0.0] + [0.9] * 7,
    )
    after = select(population, replace(CONFIG, family_share=0.125, cull_share=0.25), generator())
    assert kept(population, after) == [0, 1, 2, 3, 4, 5]


def test_clones_come_from_the_best_eighth():
    config = replace(CONFIG, population=16)
    population = start(config, 16, generator())
    population = replace(population, tenure=torch.full((16,), 50), loss=torch.linspace(2, 1, 16))
    families = {int(family) for family in population.family[14:]}
    after = [select(population, config, generator(seed)) for seed in range(4)]
    assert {int(family) for clones in after for family in clones.family[:4]} == families


def test_clones_belong_to_their_parents_family_and_fresh_starts_to_their_own():
    population = population_with(loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    after = select(population, CONFIG, generator())
    assert kept(population, after) == [0, 1, 2, 3]
    assert after.family[6:].tolist() == [int(population.family[0])] * 2, "the worst become clones of the best"
    assert not set(after.family[4:6].tolist()) & set(population.family.tolist())


def logits(population: Population) -> torch.Tensor:
    spec = CONFIG.spec
    ones = torch.ones(population.size, 1, CONFIG.machine.num_registers)
    return Controller(spec, population.parameters)(ones, torch.zeros(population.size, 1, spec.state_size))[0]


def test_rescaling_multiplies_all_logits_of_a_member():
    population = start(CONFIG, 8, generator())
    factor = torch.linspace(0.3, 4.0, 8)
    torch.testing.assert_close(
        logits(rescale(population, factor, CONFIG.spec)), logits(population) * factor[:, None, None]
    )


def ratios_of_clones(error: float, seed: int) -> list[float]:
    """Factors on the logits of the two clones of the best member, both rescaled."""
    population = population_with(
        loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        level=[CONFIG.top_level] * 8,
        error=[error] * 8,
        age=[300] * 8,
    )
    after = select(population, replace(CONFIG, rescale_share=1.0), torch.Generator().manual_seed(seed))
    ratios = logits(after)[6:] / logits(population)[0]
    torch.testing.assert_close(ratios, ratios[:, :1, :1].expand_as(ratios), rtol=1e-3, atol=0)
    assert not after.age[6:].any()
    assert not after.momentum[6:].any()
    return ratios[:, 0, 0].tolist()


def test_rescaled_clones_are_softer():
    ratios = [ratio for seed in range(10) for ratio in ratios_of_clones(error=0.9, seed=seed)]
    assert all(0.3 < ratio < 0.8 for ratio in ratios)


def test_where_the_top_level_is_mastered_rescaled_clones_are_sharper():
    ratios = [ratio for seed in range(10) for ratio in ratios_of_clones(error=0.0, seed=seed)]
    assert all(1.25 < ratio < 4 for ratio in ratios)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_clones_keep_what_the_optimiser_knows_of_their_parents_unless_they_are_rescaled(share):
    population = population_with(loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], age=[300] * 8)
    ones = torch.ones_like(population.parameters)
    population = replace(population, momentum=ones, variance=2 * ones)
    after = select(population, replace(CONFIG, rescale_share=share), generator())
    for name, known in (("momentum", 1), ("variance", 2), ("age", 300)):
        assert (getattr(after, name)[6:] == known * (1 - share)).all(), name


def test_once_members_master_the_top_level_clones_are_of_them_only():
    population = population_with(
        loss=[0.3, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8], level=[CONFIG.top_level] * 8, error=[0.0] + [0.9] * 7
    )
    after = select(population, CONFIG, generator())
    assert kept(population, after) == [0, 1, 2, 3]
    assert after.family[6:].tolist() == [int(population.family[0])] * 2


def test_a_new_generation_are_softened_clones_of_the_best_from_the_first_level_on():
    config = replace(CONFIG, population=8, easy_share=0.0)
    population = population_with(loss=[0.8, 0.7, 0.6, 0.1, 0.5, 0.4, 0.3, 0.2], level=[CONFIG.top_level] * 8)
    after = next_generation(population, config, generator())
    ratios = logits(after) / logits(population)[3]
    torch.testing.assert_close(ratios, ratios[:, :1, :1].expand_as(ratios), rtol=1e-3, atol=0)
    assert ((ratios >= 0.6) & (ratios <= 1)).all()
    assert (after.level == config.lowest_level).all()
    assert not after.momentum.any()
    assert (after.best_error == 1).all()
    assert len(set(after.learning_rate.tolist())) == 8


def test_noise_on_a_new_generation_is_of_another_size_for_each_clone():
    config = replace(CONFIG, population=8, generation_noise=0.5)
    population = population_with(loss=[0.8, 0.7, 0.6, 0.1, 0.5, 0.4, 0.3, 0.2], level=[CONFIG.top_level] * 8)
    plain = next_generation(population, replace(config, generation_noise=0.0), generator()).parameters
    noise = (next_generation(population, config, generator()).parameters - plain).std(1) / plain.std(1)
    assert ((noise > 0) & (noise < 0.55)).all()
    assert len({round(float(amount), 3) for amount in noise}) == 8


def test_a_new_generation_comes_from_the_best_eighth_and_keeps_their_families_and_the_places_restarts():
    config = replace(CONFIG, population=16)
    population = replace(
        start(config, 16, generator()),
        loss=torch.linspace(2, 1, 16),
        easy_share=torch.linspace(0, 1, 16),
        restarts=torch.arange(16),
    )
    after = next_generation(population, config, generator())
    parents = torch.tensor([15, 14] * 8)
    ratios = logits(after) / logits(population)[parents]
    torch.testing.assert_close(ratios, ratios[:, :1, :1].expand_as(ratios), rtol=1e-3, atol=0)
    assert torch.equal(after.family, population.family[parents])
    assert torch.equal(after.easy_share, population.easy_share[parents])
    assert torch.equal(after.restarts, population.restarts)
    assert torch.equal(after.best_parameters, after.parameters)
    assert after.best_parameters.data_ptr() != after.parameters.data_ptr(), "the optimiser writes in place"


def test_noise_on_a_new_generation_is_measured_by_the_weights_of_its_own_parent():
    config = replace(CONFIG, population=16, generation_noise=0.5)
    population = replace(start(config, 16, generator()), loss=torch.linspace(1, 2, 16))
    wide = population.parameters.clone()
    wide[0] *= 100
    population = replace(population, parameters=wide)
    plain = next_generation(population, replace(config, generation_noise=0.0), generator()).parameters
    noise = (next_generation(population, config, generator()).parameters - plain).std(1) / plain.std(1)
    assert ((noise > 0.005) & (noise < 0.55)).all()


def test_clones_hyper_parameters_are_multiplied_by_exp_of_normal_numbers():
    config = replace(CONFIG, population=1024, cull_share=1.0, perturbation=0.4)
    population = replace(start(config, 1024, generator()), tenure=torch.full((1024,), 50))
    same = {name: torch.full((1024,), 0.01) for name in ("learning_rate", "entropy_bonus", "gradient_noise")}
    population = replace(population, **same, loss=torch.linspace(0, 1, 1024))
    after = select(population, config, generator())
    logs = torch.stack([getattr(after, name)[512:] / 0.01 for name in same]).log()
    assert (logs.mean(1).abs() < 0.06).all()
    assert ((logs.std(1) - 0.4).abs() < 0.04).all()
    assert (logs.abs() < 2).all(), "five standard deviations"
    assert (torch.corrcoef(logs) - torch.eye(3)).abs().max() < 0.15, "each is drawn by itself"


def selected(seed: int) -> Population:
    population = population_with(
        loss=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], error=[0.9] * 8, level=[CONFIG.top_level] * 8
    )
    return select(population, replace(CONFIG, rescale_share=0.5), generator(seed))


def born(seed: int) -> Population:
    return next_generation(
        start(CONFIG, 8, generator()), replace(CONFIG, generation_noise=0.5), generator(seed)
    )


@pytest.mark.parametrize("change", [selected, born])
def test_all_chance_comes_from_the_generator(change):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = change(seed=5)
        torch.manual_seed(2)
        second, other = change(seed=5), change(seed=6)
    for name, values in vars(first).items():
        assert torch.equal(values, getattr(second, name)), name
    assert not torch.equal(first.parameters, other.parameters)
