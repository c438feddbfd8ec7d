"""`import pellucid.nn.functional as F`: operations under PyTorch's address.

Most are `pellucid.ops` themselves. Those written out here only put the arguments in PyTorch's order
(`inplace` is accepted and changes nothing: values are never overwritten).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..ops import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    alpha_dropout,
    avg_pool1d,
    avg_pool2d,
    batch_norm,
    bilinear,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    cosine_similarity,
    cross_entropy,
    dropout1d,
    dropout2d,
    gelu,
    glu,
    group_norm,
    hardshrink,
    hinge_embedding_loss,
    hinge_loss,
    huber_loss,
    instance_norm,
    kl_div,
    l1_loss,
    layer_norm,
    linear,
    log_softmax,
    logsigmoid,
    margin_ranking_loss,
    max_pool1d_with_indices,
    max_pool2d_with_indices,
    mse_loss,
    multi_margin_loss,
    negative_sampling_loss,
    nll_loss,
    one_hot,
    pad,
    prelu,
    rms_norm,
    scaled_dot_product_attention,
    sigmoid,
    smooth_l1_loss,
    soft_margin_loss,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
)  # fmt: skip
from ..tensor import Tensor

Sizes = int | Sequence[int]

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "alpha_dropout", "avg_pool1d", "avg_pool2d", "batch_norm", "bilinear", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "celu", "conv1d", "conv2d", "conv_transpose1d",
    "conv_transpose2d", "cosine_similarity", "cross_entropy", "dropout", "dropout1d", "dropout2d",
    "elu", "embedding", "embedding_bag", "gelu", "glu", "group_norm", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "hinge_embedding_loss", "hinge_loss", "huber_loss", "instance_norm",
    "kl_div", "l1_loss", "layer_norm", "leaky_relu", "linear", "log_softmax", "logsigmoid",
    "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
    "max_pool2d_with_indices", "mish", "mse_loss", "multi_margin_loss",
    "negative_sampling_loss", "nll_loss", "normalize", "one_hot", "pad", "prelu", "relu", "relu6",
    "rms_norm", "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss",
    "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold",
]  # fmt: skip

# -------------------------------------------------------------------------------------- activations


def relu(input: Any, inplace: bool = False) -> Tensor:
    """x where it is positive, 0 elsewhere."""
    return ops.relu(input)


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """relu, nowhere above 6."""
    return ops.relu6(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where it is positive, a small share of it elsewhere."""
    return ops.leaky_relu(input, negative_slope=negative_slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where it is positive, a curve that levels off at -alpha elsewhere."""
    return ops.elu(input, alpha=alpha)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """elu with a curve that is smooth for every alpha."""
    return ops.celu(input, alpha=alpha)


def selu(input: Any, inplace: bool = False) -> Tensor:
    """A scaled elu that keeps mean 0 and variance 1."""
    return ops.selu(input)


def silu(input: Any, inplace: bool = False) -> Tensor:
    """x · sigmoid(x)."""
    return ops.silu(input)


def mish(input: Any, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x))."""
    return ops.mish(input)


def hardtanh(
    input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x, nowhere below `min_val` or above `max_val`."""
    return ops.hardtanh(input, min_val=min_val, max_val=max_val)


def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """A sigmoid drawn with a ruler."""
    return ops.hardsigmoid(input)


def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """x · hardsigmoid(x)."""
    return ops.hardswish(input)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where it is above the threshold, `value` elsewhere."""
    return ops.threshold(input, threshold=threshold, value=value)


# ------------------------------------------------------------------------------------------- layers


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Random numbers left out, the others made larger."""
    return ops.dropout(input, p=p, training=training)


def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, *, sparse: bool = False
) -> Tensor:
    """For each id, its row of the table `weight`."""
    return ops.embedding(input, weight, padding_idx=padding_idx, sparse=sparse)


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    *,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """For each bag of ids, the sum, mean or largest numbers of their rows of the table `weight`."""
    return ops.embedding_bag(
        input, weight, offsets, per_sample_weights, mode=mode, sparse=sparse,
        include_last_offset=include_last_offset, padding_idx=padding_idx,
    )  # fmt: skip


def max_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window; with `return_indices` also where it stood."""
    pool = ops.max_pool1d_with_indices if return_indices else ops.max_pool1d
    return pool(
        input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation,
        ceil_mode=ceil_mode,
    )  # fmt: skip


def max_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window; with `return_indices` also where it stood."""
    pool = ops.max_pool2d_with_indices if return_indices else ops.max_pool2d
    return pool(
        input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation,
        ceil_mode=ceil_mode,
    )  # fmt: skip


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Vectors along an axis, brought to length 1.

    Args:
        input: the vectors.
        p: which norm is brought to 1: 2 for the length.
        dim: the axis.
        eps: divide by no less than this, so that vectors of zeros stay zeros.
    """
    length = ops.clamp(ops.norm(input, p=p, dim=dim, keepdim=True), min=eps)
    return ops.div(input, length)
