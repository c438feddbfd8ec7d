"""Schedules: learning rates that change as learning goes on.

A schedule is a formula, `rate(t, base)`: the learning rate at time t, where `base` is the rate the
optimiser was made with. `step()` moves t on by one and writes the rates into the optimiser's
groups: once per pass over the data, or once per batch, as you like to count.

    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = schedules.CosineAnnealingLR(optimizer, T_max=20)
    for _ in range(20):
        ...  # one pass: predict, compare, learn
        schedule.step()
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError, CheckpointError

if TYPE_CHECKING:
    from .optim import Optimizer

_NOT_SAVED = frozenset({"optimizer", "lr_lambdas", "schedulers", "then"})


class Schedule:
    """The base of all schedules that follow the clock.

    Args:
        optimizer: whose learning rates are set; those of time 0 at once.

    Raises:
        ArgumentError: `optimizer` is none.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = _checked(self, optimizer)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._apply()

    def rate(self, t: int, base: float) -> float:
        """The learning rate at time t of a group that was made with `base`."""
        raise ArgumentError(f"{type(self).__name__} has no formula; give it a method rate(t, base)")

    def rates(self, t: int) -> list[float]:
        """The learning rates at time t, one per group."""
        return [self.rate(t, base) for base in self.base_lrs]

    def step(self) -> None:
        """One unit of time has passed: set the learning rates anew."""
        self.last_epoch += 1
        self._apply()

    def _apply(self) -> None:
        rates = self.rates(self.last_epoch)
        for group, lr in zip(self.optimizer.param_groups, rates, strict=False):
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """The learning rates as they are now, one per group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Time and settings, as plain numbers and lists (functions are not saved)."""
        return _saved(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; the rates themselves are in the optimiser's state.

        Raises:
            CheckpointError: it belongs to another schedule; nothing was changed.
        """
        _restore(self, state_dict)


class LambdaLR(Schedule):
    """base · f(t), with a function of your own.

    Args:
        optimizer: whose learning rates are set.
        lr_lambda: f, or one for each group.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
    ) -> None:
        groups = len(_checked(self, optimizer).param_groups)
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ArgumentError(
                f"LambdaLR was given {len(self.lr_lambdas)} functions for {groups} groups of "
                "parameters"
            )
        super().__init__(optimizer)

    def rates(self, t: int) -> list[float]:
        """The learning rates at time t, one per group."""
        return [base * f(t) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class StepLR(Schedule):
    """base · gamma^(t // step_size): a step down every `step_size`.

    Args:
        optimizer: whose learning rates are set.
        step_size: how long each rate lasts.
        gamma: what each step down multiplies by.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = _positive(self, "step_size", step_size), gamma
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^(t // step_size)."""
        return float(base * self.gamma ** (t // self.step_size))


class MultiStepLR(Schedule):
    """base · gamma^(how many milestones have been reached).

    Args:
        optimizer: whose learning rates are set.
        milestones: the times of the steps down.
        gamma: what each step down multiplies by.
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^(milestones up to t)."""
        return float(base * self.gamma ** bisect_right(self.milestones, t))


class ExponentialLR(Schedule):
    """base · gamma^t.

    Args:
        optimizer: whose learning rates are set.
        gamma: what each step multiplies by; the course's chapter 14 uses 0.99.
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^t."""
        return float(base * self.gamma**t)


class CosineAnnealingLR(Schedule):
    """Down along half a cosine wave: slowly, fast, slowly; then up again in the same way.

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016.

    Args:
        optimizer: whose learning rates are set.
        T_max: when the lowest rate is reached.
        eta_min: the lowest rate.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # noqa: N803
        self.T_max, self.eta_min = _positive(self, "T_max", T_max), eta_min
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """eta_min + (base - eta_min) · (1 + cos(π t / T_max)) / 2."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class LinearLR(Schedule):
    """A straight line from base · start_factor to base · end_factor, then level.

    Args:
        optimizer: whose learning rates are set.
        start_factor: at time 0.
        end_factor: from `total_iters` on.
        total_iters: how long the way is.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ArgumentError(
                "LinearLR: start_factor is above 0 and at most 1, end_factor from 0 to 1, not "
                f"{start_factor} and {end_factor}"
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _positive(self, "total_iters", total_iters)
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """base · (start_factor + (end_factor - start_factor) · t / total_iters)."""
        way = min(t, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * way)


class LinearWarmup(Schedule):
    """Small first steps, while the weights still know nothing: base · (t + 1) / warmup_steps.

    After `warmup_steps` the rate is the base, or follows another schedule, whose clock starts then.
    P. Goyal et al., "Accurate, large minibatch SGD", 2017.

    Args:
        optimizer: whose learning rates are set.
        warmup_steps: when the full rate is reached.
        then: the schedule to follow afterwards, made with the same optimiser.

    >>> from pellucid import Tensor, optim, schedules
    >>> sgd = optim.SGD([Tensor([1.0], requires_grad=True)], lr=1.0)
    >>> cosine = schedules.CosineAnnealingLR(sgd, T_max=4)
    >>> warm = schedules.LinearWarmup(sgd, 4, then=cosine)
    >>> [round(warm.rate(t, 1.0), 3) for t in range(9)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, warmup_steps: int, then: Schedule | None = None
    ) -> None:
        self.warmup_steps = _positive(self, "warmup_steps", warmup_steps)
        self.then = then
        _same_optimizer(self, optimizer, [then] if then is not None else [])
        super().__init__(optimizer)

    def rates(self, t: int) -> list[float]:
        """The learning rates at time t, one per group."""
        if self.then is not None and t >= self.warmup_steps:
            return self.then.rates(t - self.warmup_steps)
        return super().rates(t)

    def rate(self, t: int, base: float) -> float:
        """base · (t + 1) / warmup_steps, until it is the base."""
        if self.then is not None and t >= self.warmup_steps:
            return self.then.rate(t - self.warmup_steps, base)
        return base * min(t + 1, self.warmup_steps) / self.warmup_steps


class SequentialLR(Schedule):
    """One schedule after the other, each with a clock of its own that starts when its turn comes.

    Args:
        optimizer: whose learning rates are set.
        schedulers: the schedules in turn, all made with this optimiser.
        milestones: when the second, third, ... begins: one fewer than there are schedules.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]
    ) -> None:
        if not schedulers:
            raise ArgumentError("SequentialLR was given no schedules")
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(milestones):
            raise ArgumentError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} ascending "
                f"milestones, not {list(milestones)}"
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        _same_optimizer(self, optimizer, self.schedulers)
        super().__init__(optimizer)

    def rates(self, t: int) -> list[float]:
        """The learning rates at time t, one per group."""
        turn = bisect_right(self.milestones, t)
        return self.schedulers[turn].rates(t - ([0, *self.milestones][turn]))


class ReduceLROnPlateau:
    """Lower the rate when a figure has stopped getting better.

    Args:
        optimizer: whose learning rates are set.
        mode: "min" if smaller figures are better (errors), "max" if larger (accuracy).
        factor: what a lowering multiplies by.
        patience: how many figures in a row may be no better before the rate is lowered.
        threshold: by how much a figure must be better to count.
        threshold_mode: "rel": by this part of the best; "abs": by this much.
        cooldown: how many figures to let pass after a lowering.
        min_lr: the lowest rate, or one per group.
        eps: leave the rate if it would change by less.

    Raises:
        ArgumentError: a setting outside what makes sense.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self.optimizer = _checked(self, optimizer)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                'ReduceLROnPlateau: mode is "min" or "max" and threshold_mode "rel" or "abs", not '
                f"{mode!r} and {threshold_mode!r}"
            )
        if not 0 <= factor < 1:
            raise ArgumentError(f"ReduceLROnPlateau: factor is less than 1, to lower, not {factor}")
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        groups = len(optimizer.param_groups)
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * groups
        if len(self.min_lrs) != groups:
            raise ArgumentError(
                f"ReduceLROnPlateau: {len(self.min_lrs)} values of min_lr for {groups} groups"
            )
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0

    def step(self, metrics: float) -> None:
        """Look at the newest figure, and lower the rates if it is time."""
        figure = float(metrics)
        self.last_epoch += 1
        if self._better(figure):
            self.best, self.num_bad_epochs = figure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._lower()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _better(self, figure: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        margin = self.threshold
        if self.threshold_mode == "rel":
            margin = self.threshold * abs(self.best) if math.isfinite(self.best) else 0.0
        return figure * sign < self.best * sign - margin

    def _lower(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=False):
            lowered = max(group["lr"] * self.factor, least)
            if group["lr"] - lowered > self.eps:
                group["lr"] = lowered

    def get_last_lr(self) -> list[float]:
        """The learning rates as they are now, one per group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Time, counters and settings, as plain numbers, strings and lists."""
        return _saved(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; the rates themselves are in the optimiser's state.

        Raises:
            CheckpointError: it belongs to another schedule; nothing was changed.
        """
        _restore(self, state_dict)


# ------------------------------------------------------------------------------------------ helpers


def _checked(schedule: object, optimizer: Any) -> Any:
    if not hasattr(optimizer, "param_groups"):
        raise ArgumentError(
            f"{type(schedule).__name__} sets the rates of an optimiser, not of {optimizer!r}"
        )
    return optimizer


def _same_optimizer(schedule: object, optimizer: Any, others: Sequence[Schedule]) -> None:
    if any(other.optimizer is not optimizer for other in others):
        raise ArgumentError(
            f"{type(schedule).__name__} was given a schedule that was made with another optimiser"
        )


def _saved(schedule: object) -> dict[str, Any]:
    """What a schedule consists of, in memory of its own."""
    kept = {name: value for name, value in vars(schedule).items() if name not in _NOT_SAVED}
    return {name: list(v) if isinstance(v, list) else v for name, v in kept.items()}


def _restore(schedule: object, state: dict[str, Any]) -> None:
    own, name = _saved(schedule), type(schedule).__name__
    missing = ", ".join(key for key in own if key not in state)
    surplus = ", ".join(str(key) for key in state if key not in own)
    if missing or surplus:
        raise CheckpointError(
            f"this is the state of another schedule, not of {name}\n"
            f"  missing: {missing or 'none'}\n  surplus: {surplus or 'none'}"
        )
    groups = "base_lrs" if "base_lrs" in own else "min_lrs"
    if len(state[groups]) != len(own[groups]):
        raise CheckpointError(
            f"this state of {name} has rates for {len(state[groups])} groups of parameters, and "
            f"the optimiser has {len(own[groups])}"
        )
    fresh = {key: list(v) if isinstance(v, list) else v for key, v in state.items()}
    vars(schedule).update(fresh)


def _positive(schedule: object, name: str, value: int) -> int:
    if value < 1:
        raise ArgumentError(f"{type(schedule).__name__}: {name} is at least 1, not {value}")
    return value
