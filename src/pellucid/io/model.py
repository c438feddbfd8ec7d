"""A whole network in one file: its weights, and what it is made of. No pickle.

The file is a safetensors file like any other, with the weights by name. Beside them, in the file's
metadata, stands what the network is made of: its layers and what they were made with, as JSON.

    {"layer": "Sequential", "parts": {"0": {"layer": "Linear", "in_features": 784, ...}, ...}}

Only Pellucid's own layers can be told in this way: JSON is data, and runs nobody's code. A class of
one's own is code; keep that, and its weights beside it (`pellucid.save(model.state_dict(), path)`).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..errors import ArgumentError, CheckpointError
from ..nn.module import Module
from ..random import get_rng_state, set_rng_state
from ..tensor import Tensor
from .tensors import PathLike, read, write

Plain = dict[str, Any]

MODEL = "pellucid.model"  # the metadata entry that holds what the network is made of
HOLDERS = ("Sequential", "ModuleList", "ModuleDict")  # made of parts, and of nothing else


def save_model(model: Module, path: PathLike) -> None:
    """Write a network of Pellucid's layers, weights and all, as one safetensors file.

    Args:
        model: a layer, or a `Sequential` of layers, at any depth.
        path: where to; usually it ends in .safetensors.

    Raises:
        ArgumentError: a part of it is no layer of Pellucid's; the message says what to do.

    >>> import pellucid, tempfile, os
    >>> from pellucid import nn
    >>> path = os.path.join(tempfile.mkdtemp(), "net.safetensors")
    >>> pellucid.save_model(nn.Sequential(nn.Linear(3, 2), nn.Tanh()), path)
    >>> pellucid.load_model(path)
    Sequential(
      (0): Linear(3 -> 2)
      (1): Tanh()
    )
    """
    described = describe(model)
    weights = {name: tensor._value for name, tensor in model.state_dict().items()}
    write(weights, path, {MODEL: json.dumps(described, separators=(",", ":"))})


def load_model(path: PathLike) -> Module:
    """Read a network that `save_model` wrote, ready for use (`eval()`).

    Raises:
        CheckpointError: the file holds weights only, or weights that do not fit.
        DataError: the file is truncated, damaged or something else.
        FileNotFoundError: there is no such file.
    """
    arrays, metadata = read(path)
    if MODEL not in metadata:
        raise CheckpointError(
            f"{Path(path).name} holds weights, but not what the network is made of.\n"
            "Name the code that builds it (pellucid export ... --code FILE.py:NAME); in Python:\n"
            "    model.load_state_dict(pellucid.load(path))\n"
            "pellucid.save_model(model, path) keeps both"
        )
    try:
        with _random_as_it_was():
            model = build(json.loads(metadata[MODEL]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        said = error.message if isinstance(error, ArgumentError) else str(error)
        raise CheckpointError(
            f"what {Path(path).name} says about its network cannot be understood: {said}"
        ) from None
    model.load_state_dict(arrays)
    return model.eval()


@contextmanager
def _random_as_it_was() -> Iterator[None]:
    """First weights that are replaced at once shall not change what comes after."""
    before = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(before)


# ------------------------------------------------------------------------- what a network is made of


def describe(model: Module) -> Plain:
    """What a network is made of, as plain data; `build` makes the same network of it.

    Raises:
        ArgumentError: a part of it is no layer of Pellucid's, or was changed after it was made.

    >>> from pellucid import nn
    >>> describe(nn.Linear(3, 2, bias=False))
    {'layer': 'Linear', 'in_features': 3, 'out_features': 2, 'bias': False}
    """
    made = _describe(model, "")
    with _random_as_it_was():
        again = build(made)
    ours = {name: t.shape for name, t in model.state_dict().items()}
    theirs = {name: t.shape for name, t in again.state_dict().items()}
    if ours != theirs or repr(again) != repr(model):
        raise ArgumentError(
            f"{type(model).__name__} is not as its layers were made: something was changed "
            "afterwards, which cannot be kept. Save its weights: pellucid.save(model.state_dict(), "
            "path)"
        )
    return made


def build(described: Plain) -> Module:
    """The network that `describe` told of, with first weights of its own.

    Raises:
        ArgumentError: there is no such layer.
    """
    settings = dict(described)
    name = settings.pop("layer")
    kind: Any = getattr(nn, str(name), None)
    if not (inspect.isclass(kind) and issubclass(kind, Module) and name in nn.__all__):
        raise ArgumentError(f"Pellucid has no layer {name!r}")
    if name in HOLDERS:
        parts = {key: build(part) for key, part in settings["parts"].items()}
        numbered = list(parts) == [str(i) for i in range(len(parts))]
        if name == "Sequential":
            return nn.Sequential(*parts.values()) if numbered else nn.Sequential(parts)
        return nn.ModuleDict(parts) if name == "ModuleDict" else nn.ModuleList(parts.values())
    made: Module = kind(**{key: _built(value) for key, value in settings.items()})
    return made


def _built(value: Any) -> Any:
    if isinstance(value, Mapping):
        return build(dict(value))
    return tuple(value) if isinstance(value, list) else value


def _describe(module: Module, path: str) -> Plain:
    kind = type(module)
    name = kind.__name__
    if getattr(nn, name, None) is not kind:
        where = f" ({path})" if path else ""
        raise ArgumentError(
            f"{name}{where} is a class of your own: what it does is code, and a file of weights "
            "holds no code.\nSave its weights: pellucid.save(model.state_dict(), path); and name "
            "the code when it is needed (pellucid export ... --code FILE.py:NAME)"
        )
    if name in HOLDERS:
        inner = {
            key: _describe(part, f"{path}.{key}" if path else key)
            for key, part in vars(module).items()
            if isinstance(part, Module)
        }
        return {"layer": name, "parts": inner}
    made: Plain = {"layer": name}
    for parameter in inspect.signature(kind).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = _made_with(module, parameter.name, path)
        if value is not parameter.empty and value != parameter.default:
            made[parameter.name] = value
    return made


def _made_with(module: Any, name: str, path: str) -> Any:
    """What a layer was given for an argument, found in what it keeps."""
    if name == "dtype":
        first = next(iter(module.parameters(recurse=True)), None)
        return None if first is None or first.dtype == np.float32 else first.dtype.name
    if name == "encoder_layer":
        return _describe(module.layers[0], f"{path}.layers.0")
    elsewhere = {
        "d_model": "self_attn.embed_dim", "nhead": "self_attn.num_heads",
        "dim_feedforward": "linear1.out_features", "layer_norm_eps": "norm1.eps",
        "batch_first": "self_attn.batch_first",
    }  # fmt: skip
    value = module
    if name in vars(module):
        value = vars(module)[name]
    elif name in elsewhere and "self_attn" in vars(module):
        for step in elsewhere[name].split("."):
            value = getattr(value, step)
    elif name == "bias":
        return any("bias" in key for key, _ in module.named_parameters())
    else:
        return inspect.Parameter.empty
    if name == "bias":
        return value is not None and value is not False
    if isinstance(value, Module):
        inner = getattr(value, "p", None)  # TransformerEncoderLayer keeps its dropout as a layer
        return inner if name == "dropout" else _describe(value, f"{path}.{name}")
    if isinstance(value, Tensor) or callable(value):
        raise ArgumentError(
            f"{type(module).__name__} was made with {name}={value!r}, which is no plain setting"
        )
    return value
