"""Chapter 6: published figures met, both ways the same, and what each experiment claims."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, book, relu
from pellucid.book import chapter06, chapter06_deep, chapter06_pressure
from pellucid.book.result import Result
from pellucid.optim import SGD
from pellucid.testing import gradcheck

EXPERIMENTS = book.select(["6"])


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


def table(result: Result, title: str) -> list[tuple[object, ...]]:
    return next(list(t.rows) for t in result.tables if t.title == title)


def test_every_row_of_the_chapter_is_there() -> None:
    spans = [
        "6.1–6.4",
        "6.5",
        "6.6",
        "6.7",
        "6.8–6.11",
        "6.12–6.14",
        "6.15–6.19",
        "6.20–6.24",
        "6.25",
    ]
    assert [e.span for e in EXPERIMENTS] == spans


@pytest.mark.parametrize("e", EXPERIMENTS, ids=lambda e: e.id)
def test_figures_are_met_and_both_ways_agree(e: book.Experiment) -> None:
    result = e.run()
    assert [c.figure.name for c in e.compare(result) if not c.met] == []
    assert [a.name for a in result.agreements if not a.ok] == []


@pytest.mark.parametrize("e", EXPERIMENTS[1:], ids=lambda e: e.id)
def test_one_step_is_told_from_prediction_to_learning(e: book.Experiment) -> None:
    stages = {v.stage for v in e.run().steps[0].values}
    assert stages == {"predict", "compare", "learn"}


def test_nothing_that_experiments_share_is_changed_by_them() -> None:
    shared = [
        getattr(module, name)
        for module in (chapter06, chapter06_pressure)
        for name in ("LIGHTS", "WALK", "FOUR", "ONE_OF_TWO", "START", "BY_CHANCE", "BALANCED")
        if hasattr(module, name)
    ]
    before = [array.copy() for array in shared]
    for e in EXPERIMENTS:
        e.run()
    assert all(np.array_equal(a, b) for a, b in zip(before, shared, strict=True))


# ------------------------------------------------------------------------------------- 6.1 to 6.7


def test_lights_come_back_from_the_matrix() -> None:
    e = book.find("6.1")
    assert e.run().numbers["come back unchanged"] == 6
    assert e.run(on=5, off=-5).numbers["come back unchanged"] == 6
    assert e.run(on=1, off=1).numbers["come back unchanged"] < 6


def test_counting_the_lights_loses_what_two_columns_keep() -> None:
    rows = table(book.find("6.1").run(), "three ways to write the lights down")
    assert [row[-1] for row in rows] == [8, 8, 4]


def test_only_the_middle_light_agrees_with_what_people_do() -> None:
    rows = table(book.find("6.1").run(), "does a light say whether people walk?")
    assert [row[-1] for row in rows] == [2, 6, 3]


def test_a_light_that_is_off_has_no_part_in_the_error() -> None:
    weights = book.find("6.5").run().numbers["weights at the end"]
    assert weights[1] == chapter06.START[1]
    assert all(weights[[0, 2]] != chapter06.START[[0, 2]])


def test_the_whole_table_finds_the_middle_light() -> None:
    weights = book.find("6.6").run(passes=400).numbers["weights at the end"]
    assert weights == pytest.approx([0, 1, 0], abs=1e-9)


def test_the_step_tells_the_true_gradient() -> None:
    result = Result()
    weights = Tensor(chapter06.START.copy(), requires_grad=True)
    optimizer = SGD([weights], lr=0.0)
    chapter06.learn_row(result, "step", weights, optimizer, chapter06.LIGHTS[3], 1.0)
    told = {v.name: v.value for v in result.steps[0].values}

    def half_error(w: Tensor) -> Tensor:
        return (Tensor(chapter06.LIGHTS[3]) @ w - 1.0) ** 2 / 2

    assert gradcheck(half_error, weights)
    assert told["weight_deltas"] == pytest.approx(chapter06.LIGHTS[3] * told["delta"])


def test_three_descents_make_their_steps_and_part_ways() -> None:
    result = book.find("6.7").run()
    steps = [row[2] for row in table(result, "three ways down")]
    assert steps == [40, 40 * 3, 40 * 6]
    paths = [(c.x, c.y) for c in result.plots[0].curves]
    assert result.plots[0].points
    assert len({(x[0], y[0]) for x, y in paths}) == 1
    assert len({(x[-1], y[-1]) for x, y in paths}) == 3


def test_a_batch_of_all_rows_is_the_full_descent() -> None:
    full, batch, _ = book.find("6.7").run(batch=6).plots[0].curves
    assert batch.x == pytest.approx(full.x)


@pytest.mark.parametrize(
    ("id", "settings"), [("6.6", {"lr": 3, "passes": 900}), ("6.20", {"lr": 9})]
)
def test_both_ways_go_astray_together(id: str, settings: dict[str, float]) -> None:
    assert book.find(id).run(**settings).agrees


# ------------------------------------------------------------------------------------ 6.8 to 6.14


def test_the_pressures_of_all_rows_are_the_gradient_turned() -> None:
    weights = Tensor(np.array([0.3, -0.2, 0.9]), requires_grad=True)
    pushed = chapter06_pressure.pressure(Result(), "", chapter06.LIGHTS, chapter06.WALK, weights)
    assert pushed.shape == (6, 3)
    assert pushed.sum(axis=0) == pytest.approx(-weights.grad.numpy())
    assert not pushed[chapter06.LIGHTS == 0].any()


def test_what_is_right_by_chance_moves_nothing_and_what_conflicts_cancels() -> None:
    numbers = book.find("6.8").run().numbers
    assert numbers["weights moved by the row that is right by chance"] == 0
    assert list(numbers["pressure left where it cancels out"]) == [0, 0, 0]


def test_one_layer_fails_on_lights_and_succeeds_on_clues() -> None:
    result = book.find("6.12").run()
    assert [row[1:] for row in table(result, "does a light say whether people walk?")] == [
        (2, 2)
    ] * 3
    assert result.numbers["smallest error any weights on the lights can have"] == pytest.approx(1)
    assert result.numbers["last error from the lights"] > 1
    assert result.numbers["last error from the clues"] < 1e-9


def test_no_weights_on_the_lights_do_better_than_said() -> None:
    tried = np.random.RandomState(0).uniform(-2, 2, (20_000, 3))
    errors = ((tried @ chapter06.FOUR.T - chapter06.ONE_OF_TWO) ** 2).sum(axis=1)
    assert errors.min() >= 1


# ----------------------------------------------------------------------------------- 6.15 to 6.25


@pytest.mark.parametrize("seed", range(4))
def test_two_linear_layers_are_one_and_with_relu_they_are_not(seed: int) -> None:
    numbers = book.find("6.15").run(seed=seed, passes=1).numbers
    assert numbers["two layers and the best single one differ by, without relu"] < 1e-12
    assert numbers["two layers and the best single one differ by, with relu"] > 0.01


def test_only_the_network_with_relu_learns() -> None:
    numbers = book.find("6.15").run().numbers
    assert numbers["last error, with relu"] < 1e-4
    assert numbers["last error, without relu"] > 1


def test_the_deep_network_is_that_of_the_comparison() -> None:
    deep, compared = book.find("6.20").run(), book.find("6.15").run()
    assert compared.numbers["last error, with relu"] == deep.numbers["error after pass 60"]


def test_the_backward_pass_that_is_told_is_the_true_gradient() -> None:
    result, start = Result(), chapter06_deep.first_weights(1, 4)
    a, b = (Tensor(w.copy(), requires_grad=True) for w in start)
    lights, walk = chapter06.FOUR[1], 1.0
    chapter06_deep.learn_lights(result, "", (a, b), SGD([a, b], lr=0.0), lights, walk)
    told = {v.name: v.value for v in result.steps[0].values}
    assert np.array_equal(told["weights_0_1_delta"], a.grad.numpy())
    assert np.array_equal(told["weights_1_2_delta"], b.grad.numpy())

    def half_error(w1: Tensor, w2: Tensor) -> Tensor:
        return ((relu(Tensor(lights[None]) @ w1) @ w2 - walk) ** 2).sum() / 2

    assert gradcheck(half_error, [a, b])
    silent = told["layer_1"] == 0
    assert silent.any()
    assert not told["layer_1_delta"][silent].any()
    assert told["share of each hidden unit"][silent].all()


def test_no_pixel_knows_whether_a_line_lies() -> None:
    images, lying = chapter06_deep.lines()
    assert np.array_equal(
        images[lying[:, 0] == 1].sum(axis=0), images[lying[:, 0] == 0].sum(axis=0)
    )


@pytest.mark.parametrize("seed", [4, 5])
def test_hidden_units_become_lines(seed: int) -> None:
    numbers = book.find("6.25").run(seed=seed).numbers
    assert numbers["smallest error of a single layer"] == pytest.approx(2)
    assert numbers["last error"] < 0.01
    assert numbers["units that answer lines of one kind only"] == 8


def test_without_decay_the_units_are_harder_to_read() -> None:
    assert book.find("6.25").run(decay=0).numbers["units that answer lines of one kind only"] < 8
