"""Reading a plan: every word of the file is checked, and what is wrong is said with what was meant."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from ..errors import ArgumentError, DataError
from .plan import REST, Division, Learning, Network, Plan, Privacy, Protection


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan and check every word of it.

    Raises:
        DataError: there is no such file, or it is not TOML.
        ArgumentError: a section or key that there is not, one that is missing, or a value of another
            kind; the message names it and what was probably meant.
    """
    file = Path(path)
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"there is no plan {file}.\nBegin with an example:  pellucid federate new FOLDER"
        ) from None
    except IsADirectoryError:
        raise DataError(
            f"{file} is a folder; a plan is a file, such as {file / 'plan.toml'}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is not TOML: {error}") from None
    sections = {f.name: f for f in fields(Plan) if f.name != "folder"}
    _known("", said, sections)
    kinds = {
        "learning": Learning, "division": Division, "protection": Protection,
        "privacy": Privacy, "network": Network,
    }  # fmt: skip
    for name in ("learning", "parties"):
        if name not in said:
            raise ArgumentError(f"{file} has no section [{name}]: {_about(name)}")
    parts: dict[str, Any] = {}
    for name, section in said.items():
        if not isinstance(section, dict):
            raise ArgumentError(f"{name} is a section: write [{name}], and its keys below")
        parts[name] = section if name == "parties" else _section(name, section, kinds[name])
    for name, key in parts["parties"].items():
        if not isinstance(key, str):
            raise ArgumentError(f"[parties] {name} is a public key in quotes, not {key!r}")
    return Plan(folder=file.parent, **parts)


def _section(name: str, said: Mapping[str, Any], kind: type) -> Any:
    known = {f.name: f for f in fields(kind)}
    hints = get_type_hints(kind)
    _known(name, said, known)
    values = {key: _of_kind(f"[{name}] {key}", value, hints[key]) for key, value in said.items()}
    for key, about in known.items():
        if key not in said and _required(about):
            raise ArgumentError(f"[{name}] lacks {key}, {_kind_word(hints[key])}")
    return kind(**values)


def _known(section: str, said: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse what there is not, and say what was probably meant."""
    for key in said:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.5)
            meant = f" Is {near[0]} meant?" if near else ""
            what = (
                f"[{section}] has no key {key!r}." if section else f"a plan has no section [{key}]."
            )
            raise ArgumentError(f"{what}{meant} There are: {', '.join(known)}")


def _of_kind(where: str, value: Any, kind: Any) -> Any:
    wanted = get_origin(kind) or kind
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ArgumentError(f"{where} is {_kind_word(kind)}, not {value!r}")
    if wanted in (int, float) and not value >= 0:
        raise ArgumentError(f"{where} is 0 or more, not {value!r}")
    if wanted is list:
        for size in value:
            if size != REST and (type(size) is not int or size < 0):
                raise ArgumentError(
                    f'{where} holds whole numbers and at most one "rest", not {size!r}'
                )
    return value


def _required(about: Field[Any]) -> bool:
    return about.default is MISSING and about.default_factory is MISSING


def _kind_word(kind: Any) -> str:
    words = {
        int: "a whole number",
        float: "a number",
        str: "a text in quotes",
        bool: "true or false",
    }
    return words.get(kind, "a list")


def _about(section: str) -> str:
    return {
        "learning": "what is learned, at least task, rounds and lr",
        "parties": "who takes part, name = 'public key', a line each",
    }[section]
