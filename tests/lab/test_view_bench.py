"""The bench against NumPy: shapes, a walk forwards and back, learning, tables, exports."""

from __future__ import annotations

import base64
import io
import runpy
import zipfile

import numpy as np
import pytest

from pellucid import lab
from pellucid.errors import ArgumentError, PellucidError
from pellucid.lab import own_data, saved
from pellucid.lab.codec import plain
from pellucid.lab.views.bench import MOST_LAYERS, example_table


def opened(**settings):
    view = lab.open_view("bench")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def weights(view):
    return [np.array(p.data) for p in view.model.parameters()]


def softmax(scores):
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def test_the_walk_is_back_propagation_by_hand() -> None:
    view = opened()
    for _ in range(3):
        view.handle({"do": "step"})
    a, b, c, d = weights(view)
    x, target = view.data.test_inputs[:1], view.data.test_targets[0]
    hidden = np.tanh(x @ a.T + b)
    shares = softmax(hidden @ c.T + d)
    blame_2 = shares - np.eye(2)[target]
    blame_1 = blame_2 @ c
    seen = plain(view.state()["shows"])["walk"]
    np.testing.assert_allclose(seen["shares"], shares[0], rtol=1e-9)
    assert seen["loss"] == pytest.approx(-np.log(shares[0, target]), rel=1e-9)
    np.testing.assert_allclose(seen["layers"][1]["numbers"], hidden[0], rtol=1e-9)
    np.testing.assert_allclose(seen["layers"][2]["blame"], blame_2[0], rtol=1e-9)
    np.testing.assert_allclose(seen["layers"][1]["blame"], blame_1[0], rtol=1e-9)
    np.testing.assert_allclose(
        seen["layers"][0]["blame"], (blame_1 * (1 - hidden**2))[0], rtol=1e-9
    )


def test_a_look_at_an_example_changes_nothing_that_is_learned() -> None:
    one, other = opened(), opened()
    for _ in range(2):
        one.handle({"do": "step"})
        other.handle({"do": "step"})
        one.handle({"do": "follow"})
        one.state()
    for p, q in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(p, q)


def test_a_step_is_ten_batches_of_gradient_descent() -> None:
    view = opened(optimizer="sgd", lr=0.5, batch=16)
    a, b, c, d = (w.copy() for w in weights(view))
    order = np.random.RandomState(1).permutation(len(view.data.inputs))
    for n in range(10):
        chosen = order[16 * n : 16 * n + 16]
        x, target = view.data.inputs[chosen], view.data.targets[chosen]
        hidden = np.tanh(x @ a.T + b)
        delta_2 = (softmax(hidden @ c.T + d) - np.eye(2)[target]) / 16
        delta_1 = (delta_2 @ c) * (1 - hidden**2)
        c, d = c - 0.5 * delta_2.T @ hidden, d - 0.5 * delta_2.sum(axis=0)
        a, b = a - 0.5 * delta_1.T @ x, b - 0.5 * delta_1.sum(axis=0)
    view.handle({"do": "step"})
    for ours, by_hand in zip(weights(view), (a, b, c, d), strict=True):
        np.testing.assert_allclose(ours, by_hand, rtol=1e-9, atol=1e-12)


def test_it_learns_the_rings_and_a_straight_line_does_not() -> None:
    view = opened()
    for _ in range(40):
        view.handle({"do": "step"})
    assert view.state()["said"] == "learned"
    view.handle({"do": "remove", "at": 1})
    for _ in range(20):
        view.handle({"do": "step"})
    assert view.state()["said"] == "straight"


def test_shapes_that_do_not_meet_are_explained_by_the_engine() -> None:
    view = opened()
    view.handle({"do": "add", "kind": "conv", "at": 1})
    state = view.state()
    assert state["said"] == "impossible"
    assert "conv2d" in state["shows"]["message"]
    assert state["shows"]["layers"][1]["broken"]
    assert not state["can"]["step"]
    view.handle({"do": "remove", "at": 1})
    assert view.state()["can"]["step"]
    view.handle({"do": "set", "name": "fit", "value": False})
    view.handle({"do": "resize", "at": 0, "size": 9})
    assert "8" in view.state()["shows"]["message"]
    view.handle({"do": "set", "name": "fit", "value": True})
    view.handle({"do": "resize", "at": 2, "size": 3})
    assert "2 classes" in view.state()["shows"]["message"]


def test_layers_are_bounded() -> None:
    view = opened()
    for _ in range(MOST_LAYERS - 3):
        view.handle({"do": "add", "kind": "relu", "at": 1})
    with pytest.raises(ArgumentError, match="as many as fit"):
        view.handle({"do": "add", "kind": "relu", "at": 1})
    with pytest.raises(ArgumentError, match="one of linear"):
        view.handle({"do": "add", "kind": "exec", "at": 1})
    view.handle({"do": "resize", "at": 0, "size": 10**9})
    assert view.layers[0]["size"] == 256


def test_digits_are_read_and_drawn() -> None:
    pytest.importorskip("sklearn")
    view = opened(task="digits")
    for _ in range(12):
        view.handle({"do": "step"})
    assert view.test_right[-1] > 0.6
    side = view.shows()["side"]
    view.handle({"do": "draw", "rows": [[0.5] * side] * side})
    walk = view.state()["shows"]["walk"]
    assert walk["target"] == -1
    assert sum(walk["shares"]) == pytest.approx(1)
    with pytest.raises(ArgumentError, match="rows of"):
        view.handle({"do": "draw", "rows": [[1.0]]})


def test_a_table_of_ones_own() -> None:
    view = opened()
    rows = "\n".join(f"{i},{i * i},{'odd' if i % 2 else 'even'}" for i in range(40))
    view.handle({"do": "load", "text": f"a,b,kind\n{rows}"})
    seen = view.state()["shows"]
    assert seen["columns"] == ["a", "b"]
    assert set(seen["classes"]) == {"odd", "even"}
    assert seen["known"] == 30
    np.testing.assert_allclose(view.data.inputs.mean(axis=0), 0, atol=1e-9)
    view.handle({"do": "set", "name": "scaled", "value": False})
    assert view.data.inputs.max() > 100
    view.handle({"do": "step"})
    assert view.state()["said"] in ("unscaled", "diverges", "learning", "by-heart")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("1,2\n", "2 columns|rows"),
        ("a,b,c\n1,2,x\n" * 30, "is not a number|no number|number"),
        ("1,2,x\n1,2\n", "line 2 has 2 columns"),
        ("1,2,x\n" * 30, "1 different values"),
        ("\n".join(f"1,2,{i}" for i in range(50)), "50 different values"),
        ("x" * (own_data.CHARACTERS + 1), "at most"),
        ("1,2,x\n" * 20 + "1,2,y\n" * 6000, "rows"),
        ("nan,2,x\n" * 20 + "1,2,y\n" * 20, "nan"),
        (",".join("1" * 300) + "\n", "columns"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_learned_from_is_refused_with_a_reason(text, reason) -> None:
    view = opened()
    before = view.state()
    with pytest.raises(PellucidError, match=reason):
        view.handle({"do": "load", "text": text})
    assert plain(view.state()["shows"]["classes"]) == before["shows"]["classes"]


def test_the_table_to_try_is_one() -> None:
    known = own_data.from_csv(example_table())
    assert set(known.classes) == {"leaves", "buys"}
    assert known.columns == ("age", "income")


def test_the_network_is_taken_away_and_predicts_the_same(tmp_path) -> None:
    view = opened()
    for _ in range(3):
        view.handle({"do": "step"})
    packed = saved.file(view, "numpy")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed["base64"]))) as archive:
        assert sorted(archive.namelist()) == ["network.npz", "network.py"]
        archive.extractall(tmp_path)
    predict = runpy.run_path(str(tmp_path / "network.py"))["predict"]
    inputs = view.data.test_inputs
    ours = view.scores(inputs)
    np.testing.assert_allclose(np.asarray(predict(inputs)), ours, rtol=1e-6, atol=1e-9)
    view.handle({"do": "remove", "at": 2})
    with pytest.raises(ArgumentError, match="no network"):
        saved.file(view, "numpy")
