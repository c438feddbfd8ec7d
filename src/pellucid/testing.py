"""Are the slopes right? Rules held against plain numbers.

A slope says how much a result grows when an input grows a little. So one can ask the numbers: make
the input a little larger, a little smaller, and look. Where the two differ, the rule is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .errors import PellucidError
from .ops.base import raw
from .tensor import Tensor, grad

Function = Callable[..., Any]


class SlopeError(PellucidError, AssertionError):
    """A slope that the numbers do not agree with."""


def gradcheck(
    func: Function,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    names: Sequence[str] = (),
    what: str = "",
) -> bool:
    """Whether the gradients of a function agree with small steps of its inputs.

    Args:
        func: takes the inputs, gives a tensor or several. The same inputs must give the same
            results, so random draws need a seed.
        inputs: tensors of float64; those with `requires_grad=True` are checked. Others, and what is
            no tensor, are handed on.
        eps: how far each element is moved, up and down.
        atol: how much rule and numbers may differ,
        rtol: plus this share of the numbers' answer.
        raise_exception: raise where they differ; otherwise answer False.
        names: what the inputs are called in the message, by default `input 0`, `input 1`, ...
        what: what the function is called in the message.

    Raises:
        SlopeError: they differ: where, what the rule says and what the numbers say.

    >>> import pellucid
    >>> x = pellucid.Tensor([0.5, 2.0], dtype="float64", requires_grad=True)
    >>> gradcheck(pellucid.tanh, x)
    True
    """
    values = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    watched = _watched(values)
    what = what or getattr(func, "__name__", "the function")
    for k, gradients in enumerate(_by_rule(func, values, watched)):
        for i, by_rule in zip(watched, gradients, strict=True):
            by_numbers = _by_numbers(func, values, k, values[i], eps)
            message = _difference(by_rule, by_numbers, atol, rtol)
            if message and raise_exception:
                name = names[i] if i < len(names) else f"input {i}"
                raise SlopeError(f"slope of {what} for {name} {message}")
            if message:
                return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    names: Sequence[str] = (),
    what: str = "",
) -> bool:
    """Whether the gradients of the gradients agree with small steps, too.

    Arguments and errors as for `gradcheck`. The gradient that arrives at the function counts as one
    more input of what is checked, called `d`.
    """
    values = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    watched = _watched(values)
    shapes = [result.shape for result in _results(func(*values))]
    arriving = [Tensor(_uneven(shape), requires_grad=True) for shape in shapes]

    def gradients(*args: Any) -> tuple[Any, ...]:
        inner, weights = args[: len(values)], args[len(values) :]
        results = _results(func(*inner))
        pairs = [(y, w) for y, w in zip(results, weights, strict=True) if y.requires_grad]
        starts, given = [y for y, _ in pairs], [w for _, w in pairs]
        found = grad(
            starts, [inner[i] for i in watched], given, create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    labels = [*names, *(f"input {i}" for i in range(len(names), len(values)))]
    return gradcheck(
        gradients,
        [*values, *arriving],
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        names=[*labels, *["d"] * len(arriving)],
        what=f"the slope of {what or getattr(func, '__name__', 'the function')}",
    )


def _watched(values: Sequence[Any]) -> list[int]:
    """Which inputs are checked; small steps need the long numbers."""
    watched = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    for i in watched:
        if values[i].dtype != np.float64:
            raise SlopeError(
                f"input {i} is {values[i].dtype}: steps of a millionth drown in its rounding.\n"
                "Check with float64: x = x.detach().double().requires_grad_()"
            )
    if not watched:
        raise SlopeError("there is nothing to check: no input has requires_grad=True")
    return watched


def _results(answer: Any) -> list[Tensor]:
    """The tensors with fractions among what a function gave."""
    parts = answer if isinstance(answer, (tuple, list)) else [answer]
    return [p for p in parts if isinstance(p, Tensor) and p.dtype.kind == "f"]


def _uneven(shape: tuple[int, ...]) -> Any:
    """A different weight for every element, so that no mistakes cancel; always the same."""
    size = int(np.prod(shape))
    return (0.5 + np.modf(0.618033988749895 * np.arange(1, size + 1))[0]).reshape(shape)


def _by_rule(func: Function, values: Sequence[Any], watched: Sequence[int]) -> list[list[Any]]:
    """For each result the gradients of the watched inputs, as the slopes give them."""
    answers = []
    for result in _results(func(*values)):
        gradients: Any = [None] * len(watched)
        if result.requires_grad:
            weights, inputs = _uneven(result.shape), [values[i] for i in watched]
            gradients = grad(result, inputs, weights, retain_graph=True, allow_unused=True)
        both = zip(watched, gradients, strict=True)
        answers.append([np.zeros(values[i].shape) if g is None else np.asarray(g) for i, g in both])
    return answers


def _by_numbers(func: Function, values: Sequence[Any], k: int, x: Tensor, eps: float) -> Any:
    """How much the k-th result, weighed, grows with each element of `x`."""
    value = x.data

    def weighed(moved: Any) -> Any:
        x.data = moved
        result = raw(_results(func(*values))[k])
        return np.sum(result * _uneven(result.shape))

    slopes = numerical_gradient(weighed, value, eps)
    x.data = value
    return slopes


def numerical_gradient(func: Function, x: Any, eps: float = 1e-6) -> Any:
    """How much a number grows with each element of an array: moved up a little, moved down.

    Args:
        func: takes an array like `x`, gives one number.
        x: an array of float64, or what can be made into one.
        eps: how far each element is moved.

    Returns:
        An array of the shape of `x`.

    >>> numerical_gradient(lambda x: x[0] * x[1], [2.0, 5.0]).round(6).tolist()
    [5.0, 2.0]
    """
    x = np.asarray(x, dtype=np.float64)
    slopes = np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        ends = []
        for step in (eps, -eps):
            moved = x.copy()
            moved[at] += step
            ends.append(float(func(moved)))
        slopes[at] = (ends[0] - ends[1]) / (2 * eps)
    return slopes


def _difference(by_rule: Any, by_numbers: Any, atol: float, rtol: float) -> str | None:
    """Where the two differ most, in words."""
    if by_rule.shape != by_numbers.shape:
        return f"has shape {by_rule.shape}, but the input has {by_numbers.shape}"
    excess = np.abs(by_rule - by_numbers) - (atol + rtol * np.abs(by_numbers))
    excess = np.where(np.isnan(excess), np.inf, excess)
    if not excess.size or excess.max() <= 0:
        return None
    at = tuple(int(i) for i in np.unravel_index(excess.argmax(), excess.shape))
    return f"at {list(at)}: rule says {by_rule[at]:.6g}, numbers say {by_numbers[at]:.6g}"


def arrangements(x: Any) -> Iterator[tuple[str, Any]]:
    """The same numbers lying differently in memory: on their side, with gaps, backwards.

    Args:
        x: an array.

    Yields:
        A name, and an array equal to `x`.
    """
    x = np.asarray(x)
    if not x.ndim:
        return
    yield "transposed", x.T.copy().T
    gaps = np.zeros([2 * n for n in x.shape], x.dtype)
    strided = gaps[(slice(None, None, 2),) * x.ndim]
    strided[...] = x
    yield "strided", strided
    back = (slice(None, None, -1),) * x.ndim
    yield "backwards", np.ascontiguousarray(x[back])[back]
