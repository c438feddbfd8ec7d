"""A network as a PyTorch module: the same weights under the same names, the same operations.

Pellucid's operations carry PyTorch's names and settings, so most lines are the operation's own name.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ... import atomic
from ...errors import ArgumentError
from ...nn.recording import Recording
from ..tensors import write as write_safetensors
from .geometry import kernel_of, window_of
from .names import is_kept
from .numpy_script import check_bag, correction_of, epsilon, flat, last_axes, pad_pairs, same
from .text import Line, Text

Array = Any
Rule = str | Callable[[Line], str]

MODULE = '''\
"""A network, written down by Pellucid {version}. It needs torch, safetensors and {weights}.

    from {module} import Net
    net = Net().eval()

net({signature}):  {shapes}
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

LEARNED = {learned}
{helpers}

class Net(nn.Module):
    """The network; its state_dict has the names that the weights have in Pellucid."""

    def __init__(self):
        super().__init__()
        for name, value in load_file(Path(__file__).with_name("{weights}")).items():
            *path, last = name.split(".")
            part = self
            for step in path:
                if step not in dict(part.named_children()):
                    part.add_module(step, nn.Module())
                part = part.get_submodule(step)
            if name in LEARNED:
                part.register_parameter(last, nn.Parameter(value))
            else:
                part.register_buffer(last, value)

    def forward(self, {signature}):
        w = self.state_dict(keep_vars=True)
{body}
'''


def write(recording: Recording, path: Path) -> list[Path]:
    """Write the module, and its weights beside it as safetensors.

    Returns:
        The files written.

    Raises:
        ArgumentError: an operation cannot be written.
    """
    weights = path.with_suffix(".safetensors")
    source = module(recording, path)
    write_safetensors({v.name: v.numbers for v in recording.weights if is_kept(v)}, weights)
    atomic.write(path, source)
    return [path, weights]


def module(recording: Recording, path: Path) -> str:
    """The text of the module."""
    from ... import __version__

    text = Text(recording, RULES, "PyTorch", "torch")
    source = "\n".join([*text.measured(), *text.lines(), f"return {text.output()}"])
    parameters = dict(recording.model.named_parameters(remove_duplicate=False))
    read = {v.name for v in recording.weights if is_kept(v)}
    learned = sorted(name for name in parameters if name in read)
    used = [code for name, code in HELPERS.items() if f"{name}(" in source]
    return MODULE.format(
        version=__version__,
        module=path.stem,
        weights=path.with_suffix(".safetensors").name,
        signature=text.signature(),
        shapes=text.shapes(),
        learned=_listed(learned),
        helpers="".join(f"\n\n{code.strip()}\n" for code in used),
        body=textwrap.indent(source, " " * 8),
    )


def _listed(names: list[str]) -> str:
    """Names in braces, some to a line."""
    if not names:
        return "set()"
    joined = ", ".join(f'"{name}"' for name in names)
    if len(joined) < 86:
        return f"{{{joined}}}"
    lines = textwrap.wrap(joined + ",", 94)
    return "{\n" + "\n".join(f"    {line}" for line in lines) + "\n}"


def run(files: list[Path], inputs: tuple[Array, ...]) -> list[Array]:
    """What the module predicts, all outputs one after the other."""
    import importlib
    from runpy import run_path

    torch: Any = importlib.import_module("torch")
    net = run_path(str(files[0]))["Net"]().eval()
    with torch.no_grad():
        output = net(*(torch.from_numpy(np.array(x)) for x in inputs))
    return list(flat(output))


# ------------------------------------------------------------------------------ how each is written

HELPERS = {
    "rnn_layer": '''
def rnn_layer(x, h, w_ih, w_hh, b_ih, b_hh, nonlinearity, reverse):
    """One layer of a plain recurrence in one direction; all states."""
    weights = [w_ih, w_hh] if b_ih is None else [w_ih, w_hh, b_ih, b_hh]
    run = torch.rnn_tanh if nonlinearity == "tanh" else torch.rnn_relu
    x = x.flip(0) if reverse else x
    y, _ = run(x, h[None].contiguous(), weights, b_ih is not None, 1, 0.0, False, False, False)
    return y.flip(0) if reverse else y
''',
    "lstm_layer": '''
def lstm_layer(x, h, c, w_ih, w_hh, b_ih, b_hh, reverse):
    """One layer of an LSTM in one direction; all states, and in a last row the final cell."""
    weights = [w_ih, w_hh] if b_ih is None else [w_ih, w_hh, b_ih, b_hh]
    x = x.flip(0) if reverse else x
    first = h[None].contiguous(), c[None].contiguous()
    y, _, c = torch.lstm(x, first, weights, b_ih is not None, 1, 0.0, False, False, False)
    return torch.cat([y.flip(0) if reverse else y, c])
''',
    "gru_layer": '''
def gru_layer(x, h, w_ih, w_hh, b_ih, b_hh, reverse):
    """One layer of gated recurrent units in one direction; all states."""
    weights = [w_ih, w_hh] if b_ih is None else [w_ih, w_hh, b_ih, b_hh]
    x = x.flip(0) if reverse else x
    y, _ = torch.gru(x, h[None].contiguous(), weights, b_ih is not None, 1, 0.0, False, False, False)
    return y.flip(0) if reverse else y
''',
}


def _add(line: Line) -> str:
    return line.filled("{a} + {b}" if line["alpha"] == 1 else "{a} + {alpha} * {b}")


def _sub(line: Line) -> str:
    return line.filled("{a} - {b}" if line["alpha"] == 1 else "{a} - {alpha} * {b}")


def _div(line: Line) -> str:
    mode = line["rounding_mode"]
    plain = line.filled("{a} / {b}")
    return plain if mode is None else f"torch.{mode}({plain})"


def _conv(line: Line) -> str:
    k = kernel_of(line.call)
    x = line.written("x")
    padding: Any = tuple(before for before, _ in k.pad)
    if any(before != after for before, after in k.pad):
        around = tuple(n for pair in reversed(k.pad) for n in pair)
        x, padding = f"F.pad({x}, {around})", (0,) * len(k.pad)
    axes = len(k.size)
    settings = f"{k.stride}, {padding}, {k.dilation}, {line['groups']}"
    return line.filled(f"F.conv{axes}d({x}, {{weight}}, {{bias}}, {settings})")


def _conv_transpose(line: Line) -> str:
    axes = int(line.call.op.name[-2])
    settings = "{stride}, {padding}, {output_padding}, {groups}, {dilation}"
    return line.filled(f"F.conv_transpose{axes}d({{x}}, {{weight}}, {{bias}}, {settings})")


def _max_pool(line: Line) -> str:
    axes = int(line.call.op.name[-2])
    k = window_of(line.call)
    padding = tuple(before for before, _ in k.pad)
    settings = f"{k.size}, {k.stride}, {padding}, {k.dilation}, {line['ceil_mode']}"
    return line.filled(f"F.max_pool{axes}d({{x}}, {settings})")


def _avg_pool(line: Line) -> str:
    name, axes = line.call.op.name, int(line.call.op.name[-2])
    k = window_of(line.call)
    padding = tuple(before for before, _ in k.pad)
    if name.startswith("sum"):
        around = tuple(n for pair in reversed(k.around) for n in pair)
        x = f"F.pad({line.written('x')}, {around})"
        count = float(np.prod(k.size))
        return f"F.avg_pool{axes}d({x}, {k.size}, {k.stride}) * {count}"
    settings = f"{k.size}, {k.stride}, {padding}, {line['ceil_mode']}, {line['count_include_pad']}"
    if axes == 2 and line["divisor_override"] is not None:
        settings += ", divisor_override={divisor_override}"
    return line.filled(f"F.avg_pool{axes}d({{x}}, {settings})")


def _adaptive(line: Line) -> str:
    return line.filled(f"F.{line.call.op.name}({{x}}, {{output_size}})")


def _batch_norm(line: Line) -> str:
    mean, var = ("None", "None") if line["training"] else (None, None)
    mean, var = mean or line.written("running_mean"), var or line.written("running_var")
    training = ", training=True" if line["training"] else ""
    return line.filled(
        f"F.batch_norm({{x}}, {mean}, {var}, {{weight}}, {{bias}}, eps={{eps}}{training})"
    )


def _layer_norm(line: Line) -> str:
    shape = tuple(line.shape("x")[axis] for axis in last_axes(line))
    return line.filled(f"F.layer_norm({{x}}, {shape}, {{weight}}, {{bias}}, {{eps}})")


def _rms_norm(line: Line) -> str:
    mean = f"({{x}} * {{x}}).mean({last_axes(line)}, keepdim=True)"
    weight = "" if line["weight"] is None else " * {weight}"
    return line.filled(f"{{x}} * torch.rsqrt({mean} + {epsilon(line)}){weight}")


def _shaped(line: Line) -> str:
    return f"{line.written('x')}.reshape({line.text.written(line.call.result.shape)})"


def _flip(line: Line) -> str:
    given = line["dims"]
    dims = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    return line.filled(f"torch.flip({{x}}, {dims})")


def _getitem(line: Line) -> str:
    index = line["index"]
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, slice) and part.step is not None and part.step < 0 for part in parts):
        raise ArgumentError(
            "PyTorch has no slices with a negative step, such as x[::-1]; write x.flip(0)"
        )
    return f"{line.written('x')}[{line.text.index(line['index'])}]"


def _pad(line: Line) -> str:
    flat_pairs = tuple(n for pair in reversed(pad_pairs(line)) for n in pair)
    return line.filled(f"F.pad({{x}}, {flat_pairs}, value={{value}})")


def _reduced(line: Line) -> str:
    settings, name = line.call.settings, line.call.op.name
    axis = "" if settings["dim"] is None or isinstance(settings["dim"], bool) else ", dim={dim}"
    keep = ", keepdim=True" if settings.get("keepdim") else ""
    return line.filled(f"torch.{name}({{x}}{axis}{keep})")


def _spread(line: Line) -> str:
    return f"{_reduced(line)[:-1]}, correction={correction_of(line)})"


def _joined(line: Line) -> str:
    return f"torch.{line.call.op.name}([{', '.join(line.inputs)}], dim={line['dim']})"


def _einsum(line: Line) -> str:
    return f"torch.einsum({line['equation']!r}, {', '.join(line.inputs)})"


def _softmax(line: Line) -> str:
    kind = "" if line["dtype"] is None else f", dtype={line.text.written(np.dtype(line['dtype']))}"
    return line.filled(f"torch.{line.call.op.name}({{x}}, {{dim}}{kind})")


def _embedding_bag(line: Line) -> str:
    check_bag(line)
    weights = ", per_sample_weights={per_sample_weights}"
    given = weights if line["per_sample_weights"] is not None else ""
    return line.filled(f"F.embedding_bag({{ids}}, {{weight}}, mode={{mode}}{given})")


def _attention(line: Line) -> str:
    scale = "" if line["scale"] is None else ", scale={scale}"
    mask = ", attn_mask={attn_mask}" if line["attn_mask"] is not None else ""
    causal = ", is_causal=True" if line["is_causal"] else ""
    return line.filled(
        f"F.scaled_dot_product_attention({{query}}, {{key}}, {{value}}{mask}{causal}{scale})"
    )


def _cast(line: Line) -> str:
    return f"{line.written('x')}.to({line.text.written(np.dtype(line['dtype']))})"


def _expand(line: Line) -> str:
    return f"{line.written('x')}.expand({line.text.written(line.call.result.shape)})"


def _either(name: str) -> Callable[[Line], str]:
    """torch.maximum and torch.where want tensors where a plain number may stand."""

    def rule(line: Line) -> str:
        kind = line.text.written(line.call.result.numbers.dtype)
        parts = []
        for x, shape in zip(line.inputs, line.call.inputs, strict=True):
            parts.append(x if hasattr(shape, "shape") else f"torch.tensor({x}, dtype={kind})")
        return f"torch.{name}({', '.join(parts)})"

    return rule


WEIGHTS = "{w_ih}, {w_hh}, {b_ih}, {b_hh}"
OWN_NAME = [
    "neg", "reciprocal", "square", "sqrt", "rsqrt", "exp", "exp2", "expm1", "log", "log2", "log10",
    "log1p", "abs", "sign", "floor", "ceil", "trunc", "sin", "cos", "tan", "atan", "sinh", "cosh",
    "erf", "relu", "sigmoid", "tanh", "logical_not", "isneginf", "selu",
]  # fmt: skip
OWN_NAME_F = [
    "relu6", "hardsigmoid", "hardswish", "logsigmoid", "softsign", "tanhshrink", "silu", "mish",
]  # fmt: skip

RULES: dict[str, Rule] = {
    **{name: f"torch.{name}({{x}})" for name in OWN_NAME},
    **{name: f"F.{name}({{x}})" for name in OWN_NAME_F},
    # arithmetic
    "add": _add, "sub": _sub, "mul": "{a} * {b}", "div": _div,
    "addcmul": "{x} + {value} * {tensor1} * {tensor2}",
    "addcdiv": "{x} + {value} * {tensor1} / {tensor2}",
    "lerp": "{start} + {weight} * ({end} - {start})", "pow": "{base} ** {exponent}",
    "logaddexp": "torch.logaddexp({a}, {b})", "clamp": "torch.clamp({x}, {min}, {max})",
    "maximum": _either("maximum"), "minimum": _either("minimum"), "clone": "{x}.clone()",
    "cast": _cast,
    # comparing and choosing
    "eq": "{a} == {b}", "ne": "{a} != {b}", "lt": "{a} < {b}", "le": "{a} <= {b}",
    "gt": "{a} > {b}", "ge": "{a} >= {b}", "logical_and": "torch.logical_and({a}, {b})",
    "logical_or": "torch.logical_or({a}, {b})",
    "where": "torch.where({condition}, {input}, {other})",
    "masked_fill": "torch.where({mask}, {value}, {x})",
    # activations
    "leaky_relu": "F.leaky_relu({x}, {negative_slope})", "elu": "F.elu({x}, {alpha})",
    "celu": "F.celu({x}, {alpha})", "hardtanh": "F.hardtanh({x}, {min_val}, {max_val})",
    "threshold": "F.threshold({x}, {threshold}, {value})",
    "hardshrink": "F.hardshrink({x}, {lambd})", "softshrink": "F.softshrink({x}, {lambd})",
    "softplus": "F.softplus({x}, {beta}, {threshold})",
    "gelu": "F.gelu({x}, approximate={approximate})", "glu": "F.glu({x}, {dim})",
    "softmax": _softmax, "log_softmax": _softmax,
    # shapes
    "reshape": _shaped, "flatten": _shaped, "squeeze": _shaped, "unsqueeze": _shaped,
    "expand": _expand, "permute": "{x}.permute({dims})",
    "transpose": "{x}.transpose({dim0}, {dim1})", "flip": _flip,
    "roll": "torch.roll({x}, {shifts}, {dims})", "tile": "torch.tile({x}, {dims})",
    "getitem": _getitem, "cat": _joined, "stack": _joined, "constant_pad": _pad,
    "tril": "torch.tril({x}, {diagonal})", "triu": "torch.triu({x}, {diagonal})",
    "index_select": "torch.index_select({x}, {dim}, {index})",
    "gather": "torch.gather({x}, {dim}, {index})",
    # sums and the like
    "sum": _reduced, "mean": _reduced, "prod": _reduced, "amax": _reduced, "amin": _reduced,
    "argmax": _reduced, "argmin": _reduced, "any": _reduced, "all": _reduced,
    "var": _spread, "std": _spread,
    "logsumexp": "torch.logsumexp({x}, dim={dim}, keepdim={keepdim})",
    "cumsum": "torch.cumsum({x}, dim={dim})",
    # layers
    "matmul": "{a} @ {b}", "linear": "F.linear({x}, {weight}, {bias})", "einsum": _einsum,
    "conv1d": _conv, "conv2d": _conv, "conv_transpose1d": _conv_transpose,
    "conv_transpose2d": _conv_transpose, "max_pool1d": _max_pool, "max_pool2d": _max_pool,
    "avg_pool1d": _avg_pool, "avg_pool2d": _avg_pool, "sum_pool1d": _avg_pool,
    "sum_pool2d": _avg_pool, "adaptive_avg_pool1d": _adaptive, "adaptive_avg_pool2d": _adaptive,
    "adaptive_max_pool1d": _adaptive, "adaptive_max_pool2d": _adaptive,
    "batch_norm": _batch_norm, "layer_norm": _layer_norm, "rms_norm": _rms_norm,
    "group_norm": "F.group_norm({x}, {num_groups}, {weight}, {bias}, {eps})",
    "embedding": "F.embedding({ids}, {weight})", "embedding_bag": _embedding_bag,
    "scaled_dot_product_attention": _attention,
    "rnn_layer": f"rnn_layer({{x}}, {{h0}}, {WEIGHTS}, {{nonlinearity}}, {{reverse}})",
    "lstm_layer": f"lstm_layer({{x}}, {{h0}}, {{c0}}, {WEIGHTS}, {{reverse}})",
    "gru_layer": f"gru_layer({{x}}, {{h0}}, {WEIGHTS}, {{reverse}})",
    "dropout": same, "feature_dropout": same, "alpha_dropout": same,
}  # fmt: skip
