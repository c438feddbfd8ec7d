"""Chapter 14's gates against the fused layer, plain NumPy and finite differences."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import Tensor, lab
from pellucid.lab.codec import plain


def opened(**settings):
    view = lab.open_view("lstm-gates")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def seen(view):
    return plain(view.state()["shows"])


def test_the_gates_written_out_are_the_fused_layer() -> None:
    view = opened()
    view.handle({"do": "step"})
    states, (_, cell) = view.lstm(view.letters())
    rows = view.seen["rows"]
    np.testing.assert_allclose(rows[5], states.numpy()[:, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(rows[4][-1], cell.numpy()[0, 0], rtol=1e-10, atol=1e-12)


def test_a_cell_is_what_its_gates_say() -> None:
    view = opened()
    view.handle({"do": "step"})
    gates = {name: np.array(row) for name, row in seen(view)["gates"].items()}
    before = np.concatenate([[0.0], gates["cell"][:-1]])
    np.testing.assert_allclose(
        gates["cell"], gates["forget"] * before + gates["input"] * gates["new"], atol=1e-12
    )
    np.testing.assert_allclose(gates["state"], gates["output"] * np.tanh(gates["cell"]), atol=1e-12)


def test_the_blame_of_the_plain_network_is_the_product_of_its_steps() -> None:
    view = opened()
    w_ih, w_hh, b_ih, b_hh = (w.numpy() for w in view.plain.weights(0))
    end, states = view.ends[1], [np.zeros(12)]
    for x in view.letters().numpy()[:, 0]:
        states.append(np.tanh(w_ih @ x + w_hh @ states[-1] + b_ih + b_hh))
    scores = end(Tensor(states[-1][None])).numpy()[0]
    chances = np.exp(scores) / np.exp(scores).sum()
    chances[view.ids[-1]] -= 1
    blame, sizes = end.weight.numpy().T @ chances, []
    for state in states[:0:-1]:
        sizes.append(np.linalg.norm(blame))
        blame = w_hh.T @ (blame * (1 - state**2))
    np.testing.assert_allclose(seen(view)["blame"]["rnn"], sizes[::-1], rtol=1e-8)


def test_open_forget_gates_let_more_blame_through() -> None:
    shut, wide = (seen(opened(bias=bias))["reach"]["lstm"] for bias in (-2.0, 4.0))
    assert shut < 1e-6
    assert wide > 0.1


def test_it_learns_a_text_by_heart_and_writes_it() -> None:
    view = opened(text="abcdefgh abcdefgh", lr=0.05)
    for _ in range(4):
        view.handle({"do": "many"})
    view.handle({"do": "set", "name": "temperature", "value": 0.05})
    state = view.state()
    assert plain(state["shows"])["correct"] == 16
    assert state["shows"]["written"].startswith("abcdefgh abcdefgh"[:9])
    assert state["said"] == "cold"


def test_a_lr_that_is_too_large_throws_it_back_and_that_is_said() -> None:
    view = opened()
    view.handle({"do": "many"})
    view.handle({"do": "set", "name": "lr", "value": 1.0})
    said = set()
    for _ in range(6):
        view.handle({"do": "step"})
        said.add(view.state()["said"])
    assert "thrown" in said


def test_the_program_prints_the_same_losses() -> None:
    view = opened()
    view.handle({"do": "step"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(view.python(), "<program>", "exec"), {})
    last = [float(number) for number in printed.getvalue().splitlines()[-1].split()]
    assert last[0] == 3
    assert last[1:] == pytest.approx([losses[-1] for losses in view.losses], rel=1e-9)


def test_a_text_may_be_short_or_strange() -> None:
    for text in ("", "a", "aa", "  ", "一二三，三二一"):
        view = opened(text=text)
        view.handle({"do": "step"})
        assert view.state()["say"]
