"""An exercise: run a reader's own code, and say precisely what is right and what is not.

The reader's file runs in a process of its own with a time limit, so that a loop without an end, or
`exit()`, ends there. Where a wrong answer comes from is found by making the usual mistakes
ourselves: whoever gets the same numbers has made the same mistake.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ArgumentError

PATIENCE = 10.0  # seconds the reader's file may take

Case = tuple[Any, ...]  # what a function is called with
Solution = Callable[..., float]


@dataclass(frozen=True)
class Outcome:
    """What came of a reader's file.

    Args:
        answers: what its function returned, per case; fewer where one of them went wrong.
        trouble: "" if nothing did; else what kind of thing: "syntax", "missing", "arguments",
            "raised", "nothing", "no number", "endless" or "ended".
        message: what Python said.
        line: which line of the file, where one is to blame.
    """

    answers: tuple[Any, ...] = ()
    trouble: str = ""
    message: str = ""
    line: int = 0


def call(path: str, function: str, cases: Sequence[Case], patience: float = PATIENCE) -> Outcome:
    """Call a function of a reader's file with each of the cases.

    Args:
        path: the file.
        function: the name of the function in it.
        cases: what to call it with.
        patience: how many seconds it may take.

    Raises:
        ArgumentError: there is no such file.
    """
    if not Path(path).is_file():
        raise ArgumentError(f"there is no file {path}")
    asked = json.dumps({"path": str(Path(path).resolve()), "function": function, "cases": cases})
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import main; main()"],
            input=asked,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=patience,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(trouble="endless", message=f"{patience:g}")
    last = done.stdout.splitlines()[-1:]
    if not last:
        return Outcome(trouble="ended", message=str(done.returncode))
    found = json.loads(last[0])
    return Outcome(tuple(found.pop("answers")), **found)


def ask(
    path: str, function: str, cases: Sequence[Case], keep: Callable[[Any], Any] = float
) -> Outcome:
    """The same as `call` without a process of its own: for whoever has made one already.

    Args:
        path: the file.
        function: the name of the function in it.
        cases: what to call it with.
        keep: what to make of an answer; raises TypeError or ValueError where nothing can be made of it.
    """
    answers: list[Any] = []
    problem = _answer(path, function, cases, keep, answers)
    return Outcome(tuple(answers), **problem)


def same(a: float, b: float) -> bool:
    """Whether two numbers differ by rounding only."""
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-3)


def diagnose(
    answers: Sequence[Any],
    cases: Sequence[Case],
    mistakes: Mapping[str, Callable[..., Any]],
    same: Callable[[Any, Any], bool] = same,
) -> str | None:
    """Which of the usual mistakes leads to just these answers, if any."""
    for name, mistaken in mistakes.items():
        if all(same(a, mistaken(*case)) for a, case in zip(answers, cases, strict=True)):
            return name
    return None


# -------------------------------------------------------------- in the process of the reader's file


def main() -> None:
    """Read what is asked from standard input, answer with one line of JSON."""
    asked = json.loads(sys.stdin.read())
    with contextlib.redirect_stdout(sys.stderr):  # the reader may print
        outcome = ask(asked["path"], asked["function"], asked["cases"])
    print(json.dumps(asdict(outcome)))


def _answer(
    path: str, name: str, cases: Sequence[Case], keep: Callable[[Any], Any], answers: list[Any]
) -> dict[str, Any]:
    """Fill in the answers; what went wrong, if anything."""
    try:
        function = runpy.run_path(path, run_name="exercise").get(name)
    except SyntaxError as error:
        return {"trouble": "syntax", "message": error.msg, "line": error.lineno or 0}
    except BaseException as error:
        return _raised(error, path)
    if not callable(function):
        return {"trouble": "missing", "message": name}
    try:
        inspect.signature(function).bind(*cases[0])
    except TypeError as error:
        return {"trouble": "arguments", "message": str(error)}
    for case in cases:
        try:
            answer = function(*case)
        except BaseException as error:
            return _raised(error, path)
        if answer is None:
            return {"trouble": "nothing"}
        try:
            answers.append(keep(answer))
        except (TypeError, ValueError, OverflowError):
            return {"trouble": "no number", "message": type(answer).__name__}
    return {}


def _raised(error: BaseException, path: str) -> dict[str, Any]:
    """An error, and the last line of the reader's file on the way to it."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    words = f"{type(error).__name__}: {error}"
    return {"trouble": "raised", "message": words, "line": (lines or [None])[-1] or 0}
