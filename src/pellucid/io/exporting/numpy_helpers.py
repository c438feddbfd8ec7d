"""Functions that an exported NumPy script takes along, if it uses them: NumPy and nothing else.

They are written to be read: a loop over the few positions of a kernel or the steps of a sequence,
and whole arrays inside it. Arguments as in PyTorch; `pad` is (before, after) for each axis.
"""
# no imports of Pellucid here: these functions are copied as they stand

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); by tanh, which never overflows."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def softplus(x: Array, beta: float = 1.0) -> Array:
    """log(1 + exp(x)), a smooth relu."""
    return np.logaddexp(0, beta * x) / beta


def softmax(x: Array, dim: int) -> Array:
    """Shares that sum to 1 along an axis."""
    shares = np.exp(x - x.max(axis=dim, keepdims=True))
    return shares / shares.sum(axis=dim, keepdims=True)


def log_softmax(x: Array, dim: int) -> Array:
    """The logarithm of softmax."""
    x = x - x.max(axis=dim, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=dim, keepdims=True))


def erf(x: Array) -> Array:
    """The error function, number by number."""
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def normalised(x: Array, axes: Any, eps: float) -> Array:
    """Mean 0 and variance 1 along some axes."""
    x = x - x.mean(axis=axes, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + eps)


def group_norm(x: Array, groups: int, eps: float) -> Array:
    """Each group of channels of each example with mean 0 and variance 1."""
    grouped = x.reshape(len(x), groups, -1)
    return normalised(grouped, 2, eps).reshape(x.shape)


def per_channel(v: Array, x: Array) -> Array:
    """One number per channel, as something that fits x (N, C, ...)."""
    return v.reshape((-1,) + (1,) * (x.ndim - 2))


def framed(x: Array, pad: Any, value: float) -> Array:
    """x with so many elements more around its last axes."""
    return np.pad(x, [(0, 0)] * (x.ndim - len(pad)) + list(pad), constant_values=value)


def windows(x: Array, size: Any, stride: Any, dilation: Any) -> Array:
    """Everything a window sees as it moves along the last axes: (..., places, window)."""
    axes = tuple(range(-len(size), 0))
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    seen: Any = np.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)
    places = tuple(slice(None, None, s) for s in stride)
    inside = tuple(slice(None, None, d) for d in dilation)
    return seen[(..., *places, *inside)]


def conv(
    x: Array, weight: Array, bias: Array, stride: Any, pad: Any, dilation: Any, groups: int
) -> Array:
    """Every kernel at every place: x (N, C, ...), weight (out, C / groups, ...)."""
    axes = weight.ndim - 2
    batch = x.reshape((-1, *x.shape[-axes - 1 :]))
    seen = windows(framed(batch, pad, 0), weight.shape[2:], stride, dilation)
    parts = []
    for part, kernels in zip(np.split(seen, groups, axis=1), np.split(weight, groups), strict=True):
        inside = tuple(range(part.ndim - axes, part.ndim))
        met = np.tensordot(part, kernels, ((1, *inside), (1, *range(2, 2 + axes))))
        parts.append(np.moveaxis(met, -1, 1))
    y = np.concatenate(parts, axis=1)
    if bias is not None:
        y = y + per_channel(bias, y)
    return y.reshape((*x.shape[: -axes - 1], *y.shape[1:]))


def conv_transpose(
    x: Array, weight: Array, bias: Array, stride: Any, pad: Any, dilation: Any, groups: int
) -> Array:
    """The way back of a convolution: each number stamps its kernel; weight (C, out / groups, ...).

    `pad` is what is cut off at both ends; where it is negative, zeros are put on.
    """
    axes = weight.ndim - 2
    batch = x.reshape((-1, *x.shape[-axes - 1 :]))
    length = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(batch.shape[2:], stride, dilation, weight.shape[2:], strict=True)
    ]
    y: Any = np.zeros((len(batch), weight.shape[1] * groups, *length), x.dtype)
    for at in np.ndindex(*weight.shape[2:]):
        stamp = tuple(
            slice(i * d, i * d + (n - 1) * s + 1, s)
            for i, d, n, s in zip(at, dilation, batch.shape[2:], stride, strict=True)
        )
        parts = zip(np.split(batch, groups, axis=1), np.split(weight, groups), strict=True)
        stamped = [np.einsum("nc...,co->no...", part, w[(..., *at)]) for part, w in parts]
        y[(..., *stamp)] += np.concatenate(stamped, axis=1)
    y = framed(y, [(0, max(0, -after)) for _, after in pad], 0)
    cut = zip(y.shape[2:], pad, strict=True)
    y = y[(..., *(slice(a, n - max(0, b)) for n, (a, b) in cut))]
    if bias is not None:
        y = y + per_channel(bias, y)
    return y.reshape((*x.shape[: -axes - 1], *y.shape[1:]))


def max_pool(x: Array, size: Any, stride: Any, pad: Any, dilation: Any) -> Array:
    """The largest number of each window."""
    seen = windows(framed(x, pad, -np.inf), size, stride, dilation)
    return seen.max(axis=tuple(range(-len(size), 0)))


def avg_pool(x: Array, size: Any, stride: Any, pad: Any, divisor: Array) -> Array:
    """The sum of each window, divided by a number for each place."""
    seen = windows(framed(x, pad, 0), size, stride, (1,) * len(size))
    return seen.sum(axis=tuple(range(-len(size), 0))) / divisor


def adaptive_pool(x: Array, output_size: Any, pool: Any) -> Array:
    """Any length brought to this one; `pool` is np.mean or np.max, over windows of even length."""
    for axis, count in enumerate(output_size, start=-len(output_size)):
        n = x.shape[axis]
        spans = [range(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        x = np.stack([pool(x.take(span, axis=axis), axis=axis) for span in spans], axis=axis)
    return x


def attention(query: Array, key: Array, value: Array, mask: Array, scale: float) -> Array:
    """For each query, the values mixed by how well their keys agree with it."""
    scores = scale * query @ np.swapaxes(key, -1, -2)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    highest = scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores - np.where(np.isfinite(highest), highest, 0))
    total = shares.sum(axis=-1, keepdims=True)
    return shares / np.where(total == 0, 1, total) @ value


def rnn_layer(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, bend: Any, reverse: bool
) -> Array:
    """state = bend(w_ih @ input + w_hh @ state), step by step; x (T, N, features)."""
    added = (0 if b_ih is None else b_ih) + (0 if b_hh is None else b_hh)
    states = []
    for step in x[::-1] if reverse else x:
        h = bend(step @ w_ih.T + h @ w_hh.T + added)
        states.append(h)
    return np.stack(states[::-1] if reverse else states)


def lstm_layer(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, reverse: bool
) -> Array:
    """A cell that gates open, close and read; all states, and in a last row the final cell."""
    added = (0 if b_ih is None else b_ih) + (0 if b_hh is None else b_hh)
    states = []
    for step in x[::-1] if reverse else x:
        i, f, g, o = np.split(step @ w_ih.T + h @ w_hh.T + added, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack([*(states[::-1] if reverse else states), c])


def gru_layer(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, reverse: bool
) -> Array:
    """A state that is kept, or replaced, feature by feature."""
    states = []
    for step in x[::-1] if reverse else x:
        told = np.split(step @ w_ih.T + (0 if b_ih is None else b_ih), 3, axis=-1)
        kept = np.split(h @ w_hh.T + (0 if b_hh is None else b_hh), 3, axis=-1)
        reset, update = sigmoid(told[0] + kept[0]), sigmoid(told[1] + kept[1])
        new = np.tanh(told[2] + reset * kept[2])
        h = update * h + (1 - update) * new
        states.append(h)
    return np.stack(states[::-1] if reverse else states)
