"""Chapter 7's network at three levels: values, gradients, lines and letters against the model itself."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from pellucid import Tensor, lab
from pellucid.book import chapter07
from pellucid.book.result import Result
from pellucid.errors import ArgumentError
from pellucid.lab.codec import plain
from pellucid.lab.networks import STARTS, networks, start_of
from pellucid.lab.view import View

NETWORKS = ("streetlights", "digits", "kernels")


def opened(network: str = "streetlights", **settings: object) -> View:
    view = lab.open_view("network")
    for name, value in {"network": network, **settings}.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def shown(view: View) -> dict:
    return plain(view.state()["shows"], lambda b: b.array)


def steps(view: View, count: int) -> View:
    for _ in range(count):
        view.handle({"do": "step"})
    return view


def test_the_streetlights_learned_as_in_the_chapter() -> None:
    passes = networks("streetlights").passes
    book = chapter07.lights_network(Result(watch=0), passes, seed=1, hidden=4)
    ours = start_of("streetlights", "learned", True, 1)
    for name, weight in book.named_parameters():
        np.testing.assert_allclose(ours[name], weight.numpy(), rtol=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
def test_predictions_and_gradients_are_the_models(network: str) -> None:
    view = opened(network)
    seen = shown(view)
    model = view.model
    prediction = model(Tensor(view.given()))
    loss = view.kind.loss(prediction, view.wanted())
    loss.backward()
    np.testing.assert_allclose(seen["prediction"], prediction.numpy()[0], rtol=1e-12)
    assert seen["loss"] == pytest.approx(loss.item())
    for name, weight in list(model.named_parameters()):
        gradient = weight.grad.numpy()
        view.handle({"do": "open", "weight": name})
        m = shown(view)["matrix"]
        assert m["steepest"] == pytest.approx(np.abs(gradient).max())
        assert m["largest"] == pytest.approx(np.abs(weight.numpy()).max())
        rows = len(weight) if weight.ndim > 1 else 1
        flat = gradient.reshape(rows, -1)
        place = rows - 1, flat.shape[1] - 1
        view.handle({"do": "pick", "row": place[0], "column": place[1]})
        m = shown(view)["matrix"]
        assert m["gradient"] == pytest.approx(flat[place], rel=1e-9, abs=1e-15)
        assert m["weight"] == weight.numpy().reshape(rows, -1)[place]


@pytest.mark.parametrize("network", NETWORKS)
def test_units_lines_and_blame_by_hand(network: str) -> None:
    view = opened(network)
    seen = shown(view)
    *_, hidden, output = seen["columns"]
    assert [u["value"] for u in output["units"]] == seen["prediction"]
    weight = list(view.model.parameters())[-2 if network != "streetlights" else -1].numpy()
    units = [u["at"] for u in hidden["units"] if u["at"] >= 0]
    np.testing.assert_array_equal(output["lines"][0]["slopes"], weight[:, units])
    if network == "streetlights":
        delta = np.array(seen["prediction"]) - seen["target"]
    else:
        powers = np.exp(np.array(seen["prediction"]))
        delta = powers / powers.sum() - np.eye(10)[int(seen["target"])]
    np.testing.assert_allclose([u["gradient"] for u in output["units"]], delta, atol=1e-12)
    values = [u["value"] for u in hidden["units"] if u["at"] >= 0]
    wanted = np.outer(delta, values)
    np.testing.assert_allclose(output["lines"][0]["gradients"], wanted, atol=1e-12)


def test_units_that_sleep_get_no_blame() -> None:
    hidden = shown(opened())["columns"][1]
    asleep = [u for u in hidden["units"] if u["value"] == 0]
    assert asleep
    assert all(u["gradient"] == 0 for u in asleep)


@pytest.mark.parametrize("network", NETWORKS)
def test_boxes_and_letters_tell_the_same_prediction(network: str) -> None:
    seen = shown(opened(network))
    assert seen["boxes"][-1]["numbers"] == seen["prediction"]
    assert [b["step"] for b in seen["boxes"]][:2] == [-1, 0]
    assert seen["boxes"][-1]["step"] == seen["depth"] - 1 == len(seen["letters"]["rows"]) - 1
    assert seen["letters"]["rows"][-1]["letter"] == "y"
    assert seen["letters"]["rows"][-1]["numbers"] == seen["prediction"][:4]
    assert [w["name"] for w in seen["letters"]["legend"]][1] == "0.weight"
    assert len(seen["columns"]) == seen["depth"] + 1


@pytest.mark.parametrize("network", NETWORKS)
def test_a_round_predicts_compares_blames_and_learns(network: str) -> None:
    view = opened(network, begin="random")
    before = {n: p.numpy().copy() for n, p in view.model.named_parameters()}
    depth, loss = view.depth(), shown(view)["loss"]
    said = [view.state()["said"]]
    for _ in range(depth + 2):
        view.handle({"do": "step"})
        said.append(view.state()["said"])
    assert said[0].startswith("says")
    assert said[1].startswith("compare")
    assert all(s.startswith("blame") for s in said[2:-1])
    assert said[-1] in ("learned", "worse")
    model = view.kind.build(True)
    model.load_state_dict(before)
    view.kind.loss(model(Tensor(view.given())), view.wanted()).backward()
    for (name, weight), now in zip(before.items(), view.model.parameters(), strict=True):
        gradient = dict(model.named_parameters())[name].grad.numpy()
        np.testing.assert_allclose(now.numpy(), weight - 0.02 * gradient, atol=1e-12)
    assert view.losses[0] == pytest.approx(loss)
    assert view.losses[1] == pytest.approx(shown(view)["loss"])
    view.handle({"do": "step"})
    assert shown(view)["example"] == 1
    assert shown(view)["phase"] == 0
    view.handle({"do": "back"})
    view.handle({"do": "back"})
    for name, now in view.model.named_parameters():
        np.testing.assert_array_equal(now.numpy(), before[name])


@pytest.mark.parametrize("network", ["streetlights", "digits"])
def test_without_relu_two_matrices_are_one(network: str) -> None:
    view = opened(network, relu=False)
    state = view.state()
    assert state["said"] == "straight"
    _, values = view.sentence()
    assert values["difference"] < 1e-12
    assert values["one"] == pytest.approx(max(state["shows"]["prediction"]))


@pytest.mark.parametrize("network", NETWORKS)
def test_from_zeros_nothing_is_learned(network: str) -> None:
    view = opened(network, begin="zeros")
    for _ in range(8 * view.depth()):
        view.handle({"do": "step"})
    for name, weight in view.model.named_parameters():
        assert not (weight.numpy().any() and name.endswith("weight"))
    while view.phase < view.depth():
        view.handle({"do": "step"})
    assert view.state()["said"] in ("zeros", "perfect")


def test_a_large_lr_goes_too_far() -> None:
    view = opened(begin="random", lr=10.0)
    for _ in range(40):
        view.handle({"do": "step"})
        if view.state()["said"] == "worse":
            break
    assert view.losses[1] > view.losses[0]


@pytest.mark.parametrize("network", NETWORKS)
def test_numbers_that_are_lost_are_told_and_do_no_harm(network: str) -> None:
    view = opened(network, begin="random", lr=10.0)
    for weight in view.model.parameters():
        weight.data[...] = 1e200  # as after a few steps that went much too far
    state = view.state()
    assert state["said"] == "lost"
    assert not state["can"]["step"]
    view.handle({"do": "set", "name": "level", "value": "layers"})
    for box in shown(view)["boxes"]:
        assert isinstance(box["picture"], int) or np.isfinite(box["picture"]).all()


def test_units_that_were_thrown_below_zero_all_sleep() -> None:
    view = opened()
    view.model[0].weight.data[...] = -1.0
    state = view.state()
    assert state["said"] == "asleep"
    assert "All 4 hidden units sleep: the largest of their sums is −2" in state["say"]


def test_a_light_can_be_switched_and_a_weight_dragged() -> None:
    view = opened()
    view.handle({"do": "light", "index": 1})
    assert [u["value"] for u in shown(view)["columns"][0]["units"]] == [1, 1, 1]
    for value in (0.3, 0.5, 0.75):
        view.handle({"do": "edit", "row": 1, "column": 2, "value": value})
    assert shown(view)["matrix"]["weight"] == 0.75
    w1, w2 = (p.numpy() for p in view.model.parameters())
    by_hand = np.maximum(np.ones(3) @ w1.T, 0) @ w2.T
    np.testing.assert_allclose(shown(view)["prediction"], by_hand, rtol=1e-12)
    view.handle({"do": "next_example"})
    view.handle({"do": "edit", "row": 0, "column": 0, "value": 1e9})
    assert shown(view)["matrix"]["weight"] == 100


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"do": "open", "weight": "7.weight"}, "the network has no 7.weight; it has: 0.weight"),
        ({"do": "pick", "row": 4, "column": 0}, "0.weight has 4 rows of 3"),
        ({"do": "light", "index": 3}, "three lights"),
    ],
)
def test_what_is_not_there_is_refused(message: dict, why: str) -> None:
    with pytest.raises(ArgumentError, match=why):
        opened().handle(message)
    with pytest.raises(ArgumentError, match="three lights"):
        opened("digits").handle({"do": "light", "index": 0})


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("begin", STARTS)
def test_its_program_prints_the_same(network: str, begin: str) -> None:
    view = opened(network, begin=begin, relu=begin != "random", lr=0.05)
    if network == "streetlights":
        view.handle({"do": "light", "index": 0})
    steps(view, 2 * view.depth() + 4)
    view.handle({"do": "open", "weight": list(dict(view.model.named_parameters()))[-1]})
    view.handle({"do": "edit", "row": 0, "column": 1, "value": 0.25})
    steps(view, 2 * view.depth() + 2)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(view.python(), {})
    prediction, loss, slopes = printed.getvalue().splitlines()
    seen = shown(view)
    np.testing.assert_allclose(
        [float(n) for n in prediction.split()], seen["prediction"], rtol=1e-9, atol=1e-12
    )
    assert float(loss) == pytest.approx(seen["loss"], rel=1e-9, abs=1e-15)
    _, rows = view.table()
    assert float(slopes) == pytest.approx(sum(abs(r[3]) for r in rows), rel=1e-9, abs=1e-15)
