"""Schedules: the rates of each moment by their formula, in chains, saved and gone on with."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, schedules
from pellucid.errors import ArgumentError, CheckpointError


def sgd(*rates: float) -> optim.SGD:
    groups = [{"params": [pellucid.zeros(1, requires_grad=True)], "lr": r} for r in rates or (1.0,)]
    return optim.SGD(groups)


def rates(schedule: Any, steps: int) -> list[float]:
    """The rate of the first group before each of so many steps, as the optimiser has it."""
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        assert schedule.get_last_lr()[0] == found[-1]
        schedule.step()
    return found


def test_steps_down() -> None:
    step = schedules.StepLR(sgd(), step_size=3, gamma=0.5)
    assert rates(step, 8) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    several = schedules.MultiStepLR(sgd(), milestones=[5, 2, 2], gamma=0.5)
    assert rates(several, 7) == [1, 1, 0.25, 0.25, 0.25, 0.125, 0.125]


def test_exponential_and_lambda() -> None:
    assert rates(schedules.ExponentialLR(sgd(2.0), gamma=0.5), 4) == [2, 1, 0.5, 0.25]
    assert rates(schedules.LambdaLR(sgd(2.0), lambda t: 1 / (1 + t)), 3) == [2, 1, 2 / 3]
    own = schedules.LambdaLR(sgd(1.0, 1.0), [lambda t: 1.0, lambda t: 0.5**t])
    own.step()
    assert own.get_last_lr() == [1.0, 0.5]


def test_cosine() -> None:
    cosine = schedules.CosineAnnealingLR(sgd(), T_max=4, eta_min=0.2)
    expected = [0.2 + 0.8 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(9)]
    assert rates(cosine, 9) == pytest.approx(expected, abs=1e-15)
    assert expected[4] == 0.2
    assert expected[8] == pytest.approx(1.0)  # and up again


def test_a_straight_line() -> None:
    line = schedules.LinearLR(sgd(), start_factor=0.5, end_factor=1.0, total_iters=2)
    assert rates(line, 4) == [0.5, 0.75, 1.0, 1.0]


def test_warm_up() -> None:
    assert rates(schedules.LinearWarmup(sgd(), 4), 6) == [0.25, 0.5, 0.75, 1, 1, 1]
    optimizer = sgd(1.0, 10.0)
    then = schedules.StepLR(optimizer, 2, gamma=0.1)
    warm = schedules.LinearWarmup(optimizer, 2, then=then)
    assert rates(warm, 6) == pytest.approx([0.5, 1, 1, 1, 0.1, 0.1])
    assert warm.get_last_lr() == pytest.approx([0.01, 0.1])


def test_one_after_the_other() -> None:
    optimizer = sgd()
    chain = schedules.SequentialLR(
        optimizer,
        [
            schedules.LinearWarmup(optimizer, 2),
            schedules.ExponentialLR(optimizer, 0.5),
            schedules.StepLR(optimizer, 1, gamma=0.1),
        ],
        milestones=[2, 5],
    )
    assert rates(chain, 8) == pytest.approx([0.5, 1, 1, 0.5, 0.25, 1, 0.1, 0.01])


def test_every_group_starts_from_its_own_rate() -> None:
    optimizer = sgd(1.0, 0.1)
    schedule = schedules.StepLR(optimizer, 1, gamma=0.5)
    optimizer.add_param_group({"params": [pellucid.zeros(1, requires_grad=True)], "lr": 7.0})
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 0.05, 7.0]  # who came later keeps the own rate


def test_weights_follow_the_rate() -> None:
    w = Tensor([0.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    schedule = schedules.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()
        schedule.step()
    assert w.item() == -1.75


# -------------------------------------------------------------------------------- the plateau


def told(plateau: schedules.ReduceLROnPlateau, figures: list[float]) -> list[float]:
    found = []
    for figure in figures:
        plateau.step(figure)
        found.append(plateau.get_last_lr()[0])
    return found


def test_a_plateau_lowers_the_rate() -> None:
    plateau = schedules.ReduceLROnPlateau(sgd(), factor=0.5, patience=1)
    assert told(plateau, [3, 2, 2, 2, 1, 1, 1]) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    upwards = schedules.ReduceLROnPlateau(sgd(), mode="max", factor=0.5, patience=0)
    assert told(upwards, [1, 2, 1.5, 3]) == [1, 1, 0.5, 0.5]


def test_small_gains_do_not_count() -> None:
    relative = schedules.ReduceLROnPlateau(sgd(), factor=0.5, patience=0, threshold=0.1)
    assert told(relative, [10, 9.5, 8.9]) == [1, 0.5, 0.5]
    absolute = schedules.ReduceLROnPlateau(
        sgd(), factor=0.5, patience=0, threshold=1, threshold_mode="abs"
    )
    assert told(absolute, [10, 9.5, 8.9]) == [1, 0.5, 0.5]
    below_zero = schedules.ReduceLROnPlateau(sgd(), factor=0.5, patience=0, threshold=0.1)
    assert told(below_zero, [-10, -9.5, -10.5, -11.5]) == [1, 0.5, 0.25, 0.25]


def test_pauses_and_the_lowest_rate() -> None:
    plateau = schedules.ReduceLROnPlateau(
        sgd(1.0, 0.5), factor=0.1, patience=0, cooldown=2, min_lr=[0.05, 0.5]
    )
    assert told(plateau, [1.0] * 8) == pytest.approx([1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    assert plateau.get_last_lr()[1] == 0.5


def test_nan_is_no_better() -> None:
    plateau = schedules.ReduceLROnPlateau(sgd(), factor=0.5, patience=0)
    assert told(plateau, [1.0, math.nan, 0.5]) == [1, 0.5, 0.5]
    assert plateau.best == 0.5


def test_a_tensor_is_a_figure() -> None:
    plateau = schedules.ReduceLROnPlateau(sgd())
    plateau.step(Tensor(0.25))  # type: ignore[arg-type]
    assert plateau.best == 0.25


# --------------------------------------------------------------------------- saved and gone on

KINDS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda o: schedules.StepLR(o, 3, gamma=0.5),
    "MultiStepLR": lambda o: schedules.MultiStepLR(o, [2, 5]),
    "ExponentialLR": lambda o: schedules.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: schedules.CosineAnnealingLR(o, 7, eta_min=0.01),
    "LinearLR": lambda o: schedules.LinearLR(o, 0.1, 0.9, 6),
    "LinearWarmup": lambda o: schedules.LinearWarmup(o, 5, then=schedules.StepLR(o, 2)),
    "LambdaLR": lambda o: schedules.LambdaLR(o, lambda t: 0.8**t),
    "SequentialLR": lambda o: schedules.SequentialLR(
        o, [schedules.LinearLR(o, 0.5), schedules.ExponentialLR(o, 0.9)], [4]
    ),
    "ReduceLROnPlateau": lambda o: schedules.ReduceLROnPlateau(o, patience=1, cooldown=1),
}


def test_every_schedule_is_tested() -> None:
    made = {
        name
        for name, kind in vars(schedules).items()
        if isinstance(kind, type) and kind.__module__ == schedules.__name__
    }
    assert made - {"Schedule"} == set(KINDS)


def move(schedule: Any, t: int) -> None:
    if isinstance(schedule, schedules.ReduceLROnPlateau):
        schedule.step(1.0 + 0.1 * (t % 3))
    else:
        schedule.step()


@pytest.mark.parametrize("how", ["as it is", "as JSON", "as a file"])
@pytest.mark.parametrize("stop", [0, 3, 5, 9])
@pytest.mark.parametrize("name", KINDS)
def test_a_new_schedule_goes_on(name: str, stop: int, how: str, tmp_path: Path) -> None:
    optimizer = sgd(0.4, 0.1)
    schedule = KINDS[name](optimizer)
    for t in range(stop):
        move(schedule, t)
    saved, of_optimizer = schedule.state_dict(), optimizer.state_dict()
    if how == "as JSON":
        saved = json.loads(json.dumps(saved))
    elif how == "as a file":
        pellucid.save(saved, tmp_path / "schedule.safetensors")
        saved = pellucid.load(tmp_path / "schedule.safetensors")

    other = sgd(0.4, 0.1)
    again = KINDS[name](other)
    again.load_state_dict(saved)
    other.load_state_dict(of_optimizer)
    assert again.get_last_lr() == schedule.get_last_lr()
    for t in range(stop, stop + 8):
        move(schedule, t), move(again, t)
        assert again.get_last_lr() == schedule.get_last_lr()


def test_the_state_has_memory_of_its_own() -> None:
    schedule = schedules.MultiStepLR(sgd(), [2, 5])
    state = schedule.state_dict()
    schedule.milestones.append(9)
    schedule.base_lrs[0] = 5.0
    assert (state["milestones"], state["base_lrs"]) == ([2, 5], [1.0])
    other = schedules.MultiStepLR(sgd(), [1])
    other.load_state_dict(state)
    other.milestones.append(9)
    assert state["milestones"] == [2, 5]


def test_the_state_of_another_schedule_is_refused() -> None:
    step = schedules.StepLR(sgd(), 2)
    cosine = schedules.CosineAnnealingLR(sgd(), 5)
    before = dict(vars(cosine))
    with pytest.raises(CheckpointError) as caught:
        cosine.load_state_dict(step.state_dict())
    text = str(caught.value)
    assert "not of CosineAnnealingLR" in text
    assert "missing: T_max, eta_min" in text
    assert "surplus: step_size, gamma" in text
    assert vars(cosine) == before
    with pytest.raises(CheckpointError, match="missing: "):
        schedules.ReduceLROnPlateau(sgd()).load_state_dict({})
    with pytest.raises(CheckpointError, match=r"for 2 groups .* has 1"):
        cosine.load_state_dict(schedules.CosineAnnealingLR(sgd(1.0, 2.0), 5).state_dict())


# ---------------------------------------------------------------------------- words for mistakes


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: schedules.StepLR(nn.Linear(1, 1), 3), "StepLR sets the rates of an optimiser"),
        (lambda: schedules.ReduceLROnPlateau(0.1), "not of 0.1"),
        (lambda: schedules.LambdaLR(0.1, lambda t: 1.0), "LambdaLR sets the rates"),
        (lambda: schedules.StepLR(sgd(), 0), "step_size is at least 1, not 0"),
        (lambda: schedules.CosineAnnealingLR(sgd(), -1), "T_max is at least 1, not -1"),
        (lambda: schedules.LinearWarmup(sgd(), 0), "warmup_steps is at least 1"),
        (lambda: schedules.LinearLR(sgd(), start_factor=0), "start_factor is above 0"),
        (lambda: schedules.LinearLR(sgd(), end_factor=2), "end_factor from 0 to 1"),
        (lambda: schedules.LambdaLR(sgd(), [abs, abs]), "2 functions for 1 groups"),
        (lambda: schedules.SequentialLR(sgd(), [], []), "was given no schedules"),
        (
            lambda: schedules.SequentialLR(sgd(), [schedules.StepLR(sgd(), 1)] * 3, [5, 2]),
            "3 schedules need 2 ascending milestones",
        ),
        (lambda: schedules.ReduceLROnPlateau(sgd(), mode="less"), 'mode is "min" or "max"'),
        (lambda: schedules.ReduceLROnPlateau(sgd(), threshold_mode="x"), 'threshold_mode "rel"'),
        (lambda: schedules.ReduceLROnPlateau(sgd(), factor=1.0), "factor is less than 1"),
        (lambda: schedules.ReduceLROnPlateau(sgd(), min_lr=[1, 2]), "2 values of min_lr for 1"),
        (lambda: schedules.Schedule(sgd()), r"no formula; give it a method rate\(t, base\)"),
    ],
)
def test_settings_that_make_no_sense(make: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        make()


def test_schedules_in_a_chain_belong_to_one_optimiser() -> None:
    one, other = sgd(), sgd()
    with pytest.raises(ArgumentError, match="another optimiser"):
        schedules.LinearWarmup(one, 3, then=schedules.StepLR(other, 1))
    with pytest.raises(ArgumentError, match="another optimiser"):
        schedules.SequentialLR(one, [schedules.StepLR(other, 1)], [])


def test_a_schedule_of_one_s_own() -> None:
    class Inverse(schedules.Schedule):
        def rate(self, t: int, base: float) -> float:
            return base / (1 + t)

    assert rates(Inverse(sgd()), 3) == [1, 0.5, 1 / 3]
    assert np.isclose(Inverse(sgd(6.0)).rates(2), 2).all()
