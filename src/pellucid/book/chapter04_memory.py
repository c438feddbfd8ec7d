"""Chapter 4, from memory: a blank to fill in, and somebody who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import exercise
from .chapter04 import descend
from .experiment import Result, experiment

BLANK = (
    "def learn(weight, input, goal, alpha, steps):",
    "    for _ in range(steps):",
    "        prediction = ...",
    "        delta = ...",
    "        weight_delta = ...",
    "        weight = ...",
    "    return weight",
)
CASES = (  # weight, input, goal, alpha, steps
    (0.5, 2.0, 0.8, 0.1, 1),
    (0.5, 2.0, 0.8, 0.1, 20),
    (0.0, 0.5, 0.8, 1.0, 4),
    (-1.0, -0.7, 0.3, 0.25, 3),
    (0.3, 1.1, 0.8, 0.5, 0),
)


def learn(weight: float, input: float, goal: float, alpha: float, steps: int) -> float:
    """The exercise solved, in plain Python: the weight after some steps."""
    for _ in range(steps):
        prediction = input * weight
        delta = prediction - goal
        weight_delta = delta * input
        weight = weight - alpha * weight_delta
    return weight


def learn_without_input(
    weight: float, input: float, goal: float, alpha: float, steps: int
) -> float:
    """A usual mistake: the weight is moved by delta alone."""
    for _ in range(steps):
        weight = weight - alpha * (input * weight - goal)
    return weight


MISTAKES: Mapping[str, exercise.Solution] = {
    "alpha": lambda w, x, g, a, n: learn(w, x, g, 1.0, n),
    "input": learn_without_input,
    "sign": lambda w, x, g, a, n: learn(w, x, g, -a, n),
    "twice": lambda w, x, g, a, n: learn(w, x, g, 2 * a, n),
    "once": lambda w, x, g, a, n: learn(w, x, g, a, min(n, 1)),
    "one more": lambda w, x, g, a, n: learn(w, x, g, a, n + 1),
    "one less": lambda w, x, g, a, n: learn(w, x, g, a, max(n - 1, 0)),
    "prediction": lambda w, x, g, a, n: x * learn(w, x, g, a, n),
    "error": lambda w, x, g, a, n: (x * learn(w, x, g, a, n) - g) ** 2,
    "unchanged": lambda w, x, g, a, n: w,
}


@experiment("4.26")
def from_memory(result: Result, *, code: str = "") -> None:
    """A blank to fill in from memory, and somebody who reads it.

    Args:
        code: a Python file of yours that defines learn(weight, input, goal, alpha, steps).
    """
    descents = [
        descend(result, *fixed, lr=alpha, steps=steps, label=f", question {n}")
        for n, (*fixed, alpha, steps) in enumerate(CASES, start=1)
    ]
    expected = [seen.last_weight for seen in descents]
    result.agree("the weights", expected, [learn(*case) for case in CASES])
    if not code:
        result.say("blank")
        result.table("the blank", ("mine.py",), [(line,) for line in BLANK])
        show_answers(result, "our own solution", expected, [learn(*case) for case in CASES])
        return
    outcome = exercise.call(code, "learn", CASES)
    right = show_answers(result, "your solution", expected, outcome.answers)
    result.number("right answers", right)
    if right == len(CASES):
        result.say("right")
    elif (mistake := usual_mistake(outcome)) is not None:
        result.say(f"forgot: {mistake}")
    elif outcome.trouble:
        key = "still blank" if outcome.message == "ellipsis" else outcome.trouble
        result.say(key, file=code, message=outcome.message, line=outcome.line)
    else:
        say_where(result, expected, outcome.answers)


def show_answers(result: Result, title: str, expected: list[float], answers: Any) -> int:
    """Our answers and the reader's side by side. Returns how many of the reader's are right."""
    rows = []
    for case, wanted, answer in zip(CASES, expected, answers, strict=False):
        verdict = "right" if exercise.same(answer, wanted) else "wrong"
        rows.append((*case, wanted, answer, verdict))
    if rows:
        headings = "weight", "input", "goal", "alpha", "steps", "expected", "answer", ""
        result.table(title, headings, rows)
    return sum(row[-1] == "right" for row in rows)


def usual_mistake(outcome: exercise.Outcome) -> str | None:
    """Which of the usual mistakes it is, if the answers show one; two at least, to be sure."""
    answers = outcome.answers
    if outcome.trouble not in ("", "nothing") or len(answers) < 2:
        return None
    return exercise.diagnose(answers, CASES[: len(answers)], MISTAKES)


def say_where(result: Result, expected: list[float], answers: tuple[float, ...]) -> None:
    """Point at the first question that was answered otherwise than expected."""
    for case, wanted, answer in zip(CASES, expected, answers, strict=True):
        if not exercise.same(answer, wanted):
            result.say("differs", call=f"learn{case}", expected=wanted, found=answer)
            return
