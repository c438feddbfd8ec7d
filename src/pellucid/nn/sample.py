"""An input that a model takes, found by asking its first layer and trying.

This is a guess, and it is tried before it is given out: what comes back went through the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import tape
from ..errors import ArgumentError, PellucidError
from ..ops.base import default_dtype
from ..tensor import Tensor
from .module import Module

Array = Any

SIDES = (28, 32, 8, 64, 16, 48, 96, 224)  # of images, the usual ones first
STEPS = 5  # of sequences


def sample_inputs(
    model: Module, shape: tuple[int, ...] | None = None, rows: int = 2
) -> tuple[Tensor, ...]:
    """Inputs that the model takes: random numbers, always the same.

    Args:
        model: is called with them.
        shape: of one example, without the axis of the batch; None to find it out.
        rows: examples in the batch.

    Raises:
        ArgumentError: none of those tried fits; the message says how to give inputs.

    >>> from pellucid import nn
    >>> [x.shape for x in sample_inputs(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)))]
    [(2, 784)]
    """
    tried: list[str] = []
    for inputs in _tries(model, shape, rows):
        try:
            _through(model, inputs)
        except (PellucidError, TypeError, ValueError, IndexError) as error:
            shapes = ", ".join(str(x.shape) for x in inputs)
            tried.append(f"  {shapes}: {str(error).splitlines()[0]}")
            continue
        return inputs
    listed = "\n".join(tried[:3])
    raise ArgumentError(
        f"what {type(model).__name__} takes could not be found out"
        + (f"; it did not take\n{listed}" if tried else "")
        + "\nSay it: give an example (inputs=x, or --shape 1,28,28 for one without its batch)"
    )


def _through(model: Module, inputs: tuple[Tensor, ...]) -> None:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with tape.no_grad():
            model(*inputs)
    finally:
        for module, training in modes:
            module.training = training


def _tries(model: Module, shape: tuple[int, ...] | None, rows: int) -> Iterator[tuple[Tensor, ...]]:
    dtype = next((p.dtype for p in model.parameters() if p.dtype.kind == "f"), default_dtype())
    random = np.random.default_rng(0)

    def numbers(*sizes: int) -> Tensor:
        return Tensor(random.normal(size=sizes).astype(dtype))

    ids = next((_ids(m, rows) for m in model.modules() if hasattr(m, "num_embeddings")), None)
    if shape is not None:
        if ids is not None:
            most = int(ids.max()) + 1
            yield (Tensor(random.integers(0, most, (rows, *shape))),)
        yield (numbers(rows, *shape),)
        return
    first = next((m for m in model.modules() if _takes(m, rows)), None)
    if first is None:
        yield (numbers(rows, 3),)
        return
    if hasattr(first, "num_embeddings"):
        yield (Tensor(_ids(first, rows)),)
        return
    for sizes in _takes(first, rows):
        x = numbers(*sizes)
        yield (x,)
        if hasattr(first, "embed_dim"):
            yield x, x, x
        if hasattr(first, "in2_features"):
            yield x, numbers(rows, first.in2_features)


def _ids(layer: Any, rows: int) -> Array:
    """Numbers of words, all different ones first."""
    return np.arange(rows * STEPS).reshape(rows, STEPS) % layer.num_embeddings


def _takes(layer: Any, rows: int) -> list[tuple[int, ...]]:
    """Shapes that a layer with such sizes can take, the likeliest first."""
    own = vars(layer)
    if "num_embeddings" in own:
        return [(rows, STEPS)]
    if "in_features" in own:
        return [(rows, layer.in_features)]
    if "in1_features" in own:
        return [(rows, layer.in1_features)]
    if "in_channels" in own:
        axes = len(layer.kernel_size)
        return [(rows, layer.in_channels, *(side,) * axes) for side in SIDES]
    size = own.get("input_size") or own.get("embed_dim")
    if size:
        first = (rows, STEPS) if own.get("batch_first") else (STEPS, rows)
        cell = "input_size" in own and "num_layers" not in own  # one step at a time
        return [(rows, size)] if cell else [(*first, size), (rows, size)]
    if "num_features" in own:
        return [(rows, layer.num_features, *(8,) * axes) for axes in (0, 1, 2)]
    if "normalized_shape" in own:
        return [(rows, *layer.normalized_shape)]
    return []
