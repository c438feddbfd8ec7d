"""The program of a step, line by line, against the engine and against itself run alone."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import Tensor, lab, nn
from pellucid.lab.codec import plain

NETWORKS = ("lights", "classes", "image", "sentence")


def opened(**settings):
    view = lab.open_view("the-program")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def through(view) -> None:
    for _ in view.lines:
        view.handle({"do": "step"})


@pytest.mark.parametrize("bend", [True, False])
@pytest.mark.parametrize("network", NETWORKS)
def test_after_all_lines_the_weights_are_where_the_engine_puts_them(
    network: str, bend: bool
) -> None:
    view, eager = (opened(network=network, bend=bend) for _ in range(2))
    for _ in range(2):
        through(view)
    model = eager.model
    for _ in range(2):
        prediction = model(Tensor(eager.inputs))
        if network == "lights":
            loss = ((prediction - eager.targets) ** 2).sum()
        else:
            loss = nn.functional.cross_entropy(prediction, Tensor(eager.targets))
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.1 * np.array(parameter.grad)
    assert view.losses[-1] == pytest.approx(loss.item(), rel=1e-10)
    for ours, theirs in zip(view.model.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_whole_program_runs_alone_and_gives_the_same_loss(network: str) -> None:
    view = opened(network=network)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(view.python(), "<program>", "exec"), {})
    assert float(printed.getvalue()) == pytest.approx(view.loss, rel=1e-12)


def test_what_a_line_reads_is_what_was_there_before_it() -> None:
    view = opened(network="lights")
    through(view)
    lines = {line["code"]: line for line in plain(view.state()["shows"])["lines"]}
    moved = lines["weight_1 -= lr * d_weight_1"]
    before, slope = (np.array(moved["reads"][name]) for name in ("weight_1", "d_weight_1"))
    np.testing.assert_allclose(moved["made"]["weight_1"], before - 0.1 * slope)


def test_too_long_a_step_is_said() -> None:
    view = opened(network="classes", lr=10.0)
    said = set()
    for _ in range(6):
        through(view)
        said.add(view.state()["said"])
    assert "grew" in said
