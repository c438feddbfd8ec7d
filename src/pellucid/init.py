"""First weights: what a network knows before it has seen anything.

All functions fill a tensor in place and return it. They draw from the generator of
`pellucid.manual_seed`, or from `generator=` (NumPy's, new or old kind) where one is given.

The idea behind most of them: a weighted sum of n numbers is about sqrt(n) times as large as one of
them, so weights about 1/sqrt(n) large keep the numbers of a deep network from growing or dying out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import tape
from .errors import ArgumentError, ShapeError
from .random import generator as the_generator
from .tensor import Tensor

Generator = Any  # np.random.Generator, or the older np.random.RandomState


def _put(tensor: Tensor, values: Any) -> Tensor:
    """Write values into the tensor's memory, in its own type."""
    tensor._value[...] = values
    tape.note_change(tensor._value)
    return tensor


# --------------------------------------------------------------------------------------- plain ones


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element the same."""
    return _put(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0. For biases: hidden units that all start alike would stay alike."""
    return _put(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return _put(tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """1 on the diagonal, 0 elsewhere: a matrix that changes nothing.

    Raises:
        ShapeError: the tensor is no matrix.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ fills a matrix, and this tensor has shape {tensor.shape}")
    return _put(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Every number from a up to b equally likely.

    Raises:
        ArgumentError: a is above b.
    """
    if not a <= b:
        raise ArgumentError(f"uniform_ draws from a up to b, but a={a} is above b={b}")
    return _put(tensor, a + (b - a) * (generator or the_generator()).random(tensor.shape))


def around_zero_(tensor: Tensor, width: float, generator: Generator | None = None) -> Tensor:
    """Every number in ±width equally likely."""
    return uniform_(tensor, -width, width, generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normally distributed: two of three numbers lie within mean ± std.

    Raises:
        ArgumentError: std is negative.
    """
    if std < 0:
        raise ArgumentError(f"a standard deviation is not negative, and std={std}")
    return _put(tensor, mean + std * (generator or the_generator()).standard_normal(tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normally distributed, but never outside of a to b: numbers outside are drawn again.

    Far from the mean almost every draw would be in vain; there uniform numbers are drawn and kept
    as often as the normal curve is high (C. P. Robert, "Simulation of truncated normal
    variables", 1995).

    Raises:
        ArgumentError: std is not positive or a is not below b.
    """
    if std <= 0 or not a < b:
        raise ArgumentError(f"trunc_normal_ needs std > 0 and a < b, not std={std}, a={a}, b={b}")
    r = generator or the_generator()
    low, high = (a - mean) / std, (b - mean) / std
    inside = 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))
    nearest = min(max(0.0, low), high)  # where between low and high the curve is highest
    low, high = max(low, nearest - 12), min(high, nearest + 12)  # beyond, chances are below 1e-30
    values = np.empty(tensor._value.size)
    missing = np.arange(values.size)
    while missing.size:
        if inside > 0.2:
            drawn = r.standard_normal(missing.size)
            kept = (low <= drawn) & (drawn <= high)
        else:
            drawn = low + (high - low) * r.random(missing.size)
            kept = r.random(missing.size) < np.exp((nearest**2 - drawn**2) / 2)
        values[missing[kept]] = drawn[kept]
        missing = missing[~kept]
    return _put(tensor, np.clip(mean + std * values, a, b).reshape(tensor.shape))


# ----------------------------------------------------------------------------- by size of the layer


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many numbers go into one output of this weight, and how many outputs each goes to.

    Raises:
        ShapeError: the tensor has fewer than two axes.
    """
    if tensor.ndim < 2:
        raise ShapeError(
            f"this initialisation counts inputs and outputs, and a tensor of shape {tensor.shape} "
            "has not two axes; for a bias use zeros_ or uniform_"
        )
    field = math.prod(tensor.shape[2:])  # the positions of a kernel
    # an empty weight counts as 1: there is nothing to fill, and nothing should be divided by 0
    return max(1, tensor.shape[1] * field), max(1, tensor.shape[0] * field)


_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0,
    "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much an activation shrinks what passes through, turned round.

    Args:
        nonlinearity: its name, such as "relu" or "tanh".
        param: for "leaky_relu", the slope below zero (0.01 if not given).

    Raises:
        ArgumentError: an unknown name.

    >>> round(calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ArgumentError(f"no gain is known for {nonlinearity!r}; there are {known}")
    return _GAINS[nonlinearity]


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in ± gain · sqrt(6 / (inputs + outputs)).

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010. For tanh and sigmoid.
    """
    return around_zero_(tensor, gain * math.sqrt(6 / sum(fans(tensor))), generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain · sqrt(2 / (inputs + outputs)); Glorot, Bengio 2010."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in ± gain · sqrt(3 / fan).

    K. He et al., "Delving Deep into Rectifiers", 2015. For relu and its relatives.

    Args:
        tensor: what to fill.
        a: the slope below zero of a leaky relu.
        mode: "fan_in" keeps the size of the numbers on the way forward, "fan_out" on the way back.
        nonlinearity: the activation that follows.
        generator: where the numbers come from, if not from `pellucid.manual_seed`'s.
    """
    return around_zero_(tensor, math.sqrt(3) * _kaiming(tensor, a, mode, nonlinearity), generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain / sqrt(fan); He et al., 2015. As `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity), generator)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f'mode is "fan_in" or "fan_out", not {mode!r}')
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, if there are fewer) at right angles to each other, each `gain` long.

    A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2013. Axes after the first count as one.
    """
    fans(tensor)
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    draws = (generator or the_generator()).standard_normal((rows, columns))
    q, r = np.linalg.qr(draws if rows >= columns else draws.T)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # makes every rotation equally likely
    return _put(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


# --------------------------------------------------------------------------------------- the book's


def _by_input(tensor: Tensor, draw: Callable[[tuple[int, ...]], Any]) -> Tensor:
    """The book keeps weights as (inputs, outputs); a Linear layer as (outputs, inputs)."""
    if tensor.ndim == 2:
        return _put(tensor, draw(tensor.shape[::-1]).T)
    return _put(tensor, draw(tensor.shape))


def book_uniform_(tensor: Tensor, width: float = 0.1, generator: Generator | None = None) -> Tensor:
    """2·width·rand − width, drawn input by input: chapters 6 and 8 to 12 of the course.

    The matrix is drawn as the book draws it, (inputs, outputs), and laid down as Linear keeps it,
    (outputs, inputs): with the same old generator the weights are the published ones.

    >>> import numpy as np
    >>> from pellucid import nn
    >>> layer = nn.Linear(784, 40, bias=False, dtype=np.float64)
    >>> drawn = book_uniform_(layer.weight, 0.1, np.random.RandomState(1))  # chapter 8
    >>> round(layer.weight[0, 0].item(), 8)
    -0.0165956
    """
    r = generator or the_generator()
    return _by_input(tensor, lambda shape: 2 * width * r.random(shape) - width)


def book_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """randn · sqrt(2 / inputs), drawn input by input: chapter 13's Linear (He et al., 2015).

    As `book_uniform_`, drawn as (inputs, outputs) and laid down as Linear keeps it.
    """
    r = generator or the_generator()
    inputs = fans(tensor)[0]
    return _by_input(tensor, lambda shape: r.standard_normal(shape) * math.sqrt(2 / inputs))
