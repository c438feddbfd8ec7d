"""What each operation is called in ONNX: one node, or the few that amount to it.

A rule is given the graph and the call, adds nodes, and returns the name of the last one's output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn.recording import Call, Value
from .geometry import divisor_of, kernel_of, sizes_asked, window_of
from .numpy_script import check_bag, correction_of, epsilon, last_axes, pad_pairs, same
from .onnx_file import Graph
from .text import Line

Rule = Callable[[Graph, Call], str]


def _line(call: Call) -> Line:
    """What the rules for text read settings with."""
    return Line(call, None)  # type: ignore[arg-type]


def _dtype(call: Call) -> Any:
    """The type that plain numbers among the inputs take."""
    kinds = [x.numbers.dtype for x in call.inputs if isinstance(x, Value)]
    return np.result_type(*kinds) if kinds else call.result.numbers.dtype


def _names(g: Graph, call: Call) -> list[str]:
    """The inputs, brought to one type where they have several."""
    kind = _dtype(call)
    found = []
    for x in call.inputs:
        name = g.name(x, kind)
        if isinstance(x, Value) and x.numbers.dtype != kind and x.numbers.dtype.kind != "b":
            name = g.node("Cast", [name], to=g.kind(kind))
        found.append(name)
    return found


def _number(g: Graph, call: Call, number: float) -> str:
    return g.constant(number, call.result.numbers.dtype)


# ------------------------------------------------------------------------------------------ numbers


def _one(kind: str, **settings: Any) -> Rule:
    """An operation that is one node with the same inputs."""

    def rule(g: Graph, call: Call) -> str:
        return str(g.node(kind, _names(g, call), **settings))

    return rule


def _with(kind: str, **names: str) -> Rule:
    """One node of the first input; its settings are the operation's, under ONNX's names."""

    def rule(g: Graph, call: Call) -> str:
        given = {theirs: call.settings[ours] for theirs, ours in names.items()}
        return str(g.node(kind, [g.name(call.inputs[0])], **given))

    return rule


def _scaled_second(kind: str) -> Rule:
    """a + alpha · b and a - alpha · b."""

    def rule(g: Graph, call: Call) -> str:
        a, b = _names(g, call)
        if call.settings["alpha"] != 1:
            b = g.node("Mul", [b, g.constant(call.settings["alpha"], _dtype(call))])
        return str(g.node(kind, [a, b]))

    return rule


def _div(g: Graph, call: Call) -> str:
    a, b = _names(g, call)
    if _dtype(call).kind != "f":
        to = g.kind(call.result.numbers.dtype)
        a, b = g.node("Cast", [a], to=to), g.node("Cast", [b], to=to)
    y = g.node("Div", [a, b])
    rounding = call.settings["rounding_mode"]
    if rounding == "trunc":
        down = g.node("Floor", [g.node("Abs", [y])])
        return str(g.node("Mul", [g.node("Sign", [y]), down]))
    return str(g.node("Floor", [y]) if rounding else y)


def _rsqrt(g: Graph, call: Call) -> str:
    return str(g.node("Reciprocal", [g.node("Sqrt", _names(g, call))]))


def _square(g: Graph, call: Call) -> str:
    x = g.name(call.inputs[0])
    return str(g.node("Mul", [x, x]))


def _log_of(base: float) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        scale = _number(g, call, 1 / np.log(base))
        return str(g.node("Mul", [g.node("Log", _names(g, call)), scale]))

    return rule


def _expm1(g: Graph, call: Call) -> str:
    return str(g.node("Sub", [g.node("Exp", _names(g, call)), _number(g, call, 1)]))


def _log1p(g: Graph, call: Call) -> str:
    return str(g.node("Log", [g.node("Add", [*_names(g, call), _number(g, call, 1)])]))


def _addc(kind: str) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        x, a, b = _names(g, call)
        inner = g.node(kind, [a, b])
        if call.settings["value"] != 1:
            inner = g.node("Mul", [inner, _number(g, call, call.settings["value"])])
        return str(g.node("Add", [x, inner]))

    return rule


def _lerp(g: Graph, call: Call) -> str:
    start, end, weight = _names(g, call)
    return str(g.node("Add", [start, g.node("Mul", [weight, g.node("Sub", [end, start])])]))


def _clamp(g: Graph, call: Call) -> str:
    names = _names(g, call)
    y = names[0]
    for kind, limit in (("Max", names[1]), ("Min", names[2])):
        y = g.node(kind, [y, limit]) if limit else y
    return y


def _cast(g: Graph, call: Call) -> str:
    to = g.kind(call.result.numbers.dtype)
    return str(g.node("Cast", [g.name(call.inputs[0])], to=to))


def _where(g: Graph, call: Call) -> str:
    kind = call.result.numbers.dtype
    condition = g.name(call.inputs[0], np.bool_)
    return str(g.node("Where", [condition, *(g.name(x, kind) for x in call.inputs[1:])]))


def _logical(kind: str) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        names = [g.node("Cast", [name], to=g.kind(np.bool_)) for name in _names(g, call)]
        return str(g.node(kind, names))

    return rule


def _masked_fill(g: Graph, call: Call) -> str:
    x, mask, value = call.inputs
    kind = call.result.numbers.dtype
    return str(g.node("Where", [g.name(mask, np.bool_), g.name(value, kind), g.name(x)]))


def _not_equal(g: Graph, call: Call) -> str:
    return str(g.node("Not", [g.node("Equal", _names(g, call))]))


def _same(g: Graph, call: Call) -> str:
    if call.settings.get("training") and call.settings.get("p"):
        same(_line(call))  # says what is wrong
    return str(g.node("Identity", [g.name(call.inputs[0])]))


# -------------------------------------------------------------------------------------- activations


def _clipped(low: str, high: str) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        ends = [_number(g, call, call.settings[end]) for end in (low, high)]
        return str(g.node("Clip", [g.name(call.inputs[0]), *ends]))

    return rule


def _relu6(g: Graph, call: Call) -> str:
    return str(g.node("Clip", [g.name(call.inputs[0]), _number(g, call, 0), _number(g, call, 6)]))


def _threshold(g: Graph, call: Call) -> str:
    x = g.name(call.inputs[0])
    limit, value = (_number(g, call, call.settings[k]) for k in ("threshold", "value"))
    return str(g.node("Where", [g.node("LessOrEqual", [x, limit]), value, x]))


def _shrink(g: Graph, call: Call, bias: bool) -> str:
    lambd = float(call.settings["lambd"])
    return str(g.node("Shrink", [g.name(call.inputs[0])], lambd=lambd, bias=lambd * bias))


def _tanhshrink(g: Graph, call: Call) -> str:
    x = g.name(call.inputs[0])
    return str(g.node("Sub", [x, g.node("Tanh", [x])]))


def _softplus(g: Graph, call: Call) -> str:
    x, beta = g.name(call.inputs[0]), _number(g, call, call.settings["beta"])
    z = x if call.settings["beta"] == 1 else g.node("Mul", [x, beta])
    y = g.node("Softplus", [z])
    y = y if call.settings["beta"] == 1 else g.node("Div", [y, beta])
    if call.settings["threshold"] == 20:  # from there on it is a straight line anyway
        return str(y)
    straight = g.node("Greater", [z, _number(g, call, call.settings["threshold"])])
    return str(g.node("Where", [straight, x, y]))


def _logsigmoid(g: Graph, call: Call) -> str:
    x = g.node("Neg", [g.name(call.inputs[0])])
    return str(g.node("Neg", [g.node("Softplus", [x])]))


def _silu(g: Graph, call: Call) -> str:
    x = g.name(call.inputs[0])
    return str(g.node("Mul", [x, g.node("Sigmoid", [x])]))


def _gelu(g: Graph, call: Call) -> str:
    return str(g.node("Gelu", [g.name(call.inputs[0])], approximate=call.settings["approximate"]))


def _glu(g: Graph, call: Call) -> str:
    a, b = g.node(
        "Split", [g.name(call.inputs[0])], outputs=2, axis=call.settings["dim"], num_outputs=2
    )
    return str(g.node("Mul", [a, g.node("Sigmoid", [b])]))


# ------------------------------------------------------------------------------------------- shapes


def _shaped(g: Graph, call: Call) -> str:
    return str(g.node("Reshape", [g.name(call.inputs[0]), g.shape(call.result.shape)]))


def _expand(g: Graph, call: Call) -> str:
    return str(g.node("Expand", [g.name(call.inputs[0]), g.shape(call.result.shape)]))


def _permute(g: Graph, call: Call) -> str:
    ndim = len(call.result.shape)
    perm = [int(d) % ndim for d in call.settings["dims"]]
    return str(g.node("Transpose", [g.name(call.inputs[0])], perm=perm))


def _transpose(g: Graph, call: Call) -> str:
    perm = list(range(len(call.result.shape)))
    a, b = (int(call.settings[k]) for k in ("dim0", "dim1"))
    perm[a], perm[b] = perm[b], perm[a]
    return str(g.node("Transpose", [g.name(call.inputs[0])], perm=perm))


def _flip(g: Graph, call: Call) -> str:
    given = call.settings["dims"]
    y = g.name(call.inputs[0])
    for axis in given if isinstance(given, (tuple, list)) else (given,):
        ends = [g.ints(-1), g.ints(np.iinfo(np.int64).min + 1), g.ints(int(axis)), g.ints(-1)]
        y = g.node("Slice", [y, *ends])
    return y


def _getitem(g: Graph, call: Call) -> str:
    """Slices, then single positions, then new axes; or rows by an array of positions."""
    index = call.settings["index"]
    parts = list(index) if isinstance(index, tuple) else [index]
    x, shape = g.name(call.inputs[0]), call.inputs[0].shape
    if len(parts) == 1 and isinstance(parts[0], Value) and parts[0].numbers.dtype.kind in "iu":
        return str(g.node("Gather", [x, g.name(parts[0])], axis=0))
    if any(isinstance(part, (Value, list)) for part in parts):
        raise ArgumentError("an index of several arrays, or of a mask, has no counterpart in ONNX")
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[at : at + 1] = [slice(None)] * (len(shape) - taken)
    axis = 0
    gone: list[int] = []
    new: list[int] = []
    for part in parts:
        if part is None:
            new.append(len(new) + axis - len(gone))
            continue
        if isinstance(part, slice):
            x = _slice(g, x, part, axis)
        else:
            end = int(part) + 1 if int(part) != -1 else np.iinfo(np.int64).max
            x = g.node("Slice", [x, g.ints(int(part)), g.ints(end), g.ints(axis)])
            gone.append(axis)
        axis += 1
    if gone:
        x = g.node("Squeeze", [x, g.ints(*gone)])
    return str(g.node("Unsqueeze", [x, g.ints(*new)]) if new else x)


def _slice(g: Graph, x: str, part: slice, axis: int) -> str:
    if part == slice(None):
        return x
    step = 1 if part.step is None else int(part.step)
    least, most = np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max
    start = (0 if step > 0 else -1) if part.start is None else part.start
    stop = (most if step > 0 else least) if part.stop is None else part.stop
    return str(g.node("Slice", [x, g.size(start), g.size(stop), g.ints(axis), g.ints(step)]))


def _stack(g: Graph, call: Call) -> str:
    axis = int(call.settings["dim"])
    axes = g.ints(axis)
    rows = [g.node("Unsqueeze", [name, axes]) for name in _names(g, call)]
    return str(g.node("Concat", rows, axis=axis))


def _cat(g: Graph, call: Call) -> str:
    return str(g.node("Concat", _names(g, call), axis=int(call.settings["dim"])))


def _pad(g: Graph, call: Call) -> str:
    pairs = pad_pairs(_line(call))
    ends = g.ints(*(before for before, _ in pairs), *(after for _, after in pairs))
    return str(
        g.node("Pad", [g.name(call.inputs[0]), ends, _number(g, call, call.settings["value"])])
    )


def _tile(g: Graph, call: Call) -> str:
    dims, shape = [int(n) for n in call.settings["dims"]], call.inputs[0].shape
    x, missing = g.name(call.inputs[0]), len(dims) - len(shape)
    if missing > 0:
        x = g.node("Unsqueeze", [x, g.ints(*range(missing))])
    return str(g.node("Tile", [x, g.ints(*(1,) * -missing, *dims)]))


def _index_select(g: Graph, call: Call) -> str:
    x, index = (g.name(v) for v in call.inputs)
    return str(g.node("Gather", [x, index], axis=int(call.settings["dim"])))


def _gather(g: Graph, call: Call) -> str:
    x, index = (g.name(v) for v in call.inputs)
    return str(g.node("GatherElements", [x, index], axis=int(call.settings["dim"])))


def _triangle(upper: int) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        k = g.constant(int(call.settings["diagonal"]), np.int64)
        return str(g.node("Trilu", [g.name(call.inputs[0]), k], upper=upper))

    return rule


# ----------------------------------------------------------------------------------------- reducing


def _axes(call: Call) -> list[int] | None:
    dim = call.settings["dim"]
    if dim is None or isinstance(dim, bool):  # var(x, False): no axis, but unbiased=False
        return None
    return [int(d) for d in dim] if isinstance(dim, (tuple, list)) else [int(dim)]


def _reduced(kind: str) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        axes = _axes(call)
        x = g.name(call.inputs[0])
        if call.inputs[0].numbers.dtype != call.result.numbers.dtype:
            x = g.node("Cast", [x], to=g.kind(call.result.numbers.dtype))
        inputs = [x] if axes is None else [x, g.ints(*axes)]
        return str(g.node(kind, inputs, keepdims=int(call.settings["keepdim"])))

    return rule


def _best(kind: str) -> Rule:
    def rule(g: Graph, call: Call) -> str:
        x, axis = g.name(call.inputs[0]), call.settings["dim"]
        if axis is None:
            x, axis = g.node("Reshape", [x, g.ints(-1)]), 0
        return str(g.node(kind, [x], axis=int(axis), keepdims=int(call.settings["keepdim"])))

    return rule


def _variance(g: Graph, call: Call) -> str:
    x, axes = g.name(call.inputs[0]), _axes(call)
    over = [g.ints(*axes)] if axes is not None else []
    count = np.prod([call.inputs[0].shape[a] for a in axes or range(len(call.inputs[0].shape))])
    off = correction_of(_line(call))
    centred = g.node("Sub", [x, g.node("ReduceMean", [x, *over])])
    keep = int(call.settings["keepdim"])
    y = g.node("ReduceMean", [g.node("Mul", [centred, centred]), *over], keepdims=keep)
    y = g.node("Mul", [y, _number(g, call, count / (count - off))]) if off else y
    return str(g.node("Sqrt", [y]) if call.op.name == "std" else y)


def _cumsum(g: Graph, call: Call) -> str:
    axis = g.constant(int(call.settings["dim"]), np.int64)
    return str(g.node("CumSum", [g.name(call.inputs[0]), axis]))


# ------------------------------------------------------------------------------------------- layers


def _linear(g: Graph, call: Call) -> str:
    x, weight, bias = _names(g, call)
    if len(call.inputs[0].shape) == 2:
        return str(g.node("Gemm", [x, weight, *([bias] if bias else [])], transB=1))
    y = g.node("MatMul", [x, g.node("Transpose", [weight], perm=[1, 0])])
    return str(g.node("Add", [y, bias]) if bias else y)


def _einsum(g: Graph, call: Call) -> str:
    return str(g.node("Einsum", _names(g, call), equation=call.settings["equation"]))


def _batched(g: Graph, call: Call, axes: int, inner: Callable[[str], str]) -> str:
    """ONNX's convolutions and poolings want a batch; a single image gets one for the moment."""
    x = g.name(call.inputs[0])
    if len(call.inputs[0].shape) == axes + 2:
        return inner(x)
    return str(g.node("Squeeze", [inner(g.node("Unsqueeze", [x, g.ints(0)])), g.ints(0)]))


def _ends(pairs: Any) -> list[int]:
    return [before for before, _ in pairs] + [after for _, after in pairs]


def _conv(g: Graph, call: Call) -> str:
    k = kernel_of(call)
    others = [g.name(v) for v in call.inputs[1:] if v is not None]
    settings: dict[str, Any] = {
        "kernel_shape": k.size, "strides": k.stride, "pads": _ends(k.pad),
        "dilations": k.dilation, "group": int(call.settings["groups"]),
    }  # fmt: skip
    kind = "Conv"
    if call.op.name.startswith("conv_transpose"):
        kind, given = "ConvTranspose", call.settings["output_padding"]
        extra = given if isinstance(given, (tuple, list)) else (given,) * len(k.size)
        settings["output_padding"] = [int(n) for n in extra]
    return _batched(g, call, len(k.size), lambda x: g.node(kind, [x, *others], **settings))


def _max_pool(g: Graph, call: Call) -> str:
    k = window_of(call)
    settings: dict[str, Any] = {
        "kernel_shape": k.size, "strides": k.stride, "pads": _ends(k.around),
        "dilations": k.dilation,
    }  # fmt: skip
    return _batched(g, call, len(k.size), lambda x: g.node("MaxPool", [x], **settings))


def _avg_pool(g: Graph, call: Call) -> str:
    """The mean of all the window covers, brought to the divisor that is wanted."""
    k, divisor = window_of(call), divisor_of(call)
    settings: dict[str, Any] = {"kernel_shape": k.size, "strides": k.stride}
    frame = [0, 0, *(a for a, _ in k.around), 0, 0, *(b for _, b in k.around)]

    def inner(x: str) -> str:
        if any(frame):
            x = g.node("Pad", [x, g.ints(*frame), _number(g, call, 0)])
        y = g.node("AveragePool", [x], **settings)
        scale = np.prod(k.size) / divisor
        if not np.all(scale == 1):
            y = g.node("Mul", [y, g.constant(scale, call.result.numbers.dtype)])
        return str(y)

    return _batched(g, call, len(k.size), inner)


def _adaptive(g: Graph, call: Call) -> str:
    """Along each axis, one slice for each place, reduced and put side by side."""
    kind = "ReduceMean" if "avg" in call.op.name else "ReduceMax"
    y, counts = g.name(call.inputs[0]), sizes_asked(call)
    for axis, count in enumerate(counts, start=-len(counts)):
        n = int(call.inputs[0].shape[axis])
        parts = []
        for i in range(count):
            start, stop = i * n // count, -(-(i + 1) * n // count)
            part = g.node("Slice", [y, g.ints(start), g.ints(stop), g.ints(axis)])
            parts.append(g.node(kind, [part, g.ints(axis)], keepdims=1))
        y = g.node("Concat", parts, axis=axis)
    return y


def _scaled(g: Graph, call: Call, standard: str, per_channel: bool) -> str:
    """A normalised array, times its weight, plus its bias."""
    line = _line(call)
    more = len(call.result.shape) - 2
    for name, kind in (("weight", "Mul"), ("bias", "Add")):
        value = line[name] if name in call.op.inputs else None
        if value is None:
            continue
        given = g.name(value)
        if per_channel and more > 0:
            given = g.node("Reshape", [given, g.ints(-1, *(1,) * more)])
        standard = g.node(kind, [standard, given])
    return standard


def _batch_norm(g: Graph, call: Call) -> str:
    settings, x = call.settings, g.name(call.inputs[0])
    kind = call.result.numbers.dtype
    channels = int(call.inputs[0].shape[1])
    if settings["training"]:
        axes = (0, *range(2, len(call.result.shape)))
        standard = _standardised(g, call, x, g.ints(*axes), settings["eps"])
        return _scaled(g, call, standard, per_channel=True)
    line = _line(call)
    weight, bias = (
        g.constant(np.full(channels, fill), kind) if line[n] is None else g.name(line[n])
        for n, fill in (("weight", 1), ("bias", 0))
    )
    mean, var = g.name(settings["running_mean"]), g.name(settings["running_var"])
    inputs = [x, weight, bias, mean, var]
    return str(g.node("BatchNormalization", inputs, epsilon=float(settings["eps"])))


def _standardised(g: Graph, call: Call, x: str, axes: str, eps: float) -> str:
    centred = g.node("Sub", [x, g.node("ReduceMean", [x, axes])])
    square = g.node("ReduceMean", [g.node("Mul", [centred, centred]), axes])
    root = g.node("Sqrt", [g.node("Add", [square, _number(g, call, eps)])])
    return str(g.node("Div", [centred, root]))


def _layer_norm(g: Graph, call: Call) -> str:
    line = _line(call)
    axes = last_axes(line)
    if line["weight"] is None:
        x = g.name(call.inputs[0])
        return _standardised(g, call, x, g.ints(*axes), float(line["eps"]))
    names = [g.name(v) for v in call.inputs if v is not None]
    return str(g.node("LayerNormalization", names, axis=axes[0], epsilon=float(line["eps"])))


def _rms_norm(g: Graph, call: Call) -> str:
    line = _line(call)
    x = g.name(call.inputs[0])
    mean = g.node("ReduceMean", [g.node("Mul", [x, x]), g.ints(*last_axes(line))])
    root = g.node("Sqrt", [g.node("Add", [mean, _number(g, call, epsilon(line))])])
    return _scaled(g, call, g.node("Div", [x, root]), per_channel=False)


def _group_norm(g: Graph, call: Call) -> str:
    line, shape = _line(call), call.result.shape
    grouped = g.shape((shape[0], int(line["num_groups"]), -1))
    x = g.node("Reshape", [g.name(call.inputs[0]), grouped])
    standard = _standardised(g, call, x, g.ints(2), float(line["eps"]))
    return _scaled(g, call, g.node("Reshape", [standard, g.shape(shape)]), per_channel=True)


def _embedding(g: Graph, call: Call) -> str:
    ids, weight = (g.name(v) for v in call.inputs[:2])
    return str(g.node("Gather", [weight, ids], axis=0))


def _embedding_bag(g: Graph, call: Call) -> str:
    line = _line(call)
    check_bag(line)
    rows = _embedding(g, call)
    if line["per_sample_weights"] is not None:
        amounts = g.node("Unsqueeze", [g.name(line["per_sample_weights"]), g.ints(-1)])
        rows = g.node("Mul", [rows, amounts])
    kind = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax"}[line["mode"]]
    return str(g.node(kind, [rows, g.ints(-2)], keepdims=0))


def _attention(g: Graph, call: Call) -> str:
    """softmax(scale · query keyᵀ + mask) value, spelled out."""
    line = _line(call)
    query, key, value = (g.name(v) for v in call.inputs[:3])
    ndim = len(call.inputs[1].shape)
    perm = [*range(ndim - 2), ndim - 1, ndim - 2]
    e = int(line.shape("query")[-1])
    scale = e**-0.5 if line["scale"] is None else float(line["scale"])
    turned = g.node("Transpose", [key], perm=perm)
    scores = g.node("MatMul", [g.node("Mul", [query, _number(g, call, scale)]), turned])
    lowest, mask = _number(g, call, -1e30), ""
    if line["is_causal"]:
        size = (line.shape("query")[-2], line.shape("key")[-2])
        square = g.node("Expand", [g.constant(1, np.int64), g.shape(size)])
        mask = g.node("Cast", [g.node("Trilu", [square], upper=0)], to=g.kind(np.bool_))
    elif line["attn_mask"] is not None and line["attn_mask"].numbers.dtype.kind == "b":
        mask = g.name(line["attn_mask"])
    elif line["attn_mask"] is not None:
        scores = g.node("Add", [scores, g.name(line["attn_mask"])])
    if not mask:
        return str(g.node("MatMul", [g.node("Softmax", [scores], axis=-1), value]))
    shares = g.node("Softmax", [g.node("Where", [mask, scores, lowest])], axis=-1)
    shares = g.node("Where", [mask, shares, _number(g, call, 0)])  # who sees nobody takes nothing
    return str(g.node("MatMul", [shares, value]))


# ----------------------------------------------------------------------------------------- sequences


def _recurrent(kind: str, states: int, order: list[int]) -> Rule:
    """RNN, LSTM and GRU: ONNX stacks its gates in another order, and has an axis of directions."""

    def rule(g: Graph, call: Call) -> str:
        x, *rest = call.inputs
        first, (w_ih, w_hh, b_ih, b_hh) = rest[:states], rest[states:]
        for v in (w_ih, w_hh, b_ih, b_hh):
            if v is not None and v.kind == "result":
                raise ArgumentError(
                    f"{call.op.name} is exported to ONNX where its weights are parameters, and "
                    "not computed"
                )
        size = int(w_hh.shape[-1])

        def ordered(v: Any) -> Any:
            gates = v.numbers.reshape(len(order), size, -1)[order]
            return gates.reshape(1, *v.shape)

        bias = ""
        if b_ih is not None:
            bias = g.constant(np.concatenate([ordered(b_ih), ordered(b_hh)], axis=1))
        given = [g.node("Unsqueeze", [g.name(state), g.ints(0)]) for state in first]
        inputs = [g.name(x), g.constant(ordered(w_ih)), g.constant(ordered(w_hh)), bias, "", *given]
        settings: dict[str, Any] = {"hidden_size": size}
        settings["direction"] = "reverse" if call.settings["reverse"] else "forward"
        if kind == "GRU":
            settings["linear_before_reset"] = 1
        if kind == "RNN":
            settings["activations"] = [call.settings["nonlinearity"].capitalize()]
        y, *last = g.node(kind, inputs, outputs=states + 1, **settings)
        y = g.node("Squeeze", [y, g.ints(1)])
        return str(g.node("Concat", [y, last[-1]], axis=0) if kind == "LSTM" else y)

    return rule


RULES: dict[str, Rule] = {
    "add": _scaled_second("Add"), "sub": _scaled_second("Sub"), "mul": _one("Mul"), "div": _div,
    "neg": _one("Neg"), "reciprocal": _one("Reciprocal"), "addcmul": _addc("Mul"),
    "addcdiv": _addc("Div"), "lerp": _lerp, "pow": _one("Pow"), "square": _square,
    "sqrt": _one("Sqrt"), "rsqrt": _rsqrt, "exp": _one("Exp"), "expm1": _expm1,
    "log": _one("Log"), "log2": _log_of(2), "log10": _log_of(10), "log1p": _log1p,
    "abs": _one("Abs"), "sign": _one("Sign"), "floor": _one("Floor"), "ceil": _one("Ceil"),
    "sin": _one("Sin"), "cos": _one("Cos"), "tan": _one("Tan"), "atan": _one("Atan"),
    "sinh": _one("Sinh"), "cosh": _one("Cosh"), "erf": _one("Erf"), "clamp": _clamp,
    "maximum": _one("Max"), "minimum": _one("Min"), "clone": _same, "cast": _cast,
    "eq": _one("Equal"), "ne": _not_equal, "lt": _one("Less"), "le": _one("LessOrEqual"),
    "gt": _one("Greater"), "ge": _one("GreaterOrEqual"), "logical_and": _logical("And"),
    "logical_or": _logical("Or"), "logical_not": _logical("Not"),
    "isneginf": _one("IsInf", detect_positive=0), "where": _where, "masked_fill": _masked_fill,
    "relu": _one("Relu"), "leaky_relu": _with("LeakyRelu", alpha="negative_slope"),
    "elu": _with("Elu", alpha="alpha"), "celu": _with("Celu", alpha="alpha"),
    "selu": _one("Selu"), "relu6": _relu6, "hardtanh": _clipped("min_val", "max_val"),
    "hardsigmoid": _one("HardSigmoid", alpha=1 / 6, beta=0.5), "hardswish": _one("HardSwish"),
    "threshold": _threshold, "hardshrink": lambda g, c: _shrink(g, c, False),
    "softshrink": lambda g, c: _shrink(g, c, True), "sigmoid": _one("Sigmoid"),
    "logsigmoid": _logsigmoid, "softplus": _softplus, "softsign": _one("Softsign"),
    "tanh": _one("Tanh"), "tanhshrink": _tanhshrink, "silu": _silu, "mish": _one("Mish"),
    "gelu": _gelu, "glu": _glu, "softmax": _with("Softmax", axis="dim"),
    "log_softmax": _with("LogSoftmax", axis="dim"),
    "reshape": _shaped, "flatten": _shaped, "squeeze": _shaped, "unsqueeze": _shaped,
    "expand": _expand, "permute": _permute, "transpose": _transpose, "flip": _flip,
    "tile": _tile, "getitem": _getitem, "cat": _cat, "stack": _stack, "constant_pad": _pad,
    "tril": _triangle(0), "triu": _triangle(1), "index_select": _index_select,
    "gather": _gather, "sum": _reduced("ReduceSum"), "mean": _reduced("ReduceMean"),
    "prod": _reduced("ReduceProd"), "amax": _reduced("ReduceMax"), "amin": _reduced("ReduceMin"),
    "logsumexp": _reduced("ReduceLogSumExp"), "argmax": _best("ArgMax"),
    "argmin": _best("ArgMin"), "var": _variance, "std": _variance, "cumsum": _cumsum,
    "matmul": _one("MatMul"), "linear": _linear, "einsum": _einsum, "conv1d": _conv,
    "conv2d": _conv, "conv_transpose1d": _conv, "conv_transpose2d": _conv,
    "max_pool1d": _max_pool, "max_pool2d": _max_pool, "avg_pool1d": _avg_pool,
    "avg_pool2d": _avg_pool, "sum_pool1d": _avg_pool, "sum_pool2d": _avg_pool,
    "adaptive_avg_pool1d": _adaptive, "adaptive_avg_pool2d": _adaptive,
    "adaptive_max_pool1d": _adaptive, "adaptive_max_pool2d": _adaptive,
    "batch_norm": _batch_norm, "layer_norm": _layer_norm, "rms_norm": _rms_norm,
    "group_norm": _group_norm, "embedding": _embedding, "embedding_bag": _embedding_bag,
    "scaled_dot_product_attention": _attention, "rnn_layer": _recurrent("RNN", 1, [0]),
    "lstm_layer": _recurrent("LSTM", 2, [0, 3, 1, 2]),
    "gru_layer": _recurrent("GRU", 1, [1, 0, 2]),
    "dropout": _same, "feature_dropout": _same, "alpha_dropout": _same,
}  # fmt: skip
