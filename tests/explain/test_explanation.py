"""pellucid.explain: the program's numbers are the engine's; the narration, the table, the page's data."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

import pellucid
from pellucid import Tensor, nn, optim, relu
from pellucid.errors import ArgumentError
from pellucid.explain import Explanation
from pellucid.explain.figures import figure, plain
from pellucid.explain.page import page
from pellucid.explain.said import LANGUAGES, meaning, texts
from pellucid.ops.base import OPS


def streetlights() -> tuple[Any, tuple[Tensor, Tensor], dict[str, Tensor]]:
    """Chapter 6's network on one light."""
    r = np.random.RandomState(1)
    weights_0_1 = Tensor(2 * r.random_sample((3, 4)) - 1, requires_grad=True)
    weights_1_2 = Tensor(2 * r.random_sample((4, 1)) - 1, requires_grad=True)
    optimizer = optim.SGD([weights_0_1, weights_1_2], lr=0.2)

    def step(lights: Tensor, walk: Tensor) -> Tensor:
        layer_1 = relu(lights @ weights_0_1)
        layer_2 = layer_1 @ weights_1_2
        error = ((layer_2 - walk) ** 2).sum()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        return error

    inputs = Tensor(np.array([[1.0, 0.0, 1.0]])), Tensor(np.array([[1.0]]))
    return step, inputs, {"weights_0_1": weights_0_1, "weights_1_2": weights_1_2}


class Net(nn.Module):
    """A layer, a bend, a layer that draws from the generator, a layer."""

    def __init__(self) -> None:
        self.hidden = nn.Linear(64, 20)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(20, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.dropout(relu(self.hidden(images))))


class Pictures(nn.Module):
    """A small convolutional network."""

    def __init__(self) -> None:
        self.kernels, self.pool, self.output = nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Linear(18, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.pool(relu(self.kernels(images))).flatten(1))


class Talk(nn.Module):
    """Words, a memory, scores for the word after the last."""

    def __init__(self) -> None:
        self.words, self.memory, self.output = nn.Embedding(9, 4), nn.RNN(4, 5), nn.Linear(5, 9)

    def forward(self, ids: Tensor) -> Tensor:
        return self.output(self.memory(self.words(ids))[0][-1])


def learning(model: nn.Module, optimizer: Any = None) -> Any:
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    def step(inputs: Tensor, targets: Tensor) -> Tensor:
        prediction = model(inputs)
        loss = criterion(prediction, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def numbers(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=shape).astype(np.float32))


def ids(most: int, *shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).integers(0, most, shape))


NETS: dict[str, Any] = {
    "digits": lambda: (Net(), (numbers(5, 64), ids(10, 5))),
    "pictures": lambda: (Pictures(), (numbers(2, 1, 8, 8), ids(3, 2))),
    "talk": lambda: (Talk(), (ids(9, 6, 3), ids(9, 3))),
}


def explained(name: str) -> tuple[nn.Module, Any, Any, Explanation]:
    pellucid.manual_seed(4)
    model, inputs = NETS[name]()
    step = learning(model)
    explanation: Explanation = pellucid.explain(step)(*inputs)
    return model, step, inputs, explanation


# ------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("name", NETS)
def test_the_numbers_are_the_engines(name: str) -> None:
    model, step, inputs, explanation = explained(name)
    before = {n: p.numpy().copy() for n, p in model.named_parameters()}
    loss = step(*inputs)  # everything was put back, so this is the step that was explained
    assert explanation.loss == loss.item()
    for path, parameter in model.named_parameters():
        called = path.replace(".", "_")
        assert np.array_equal(explanation.given[called], before[path])
        assert np.array_equal(explanation.value(f"d_{called}"), parameter.grad)
        assert np.array_equal(explanation.value(called), parameter.numpy())


def test_every_value_on_the_way_is_the_engines() -> None:
    step, (lights, walk), weights = streetlights()
    explanation = pellucid.explain(step)(lights, walk)
    layer_1 = relu(lights @ weights["weights_0_1"])
    layer_2 = layer_1 @ weights["weights_1_2"]
    layer_2.retain_grad()
    error = ((layer_2 - walk) ** 2).sum()
    error.backward()
    for name, tensor in {"layer_1": layer_1, "layer_2": layer_2, "error": error}.items():
        assert np.array_equal(explanation.value(name), tensor.numpy())
    ran = {o.name: o for o in explanation.operations}
    assert [o.name for o in explanation.operations] == [
        "matmul", "relu", "matmul", "sub", "square", "sum",
    ]  # fmt: skip
    assert layer_2.grad is not None
    assert np.array_equal(ran["matmul"].gradient, layer_2.grad.numpy())


def test_a_step_is_not_taken() -> None:
    step, inputs, weights = streetlights()
    before = {n: w.numpy().copy() for n, w in weights.items()}
    pellucid.explain(step)(*inputs)
    assert all(np.array_equal(w.numpy(), before[n]) for n, w in weights.items())
    assert all(w.grad is None for w in weights.values())


def test_lines_know_what_they_are_about() -> None:
    step, inputs, _ = streetlights()
    lines = pellucid.explain(step)(*inputs).lines
    assert [(line.part, line.kind, line.about) for line in lines] == [
        ("predict", "forward", "layer_1"),
        ("predict", "forward", "layer_2"),
        ("compare", "forward", "difference"),
        ("compare", "forward", "error"),
        ("learn", "gradient", "difference"),
        ("learn", "gradient", "weights_1_2"),
        ("learn", "gradient", "layer_1"),
        ("learn", "gradient", "weights_0_1"),
        ("learn", "update", "weights_0_1"),
        ("learn", "update", "weights_1_2"),
    ]
    assert [o.name for o in lines[0].operations] == ["matmul", "relu"]
    assert next(line for line in lines if line.name == "d_layer_1").at == "matmul"


def test_places_are_those_of_the_source() -> None:
    explanation = explained("talk")[3]
    source = explanation.program.source.splitlines()
    for line in explanation.lines:
        first, last = line.place
        assert "\n".join(text[4:] for text in source[first - 1 : last]) == line.text


def test_a_prediction_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    explanation = pellucid.explain(model)(pellucid.ones(1, 3))
    (line,) = explanation.lines
    assert line.kind == "forward"
    assert line.text.startswith("return np.tanh(")
    assert [o.name for o in line.operations] == ["linear", "tanh"]
    assert np.array_equal(line.after["answer"], model(pellucid.ones(1, 3)).numpy())
    assert explanation.loss is None
    assert "One run of predict" in str(explanation)
    assert explanation.model["parts"] == ["predict"]


def test_memory_of_an_optimiser() -> None:
    model = nn.Linear(3, 2)
    step = learning(model, optim.Adam(model.parameters(), lr=0.1))
    inputs = numbers(4, 3), ids(2, 4)
    step(*inputs)
    explanation = pellucid.explain(step)(*inputs)
    update = next(line for line in explanation.lines if line.kind == "update")
    assert update.makes[0] == "weight"
    assert not np.array_equal(update.before["weight_mean"], update.after["weight_mean"])
    step(*inputs)
    assert np.array_equal(explanation.value("weight"), model.weight.numpy())


def test_what_cannot_be_written_cannot_be_explained() -> None:
    def step(x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x

    with pytest.raises(ArgumentError, match="Python asks whether a tensor is true"):
        pellucid.explain(step)(pellucid.ones(2))


# -------------------------------------------------------------------------------------- in a terminal


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NETS)
def test_the_narration_fits_a_terminal(name: str, language: str) -> None:
    explanation = explained(name)[3]
    told = explanation.narrate(language)
    program = {f"  {text}" for line in explanation.lines for text in line.text.splitlines()}
    assert all(cell_len(line) <= 80 for line in told.splitlines() if line not in program)
    assert all(cell_len(line) <= 80 for line in explanation.table().splitlines())
    for line in explanation.lines:
        assert f"  {line.text.splitlines()[0]}" in told


def test_the_narration_says_what_happens() -> None:
    step, inputs, _ = streetlights()
    explanation = pellucid.explain(step)(*inputs)
    told = str(explanation)
    assert told.startswith("One step: predict, compare, learn\n")
    assert "relu: x where it is positive, 0 elsewhere. (1, 4) -> (1, 4)" in told
    assert "3 of 4 are 0: these units are asleep." in told
    assert "Most to blame: d_layer_1[0, 1]" in told
    assert re.search(r"weights_0_1\[0, 1\]\s+from 0\.4406 to", told)
    table = explanation.table().splitlines()
    assert table[0].split() == ["operation", "layer", "in", "out", "values", "gradients"]
    assert len(table) == 2 + len(explanation.operations)


def test_a_language_that_is_not_spoken() -> None:
    step, inputs, _ = streetlights()
    with pytest.raises(ArgumentError, match="there are en, zh-CN"):
        pellucid.explain(step)(*inputs).narrate("fr")


def test_both_languages_have_all_words() -> None:
    english, chinese = texts("en"), texts("zh-CN")
    for table in english:
        assert set(english[table]) == set(chinese[table])
        for key, words in english[table].items():
            gaps = re.findall(r"\{\w+\}", words)
            assert sorted(gaps) == sorted(re.findall(r"\{\w+\}", chinese[table][key])), key
    own = {n for n, op in OPS.items() if op.__module__.startswith("pellucid.")}
    assert set(chinese["meaning"]) == own
    assert meaning("relu", "en") == "x where it is positive, 0 elsewhere."


# ----------------------------------------------------------------------------------------- the page


def test_figures_lose_no_digit() -> None:
    array = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    shown = json.loads(json.dumps(figure(array)))
    assert np.array_equal(np.array(shown["numbers"], np.float32), array)
    large = np.arange(400.0).reshape(20, 20)
    shown = figure(large)
    assert shown["numbers"][-1][-1] == 399.0
    assert np.array_equal(shown["numbers"], large[np.ix_(shown["rows"], shown["columns"])])
    assert figure(np.array([np.nan, np.inf, 1.0]))["numbers"] == [["NaN", "Infinity", 1.0]]
    assert figure(np.zeros((0, 3)))["numbers"] == []
    assert plain(np.float32(1e-45)) == float(str(np.float32(1e-45)))


@pytest.mark.parametrize("name", NETS)
def test_the_pages_numbers_are_the_engines(name: str) -> None:
    model, step, inputs, explanation = explained(name)
    data = json.loads(json.dumps(explanation.model, allow_nan=False))
    loss = step(*inputs)
    after = {n: f for line in data["lines"] for n, f in line["after"].items()}
    assert np.float32(after["loss"]["numbers"][0][0]) == np.float32(loss.item())
    for path, parameter in model.named_parameters():
        for called, array in (
            (path.replace(".", "_"), parameter.numpy()),
            (f"d_{path.replace('.', '_')}", np.asarray(parameter.grad)),
        ):
            shown = after[called]
            assert shown["shape"] == list(array.shape)
            matrix = np.atleast_2d(array[(0,) * (array.ndim - 2)] if array.ndim > 2 else array)
            part = matrix[np.ix_(shown["rows"], shown["columns"])]
            assert np.array_equal(np.array(shown["numbers"], array.dtype), part)


def test_picture_program_and_gradients_are_linked() -> None:
    explanation = explained("digits")[3]
    data = explanation.model
    nodes = {node["name"]: node for node in data["nodes"]}
    lines = data["lines"]
    assert nodes["images" if "images" in nodes else "inputs"]["line"] is None
    for name, node in nodes.items():
        if node["line"] is not None:
            assert lines[node["line"]]["about"] == name
        for gradient in node["gradients"]:
            assert lines[gradient["line"]]["belongs"][gradient["name"]] == name
    levels = {name: node["level"] for name, node in nodes.items()}
    assert all(levels[e["from"]] < levels[e["to"]] for e in data["edges"])
    tied = [e for e in data["edges"] if "weight" in e]
    assert {e["weight"] for e in tied} == {"hidden_weight", "output_weight"}
    assert {e["by"] for e in tied} == {"columns"}


def test_a_gradient_that_needs_no_line_is_found() -> None:
    weight = pellucid.tensor([[2.0]], requires_grad=True)

    def step(x: Tensor) -> Tensor:
        y = x @ weight
        error = (y * y).sum() / 2
        error.backward()
        return error

    data = pellucid.explain(step)(pellucid.tensor([[3.0]])).model
    node = next(n for n in data["nodes"] if n["name"] == "y")
    assert node["gradients"] or node["engine"]["numbers"] == [[6.0]]


def test_a_page_is_whole_and_safe(tmp_path: Path) -> None:
    explanation = explained("digits")[3]
    path = explanation.save(tmp_path / "step")
    assert path.name == "step.html"
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)\s*=|url\(|@import|import\(|\bfrom ['"]""", text)
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg|http-equiv", "", text)
    assert "default-src &#x27;none&#x27;" in text
    assert "unsafe" not in text
    evil = {**copy.deepcopy(explanation.model), "title": "</script><b>x</b> & \u2028"}
    made = page(evil)
    assert "</script><b>" not in made
    assert "<b>x</b>" not in made
    data = re.search(r'id="data">(.*?)</script>', made, re.S)
    assert data is not None
    assert json.loads(data[1])["title"] == evil["title"]


def test_other_endings_and_languages_are_refused(tmp_path: Path) -> None:
    step, inputs, _ = streetlights()
    explanation = pellucid.explain(step)(*inputs)
    with pytest.raises(ArgumentError, match=r"end step\.png in \.html"):
        explanation.save(tmp_path / "step.png")
    with pytest.raises(ArgumentError, match="not spoken"):
        explanation.save(tmp_path / "step.html", language="fr")
    assert '<html lang="zh-CN">' in explanation.save(tmp_path / "zh", "zh-CN").read_text("utf-8")


def test_in_a_notebook() -> None:
    step, inputs, _ = streetlights()
    framed = pellucid.explain(step)(*inputs)._repr_html_()
    assert framed.startswith('<iframe sandbox="allow-scripts"')
    assert framed.count("<") == 2  # the frame alone: what is in it is an attribute's text


def test_the_package_can_be_called_and_still_holds_its_parts() -> None:
    import pellucid.explain.drawing

    assert callable(pellucid.explain)
    assert pellucid.explain.drawing.LEVELS
    assert repr(pellucid.explain(nn.Linear(1, 1))(pellucid.ones(1, 1))).startswith(
        "<explanation of"
    )


def test_a_rule_that_changes_what_lasts() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    inputs = numbers(5, 3), ids(2, 5)
    step = learning(model)
    explanation = pellucid.explain(step)(*inputs)
    line = next(x for x in explanation.lines if "batch_norm" in x.text)
    assert "running_mean_2" in line.makes
    assert not line.before["running_mean_2"].any()
    step(*inputs)
    buffers = dict(model.named_buffers())
    assert np.array_equal(line.after["running_mean_2"], buffers["1.running_mean"].numpy())


def test_an_update_that_changes_nothing() -> None:
    weight = pellucid.zeros(2, requires_grad=True)
    optimizer = optim.Adam([weight])

    def step(x: Tensor) -> Tensor:
        loss = (x * weight * 0).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    explanation = pellucid.explain(step)(pellucid.ones(2))
    assert explanation.lines[-1].name == "weight"
    assert "weight stays as it is" in str(explanation)


def test_a_small_change_is_seen() -> None:
    weight = pellucid.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([weight], lr=1e-6)

    def step(x: Tensor) -> Tensor:
        loss = (x * weight).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    assert "weight[0] from 1 to 0.999999." in str(pellucid.explain(step)(pellucid.ones(1)))
