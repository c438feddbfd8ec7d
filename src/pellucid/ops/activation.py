"""What a layer does with its weighted sums: the bends that make a network more than one line.

`relu` and its kin bend at 0; `sigmoid` and its kin squash; `softmax` turns scores into shares of 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .arithmetic import no_fractions
from .base import Array, Example, op, raw, within
from .compare import where
from .shape import axis_of
from .special import erf

# ---------------------------------------------------------------------------------------- bent at 0


@op
def relu(x: Array) -> Array:
    """`x` where it is positive, 0 elsewhere."""
    return np.maximum(x, 0)


@relu.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (y > 0)


@op
def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
    """`x` where it is positive, a small share of it elsewhere."""
    return np.where(x > 0, x, negative_slope * x)


@leaky_relu.slope("x")
def _(d: Array, x: Array, negative_slope: float) -> Array:
    return np.where(x > 0, d, d * negative_slope)


@leaky_relu.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"negative_slope": 0.3}


def prelu(input: Any, weight: Any) -> Any:
    """`leaky_relu` with a learned slope below 0: one weight for all or one per channel (axis 1)."""
    slopes, ndim = np.shape(raw(weight)), np.ndim(raw(input))
    if len(slopes) == 1 and slopes != (1,):
        if ndim < 2 or slopes[0] != raw(input).shape[1]:
            raise ShapeError(
                f"prelu needs one weight, or one per channel, but the weights are {slopes} and the "
                f"channels (axis 1) those of {np.shape(raw(input))}"
            )
        weight = weight.reshape(-1, *(1,) * (ndim - 2))
    return where(input > 0, input, weight * input)


@op
def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """`x` where it is positive; elsewhere a curve that levels off at -alpha.

    Clevert, Unterthiner and Hochreiter, 2016.
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@elu.slope("x")
def _(d: Array, x: Array, alpha: float) -> Array:
    return d * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))


@op
def celu(x: Array, *, alpha: float = 1.0) -> Array:
    """`elu` with a curve that is smooth for every `alpha` (Barron, 2017)."""
    if not alpha:
        raise ArgumentError("celu divides by alpha, so alpha cannot be 0")
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


@celu.slope("x")
def _(d: Array, x: Array, alpha: float) -> Array:
    return d * np.where(x > 0, 1.0, np.exp(np.minimum(x, 0) / alpha))


@elu.examples
@celu.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"alpha": 0.5}


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@op
def selu(x: Array) -> Array:
    """`elu`, scaled so that activations keep mean 0 and variance 1 through many layers.

    Klambauer and others, "Self-normalizing neural networks", 2017.
    """
    return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0)))


@selu.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * (SELU_SCALE * np.where(x > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(x, 0))))


# ---------------------------------------------------------------------------- straight, with limits


@op
def hardtanh(x: Array, *, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """`x`, nowhere below `min_val` or above `max_val`."""
    if no_fractions(x):
        min_val, max_val = int(min_val), int(max_val)
    return np.minimum(np.maximum(x, min_val), max_val)


@hardtanh.slope("x")
def _(d: Array, x: Array, min_val: float, max_val: float) -> Array:
    return d * ((x > min_val) & (x < max_val))


@hardtanh.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"min_val": -0.2, "max_val": 0.5}


@op(domain=(-2.0, 8.0))
def relu6(x: Array) -> Array:
    """`relu`, nowhere above 6."""
    return np.minimum(np.maximum(x, 0), 6)


@relu6.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * ((y > 0) & (y < 6))


@op(domain=(-4.0, 4.0))
def hardsigmoid(x: Array) -> Array:
    """`sigmoid` drawn with a ruler: from 0 at -3 straight to 1 at 3."""
    return np.minimum(np.maximum(x + 3, 0), 6) / 6


@hardsigmoid.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * ((x > -3) & (x < 3)) / 6


@op(domain=(-4.0, 4.0))
def hardswish(x: Array) -> Array:
    """`x` times `hardsigmoid(x)`: `silu` drawn with simpler tools (Howard and others, 2019)."""
    return x * (np.minimum(np.maximum(x + 3, 0), 6) / 6)


@hardswish.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * np.where(x <= -3, 0.0, np.where(x < 3, x / 3 + 0.5, 1.0))


@op
def threshold(x: Array, *, threshold: float, value: float) -> Array:
    """`x` where it is above the threshold, `value` elsewhere."""
    return np.where(x <= threshold, value, x)


@threshold.slope("x")
def _(d: Array, x: Array, threshold: float) -> Array:
    return np.where(x <= threshold, 0.0, d)


@threshold.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {"threshold": 0.1, "value": -2.0}


@op
def hardshrink(x: Array, *, lambd: float = 0.5) -> Array:
    """0 between -lambd and lambd, `x` elsewhere."""
    return np.where((x >= -lambd) & (x <= lambd), 0, x)


@hardshrink.slope("x")
def _(d: Array, x: Array, lambd: float) -> Array:
    return np.where((x >= -lambd) & (x <= lambd), 0.0, d)


@op
def softshrink(x: Array, *, lambd: float = 0.5) -> Array:
    """`x` drawn towards 0 by `lambd`, and 0 where that would change its sign."""
    return x - np.minimum(np.maximum(x, -lambd), lambd)


@softshrink.slope("x")
def _(d: Array, x: Array, lambd: float) -> Array:
    return d * ((x < -lambd) | (x > lambd))


# ---------------------------------------------------------------------------------------- squashing


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)); where exp(-x) is infinite, 0, as it should be."""
    return 1 / (1 + np.exp(-x))


@op
def sigmoid(x: Array) -> Array:
    """Squash any number into (0, 1): the chance whose log-odds are `x`."""
    return 1 / (1 + np.exp(-x))


@sigmoid.slope("x")
def _(d: Array, y: Array) -> Array:
    return d * (y * (1 - y))


@op
def logsigmoid(x: Array) -> Array:
    """log(sigmoid(x)), without ever holding a sigmoid that has become 0."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@logsigmoid.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / (1 + np.exp(x))


@op
def softplus(x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """A smooth `relu`: log(1 + exp(beta x)) / beta; `x` itself where beta x is past `threshold`."""
    z = beta * x
    return np.where(z > threshold, x, (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta)


@softplus.slope("x")
def _(d: Array, x: Array, beta: float, threshold: float) -> Array:
    z = beta * x
    return np.where(z > threshold, d, d * logistic(z))


@softplus.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"beta": 3.0, "threshold": 1.0}


@op
def softsign(x: Array) -> Array:
    """Squash any number into (-1, 1), slowly: x / (1 + |x|)."""
    return x / (1 + np.abs(x))


@softsign.slope("x")
def _(d: Array, x: Array) -> Array:
    return d / np.square(1 + np.abs(x))


@op
def tanhshrink(x: Array) -> Array:
    """What `tanh` takes away: x - tanh(x)."""
    return x - np.tanh(x)


@tanhshrink.slope("x")
def _(d: Array, x: Array) -> Array:
    return d * np.square(np.tanh(x))


# --------------------------------------------------------------------------------- smooth and gated


@op
def silu(x: Array) -> Array:
    """`x` times its own sigmoid, also called swish (Elfwing, Uchibe and Doya, 2017)."""
    return x / (1 + np.exp(-x))


@silu.slope("x")
def _(d: Array, x: Array) -> Array:
    gate = logistic(x)
    return d * (gate * (1 + x * (1 - gate)))


def tanh_of_softplus(x: Array) -> Array:
    """tanh(log(1 + exp(x))) with one exponential; from 20 on it is 1."""
    e = np.exp(np.minimum(x, 20))
    n = e * (e + 2)
    return n / (n + 2)


@op
def mish(x: Array) -> Array:
    """`x` times tanh(softplus(x)) (Misra, 2019)."""
    return x * tanh_of_softplus(x)


@mish.slope("x")
def _(d: Array, x: Array) -> Array:
    gate = tanh_of_softplus(x)
    return d * (gate + x * logistic(x) * (1 - gate * gate))


ROOT_HALF = math.sqrt(0.5)
BELL = 1 / math.sqrt(2 * math.pi)  # the height of the bell curve at 0
GELU_SCALE, GELU_CUBE = math.sqrt(2 / math.pi), 0.044715


@op
def gelu(x: Array, *, approximate: str = "none") -> Array:
    """`x` times the share of the bell curve to its left (Hendrycks and Gimpel, 2016).

    Exactly, or by their formula with tanh (`approximate="tanh"`).
    """
    if approximate == "none":
        return x * (0.5 + 0.5 * erf.forward(x * ROOT_HALF))
    if approximate != "tanh":
        raise ArgumentError(f'gelu is computed by "none" (exactly) or "tanh", not {approximate!r}')
    return 0.5 * x * (1 + np.tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x)))


@gelu.slope("x")
def _(d: Array, x: Array, approximate: str) -> Array:
    if approximate == "none":
        share = 0.5 + 0.5 * within(erf, x * ROOT_HALF)
        return d * (share + x * (BELL * np.exp(-0.5 * x * x)))
    bend = np.tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x))
    inner = GELU_SCALE * (1 + 3 * GELU_CUBE * x * x)
    return d * (0.5 * (1 + bend) + 0.5 * x * (1 - bend * bend) * inner)


@gelu.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(3, 4)),), {"approximate": "tanh"}


@op("(...) -> ?")
def glu(x: Array, *, dim: int = -1) -> Array:
    """The first half along an axis, gated by the second (Dauphin and others, 2016)."""
    first, second = halves(x, dim)
    return first * logistic(second)


def halves(x: Array, dim: int) -> tuple[Array, Array]:
    """The two halves along an axis.

    Raises:
        ShapeError: there is no such axis, or it has an odd size.
    """
    axis = axis_of(dim, x.ndim, "glu")
    size = x.shape[axis] if x.ndim else 1
    if size % 2:
        raise ShapeError(f"glu halves axis {dim} of {x.shape}, and {size} cannot be halved")
    front = (slice(None),) * axis
    return x[(*front, slice(0, size // 2))], x[(*front, slice(size // 2, None))]


@glu.slope("x")
def _(d: Array, x: Array, dim: int) -> Array:
    first, second = halves(x, dim)
    gate = logistic(second)
    return np.concatenate([d * gate, d * first * (gate * (1 - gate))], axis=dim)


@glu.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    yield (r.normal(size=(3, 4)),), {}
    yield (r.normal(size=(2, 3, 2)),), {"dim": 0}


# -------------------------------------------------------------------------------- shares of a whole


@op("(...) -> (...)")
def softmax(x: Array, *, dim: int, dtype: Any = None) -> Array:
    """Scores along an axis as shares that add up to 1: exp(x), divided by its sum.

    The largest score is taken away first, which changes no share and keeps exp from overflowing.
    """
    x = x if dtype is None else x.astype(dtype)
    e = np.exp(x - np.maximum.reduce(x, axis=dim, keepdims=True, initial=-np.inf))
    return e / np.add.reduce(e, axis=dim, keepdims=True)


@softmax.slope("x")
def _(d: Array, y: Array, dim: int) -> Array:
    return y * (d - np.sum(d * y, axis=dim, keepdims=True))


@op("(...) -> (...)")
def log_softmax(x: Array, *, dim: int, dtype: Any = None) -> Array:
    """log(softmax(x)), without ever holding a share that has become 0."""
    x = x if dtype is None else x.astype(dtype)
    s = x - np.maximum.reduce(x, axis=dim, keepdims=True, initial=-np.inf)
    return s - np.log(np.add.reduce(np.exp(s), axis=dim, keepdims=True))


@log_softmax.slope("x")
def _(d: Array, y: Array, dim: int) -> Array:
    return d - np.exp(y) * np.sum(d, axis=dim, keepdims=True)


@softmax.examples
@log_softmax.examples
def _(r: np.random.Generator) -> Iterator[Example]:
    x = r.normal(size=(3, 4, 2))
    yield (x,), {"dim": 1}
    yield (x + 800,), {"dim": -1}
    yield (r.normal(size=(0, 3)),), {"dim": 1}


def softmin(input: Any, dim: int, dtype: Any = None) -> Any:
    """`softmax` of the opposite: the smallest score gets the largest share."""
    return softmax(-input, dim=dim, dtype=dtype)


log_sigmoid = logsigmoid
swish = silu
expit = sigmoid
