"""In the process of the reader's code: ask it all questions, and find out what is wrong.

Wrong answers are recognised by making the usual mistakes ourselves (`book/exercise.py`). What is left
is told by the numbers: all of them have the wrong sign, or the same factor, or lie on their side;
else which is the first that differs, and by how much.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...book.exercise import Outcome, ask, diagnose
from ...book.texts import LANGUAGES
from ..codec import plain
from . import find, told
from .exercise import Array, Case, Exercise

FILE = "yours.py"
OUTPUT = 2000  # characters of what the reader prints
LARGEST = 80  # numbers of an array that is shown
LONGEST = 300  # characters of anything else
FEWEST = 3  # numbers that must agree before it is no accident

Parts = tuple[Array, ...]


class Heard(io.TextIOBase):
    """Keeps the first of what is printed."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep it, as far as there is room."""
        self.text += text[: OUTPUT - len(self.text)]
        return len(text)


def main(name: str, code: str) -> None:
    """Check a solution, and print what came of it as one line of JSON."""
    Path(FILE).write_text(code, encoding="utf-8")
    e, heard = find(name), Heard()
    with contextlib.redirect_stdout(heard):
        outcome = ask(FILE, e.function, copy.deepcopy(list(e.cases)), e.kept)
    found = judge(e, outcome)
    if found["say"] != "right" and code.split() in blanks(e):
        found.update(say="blank", mistake="", values={}, question=None)
    print(json.dumps(plain({**found, "line": outcome.line, "output": heard.text})))


def blanks(e: Exercise) -> list[list[str]]:
    """The words of the blank, in all languages."""
    return [told(e, language)["blank"].split() for language in LANGUAGES]


def judge(e: Exercise, outcome: Outcome) -> dict[str, Any]:
    """What to say about the answers.

    Returns:
        `say`: which sentence, or `mistake`: which of the exercise's own; `values` for its gaps; `right`:
        for each question that was answered, whether rightly; `question`: the one to look at, if any.
    """
    answers = outcome.answers
    expected = [e.right(case) for case in e.cases]
    right = [e.same(a, b) for a, b in zip(answers, expected, strict=False)]
    found: dict[str, Any] = {"say": "", "mistake": "", "values": {}, "right": right}
    number = right.index(False) if False in right else len(right)
    if not outcome.trouble and all(right):
        return {**found, "say": "right", "question": None}
    mistake = False in right and len(right) > 1 and usual_mistake(e, answers)
    if mistake:
        found["mistake"] = mistake
    elif outcome.trouble:
        number = len(right)
        found["say"] = "still blank" if "ellipsis" in outcome.message else outcome.trouble
        found["values"] = {"message": outcome.message, "line": str(outcome.line)}
    else:
        found["say"], found["values"] = everywhere(e, answers, expected) or difference(
            e, answers[number], expected[number]
        )
    asked = not outcome.trouble or outcome.trouble in ("raised", "nothing", "no number")
    if asked and number < len(e.cases):
        yours = answers[number] if number < len(answers) else None
        found["question"] = question(e, number, expected[number], yours)
    else:
        found["question"] = None
    return found


def usual_mistake(e: Exercise, answers: Sequence[Parts]) -> str | None:
    """Which of the usual mistakes leads to these answers."""
    mistakes = {name: e.mistaken(name) for name in e.mistakes}
    return diagnose(answers, e.cases[: len(answers)], mistakes, e.same)


def everywhere(
    e: Exercise, answers: Sequence[Parts], expected: Sequence[Parts]
) -> tuple[str, dict[str, Any]] | None:
    """One thing that is wrong in the same way in all answers."""
    answered = list(zip(answers, expected, strict=True))
    if any(len(one) != len(two) for one, two in answered):
        return None
    pairs = [pair for one, two in answered for pair in zip(one, two, strict=True)]
    if any(a.ndim == 2 and a.shape != (1, 1) for a, _ in pairs) and all(
        a.T.shape == b.shape and e.close(a.T, b).all() for a, b in pairs
    ):
        return "transposed", {}
    if any(a.shape != b.shape for a, b in pairs):
        return None
    got = np.concatenate([a.ravel() for a, _ in pairs])
    wanted = np.concatenate([b.ravel() for _, b in pairs])
    if np.count_nonzero(wanted) < FEWEST or not np.isfinite(got).all():
        return None
    factor = float(got @ wanted / (wanted @ wanted))
    if not got.any():
        return "zeros", {}
    if not factor or not e.close(got, factor * wanted).all():
        return None
    return ("sign", {}) if np.isclose(factor, -1) else ("factor", {"factor": factor})


def difference(e: Exercise, got: Parts, wanted: Parts) -> tuple[str, dict[str, Any]]:
    """Where an answer parts from the right one."""
    if len(got) != len(wanted):
        return "parts", {"parts": ", ".join(e.gives), "found": len(got), "wanted": len(wanted)}
    names = e.gives or (e.function,)
    for name, a, b in zip(names, got, wanted, strict=True):
        if a.shape != b.shape:
            return "shape", {"part": name, "found": list(a.shape), "wanted": list(b.shape)}
    for name, a, b in zip(names, got, wanted, strict=True):
        wrong = np.argwhere(~e.close(a, b))
        if not len(wrong):
            continue
        at = tuple(int(i) for i in wrong[0])
        values = {"part": name, "found": a[at], "wanted": b[at], "difference": a[at] - b[at]}
        values["at"] = name + (str(list(at)) if at else "")
        if not np.isfinite(a[at]):
            return "not finite", values
        return "slope differs" if e.gradient else "differs", values
    raise AssertionError("these answers are the same")


def question(e: Exercise, number: int, wanted: Parts, got: Parts | None) -> dict[str, Any]:
    """A question as the page shows it: what was asked, what is right, what was answered."""
    names = e.gives or ("",)
    case: Case = e.cases[number]
    asked = [{"name": n, **shown(value)} for n, value in zip(e.arguments, case, strict=True)]
    told = {
        "number": number + 1,
        "of": len(e.cases),
        "asked": asked,
        "wanted": [{"name": n, **shown(b)} for n, b in zip(names, wanted, strict=True)],
        "yours": None,
    }
    if got is not None and len(got) == len(names):
        told["yours"] = [
            {
                "name": n,
                **shown(a),
                "wrong": (~e.close(a, b)).tolist() if a.shape == b.shape else None,
            }
            for n, a, b in zip(names, got, wanted, strict=True)
        ]
    elif got is not None:
        told["yours"] = [{"name": "", **shown(a)} for a in got]
    return told


def shown(value: Any) -> dict[str, Any]:
    """Numbers and small arrays as such; of large ones the shape; else as Python writes it."""
    if isinstance(value, (int, float, np.ndarray, np.generic)):
        array = np.asarray(value)
        small = 0 < array.size <= LARGEST and array.ndim <= 2
        return {"shape": list(array.shape), "values": rounded(array) if small else None}
    return {"text": repr(value)[:LONGEST]}


def rounded(array: Array) -> Any:
    """As lists, with six digits: what a person reads."""
    return np.vectorize(lambda v: float(f"{v:.6g}"), otypes=[float])(array).tolist()
