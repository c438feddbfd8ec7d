"""How windows and kernels stand on an image, with every setting spelled out for each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...nn.recording import Call
from ...ops.convolution import per_axis

Array = Any
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Window:
    """A window that moves along the last axes; all but `extra` as one number or pair per axis.

    Attributes:
        size: how many elements it sees.
        stride: how far it moves.
        pad: what stands before and after the image.
        dilation: how far apart the elements are.
        extra: how far the last window sticks out behind that (`ceil_mode`).
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    pad: Pairs
    dilation: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def around(self) -> Pairs:
        """Everything before and after the image that windows reach."""
        return tuple((a, b + e) for (a, b), e in zip(self.pad, self.extra, strict=True))


def kernel_of(call: Call) -> Window:
    """The kernel of a convolution."""
    name, settings = call.op.name, call.settings
    size = call.inputs[1].shape[2:]
    axes = len(size)
    stride = per_axis(settings["stride"], axes, f"{name}'s stride")
    dilation = per_axis(settings["dilation"], axes, f"{name}'s dilation")
    padding = settings["padding"]
    if padding == "same":
        reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
        pad: Pairs = tuple((n // 2, n - n // 2) for n in reach)
    else:
        both = per_axis(0 if padding == "valid" else padding, axes, f"{name}'s padding", least=0)
        pad = tuple((n, n) for n in both)
    return Window(tuple(size), stride, pad, dilation, (0,) * axes)


def window_of(call: Call) -> Window:
    """The window of a pooling."""
    settings, axes = call.settings, int(call.op.name[-2])
    size = per_axis(settings["kernel_size"], axes, "kernel_size")
    given = settings["stride"]
    stride = size if given is None or given == () else per_axis(given, axes, "stride")
    padding = per_axis(settings["padding"], axes, "padding", least=0)
    dilation = per_axis(settings.get("dilation", 1), axes, "dilation")
    lengths, places = call.inputs[0].shape[-axes:], call.result.shape[-axes:]
    extra = tuple(
        max(0, (count - 1) * s + d * (k - 1) + 1 - n - 2 * p)
        for n, count, k, s, p, d in zip(
            lengths, places, size, stride, padding, dilation, strict=True
        )
    )
    return Window(size, stride, tuple((p, p) for p in padding), dilation, extra)


def divisor_of(call: Call) -> Array | float:
    """What the sum of each window is divided by: one number, or one for each place."""
    if call.op.name.startswith("sum"):
        return 1.0
    window, settings = window_of(call), call.settings
    if settings.get("divisor_override") is not None:
        return float(settings["divisor_override"])
    if not any(window.extra) and (settings["count_include_pad"] or not any(map(any, window.pad))):
        return float(math.prod(window.size))
    counts: list[Array] = []
    axes = len(window.size)
    for i, length in enumerate(call.inputs[0].shape[-axes:]):
        inside = np.ones(length + sum(window.pad[i]) + window.extra[i])
        inside[len(inside) - window.extra[i] :] = 0
        if not settings["count_include_pad"]:
            before = window.pad[i][0]
            inside[:before] = inside[before + length :] = 0
        seen = np.lib.stride_tricks.sliding_window_view(inside, window.size[i])
        counts.append(seen[:: window.stride[i]].sum(axis=1))
    whole = counts[0] if axes == 1 else np.multiply.outer(counts[0], counts[1])
    return whole.astype(call.result.numbers.dtype)


def sizes_asked(call: Call) -> tuple[int, ...]:
    """The sizes an adaptive pooling brings its input to."""
    axes = int(call.op.name[-2])
    return tuple(int(n) for n in call.result.shape[-axes:])
