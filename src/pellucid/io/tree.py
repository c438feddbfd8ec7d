"""Nested dicts and lists with arrays in them, taken apart into named arrays and JSON, and back.

`{"model": {"weight": tensor}, "epoch": 3}` becomes an array named "model.weight" and the JSON text
`{"model": {"weight": {"$": "tensor", "name": "model.weight"}}, "epoch": 3}`. What JSON lacks
(tuples, bytes, keys that are no strings, NaN) is written with the same mark. So nothing has to be
pickled, and the arrays can be read by everybody who reads safetensors.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError
from ..tensor import Tensor

Array = Any

MARK = "$"


def pack(tree: Any) -> tuple[dict[str, Array], str]:
    """Take apart.

    Args:
        tree: dicts, lists and tuples of tensors, arrays, numbers, strings, bytes, booleans and
            None.

    Returns:
        The arrays by name, and the rest as JSON.

    Raises:
        ArgumentError: something else is in it; the message says where.
    """
    arrays: dict[str, Array] = {}
    plain = _pack(tree, (), arrays)
    return arrays, json.dumps(plain, allow_nan=False, separators=(",", ":"))


def unpack(arrays: Mapping[str, Array], text: str) -> Any:
    """Put together again.

    Raises:
        DataError: the text is no JSON that `pack` wrote, or names an array that is not there.
    """
    try:
        return _unpack(json.loads(text), arrays)
    except DataError:
        raise
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"what describes the arrays is not JSON ({error})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"what describes the arrays is not in Pellucid's form ({error!r})"
        ) from None


# ------------------------------------------------------------------------------------------ inside


def _pack(part: Any, path: tuple[str, ...], arrays: dict[str, Array]) -> Any:
    if isinstance(part, Tensor):
        return {MARK: "tensor", "name": _named(part._value, path, arrays)}
    if isinstance(part, np.ndarray):
        return {MARK: "array", "name": _named(part, path, arrays)}
    if isinstance(part, np.generic):
        part = part.item()
    if part is None or isinstance(part, (bool, int, str)):
        return part
    if isinstance(part, float):
        return part if math.isfinite(part) else {MARK: "float", "value": repr(part)}
    if isinstance(part, bytes):
        return {MARK: "bytes", "base64": base64.b64encode(part).decode()}
    if isinstance(part, Mapping):
        return _pack_dict(part, path, arrays)
    if isinstance(part, (list, tuple)):
        items = [_pack(item, (*path, str(i)), arrays) for i, item in enumerate(part)]
        return items if isinstance(part, list) else {MARK: "tuple", "items": items}
    where = ".".join(path) or "what was given"
    raise ArgumentError(
        f"{where} is a {type(part).__name__}, and only tensors, arrays, numbers, strings, bytes, "
        "None, and dicts, lists and tuples of these can be saved.\nObjects are not: save what they "
        "are made of (model.state_dict(), optimizer.state_dict())"
    )


def _pack_dict(part: Mapping[Any, Any], path: tuple[str, ...], arrays: dict[str, Array]) -> Any:
    plain = all(isinstance(key, str) and key != MARK for key in part)
    pairs = [(key, _pack(value, (*path, str(key)), arrays)) for key, value in part.items()]
    if plain:
        return dict(pairs)
    return {MARK: "dict", "items": [[_pack(key, path, arrays), value] for key, value in pairs]}


def _named(array: Array, path: tuple[str, ...], arrays: dict[str, Array]) -> str:
    """File an array under its path; the same path twice (`{1: a, "1": b}`) gets a number."""
    base = name = ".".join(path) or "value"
    again = 1
    while name in arrays:
        again += 1
        name = f"{base}~{again}"
    arrays[name] = array
    return name


def _unpack(plain: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(plain, list):
        return [_unpack(item, arrays) for item in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get(MARK)
    if kind is None:
        return {key: _unpack(value, arrays) for key, value in plain.items()}
    if kind in ("tensor", "array"):
        if plain["name"] not in arrays:
            raise DataError(f"the array {plain['name']!r} is described but not there")
        return Tensor(arrays[plain["name"]]) if kind == "tensor" else arrays[plain["name"]]
    if kind == "float":
        return float(plain["value"])
    if kind == "bytes":
        return base64.b64decode(plain["base64"], validate=True)
    if kind == "tuple":
        return tuple(_unpack(item, arrays) for item in plain["items"])
    if kind == "dict":
        return {_unpack(key, arrays): _unpack(value, arrays) for key, value in plain["items"]}
    raise DataError(f"it has a part of the kind {kind!r}, which this version does not know")
