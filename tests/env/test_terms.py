"""The language in which tasks say what they want: its values, its text, its normal form."""

from dataclasses import is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nram_env.tasks.terms import (
    FALSE,
    TRUE,
    Fact,
    Not,
    Number,
    Sum,
    Term,
    all_of,
    any_of,
    app,
    between,
    choose,
    evaluate,
    exists,
    forall,
    free_names,
    implies,
    nodes,
    subterms,
    text,
    variable,
)

x, y, i = variable("x"), variable("y"), variable("i")
f = app("f", i)
VALUES = {"x": 3, "y": -2, "i": 1, "f": [5, 7, 9]}

FACTS = [
    (x <= 3, "x <= 3", True),
    (x < 3, "x < 3", False),
    (x >= y, "y <= x", True),
    (x > y + 5, "y + 5 < x", False),
    (x.equals(3), "x = 3", True),
    (x.differs(3), "x != 3", False),
    (Not(x <= 3), "x > 3", False),
    (Not(x < 3), "x >= 3", True),
    (Not(all_of(x < 3, y < 3)), "not (x < 3 and y < 3)", True),
    (all_of(x < 4, y < -2), "x < 4 and y < -2", False),
    (all_of(x < 4, y < 4, x <= y), "x < 4 and y < 4 and x <= y", False),
    (any_of(x < 3, y < 3), "x < 3 or y < 3", True),
    (any_of(x < 3, all_of(y < 3, x < 4)), "x < 3 or (y < 3 and x < 4)", True),
    (implies(x < 3, y < 0), "x < 3 implies y < 0", True),
    (implies(x <= 3, y >= 0), "x <= 3 implies 0 <= y", False),
    (implies(implies(x < 3, y < 0), y < 0), "(x < 3 implies y < 0) implies y < 0", True),
    (between(1, x, 3), "1 <= x <= 3", True),
    (implies(all_of(x.equals(y), y < 3), y < 0), "(x = y < 3) implies y < 0", True),
    (all_of(y < x, x < 3), "y < x < 3", False),
    (forall("i", 0, x, f >= 5), "for all i in 0..x - 1: 5 <= f[i]", True),
    (forall("i", 0, x, forall("j", 0, i, app("f", variable("j")) < f)), None, True),
    (forall("i", 0, x, f >= 6), "for all i in 0..x - 1: 6 <= f[i]", False),
    (forall("i", 0, 0, FALSE), "for all i in 0..-1: false", True),
    (exists("i", 0, x, f.equals(9)), "for some i in 0..x - 1: f[i] = 9", True),
    (exists("i", 0, 2, f.equals(9)), "for some i in 0..1: f[i] = 9", False),
    (all_of(exists("i", 0, 2, f < 0), TRUE), "for some i in 0..1: f[i] < 0", False),
    (any_of(forall("i", 0, 2, f < 0), x < 0), "(for all i in 0..1: f[i] < 0) or x < 0", False),
    (TRUE, "true", True),
    (FALSE, "false", False),
]

TERMS = [
    (2 * x - y - 4, "2*x - y - 4", 4),
    (1 - x, "-x + 1", -2),
    (-y, "-y", 2),
    (-2 * x, "-2*x", -6),
    (x - x + 7, "7", 7),
    (f + y - f, "y", -2),
    (5 + f + x, "x + f[i] + 5", 15),
    (app("f", i + 1) - i, "f[i + 1] - i", 8),
    (choose(x < 3, x, y + 1), "(x if x < 3 else y + 1)", -1),
]


@pytest.mark.parametrize(("tree", "words", "value"), [*FACTS, *TERMS])
def test_a_tree_has_a_value_and_a_text(tree, words, value):
    assert evaluate(tree, VALUES) == value
    assert type(evaluate(tree, VALUES)) is type(value)
    assert words is None or text(tree) == words


def test_every_kind_of_node_is_read():
    """The set is closed: whoever reads terms by their type has these to look at."""
    kinds = {kind for kind in vars(nodes).values() if is_dataclass(kind)}
    assert all(issubclass(kind, Term | Fact) for kind in kinds)
    assert {type(node) for tree, _, _ in [*FACTS, *TERMS] for node in subterms(tree)} == kinds
    for reader in (text, lambda tree: evaluate(tree, VALUES)):
        with pytest.raises(TypeError, match="no term and no fact: 'x'"):
            reader("x")


SMALL = st.integers(-5, 5)
SUMS = st.recursive(
    st.tuples(st.sampled_from(["x", "y"]).map(variable), st.none()) | st.tuples(SMALL.map(Number), st.none()),
    lambda inner: st.tuples(inner, inner | SMALL),
    max_leaves=8,
)


@given(left=SUMS, right=SUMS, factor=SMALL, x_value=SMALL, y_value=SMALL)
def test_sums_have_a_normal_form(left, right, factor, x_value, y_value):
    def build(tree):
        first, second = tree
        if second is None:
            return first
        first = build(first)
        return first * second if isinstance(second, int) else first - build(second)

    a, b, values = build(left), build(right), {"x": x_value, "y": y_value}
    for built, value in (
        (a + factor * b, evaluate(a, values) + factor * evaluate(b, values)),
        (factor * (a - b) + 1, factor * (evaluate(a, values) - evaluate(b, values)) + 1),
    ):
        assert evaluate(built, values) == value
    assert a + b == b + a
    assert a + b - b == a
    assert a - a == Number(0)
    assert not isinstance(a, Sum) or len(a.parts) > 1 or a.constant or a.parts[0][1] != 1


def test_conditions_keep_readers_from_what_does_not_matter():
    outside = app("f", x + 10).equals(0)
    with pytest.raises(IndexError):
        evaluate(outside, VALUES)
    with pytest.raises(IndexError, match="f has no entry -2"):
        evaluate(app("f", y), VALUES)
    assert evaluate(implies(x < 0, outside), VALUES)
    assert evaluate(any_of(x >= 0, outside), VALUES)
    assert not evaluate(all_of(x < 0, outside), VALUES)
    assert evaluate(choose(x < 0, app("f", y), 4), VALUES) == 4


def test_a_fact_is_no_truth_value():
    for mistake in (lambda: 1 <= x <= 3, lambda: x < 3 and y < 3, lambda: not x.equals(y)):
        with pytest.raises(TypeError, match="only with values"):
            mistake()


def test_bound_variables_are_not_free():
    assert free_names(forall("i", x, 3, f < y)) == {"x", "f", "y"}
    assert free_names(forall("i", i, 3, f < y)) == {"i", "f", "y"}
    assert free_names(choose(x < 1, 2, y)) == {"x", "y"}


def test_equal_trees_are_one_key():
    assert len({x + 1, 1 + x, x - -1, variable("x") + 1}) == 1
    assert (x <= y) == (y >= x)
