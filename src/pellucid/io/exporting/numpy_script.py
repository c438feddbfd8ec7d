"""A network as a script that needs NumPy only: what a person would have written by hand."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from ... import atomic
from ...nn.recording import Recording
from ...ops.edges import widths
from . import numpy_helpers
from .geometry import divisor_of, kernel_of, sizes_asked, window_of
from .names import is_kept
from .text import Line, Text

Array = Any
Rule = str | Callable[[Line], str]

SCRIPT = '''\
"""A network, written down by Pellucid {version}. It needs NumPy and {weights}, nothing else.

    from {module} import predict

predict({signature}):  {shapes}
"""

{imports}from pathlib import Path

import numpy as np

w = dict(np.load(Path(__file__).with_name("{weights}")))  # the weights, by name
{helpers}

def predict({signature}):
{body}


if __name__ == "__main__":  # python {script} input.npy ...
    import sys

    print(predict(*(np.load(file) for file in sys.argv[1:])))
'''


def write(recording: Recording, path: Path) -> list[Path]:
    """Write the script, and its weights beside it as .npz.

    Returns:
        The files written.

    Raises:
        ArgumentError: an operation cannot be written.
    """
    weights = path.with_suffix(".npz")
    source = script(recording, path)
    kept = {v.name: v.numbers for v in recording.weights if is_kept(v)}
    with atomic.replacing(weights) as temporary, temporary.open("wb") as file:
        np.savez(file, **kept)
    atomic.write(path, source)
    return [path, weights]


def script(recording: Recording, path: Path) -> str:
    """The text of the script."""
    from ... import __version__

    text = Text(recording, RULES, "NumPy", "np")
    body = [*text.measured(), *text.lines(), f"return {text.output()}"]
    source = "\n".join(body)
    taken = "".join(f"\n\n{code}\n" for code in helpers(source))
    return SCRIPT.format(
        version=__version__,
        module=path.stem,
        script=path.name,
        weights=path.with_suffix(".npz").name,
        signature=text.signature(),
        shapes=text.shapes(),
        imports="import math\n" if "math." in taken else "",
        helpers=taken,
        body=textwrap.indent(source, "    "),
    )


def run(files: list[Path], inputs: tuple[Array, ...]) -> list[Array]:
    """What the script predicts, all outputs one after the other."""
    from runpy import run_path

    return list(flat(run_path(str(files[0]))["predict"](*inputs)))


def flat(output: Any) -> Iterator[Array]:
    """The arrays in nested tuples and dicts."""
    if isinstance(output, dict):
        output = tuple(output.values())
    if isinstance(output, tuple):
        for part in output:
            yield from flat(part)
    elif output is not None:
        yield np.asarray(output)


def helpers(source: str) -> list[str]:
    """The functions of numpy_helpers that the text calls, and those that they call, as text."""
    known = {
        name: function
        for name, function in vars(numpy_helpers).items()
        if isinstance(function, FunctionType)
    }
    needed: set[str] = set()
    waiting = [name for name in known if f"{name}(" in source]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [called for called in known[name].__code__.co_names if called in known]
    return [_plain(known[name]) for name in known if name in needed]


def _plain(function: FunctionType) -> str:
    """A function as text, without types."""
    source = inspect.getsource(function).rstrip()
    signature = inspect.signature(function)
    plain = ", ".join(signature.parameters)
    defaults = [p for p in signature.parameters.values() if p.default is not p.empty]
    for p in defaults:
        plain = plain.replace(p.name, f"{p.name}={p.default!r}")
    return f"def {function.__name__}({plain}):\n" + source[source.index('    """') :]


# ------------------------------------------------------------------------------ how each is written


def _add(line: Line) -> str:
    return line.filled("{a} + {b}" if line["alpha"] == 1 else "{a} + {alpha} * {b}")


def _sub(line: Line) -> str:
    return line.filled("{a} - {b}" if line["alpha"] == 1 else "{a} - {alpha} * {b}")


def _div(line: Line) -> str:
    rounding = {None: "{a} / {b}", "floor": "np.floor({a} / {b})", "trunc": "np.trunc({a} / {b})"}
    return line.filled(rounding[line["rounding_mode"]])


def _linear(line: Line) -> str:
    return line.filled("{x} @ {weight}.T" + (" + {bias}" if line["bias"] is not None else ""))


def _conv(line: Line) -> str:
    k = kernel_of(line.call)
    return line.filled(f"conv({{x}}, {{weight}}, {{bias}}, {k.stride}, {k.pad}, {k.dilation}, ") + (
        f"{line['groups']})"
    )


def _conv_transpose(line: Line) -> str:
    k = kernel_of(line.call)
    given = line["output_padding"]
    extra = given if isinstance(given, (tuple, list)) else (given,) * len(k.size)
    cut = tuple((a, b - e) for (a, b), e in zip(k.pad, extra, strict=True))
    pattern = f"conv_transpose({{x}}, {{weight}}, {{bias}}, {k.stride}, {cut}, {k.dilation}, "
    return line.filled(pattern) + f"{line['groups']})"


def _max_pool(line: Line) -> str:
    k = window_of(line.call)
    return line.filled(f"max_pool({{x}}, {k.size}, {k.stride}, {k.around}, {k.dilation})")


def _avg_pool(line: Line) -> str:
    k, divisor = window_of(line.call), divisor_of(line.call)
    if isinstance(divisor, np.ndarray):
        told = f"np.array({divisor.tolist()}, {line.written('x')}.dtype)"
    else:
        told = repr(divisor)
    return line.filled(f"avg_pool({{x}}, {k.size}, {k.stride}, {k.around}, ") + f"{told})"


def _adaptive(line: Line) -> str:
    pool = "np.mean" if "avg" in line.call.op.name else "np.max"
    return line.filled(f"adaptive_pool({{x}}, {sizes_asked(line.call)}, {pool})")


def _scaled(line: Line, standard: str, per_channel: bool = False) -> str:
    """A normalised array, times its weight, plus its bias."""
    for name, sign in (("weight", "*"), ("bias", "+")):
        if name in line.call.op.inputs and line[name] is not None:
            value = line.written(name)
            if per_channel and line.ndim("x") > 2:
                value = f"per_channel({value}, {line.written('x')})"
            standard = f"{standard} {sign} {value}"
    return standard


def _batch_norm(line: Line) -> str:
    x, mean, var = line.written("x"), line.written("running_mean"), line.written("running_var")
    if line["training"]:
        axes = (0, *range(2, line.ndim("x")))
        return _scaled(line, f"normalised({x}, {axes}, {line['eps']})", per_channel=True)
    if line.ndim("x") > 2:
        mean, var = f"per_channel({mean}, {x})", f"per_channel({var}, {x})"
    return _scaled(line, f"({x} - {mean}) / np.sqrt({var} + {line['eps']})", per_channel=True)


def last_axes(line: Line) -> tuple[int, ...]:
    """The axes that a layer norm works along."""
    shape = line["normalized_shape"]
    count = len(shape) if isinstance(shape, (tuple, list)) else 1
    return tuple(range(-count, 0))


def _layer_norm(line: Line) -> str:
    pattern = f"normalised({{x}}, {last_axes(line)}, {{eps}})"
    return _scaled(line, line.filled(pattern))


def epsilon(line: Line) -> float:
    """The eps of an RMS norm; where none is set, that of its type."""
    kind = line.call.result.numbers.dtype
    return float(np.finfo(kind).eps) if line["eps"] is None else float(line["eps"])


def _rms_norm(line: Line) -> str:
    mean = f"({{x}} * {{x}}).mean(axis={last_axes(line)}, keepdims=True)"
    return _scaled(line, line.filled(f"{{x}} / np.sqrt({mean} + {epsilon(line)})"))


def _group_norm(line: Line) -> str:
    return _scaled(line, line.filled("group_norm({x}, {num_groups}, {eps})"), per_channel=True)


def _flatten(line: Line) -> str:
    return f"{line.written('x')}.reshape({line.text.written(line.call.result.shape)})"


def _permute(line: Line) -> str:
    return line.filled("{x}.transpose({dims})")


def _squeeze(line: Line) -> str:
    return f"{line.written('x')}.reshape({line.text.written(line.call.result.shape)})"


def _getitem(line: Line) -> str:
    return f"{line.written('x')}[{line.text.index(line['index'])}]"


def _pad(line: Line) -> str:
    pairs = pad_pairs(line)
    return line.filled(f"np.pad({{x}}, {pairs}, constant_values={{value}})")


def pad_pairs(line: Line) -> list[tuple[int, int]]:
    """What constant_pad puts before and after each axis, the first axis first."""
    return widths(line["pad"], line.ndim("x"))


def _reduced(function: str) -> Callable[[Line], str]:
    def rule(line: Line) -> str:
        settings = line.call.settings
        axis = (
            "" if settings["dim"] is None or isinstance(settings["dim"], bool) else ", axis={dim}"
        )
        keep = ", keepdims=True" if settings.get("keepdim") else ""
        return line.filled(f"{function}({{x}}{axis}{keep})")

    return rule


def correction_of(line: Line) -> int:
    """What is taken off the count when a variance divides."""
    settings = line.call.settings
    unbiased = settings["dim"] if isinstance(settings["dim"], bool) else settings["unbiased"]
    correction = settings["correction"] if unbiased is None else unbiased
    return 1 if correction is None else int(correction)


def _spread(function: str) -> Callable[[Line], str]:
    def rule(line: Line) -> str:
        plain = _reduced(function)(line)
        return f"{plain[:-1]}, ddof={correction_of(line)})"

    return rule


def _logsumexp(line: Line) -> str:
    return line.filled("np.logaddexp.reduce({x}, axis={dim}, keepdims={keepdim})")


def _joined(function: str) -> Callable[[Line], str]:
    def rule(line: Line) -> str:
        return f"{function}([{', '.join(line.inputs)}], axis={line['dim']})"

    return rule


def _einsum(line: Line) -> str:
    return f"np.einsum({line['equation']!r}, {', '.join(line.inputs)})"


def _clamp(line: Line) -> str:
    return line.filled("np.clip({x}, {min}, {max})")


def _gelu(line: Line) -> str:
    if line["approximate"] == "none":
        return line.filled("0.5 * {x} * (1 + erf({x} * 0.7071067811865476))")
    cube = "0.7978845608028654 * ({x} + 0.044715 * {x} ** 3)"
    return line.filled(f"0.5 * {{x}} * (1 + np.tanh({cube}))")


def _softplus(line: Line) -> str:
    plain = line.filled("softplus({x}, {beta})")
    if line["threshold"] == 20:  # from there on it is a straight line anyway
        return plain
    return line.filled(f"np.where({{beta}} * {{x}} > {{threshold}}, {{x}}, {plain})")


def _gather(line: Line) -> str:
    axis, shape = int(line["dim"]) % line.ndim("x"), line.shape("index")
    if any(
        n != m for i, (n, m) in enumerate(zip(line.shape("x"), shape, strict=True)) if i != axis
    ):
        part = ", ".join(
            ":" if i == axis else f":{line.text.written(n)}" for i, n in enumerate(shape)
        )
        return line.filled(f"np.take_along_axis({{x}}[{part}], {{index}}, axis={{dim}})")
    return line.filled("np.take_along_axis({x}, {index}, axis={dim})")


def _glu(line: Line) -> str:
    x, dim = line.written("x"), line["dim"]
    first, second = (f"np.split({x}, 2, axis={dim})[{i}]" for i in (0, 1))
    return f"{first} * sigmoid({second})"


def _embedding_bag(line: Line) -> str:
    check_bag(line)
    rows = line.filled("{weight}[{ids}]")
    if line["per_sample_weights"] is not None:
        rows = line.filled("({weight}[{ids}] * {per_sample_weights}[..., None])")
    return f"{rows}.{line['mode']}(axis=-2)"


def check_bag(line: Line) -> None:
    """Bags of different lengths are not written.

    Raises:
        ArgumentError: the bags are given by offsets, or one id is padding.
    """
    from ...errors import ArgumentError

    if line["offsets"] is not None or line["padding_idx"] is not None:
        raise ArgumentError(
            "an embedding bag is exported where all bags have the same length: ids (bags, length), "
            "without offsets and padding_idx"
        )


def _attention(line: Line) -> str:
    e = line.shape("query")[-1]
    scale = float(e) ** -0.5 if line["scale"] is None else float(line["scale"])
    mask = line.written("attn_mask")
    if line["is_causal"]:
        rows, columns = (line.text.written(line.shape(x)[-2]) for x in ("query", "key"))
        mask = f"np.tri({rows}, {columns}, dtype=bool)"
    return line.filled(f"attention({{query}}, {{key}}, {{value}}, {mask}, {scale})")


WEIGHTS = "{w_ih}, {w_hh}, {b_ih}, {b_hh}"


def _rnn(line: Line) -> str:
    bend = "np.tanh" if line["nonlinearity"] == "tanh" else "lambda v: np.maximum(v, 0)"
    return line.filled(f"rnn_layer({{x}}, {{h0}}, {WEIGHTS}, {bend}, {{reverse}})")


def _cast(line: Line) -> str:
    return f"{line.written('x')}.astype({line.text.written(np.dtype(line['dtype']))})"


def _expand(line: Line) -> str:
    return f"np.broadcast_to({line.written('x')}, {line.text.written(line.call.result.shape)})"


def _softmax(name: str) -> Callable[[Line], str]:
    def rule(line: Line) -> str:
        x = line.written("x")
        if line["dtype"] is not None:
            x = f"{x}.astype({line.text.written(np.dtype(line['dtype']))})"
        return f"{name}({x}, {line['dim']})"

    return rule


def same(line: Line) -> str:
    """Something that does nothing in use.

    Raises:
        ArgumentError: it would do something: dropout that also works in use.
    """
    from ...errors import ArgumentError

    settings = line.call.settings
    if settings.get("training") and settings.get("p"):
        raise ArgumentError(
            f"{line.call.op.name} draws random numbers here although the model is in use (eval()); "
            "give it training=self.training"
        )
    return line.written("x")


RULES: dict[str, Rule] = {
    # arithmetic
    "add": _add, "sub": _sub, "mul": "{a} * {b}", "div": _div, "neg": "-{x}",
    "reciprocal": "1 / {x}", "addcmul": "{x} + {value} * {tensor1} * {tensor2}",
    "addcdiv": "{x} + {value} * {tensor1} / {tensor2}",
    "lerp": "{start} + {weight} * ({end} - {start})", "pow": "{base} ** {exponent}",
    "square": "{x} * {x}", "sqrt": "np.sqrt({x})", "rsqrt": "1 / np.sqrt({x})",
    "exp": "np.exp({x})", "exp2": "np.exp2({x})", "expm1": "np.expm1({x})", "log": "np.log({x})",
    "log2": "np.log2({x})", "log10": "np.log10({x})", "log1p": "np.log1p({x})",
    "logaddexp": "np.logaddexp({a}, {b})", "abs": "np.abs({x})", "sign": "np.sign({x})",
    "floor": "np.floor({x})", "ceil": "np.ceil({x})", "trunc": "np.trunc({x})",
    "sin": "np.sin({x})", "cos": "np.cos({x})", "tan": "np.tan({x})", "atan": "np.arctan({x})",
    "sinh": "np.sinh({x})", "cosh": "np.cosh({x})", "erf": "erf({x})", "clamp": _clamp,
    "maximum": "np.maximum({a}, {b})", "minimum": "np.minimum({a}, {b})",
    "clone": "{x}.copy()", "cast": _cast,
    # comparing and choosing
    "eq": "{a} == {b}", "ne": "{a} != {b}", "lt": "{a} < {b}", "le": "{a} <= {b}",
    "gt": "{a} > {b}", "ge": "{a} >= {b}", "logical_and": "np.logical_and({a}, {b})",
    "logical_or": "np.logical_or({a}, {b})", "logical_not": "np.logical_not({x})",
    "isneginf": "np.isneginf({x})", "where": "np.where({condition}, {input}, {other})",
    "masked_fill": "np.where({mask}, {value}, {x})",
    # activations
    "relu": "np.maximum({x}, 0)", "leaky_relu": "np.where({x} > 0, {x}, {negative_slope} * {x})",
    "elu": "np.where({x} > 0, {x}, {alpha} * np.expm1(np.minimum({x}, 0)))",
    "celu": "np.where({x} > 0, {x}, {alpha} * np.expm1(np.minimum({x}, 0) / {alpha}))",
    "selu": "1.0507009873554805 * np.where({x} > 0, {x}, "
    "1.6732632423543772 * np.expm1(np.minimum({x}, 0)))",
    "relu6": "np.clip({x}, 0, 6)", "hardtanh": "np.clip({x}, {min_val}, {max_val})",
    "hardsigmoid": "np.clip({x} + 3, 0, 6) / 6", "hardswish": "{x} * np.clip({x} + 3, 0, 6) / 6",
    "threshold": "np.where({x} <= {threshold}, {value}, {x})",
    "hardshrink": "np.where(np.abs({x}) <= {lambd}, 0, {x})",
    "softshrink": "{x} - np.clip({x}, -{lambd}, {lambd})", "sigmoid": "sigmoid({x})",
    "logsigmoid": "-softplus(-{x})", "softplus": _softplus,
    "softsign": "{x} / (1 + np.abs({x}))", "tanh": "np.tanh({x})",
    "tanhshrink": "{x} - np.tanh({x})", "silu": "{x} * sigmoid({x})",
    "mish": "{x} * np.tanh(softplus({x}))", "gelu": _gelu, "glu": _glu,
    "softmax": _softmax("softmax"), "log_softmax": _softmax("log_softmax"),
    # shapes
    "reshape": _flatten, "flatten": _flatten, "squeeze": _squeeze, "unsqueeze": _squeeze,
    "expand": _expand, "permute": _permute, "transpose": "np.swapaxes({x}, {dim0}, {dim1})",
    "flip": "np.flip({x}, {dims})", "roll": "np.roll({x}, {shifts}, {dims})",
    "tile": "np.tile({x}, {dims})", "getitem": _getitem, "cat": _joined("np.concatenate"),
    "stack": _joined("np.stack"), "constant_pad": _pad, "tril": "np.tril({x}, {diagonal})",
    "triu": "np.triu({x}, {diagonal})", "index_select": "np.take({x}, {index}, axis={dim})",
    "gather": _gather,
    # sums and the like
    "sum": _reduced("np.sum"), "mean": _reduced("np.mean"), "prod": _reduced("np.prod"),
    "amax": _reduced("np.max"), "amin": _reduced("np.min"), "argmax": _reduced("np.argmax"),
    "argmin": _reduced("np.argmin"), "any": _reduced("np.any"), "all": _reduced("np.all"),
    "var": _spread("np.var"), "std": _spread("np.std"), "logsumexp": _logsumexp,
    "cumsum": "np.cumsum({x}, axis={dim})",
    # layers
    "matmul": "{a} @ {b}", "linear": _linear, "einsum": _einsum, "conv1d": _conv, "conv2d": _conv,
    "conv_transpose1d": _conv_transpose, "conv_transpose2d": _conv_transpose,
    "max_pool1d": _max_pool, "max_pool2d": _max_pool, "avg_pool1d": _avg_pool,
    "avg_pool2d": _avg_pool, "sum_pool1d": _avg_pool, "sum_pool2d": _avg_pool,
    "adaptive_avg_pool1d": _adaptive, "adaptive_avg_pool2d": _adaptive,
    "adaptive_max_pool1d": _adaptive, "adaptive_max_pool2d": _adaptive,
    "batch_norm": _batch_norm, "layer_norm": _layer_norm, "rms_norm": _rms_norm,
    "group_norm": _group_norm, "embedding": "{weight}[{ids}]", "embedding_bag": _embedding_bag,
    "scaled_dot_product_attention": _attention, "rnn_layer": _rnn,
    "lstm_layer": f"lstm_layer({{x}}, {{h0}}, {{c0}}, {WEIGHTS}, {{reverse}})",
    "gru_layer": f"gru_layer({{x}}, {{h0}}, {WEIGHTS}, {{reverse}})",
    "dropout": same, "feature_dropout": same, "alpha_dropout": same,
}  # fmt: skip
