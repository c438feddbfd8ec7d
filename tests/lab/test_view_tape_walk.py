"""Chapter 13's tape against `backward` and finite differences."""

from __future__ import annotations

import math

import pytest

from pellucid import lab
from pellucid.errors import ArgumentError
from pellucid.lab.codec import plain


def opened(**settings):
    view = lab.open_view("tape-walk")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def walked(view):
    while view.can_step():
        view.handle({"do": "step"})
    return plain(view.state()["shows"])


EXPRESSIONS = {
    "(a + b) * (b + c)": lambda a, b, c: (a + b) * (b + c),
    "tanh(a * b) ** 2 - b / c": lambda a, b, c: math.tanh(a * b) ** 2 - b / c,
    "exp(-a) * sigmoid(b) * a * a": lambda a, b, c: math.exp(-a) * a * a / (1 + math.exp(-b)),
    "log(b) + relu(c) + 3": lambda a, b, c: math.log(b) + max(c, 0) + 3,
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_walk_ends_with_the_gradients_of_finite_differences(expression: str) -> None:
    f, h = EXPRESSIONS[expression], 1e-6
    at = {"a": 1.0, "b": 2.0, "c": -0.5}
    shows = walked(opened(expression=expression))
    for node in shows["nodes"]:
        if node["kind"] == "leaf":
            name = node["name"]
            up, down = ({**at, name: at[name] + s} for s in (h, -h))
            numeric = (f(**up) - f(**down)) / (2 * h)
            assert node["gradient"] == pytest.approx(numeric, abs=1e-6)
            assert shows["truth"][name] == pytest.approx(node["gradient"], rel=1e-12)
    assert shows["nodes"][-1]["value"] == pytest.approx(f(**at))


def test_a_value_used_twice_waits_for_both_reports() -> None:
    view = opened()
    for _ in range(3 + 1 + 2):
        view.handle({"do": "step"})
    state = view.state()
    b = next(n for n in plain(state["shows"])["nodes"] if n["name"] == "b")
    assert (b["reports"], b["waiting"], b["state"]) == (1, 1, "waits")
    assert state["said"] == "waits"
    view.handle({"do": "step"})
    assert view.state()["said"] == "done"


def test_keeping_only_the_last_report_is_wrong_and_said_so() -> None:
    view = opened(adds=False)
    shows = walked(view)
    b = next(n for n in shows["nodes"] if n["name"] == "b")
    assert b["gradient"] != pytest.approx(shows["truth"]["b"])
    assert view.state()["said"] == "wrong"
    assert "4.5" in view.state()["say"]


def test_the_birth_of_a_value_that_is_no_number_is_told() -> None:
    view = opened(expression="log(c) * a")
    view.handle({"do": "step"})
    assert view.state()["said"] == "born"
    walked(view)
    assert view.state()["said"] == "spoiled"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(a +", "cannot be read"),
        ("", "cannot be read"),
        ("__import__('os')", "Only a, b, c"),
        ("a.real", "Only a, b, c"),
        ("x * a", "Only a, b, c"),
        ("a", "nothing to compute"),
        ("2 + 3", "no a, b or c"),
        ("+".join("ab" * 8), "more than thirteen"),
        ("-" * 70 + "a", "more than thirteen"),
    ],
)
def test_what_is_no_expression_is_refused_with_a_reason(expression: str, reason: str) -> None:
    view = opened()
    before = plain(view.state()["shows"])
    with pytest.raises(ArgumentError, match=reason):
        view.handle({"do": "set", "name": "expression", "value": expression})
    assert plain(view.state()["shows"]) == before
