"""Schedules beside PyTorch's: the same rates at every moment, in two groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import optim, schedules

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    # PyTorch wants optimizer.step() before schedule.step(), and tells of its own inner calls
    pytest.mark.filterwarnings("ignore:Detected call of:UserWarning"),
    pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning"),
]

PLAIN: dict[str, str] = {
    "step": "s.StepLR(o, 3, gamma=0.5)",
    "multistep": "s.MultiStepLR(o, [2, 5, 5, 11], gamma=0.3)",
    "exponential": "s.ExponentialLR(o, 0.93)",
    "cosine": "s.CosineAnnealingLR(o, 10, eta_min=0.01)",
    "cosine, there and back": "s.CosineAnnealingLR(o, 7)",
    "line up": "s.LinearLR(o)",
    "line down": "s.LinearLR(o, 1.0, 0.1, total_iters=9)",
    "lambda": "s.LambdaLR(o, lambda t: 0.95 ** t)",
    "lambdas": "s.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: 0.5 ** t])",
    "warm-up, then down": (
        "s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 4), s.ExponentialLR(o, 0.9)], milestones=[4])"
    ),
    "three in turn": (
        "s.SequentialLR(o, [s.LinearLR(o, 0.2, 1.0, 3), s.StepLR(o, 4, 0.5), "
        "s.MultiStepLR(o, [2, 3], 0.1)], milestones=[3, 12])"
    ),
}


def both(code: str) -> tuple[Any, Any]:
    made = []
    for lib, kinds, weight in (
        (optim, schedules, pellucid.zeros),
        (torch.optim, torch.optim.lr_scheduler, torch.zeros),
    ):
        groups = [
            {"params": [weight(1, requires_grad=True)], "lr": lr}  # type: ignore[operator]
            for lr in (0.5, 0.02)
        ]
        made.append(eval(code, {"s": kinds, "o": lib.SGD(groups)}))
    return made[0], made[1]


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_rates(name: str) -> None:
    ours, theirs = both(PLAIN[name])
    for t in range(22):
        found = [group["lr"] for group in ours.optimizer.param_groups]
        expected = [group["lr"] for group in theirs.optimizer.param_groups]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15, err_msg=f"{name} at {t}")
        assert ours.get_last_lr() == found
        ours.step(), theirs.step()


def test_warm_up_is_this_lambda() -> None:
    _, theirs = both("s.LambdaLR(o, lambda t: min(t + 1, 6) / 6)")
    optimizer = optim.SGD([pellucid.zeros(1, requires_grad=True)], lr=0.5)
    warm = schedules.LinearWarmup(optimizer, 6)
    for _ in range(10):
        assert warm.get_last_lr()[0] == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        warm.step(), theirs.step()


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("cooldown", [0, 2])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold", [(1e-4, "rel"), (0.2, "rel"), (0.3, "abs")])
def test_plateaus(patience: int, cooldown: int, mode: str, threshold: tuple[float, str]) -> None:
    ours, theirs = both(
        f"s.ReduceLROnPlateau(o, mode={mode!r}, factor=0.5, patience={patience}, "
        f"cooldown={cooldown}, threshold={threshold[0]}, threshold_mode={threshold[1]!r}, "
        "min_lr=[1e-3, 1e-2])"
    )
    r = np.random.default_rng(patience + 10 * cooldown)
    for t in range(60):
        figure = float(2 + r.random() + (1 if mode == "min" else -1) / (1 + t / 5))
        ours.step(figure), theirs.step(figure)
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12)
        assert (ours.best, ours.num_bad_epochs) == (theirs.best, theirs.num_bad_epochs)
    assert ours.get_last_lr()[0] < 0.5
