"""Checkpoints: everything a run needs to go on, in one file.

One file, because a rename puts one file in its place at once: two files, however small the moment
between them, could belong to two different steps. The arrays (weights, what the optimiser
remembers, the best weights) are its tensors; the rest (settings, schedule, random state, place in
the data, history) is JSON in its metadata. Beside it lies `NAME.json` for people to read; nothing
reads it back.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import atomic
from ..errors import CheckpointError, DataError
from .tensors import TREE, PathLike, read, write
from .tree import MARK, pack, unpack

FORMAT = 1
KIND = "pellucid checkpoint"


def save_checkpoint(state: Mapping[str, Any], path: PathLike) -> None:
    """Write a checkpoint. Until it is complete on the disk, the one before it stays.

    Args:
        state: what to keep by name: `state_dict`s, numbers, strings, lists.
        path: the file; `.safetensors` is added where it has no ending.

    Raises:
        ArgumentError: something in it cannot be saved.
    """
    goal = checkpoint_path(path)
    arrays, text = pack(
        {"kind": KIND, "format": FORMAT, "versions": versions(), "state": dict(state)}
    )
    write(arrays, goal, {TREE: text})
    readable = json.dumps(_for_people(json.loads(text), arrays), indent=2, ensure_ascii=False)
    atomic.write(goal.with_suffix(".json"), readable + "\n")


def load_checkpoint(path: PathLike) -> dict[str, Any]:
    """Read what `save_checkpoint` was given.

    Raises:
        DataError: the file is truncated, damaged or no safetensors file.
        CheckpointError: it is no checkpoint, or one of a later Pellucid.
        FileNotFoundError: there is none.
    """
    goal = checkpoint_path(path)
    arrays, metadata = read(goal)
    try:
        whole = unpack(arrays, metadata[TREE]) if TREE in metadata else None
    except DataError as error:
        raise DataError(f"{goal} is damaged: {error.message}") from None
    if not isinstance(whole, dict) or whole.get("kind") != KIND:
        raise CheckpointError(
            f"{goal} is a safetensors file, but no checkpoint of a run.\n"
            "Weights alone are read with model.load_state_dict(pellucid.load(path))"
        )
    if whole.get("format") != FORMAT:
        raise CheckpointError(
            f"{goal} is a checkpoint of format {whole.get('format')!r}, and this Pellucid reads "
            f"format {FORMAT}. It was written with: {whole.get('versions')}"
        )
    if not isinstance(whole.get("state"), dict):
        raise CheckpointError(f"{goal} is a checkpoint without a state")
    return whole["state"]  # type: ignore[no-any-return]


def checkpoint_path(path: PathLike) -> Path:
    """The path with its ending."""
    goal = Path(path)
    return goal if goal.suffix == ".safetensors" else goal.with_name(goal.name + ".safetensors")


def versions() -> dict[str, str]:
    """What a run was made with; the same numbers are promised for the same versions."""
    from .. import __version__

    return {"pellucid": __version__, "numpy": np.__version__, "python": platform.python_version()}


def _for_people(plain: Any, arrays: Mapping[str, Any]) -> Any:
    """The JSON with marks turned into words: shapes for arrays, lists for tuples."""
    if isinstance(plain, list):
        return [_for_people(item, arrays) for item in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get(MARK)
    if kind in ("tensor", "array"):
        array = arrays[plain["name"]]
        return f"{kind} {array.shape} {array.dtype}"
    if kind == "float":
        return plain["value"]
    if kind == "tuple":
        return _for_people(plain["items"], arrays)
    if kind == "dict":
        return {str(key): _for_people(value, arrays) for key, value in plain["items"]}
    return {key: _for_people(value, arrays) for key, value in plain.items()}
