"""What happens in a line, said in sentences; in English and in Chinese."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..ops.base import OPS

if TYPE_CHECKING:
    from .explanation import Explanation, Line

Array = Any
LANGUAGES = ("en", "zh-CN")
BENT = {"relu", "relu6", "leaky_relu", "threshold"}  # below 0 they are asleep


@cache
def texts(language: str) -> dict[str, Any]:
    """All words of a language.

    Raises:
        ArgumentError: it is not spoken here.
    """
    if language not in LANGUAGES:
        raise ArgumentError(f"{language!r} is not spoken here; there are {', '.join(LANGUAGES)}")
    path = Path(__file__).parent / "texts" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def meaning(op: str, language: str) -> str:
    """What an operation does, in a line: in English its own docstring's first."""
    known: str | None = texts(language).get("meaning", {}).get(op)
    if known is None:
        known = ((OPS[op].__doc__ if op in OPS else "") or "").strip().split("\n")[0]
    return known.replace("`", "")


def sentences(explanation: Explanation, line: Line, language: str) -> list[str]:
    """What a line of the program does, and what came of it this time."""
    say = texts(language)["say"]
    value = line.after[line.name]
    if line.kind == "forward":
        return _forward(explanation, line, value, language)
    if line.kind == "update":
        return _update(line, value, say)
    if line.kind == "between":
        return [say["between"].format(name=line.name), _is(line, value, say)]
    last = not any(
        line.name in later.makes and later.kind == "gradient" and later.about == line.about
        for later in explanation.lines[explanation.lines.index(line) + 1 :]
    )
    if not last:
        return [say["gradient_part"].format(name=line.name, of=line.about or say["loss"])]
    return _gradient(explanation, line, value, say)


def _forward(explanation: Explanation, line: Line, value: Array, language: str) -> list[str]:
    say = texts(language)["say"]
    found = []
    for operation in line.operations:
        where = say["in"].format(module=operation.module) if operation.module else ""
        found.append(
            say["operation"].format(
                op=operation.name, where=where, meaning=meaning(operation.name, language)
            )
        )
    if explanation.loss is not None and value.ndim == 0 and float(value) == explanation.loss:
        return [*found, say["loss_is"].format(name=line.name, value=short(value))]
    found.append(_is(line, value, say))
    if any(o.name in BENT for o in line.operations) and value.size:
        asleep = int((value == 0).sum())
        found.append(say["asleep"].format(count=asleep, all=value.size))
    return found


def _gradient(explanation: Explanation, line: Line, value: Array, say: dict[str, str]) -> list[str]:
    of = line.about or say["loss"]
    weight = explanation.kinds.get(of) == "weight"
    key = "gradient_weight" if weight else "gradient"
    found = [say[key].format(name=line.name, of=of)]
    if line.at:
        found.append(say["gradient_at"].format(of=of, op=line.at))
    found.append(_is(line, value, say))
    if value.size > 1 and np.isfinite(value).all() and value.any():
        at = np.unravel_index(np.abs(value).argmax(), value.shape)
        found.append(say["most"].format(place=_place(line.name, at), value=short(value[at])))
    origin = next((x for x in explanation.lines if x.name == of), None)
    if origin is not None and any(o.name in BENT for o in origin.operations) and value.size:
        found.append(say["blocked"].format(count=int((value == 0).sum()), all=value.size))
    return found


def _update(line: Line, value: Array, say: dict[str, str]) -> list[str]:
    before = line.before[line.name]
    change = np.asarray(value, np.float64) - before
    found = [say["update"].format(name=line.name)]
    if not change.size or not change.any():
        return [*found, say["unchanged"].format(name=line.name)]
    at = np.unravel_index(np.nanargmax(np.abs(change)), change.shape)
    place = _place(line.name, at)
    figures = next((n for n in range(4, 10) if short(before[at], n) != short(value[at], n)), 10)
    old, new = short(before[at], figures), short(value[at], figures)
    return [*found, say["changed"].format(place=place, old=old, new=new)]


def _place(name: str, at: Any) -> str:
    return f"{name}[{', '.join(str(int(i)) for i in at)}]" if at else name


def _is(line: Line, value: Array, say: dict[str, str]) -> str:
    return say["is"].format(name=line.name, facts=_facts(value, say))


def _facts(value: Array, say: dict[str, str]) -> str:
    """What is true of all numbers."""
    if value.ndim == 0:
        return short(value)
    if not value.size:
        return say["empty"]
    if value.size == 1:
        return say["one"].format(value=short(value.reshape(-1)[0]))
    bad = int((~np.isfinite(value)).sum()) if value.dtype.kind == "f" else 0
    shape = " × ".join(str(n) for n in value.shape)
    if bad == value.size:
        return say["all_bad"].format(shape=shape)
    fine = value[np.isfinite(value)] if bad else value
    if fine.min() == fine.max():
        facts = say["same"].format(shape=shape, value=short(fine.min()))
    else:
        facts = say["range"].format(shape=shape, low=short(fine.min()), high=short(fine.max()))
    return facts + (say["some_bad"].format(count=bad) if bad else "")


def short(number: Any, figures: int = 4) -> str:
    """A number with four figures, or so many.

    >>> short(np.float32(0.30000001)), short(12345678.0), short(-0.0), short(np.int64(70000))
    ('0.3', '1.235e+07', '0', '70000')
    """
    if np.asarray(number).dtype.kind in "iub":
        return str(int(number))
    return f"{float(number):.{figures}g}" if number else "0"
