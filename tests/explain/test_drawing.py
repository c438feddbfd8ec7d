"""Networks drawn as neurons, layers and letters: what is drawn is what ran."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

import pellucid
from pellucid import Tensor, nn, ops
from pellucid.errors import ArgumentError
from pellucid.explain.drawing import Drawing
from pellucid.explain.drawing_layers import boxes_of
from pellucid.explain.drawing_letters import Letters, _formula
from pellucid.explain.drawing_neurons import columns_of
from pellucid.explain.drawing_parts import kept, steps_of
from pellucid.nn.recording import record
from pellucid.nn.sample import sample_inputs

LEVELS = ("neurons", "layers", "letters")


class Residual(nn.Module):
    """A way past a layer."""

    def __init__(self) -> None:
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.out = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x).relu()
        return self.out(h + self.second(h).tanh()).softmax(-1)


class Talk(nn.Module):
    """Words in, scores out."""

    def __init__(self) -> None:
        self.words = nn.Embedding(20, 6)
        self.memory = nn.LSTM(6, 8, batch_first=True)
        self.say = nn.Linear(8, 20)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.memory(self.words(ids))
        return self.say(states.tanh() * 0.5)


MODELS: dict[str, Any] = {
    "lights": lambda: nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 1)),
    "digits": lambda: nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Dropout(), nn.Linear(128, 10)),
    "images": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)
    ),
    "residual": Residual,
    "talk": Talk,
    "transformer": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2
    ),
    "attention": lambda: nn.MultiheadAttention(8, 2),
    "gru": lambda: nn.GRU(3, 4, bidirectional=True),
    "linear": lambda: nn.Linear(2, 1),
}  # fmt: skip


def model(name: str) -> Any:
    pellucid.manual_seed(1)
    return MODELS[name]()


def words(drawing: Drawing) -> str:
    """Everything that can be read in the picture."""
    root = ET.fromstring(drawing.svg)
    return " ".join("".join(e.itertext()) for e in root.iter() if e.tag.endswith(("text", "title")))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", MODELS)
def test_any_model_at_any_level(name: str, level: str) -> None:
    made = model(name)
    plain = made.draw(level)
    full = made.draw(level, inputs=sample_inputs(made, rows=1))
    for drawing in (plain, full):
        root = ET.fromstring(drawing.svg)
        assert root.tag.endswith("svg")
        assert float(root.attrib["width"]) > 100
        assert "nan" not in drawing.svg
        assert max(map(cell_len, str(drawing).splitlines())) <= 80
    assert str(plain) != str(full)
    assert plain.svg != full.svg


def test_a_drawing_for_notebooks_files_and_terminals(tmp_path: Path) -> None:
    drawing = model("lights").draw("layers")
    assert drawing._repr_svg_() == drawing.svg
    assert drawing.save(tmp_path / "net").read_text() == drawing.svg
    assert (tmp_path / "net.svg").exists()
    assert repr(drawing) == (
        "<drawing of a network, level 'layers': print it, or .save('net.svg')>"
    )
    with pytest.raises(ArgumentError, match=r"end net\.png in \.svg"):
        drawing.save(tmp_path / "net.png")
    with pytest.raises(ArgumentError, match="neurons, layers, letters, not 'atoms'"):
        model("lights").draw("atoms")


def test_what_cannot_be_found_out_is_asked_for() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Linear(3, 1), nn.Linear(4, 1)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.a(x) + self.b(y)

    with pytest.raises(ArgumentError, match="inputs=x"):
        Two().draw()
    drawn = str(Two().draw(inputs=(pellucid.ones(1, 3), pellucid.ones(1, 4))))
    assert "from a and b" in drawn


# ------------------------------------------------------------------------------------------ neurons


def columns(name: str, inputs: Any = None) -> list[Any]:
    made = model(name)
    return columns_of(record(made, inputs if inputs is not None else sample_inputs(made, rows=1)))


def test_the_lines_of_a_linear_layer_are_its_weights() -> None:
    made = model("lights")
    x, hidden, y = columns_of(record(made, pellucid.tensor([[1.0, 0.0, 1.0]])))
    ((source, slopes),) = hidden.lines
    assert source is x
    np.testing.assert_allclose(slopes, made[0].weight.numpy())
    np.testing.assert_allclose(y.lines[0][1], made[2].weight.numpy())
    drawing = made.draw("neurons")
    assert drawing.svg.count("<line ") == 16
    assert drawing.svg.count("<circle ") == 8
    assert f"x[0] to 0[0]: {made[0].weight.numpy()[0, 0]:.3g}" in words(drawing)


def test_the_lines_of_a_convolution_are_its_kernel() -> None:
    made = model("images")
    image, convolved, pooled, _ = columns("images")
    kernel = made[0].weight.numpy()[0, 0]
    slopes = convolved.lines[0][1]  # places 0 to 4 of the first row, and the last
    np.testing.assert_allclose(slopes[1, :3], kernel[1, :], rtol=1e-6)
    assert slopes[0, 2] == 0  # too far away
    assert set(np.unique(pooled.lines[0][1])) <= {0, 1}
    assert convolved.size == 256
    assert image.size == 64


def test_of_many_units_a_few_are_drawn_and_it_is_said() -> None:
    drawing = model("digits").draw("neurons")
    assert "784 units, 6 drawn" in words(drawing)
    assert "⋮" in words(drawing)
    assert "⋮" in str(drawing)
    assert "784 units" in str(drawing)
    assert "as far as they are drawn" in str(drawing)
    assert kept(9, 5, 8) == [0, 1, 2, 3, 4, None, 8]
    assert kept(8, 5, 8) == list(range(8))


def test_values_stand_in_the_units() -> None:
    made = model("lights")
    x = pellucid.tensor([[1.0, 0.0, 1.0]])
    hidden = np.maximum(x.numpy() @ made[0].weight.numpy().T, 0)[0]
    drawing = made.draw("neurons", inputs=x)
    for number in hidden:
        assert f"● {number:.3g}" in str(drawing)
        assert f"{number:.3g}" in words(drawing)
    assert "●\n" not in str(drawing)


def test_a_way_past_is_drawn_from_where_it_starts() -> None:
    by_name = {c.name: c for c in columns("residual")}
    sources = [source.name for source, _ in by_name["add"].lines]
    assert sources == ["first", "second"]
    np.testing.assert_array_equal(by_name["add"].lines[0][1], np.eye(4))
    assert by_name["add"].depth == by_name["second"].depth + 1
    assert "each passes one number on as it is" in str(model("residual").draw("neurons"))


def test_words_are_joined_to_their_rows() -> None:
    ids, row = columns("talk")[:2]
    assert (ids.size, row.size) == (5, 30)
    assert row.lines[0][1][0].tolist() == [1, 0, 0, 0, 0]  # the first number is of the first word
    assert row.lines[0][1][-1].tolist() == [0, 0, 0, 0, 1]


# ------------------------------------------------------------------------------------------- layers


def test_layers_with_shapes_and_weights() -> None:
    drawing = model("images").draw("layers")
    said = str(drawing)
    for line in (
        "0: Conv2d(1 -> 4, kernel_size=(3, 3), padding=(1, 1))",
        "(1, 4, 8, 8)",
        "    weight (4, 1, 3, 3),  bias (4,)",
        "3: Flatten()",
        "4: Linear(64 -> 3)",
    ):
        assert line in said
    assert "4×1×3×3" in words(drawing)
    assert drawing.svg.count("<path d=") - 1 == 5  # an arrow between each two, and the arrow's head


def test_a_layer_of_many_operations_is_one_box() -> None:
    made = model("talk")
    boxes = boxes_of(record(made, sample_inputs(made, rows=1)))
    assert [box.name for box in boxes] == ["ids", "words", "memory", "tanh", "mul", "say"]
    assert [v.name for v in boxes[2].weights] == [
        f"memory.{w}_l0" for w in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]


def test_modules_in_modules_are_framed() -> None:
    drawing = model("transformer").draw("layers")
    assert "layers.0: TransformerEncoderLayer" in words(drawing)
    assert "layers.0:\n  layers.0.self_attn: MultiheadAttention(8, 2 heads)" in str(drawing)
    assert "▼   from src and layers.0.dropout1" in str(drawing)


def test_values_flow_through_the_layers() -> None:
    made = model("lights")
    drawing = made.draw("layers", inputs=pellucid.tensor([[1.0, 0.0, 1.0]]))
    said = made(pellucid.tensor([[1.0, 0.0, 1.0]])).item()
    assert str(drawing).endswith(f"= {said:.3g}")
    assert f"2[0] = {said:.3g}" in words(drawing)
    assert "= " not in str(made.draw("layers")).replace("=False", "")


# ------------------------------------------------------------------------------------------ letters


@pytest.mark.parametrize("name", ["lights", "digits", "images", "residual", "talk", "transformer"])
def test_the_code_runs_and_predicts_the_same(name: str) -> None:
    made = model(name).eval()
    recording = record(made, sample_inputs(made, rows=1))
    steps = steps_of(recording)
    letters = Letters(recording, steps)
    names: dict[str, Any] = {n: getattr(ops, n) for n in dir(ops)}
    for value in (*recording.inputs, *letters.weights):
        names[letters.code(value)] = Tensor(value.numbers)
    for step in steps:
        line = _formula(step, letters.code, 1)
        names[letters.code(step.result)] = made_of = eval(line, {}, names)
        np.testing.assert_allclose(made_of.numpy(), step.result.numbers, rtol=1e-4, atol=1e-6)


def test_algebra_beside_code() -> None:
    said = str(model("residual").draw("letters"))
    assert "h₁ = relu(x W₀ᵀ + b₀)" in said
    assert "h1 = relu(x @ W0.T + b0)" in said
    assert "h₃ = h₁ + h₂" in said
    assert re.search(r"^W₁ +second\.weight +\(4, 4\)$", said, re.M)


def test_each_letter_is_linked_wherever_it_stands() -> None:
    svg = model("lights").draw("letters").svg
    root = ET.fromstring(svg)
    spans = [e for e in root.iter() if e.tag.endswith("tspan")]
    linked = [e.text for e in spans if e.attrib["class"] == "l l-W0"]
    assert linked == ["W₀", "W0", "W₀"]  # algebra, code, legend
    assert "svg:has(.l-W0:hover) .l-W0" in svg
    rows = [e for e in root.iter() if e.attrib.get("class") == "row"]
    assert len(rows) == 2
    assert ".row:hover rect" in svg


def test_dropout_is_not_written_for_it_does_nothing() -> None:
    assert "dropout" not in str(model("digits").draw("letters"))
    assert "dropout" not in str(model("digits").draw("neurons"))
    assert "2: Dropout(p=0.5)" in str(model("digits").draw("layers"))
