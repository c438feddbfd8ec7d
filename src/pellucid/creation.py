"""New tensors: from numbers, filled with one number, counted, or drawn by chance.

Names, arguments and defaults are PyTorch's. `size` may be given as numbers or as one tuple;
`device` is accepted and has to be "cpu". Random numbers come from the one generator of
`pellucid.random`, or from a `generator` made with NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ArgumentError, DTypeError, ShapeError
from .ops import broadcast_tensors
from .ops.base import as_result, default_dtype, raw
from .random import generator as the_generator
from .tensor import Tensor, as_array

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Array = Any

__all__ = [
    "arange", "as_tensor", "bernoulli", "empty", "empty_like", "eye", "from_dlpack", "from_numpy",
    "full", "full_like", "linspace", "logspace", "meshgrid", "multinomial", "normal", "ones",
    "ones_like", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


# ------------------------------------------------------------------------------------- from numbers


def tensor(
    data: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor with these numbers, copied.

    Args:
        data: a number, nested lists, an array, or a tensor (its numbers without its history).
        dtype: by default that of the data; Python's fractions take the default dtype.
        requires_grad: whether `backward` shall leave a gradient.

    >>> import pellucid
    >>> pellucid.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]], shape=(2, 2))
    """
    return _made(np.array(as_array(data, dtype)), device, requires_grad)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """A tensor with these numbers, sharing memory where it can; a tensor that fits as it is."""
    _on_cpu(device)
    if isinstance(data, Tensor):
        return data.to(dtype=dtype)
    return _made(as_array(data, dtype), device, False)


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares its memory with an array: what changes in one changes in the other."""
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError(
            f"from_numpy takes an array, not {type(ndarray).__name__}; use tensor(...)"
        )
    return _made(as_array(ndarray, None), None, False)


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares its memory with one of another library (PyTorch, JAX, ...)."""
    return _made(np.from_dlpack(ext_tensor), None, False)


# --------------------------------------------------------------------------- filled with one number


def zeros(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All zeros.

    >>> import pellucid
    >>> pellucid.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]], shape=(2, 3))
    """
    return _made(np.zeros(_shape(size), dtype or default_dtype()), device, requires_grad)


def ones(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All ones."""
    return _made(np.ones(_shape(size), dtype or default_dtype()), device, requires_grad)


def empty(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whatever the memory holds: to be written to before it is read."""
    return _made(np.empty(_shape(size), dtype or default_dtype()), device, requires_grad)


def full(
    size: Sequence[int],
    fill_value: float,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All the same number; the dtype is that of the number unless given."""
    value = as_array(fill_value, dtype)
    return _made(np.full(_shape((size,)), value, value.dtype), device, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The matrix that changes nothing it multiplies: ones on the diagonal, zeros elsewhere."""
    return _made(np.eye(n, m, dtype=dtype or default_dtype()), device, requires_grad)


def zeros_like(
    input: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All zeros, with another tensor's shape and dtype."""
    return _made(np.zeros(*_like(input, dtype)), device, requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All ones, with another tensor's shape and dtype."""
    return _made(np.ones(*_like(input, dtype)), device, requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whatever the memory holds, with another tensor's shape and dtype."""
    return _made(np.empty(*_like(input, dtype)), device, requires_grad)


def full_like(
    input: Any,
    fill_value: float,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """All the same number, with another tensor's shape and dtype."""
    shape, kind = _like(input, dtype)
    return _made(np.full(shape, fill_value, kind), device, requires_grad)


# ------------------------------------------------------------------------------------------ counted


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """From `start` up to but without `end`, `step` apart; with one argument from 0 up to it.

    int64 if all three are whole numbers, else the default dtype.

    >>> import pellucid
    >>> pellucid.arange(2, 10, 3)
    tensor([2, 5, 8])
    """
    start, end = (0, start) if end is None else (start, end)
    start, end, step = (raw(n).item() if isinstance(n, Tensor) else n for n in (start, end, step))
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError(f"arange never gets from {start} to {end} in steps of {step}")
    whole = all(isinstance(n, (int, np.integer)) for n in (start, end, step))
    kind = np.dtype(dtype or (np.int64 if whole else default_dtype()))
    if whole:
        return _made(np.arange(start, end, step).astype(kind, copy=False), device, requires_grad)
    numbers = start + step * np.arange(math.ceil((end - start) / step))
    return _made(numbers.astype(kind), device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, equally far apart."""
    _count("steps", steps)
    numbers = np.linspace(float(start), float(end), steps).astype(dtype or default_dtype())
    return _made(numbers, device, requires_grad)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `base**start` to `base**end`, each the same multiple of the last."""
    _count("steps", steps)
    numbers = np.logspace(float(start), float(end), steps, base=base)
    return _made(numbers.astype(dtype or default_dtype()), device, requires_grad)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid: for each vector, its value at every crossing.

    Args:
        tensors: vectors, as arguments or in one list.
        indexing: "ij": the first vector runs down the rows; "xy": along the columns.
    """
    lines = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid's indexing is 'ij' or 'xy', not {indexing!r}")
    lines = [as_tensor(line).reshape(-1) for line in lines]
    order = list(range(len(lines)))
    if indexing == "xy" and len(lines) > 1:
        order[:2] = [1, 0]
    shaped = [
        line.reshape([-1 if axis == order[i] else 1 for axis in range(len(lines))])
        for i, line in enumerate(lines)
    ]
    return broadcast_tensors(*shaped)


def tril_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """Where a matrix's lower triangle is: row numbers and column numbers, (2, n)."""
    return as_result(np.stack(np.tril_indices(row, offset, col)))


def triu_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """Where a matrix's upper triangle is: row numbers and column numbers, (2, n)."""
    return as_result(np.stack(np.triu_indices(row, offset, col)))


# ---------------------------------------------------------------------------------- drawn by chance


def rand(
    *size: Any,
    generator: np.random.Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from 0 up to 1, all equally likely.

    >>> import pellucid
    >>> _ = pellucid.manual_seed(0)
    >>> pellucid.rand(2, 3).shape
    (2, 3)
    """
    kind = _float(dtype)
    return _made(_draw(generator).random(_shape(size), kind), device, requires_grad)


def randn(
    *size: Any,
    generator: np.random.Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normally distributed numbers: mean 0, standard deviation 1."""
    kind = _float(dtype)
    return _made(_draw(generator).standard_normal(_shape(size), kind), device, requires_grad)


def randint(
    low: int,
    high: int | Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    *,
    generator: np.random.Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from `low` (0 if left out) up to but without `high`, all equally likely.

    Called as randint(high, size) or randint(low, high, size).
    """
    if size is None:  # randint(10, (2, 3)), randint(10, size=(2, 3)) and randint(low, high, size)
        low, high, size = 0, low, high  # type: ignore[assignment]
    elif high is None:
        low, high = 0, low
    if size is None or not isinstance(high, (int, np.integer)):
        raise ArgumentError("randint is called as randint(high, size) or randint(low, high, size)")
    if low >= high:
        raise ArgumentError(f"randint finds no whole number from {low} up to but without {high}")
    numbers = _draw(generator).integers(low, high, _shape((size,)))
    return _made(numbers.astype(dtype or np.int64, copy=False), device, requires_grad)


def randperm(
    n: int,
    *,
    generator: np.random.Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """The whole numbers from 0 to n - 1, shuffled."""
    _count("n", n)
    return _made(
        _draw(generator).permutation(n).astype(dtype or np.int64, copy=False), device, False
    )


def bernoulli(
    input: Any, p: float | None = None, *, generator: np.random.Generator | None = None
) -> Tensor:
    """A coin per element: 1 with the probability that stands there (or `p` for all), else 0."""
    chances = np.asarray(raw(input))
    if chances.dtype.kind != "f":
        if p is None:
            raise DTypeError(
                f"bernoulli needs probabilities, fractions from 0 to 1, not {chances.dtype}"
            )
        chances = chances.astype(default_dtype())
    odds = chances if p is None else np.float64(p)
    if not ((odds >= 0) & (odds <= 1)).all():
        raise ArgumentError("bernoulli needs probabilities: numbers from 0 to 1")
    return as_result((_draw(generator).random(chances.shape) < odds).astype(chances.dtype))


def multinomial(
    input: Any,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Positions drawn by chance, each as likely as its weight is large.

    Args:
        input: weights, (n) or (rows, n): not negative, not all zero; they need not add up to 1.
        num_samples: how many to draw from each row.
        replacement: whether a position can be drawn twice.

    Returns:
        int64, (num_samples) or (rows, num_samples).
    """
    weights = np.asarray(raw(input))
    if weights.ndim not in (1, 2):
        raise ShapeError(
            f"multinomial draws from a row of weights or from several, not {weights.shape}"
        )
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any() or (weights.sum(-1) <= 0).any():
        raise ArgumentError(
            "multinomial needs weights that are finite, not negative and not all zero"
        )
    _count("num_samples", num_samples)
    if not replacement and num_samples > (weights > 0).sum(-1).min():
        raise ArgumentError(
            f"multinomial cannot draw {num_samples} different positions where fewer have a weight; "
            "replacement=True allows repeats"
        )
    source = _draw(generator)
    rows = np.atleast_2d(weights)
    if replacement:
        ends = np.cumsum(rows, axis=1)
        drawn = source.random((len(rows), num_samples)) * ends[:, -1:]
        found = np.stack([np.searchsorted(e, d, "right") for e, d in zip(ends, drawn, strict=True)])
    else:
        # the heavier the weight, the sooner it tends to arrive (Efraimidis & Spirakis, 2006)
        with np.errstate(divide="ignore"):
            arrival = source.standard_exponential(rows.shape) / rows
        found = np.argsort(arrival, axis=1)[:, :num_samples]
    return as_result(found.astype(np.int64).reshape(*weights.shape[:-1], num_samples))


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: np.random.Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normally distributed numbers; mean and standard deviation may differ per element.

    Args:
        mean: a number or a tensor.
        std: a number or a tensor, not negative.
        size: the shape; left out, that of `mean` and `std` together.
    """
    middle, spread = np.asarray(raw(mean)), np.asarray(raw(std))
    if (spread < 0).any():
        raise ArgumentError("normal needs standard deviations that are not negative")
    shape = np.broadcast_shapes(middle.shape, spread.shape) if size is None else _shape((size,))
    kinds = [a.dtype for a in (middle, spread) if a.ndim and a.dtype.kind == "f"]
    kind = _float(dtype or (np.result_type(*kinds) if kinds else None))
    numbers = _draw(generator).standard_normal(shape, kind) * spread + middle
    return _made(np.asarray(numbers, kind), device, requires_grad)


def rand_like(
    input: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from 0 up to 1, with another tensor's shape and dtype."""
    shape, kind = _like(input, dtype)
    return rand(shape, dtype=kind, device=device, requires_grad=requires_grad)


def randn_like(
    input: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normally distributed numbers, with another tensor's shape and dtype."""
    shape, kind = _like(input, dtype)
    return randn(shape, dtype=kind, device=device, requires_grad=requires_grad)


def randint_like(
    input: Any,
    low: int,
    high: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Whole numbers by chance, with another tensor's shape and dtype."""
    shape, kind = _like(input, dtype)
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, shape, dtype=kind, device=device)


# ------------------------------------------------------------------------------------------ helpers


def _made(array: Array, device: str | None, requires_grad: bool) -> Tensor:
    _on_cpu(device)
    made = as_result(array)
    return made.requires_grad_() if requires_grad else made


def _on_cpu(device: str | None) -> None:
    if device is not None and str(device).split(":")[0] != "cpu":
        raise ArgumentError(f"Pellucid works on the CPU only; there is no device {device!r}")


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    """`zeros(2, 3)` and `zeros((2, 3))` mean the same."""
    try:
        if len(size) == 1 and not isinstance(size[0], (int, np.integer, Tensor)):
            size = tuple(size[0])
        shape = tuple(n.__index__() for n in size)
    except (AttributeError, TypeError):
        raise ArgumentError(f"a shape is made of whole numbers, not {size}") from None
    if any(n < 0 for n in shape):
        raise ArgumentError(f"a shape has no negative sizes: {shape}")
    return shape


def _like(other: Any, dtype: DTypeLike | None) -> tuple[tuple[int, ...], np.dtype[Any]]:
    array = np.asarray(raw(other))
    return array.shape, np.dtype(dtype or array.dtype)


def _float(dtype: DTypeLike | None) -> Any:
    kind = np.dtype(dtype or default_dtype())
    if kind not in (np.float32, np.float64):
        raise DTypeError(f"these random numbers have fractions: float32 or float64, not {kind}")
    return kind


def _draw(generator: np.random.Generator | None) -> np.random.Generator:
    return generator or the_generator()


def _count(name: str, n: int) -> None:
    if n < 0:
        raise ArgumentError(f"{name} counts something: not {n}")
