"""Networks taken elsewhere predict the same there: NumPy, PyTorch, ONNX; and whole models in a file."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn
from pellucid.errors import ArgumentError, CheckpointError, DataError, MissingExtraError
from pellucid.io.exporting import numpy_helpers, numpy_script, onnx_file, onnx_rules, torch_module
from pellucid.io.model import MODEL, build, describe
from pellucid.io.tensors import read, write
from pellucid.ops.base import OPS, Op

ENDING = {"numpy": "net.py", "torch": "net.py", "onnx": "net.onnx"}
HAVE = {"numpy": True, "torch": bool(find_spec("torch")), "onnx": bool(find_spec("onnxruntime"))}
RULES = {"numpy": numpy_script.RULES, "torch": torch_module.RULES, "onnx": onnx_rules.RULES}
everywhere = pytest.mark.parametrize(
    "to",
    [
        pytest.param(to, marks=pytest.mark.skipif(not here, reason="not here"))
        for to, here in HAVE.items()
    ],
)

# layers, and a shape that each takes; with int, ids
LAYERS: dict[str, tuple[int, ...]] = {
    "Linear(2, 3)": (4, 2),
    "Linear(2, 3, bias=False)": (4, 5, 2),
    "Identity()": (2, 3),
    "Flatten()": (2, 3, 4),
    "Flatten(0, 1)": (2, 3, 4),
    "Unflatten(1, (2, 3))": (4, 6),
    "Conv1d(2, 4, 3)": (2, 2, 5),
    "Conv1d(2, 4, 4, padding='same', dilation=2)": (2, 2, 9),
    "Conv2d(2, 4, (3, 1), stride=2, groups=2, bias=False)": (2, 2, 5, 5),
    "Conv2d(2, 4, 3, padding=1, padding_mode='reflect')": (2, 2, 6, 6),
    "Conv2d(2, 3, 3)": (2, 5, 5),
    "ConvTranspose1d(2, 4, 3)": (2, 2, 5),
    "ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2)": (2, 4, 5, 4),
    "MaxPool1d(3, 1, 1, 2)": (2, 2, 9),
    "MaxPool2d(3, 2, 1, ceil_mode=True)": (2, 2, 7, 8),
    "AvgPool1d(2)": (2, 2, 5),
    "AvgPool2d(3, 2, 1, ceil_mode=True)": (2, 2, 7, 8),
    "AvgPool2d(3, 2, 1, count_include_pad=False)": (2, 2, 7, 8),
    "AvgPool2d(2, divisor_override=3)": (1, 2, 5, 5),
    "AdaptiveAvgPool2d(2)": (1, 2, 5, 5),
    "AdaptiveMaxPool1d(3)": (1, 2, 5),
    "BatchNorm1d(3)": (4, 3),
    "BatchNorm1d(3, affine=False)": (4, 3),
    "BatchNorm1d(3, track_running_stats=False)": (4, 3, 2),
    "BatchNorm2d(3)": (4, 3, 2, 2),
    "LayerNorm(5)": (2, 5),
    "LayerNorm(5, elementwise_affine=False)": (2, 5),
    "RMSNorm((2, 3), eps=0.1)": (4, 2, 3),
    "GroupNorm(2, 4)": (2, 4, 3),
    "InstanceNorm1d(3)": (2, 3, 4),
    "Embedding(7, 3, padding_idx=1)": (2, 5),
    "EmbeddingBag(7, 3, mode='sum')": (2, 5),
    "EmbeddingBag(7, 3, mode='max')": (2, 5),
    "RNN(3, 4, nonlinearity='relu', bias=False)": (5, 2, 3),
    "GRU(3, 4, 2, bidirectional=True)": (5, 2, 3),
    "LSTM(3, 4, 2, bidirectional=True, batch_first=True)": (2, 5, 3),
    "LSTM(3, 4, bias=False)": (5, 2, 3),
    "RNNCell(3, 4)": (2, 3),
    "GRUCell(3, 4)": (2, 3),
    "LSTMCell(3, 4)": (2, 3),
    "MultiheadAttention(8, 2)": (5, 2, 8),
    "TransformerEncoderLayer(4, 2, 3, batch_first=True)": (2, 5, 4),
    "TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 3, norm_first=True, activation='gelu'), 2)": (
        5, 2, 4,
    ),
    "Dropout(0.1)": (2, 3),
    "PReLU(3)": (2, 3),
    "Softmax(1)": (2, 3),
    "Softmin(0)": (2, 3),
    "GLU()": (2, 4),
    "GELU('tanh')": (2, 3),
    "Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), "
    "nn.Dropout(), nn.Flatten(), nn.Linear(64, 3), nn.LogSoftmax(-1))": (2, 1, 8, 8),
}  # fmt: skip


def layer(code: str) -> Any:
    pellucid.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(f"nn.{code}", {"nn": nn})


def inputs_for(code: str, shape: tuple[int, ...]) -> Any:
    r = np.random.default_rng(0)
    if code.startswith("Emb"):
        return r.integers(0, 7, shape)
    x = Tensor(r.normal(size=shape).astype(np.float32))
    return (x, x, x) if code.startswith("Multihead") else x


# ------------------------------------------------------------------------------- the same predictions


@everywhere
@pytest.mark.parametrize("code", LAYERS)
def test_layers_predict_the_same(code: str, to: str, tmp_path: Path) -> None:
    done = pellucid.export(
        layer(code), tmp_path / ENDING[to], to, inputs=inputs_for(code, LAYERS[code])
    )
    assert done.difference is not None
    assert done.difference < 1e-5
    assert all(file.exists() for file in done.files)


class Called(nn.Module):
    """A model that is one operation; weights of recurrent layers are its parameters."""

    def __init__(self, op: Op, inputs: tuple[Any, ...], settings: dict[str, Any]) -> None:
        self.op, self.given, self.settings = op, inputs, settings
        self.fixed = [nn.Parameter(x) for x in inputs[1:]] if op.name.endswith("_layer") else []

    def forward(self, *arrays: Tensor) -> Tensor:
        rest = iter([*arrays, *self.fixed])
        inputs = [next(rest) if hasattr(x, "dtype") else x for x in self.given]
        if self.op.variadic is not None:
            return self.op(inputs, **self.settings)
        return self.op(**dict(zip(self.op.inputs, inputs, strict=False)), **self.settings)

    def arrays(self) -> tuple[Any, ...]:
        arrays = tuple(np.asarray(x) for x in self.given if hasattr(x, "dtype"))
        return arrays[:1] if self.fixed else arrays


def samples(op: Op) -> Iterator[Called]:
    """Calls of an operation: its examples, or numbers in its domain."""
    r = np.random.default_rng(1)
    found = list(op.example(r)) if op.example else []
    if not found:
        axes = {"matmul": [(2, 3), (3, 4)], "linear": [(2, 3), (4, 3), (4,)]}
        sizes = axes.get(op.name, [(2, 3)] * len(op.inputs))
        found = [(tuple(r.uniform(*op.domain, size) for size in sizes), {})]
    for inputs, settings in found:
        single = tuple(
            x.astype(np.float32) if getattr(x, "dtype", np.dtype(int)).kind == "f" else x
            for x in inputs
        )
        empty = any(getattr(x, "size", 1) == 0 for x in single)
        training = settings.get("training", "p" in settings) and settings.get("p")
        if not empty and not training:
            yield Called(op, single, settings)


# what a target refuses in words, and the words
REFUSED = ("all bags have the same length", "negative step", "an index of several arrays")
ODD = {("cumsum", ()), ("batch_norm", (3, 2, 2))}  # a cumsum of one number; statistics in float64


@everywhere
@pytest.mark.parametrize(
    "name", sorted({*numpy_script.RULES, *torch_module.RULES, *onnx_rules.RULES})
)
def test_operations_compute_the_same(name: str, to: str, tmp_path: Path) -> None:
    if name not in RULES[to]:
        pytest.skip(f"{name} is not written for {to}, which says so")
    ran = 0
    for model in samples(OPS[name]):
        arrays = model.arrays()
        if (name, arrays[0].shape) in ODD:
            continue
        try:
            pellucid.export(model, tmp_path / ENDING[to], to, inputs=arrays)
        except ArgumentError as error:
            if not any(words in error.message for words in REFUSED):
                raise
            continue
        ran += 1
    assert ran or "dropout" in name or name in ("embedding_bag", "batch_norm")


# ------------------------------------------------------------------------------------- any size


class Talk(nn.Module):
    """Words in, scores and a memory out."""

    def __init__(self) -> None:
        self.words = nn.Embedding(20, 6)
        self.memory = nn.LSTM(6, 8, batch_first=True)
        self.say = nn.Linear(8, 20)

    def forward(self, ids: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        states, (h, _) = self.memory(self.words(ids))
        return self.say(states.tanh() * 0.5), {"h": h}


@everywhere
def test_other_lengths_than_the_exported_one(to: str, tmp_path: Path) -> None:
    model = Talk().eval()
    done = pellucid.export(model, tmp_path / ENDING[to], to)
    assert done.free_axes == (0, 1)
    ids = np.random.default_rng(3).integers(0, 20, (7, 11))
    run = {"numpy": numpy_script.run, "torch": torch_module.run, "onnx": onnx_file.run}[to]
    scores, state = run(done.files, (ids,))
    ours, more = model(Tensor(ids))
    np.testing.assert_allclose(scores, ours.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(state, more["h"].detach().numpy(), atol=1e-6)


def test_the_output_is_nested_as_the_model_nests_it(tmp_path: Path) -> None:
    done = pellucid.export(Talk(), tmp_path / "talk.py")
    from runpy import run_path

    _, more = run_path(str(done.files[0]))["predict"](np.zeros((1, 2), int))
    assert more["h"].shape == (1, 1, 8)


# ------------------------------------------------------------------------------------ what is written


def test_the_script_is_what_a_person_would_write(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1, bias=False))
    pellucid.export(model, tmp_path / "net.py")
    text = (tmp_path / "net.py").read_text()
    assert 'layer_0 = x @ w["0.weight"].T + w["0.bias"]' in text
    assert "# 1: ReLU()\n    layer_1 = np.maximum(layer_0, 0)" in text
    assert 'layer_2 = layer_1 @ w["2.weight"].T\n    return layer_2' in text
    assert "predict(x):  (n, 3) -> (n, 1)" in text
    assert max(map(len, text.splitlines())) <= 100
    compile(text, "net.py", "exec")


def test_the_script_needs_numpy_only(tmp_path: Path) -> None:
    pellucid.export(
        layer("TransformerEncoderLayer(4, 2, 3, activation='gelu')"), tmp_path / "net.py"
    )
    np.save(tmp_path / "x.npy", np.ones((5, 2, 4), np.float32))
    program = (
        "import sys, numpy as np, net\n"
        "print(net.predict(np.load('x.npy')).shape)\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)"
        " - {'numpy', 'net', '__main__'}))\n"
    )
    alone = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shape, others = alone.stdout.splitlines()
    assert shape == "(5, 2, 4)"
    assert "pellucid" not in others
    assert "torch" not in others
    as_command = subprocess.run(
        [sys.executable, "net.py", "x.npy"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert as_command.stdout.startswith("[[[")


def test_helpers_know_nothing_of_pellucid() -> None:
    source = Path(str(numpy_helpers.__file__)).read_text()
    assert "from ." not in source
    assert "import pellucid" not in source


def test_the_pytorch_module_has_the_same_names_and_learns(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = layer("Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))")
    pellucid.export(model, tmp_path / "net.py", "torch")
    from runpy import run_path

    net = run_path(str(tmp_path / "net.py"))["Net"]()
    learned = {name for name, _ in net.named_parameters()}
    assert learned == {name for name, _ in model.named_parameters()}
    assert set(net.state_dict()) == set(model.state_dict()) - {"1.num_batches_tracked"}
    net(torch.ones(2, 3)).sum().backward()
    assert dict(net.named_parameters())["0.weight"].grad is not None


def test_weights_come_back_from_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    ours.load_state_dict(pellucid.load(tmp_path / "theirs.safetensors"))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(Tensor(x)).detach().numpy(), theirs(torch.from_numpy(x)).detach().numpy(), atol=1e-6
    )
    ours.load_state_dict(theirs.state_dict())  # and directly
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    with pytest.raises(DataError, match=r"pickle(.|\n)*safetensors\.torch\.save_file"):
        pellucid.load(tmp_path / "theirs.pt")


def test_an_onnx_file_is_checked_and_names_its_inputs(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pellucid.export(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [n.op_type for n in model.graph.node] == ["Gemm", "Relu"]
    assert [x.name for x in model.graph.input] == ["x"]
    assert {i.name for i in model.graph.initializer} == {"0.weight", "0.bias"}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"


def test_double_precision_stays(tmp_path: Path) -> None:
    done = pellucid.export(
        layer("Sequential(nn.Linear(3, 2), nn.Tanh())").double(), tmp_path / "net.py"
    )
    assert done.difference is not None
    assert done.difference < 1e-12


def test_constants_and_numbers_of_the_model_itself(tmp_path: Path) -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            self.scale = pellucid.tensor([1.0, 2.0, 3.0])  # neither parameter nor buffer

        def forward(self, x: Tensor) -> Tensor:
            return (x - 1) ** 2 * self.scale / -0.5

    done = pellucid.export(Own(), tmp_path / "net.py", inputs=pellucid.ones(2, 3))
    text = done.files[0].read_text()
    assert ' * w["constant.0"]\n    div_1 = mul_1 / (-0.5)\n' in text


# ---------------------------------------------------------------------------------------- refusals


def test_an_operation_without_a_rule_is_named_with_its_layer(tmp_path: Path) -> None:
    class Angle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return pellucid.atan2(x, x + 1)

    model = nn.Sequential(nn.Linear(3, 3), Angle())
    for to in ENDING if HAVE["onnx"] else ("numpy", "torch"):
        with pytest.raises(ArgumentError, match=r"operation atan2 \(in 1: Angle\(\)\) cannot") as e:
            pellucid.export(model, tmp_path / ENDING[to], to)
        assert "those that can be written are:\nabs," in e.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_file_says_where_it_goes(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    for name, to, words in (
        ("net.txt", None, "does not tell which"),
        ("net.py", "onnx", r"ends in \.onnx, not net\.py"),
        ("net.onnx", "numpy", r"ends in \.py"),
        ("my-net.py", None, "could not be imported"),
        ("net.py", "keras", "numpy, torch or onnx, not 'keras'"),
        ("net.py", pellucid.ones(1, 3), r"not to a Tensor(.|\n)*inputs=x"),
    ):
        with pytest.raises(ArgumentError, match=words):
            pellucid.export(model, tmp_path / name, to)


def test_without_onnx_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[onnx\]'"):
        pellucid.export(nn.Linear(2, 1), tmp_path / "net.onnx")


def test_what_does_not_predict_the_same_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(numpy_script.RULES, "relu", "np.minimum({x}, 0)")
    with pytest.raises(ArgumentError, match="does not predict the same"):
        pellucid.export(nn.Sequential(nn.Linear(3, 9), nn.ReLU()), tmp_path / "net.py")
    assert list(tmp_path.iterdir()) == []


def test_dropout_that_never_stops_is_refused(tmp_path: Path) -> None:
    class Always(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return pellucid.nn.functional.dropout(x, 0.5)

    with pytest.raises(ArgumentError, match=r"changes with the inputs|training=self\.training"):
        pellucid.export(Always(), tmp_path / "net.py", inputs=pellucid.ones(2, 3))


# -------------------------------------------------------------------------------- models in a file


@pytest.mark.parametrize("code", LAYERS)
def test_a_model_comes_back_from_its_file(code: str, tmp_path: Path) -> None:
    model = layer(code).eval()
    before = pellucid.get_rng_state()["state"]["state"].tolist()
    pellucid.save_model(model, tmp_path / "net.safetensors")
    again = pellucid.load_model(tmp_path / "net.safetensors")
    assert pellucid.get_rng_state()["state"]["state"].tolist() == before
    assert repr(again) == repr(model)
    assert not again.training
    x = inputs_for(code, LAYERS[code])
    x = x if isinstance(x, tuple) else (x if isinstance(x, Tensor) else Tensor(x),)
    ours, theirs = model(*x), again(*x)
    while isinstance(ours, tuple):
        ours, theirs = ours[0], theirs[0]
    assert theirs.tolist() == ours.tolist()


def test_the_file_is_weights_for_everybody(tmp_path: Path) -> None:
    model = nn.Sequential({"in": nn.Linear(3, 4), "out": nn.Linear(4, 1, dtype="float64")})
    pellucid.save_model(model, tmp_path / "net.safetensors")
    assert set(pellucid.load(tmp_path / "net.safetensors")) == set(model.state_dict())
    again = pellucid.load_model(tmp_path / "net.safetensors")
    assert repr(again) == repr(model)
    assert again.get_parameter("out.weight").dtype == np.float64
    _, told = read(tmp_path / "net.safetensors")
    parts = json.loads(told[MODEL])["parts"]
    assert parts["in"] == {"layer": "Linear", "in_features": 3, "out_features": 4}


def test_a_class_of_ones_own_is_code(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"Talk \(1\) is a class of your own(.|\n)*--code"):
        pellucid.save_model(nn.Sequential(nn.ReLU(), Talk()), tmp_path / "net.safetensors")
    changed = nn.Linear(3, 4)
    changed.weight = nn.Parameter(np.ones((9, 9)))
    with pytest.raises(ArgumentError, match="is not as its layers were made"):
        describe(changed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"layer": "Popen"}', "no layer 'Popen'"),
        ('{"layer": "Module"}', "cannot be understood|do not fit"),
        ('{"layer": "Linear"}', "in_features"),
        ('{"layer": "Linear", "in_features": 2, "out_features": 9}', "do not fit"),
        ("{", "cannot be understood"),
        ("[]", "cannot be understood"),
    ],
)
def test_a_damaged_description_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    write({"weight": np.ones((3, 2), np.float32)}, path, {MODEL: text})
    with pytest.raises(CheckpointError, match=words):
        pellucid.load_model(path)


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    pellucid.save(nn.Linear(2, 1).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match=r"holds weights, but not what(.|\n)*load_state_dict"):
        pellucid.load_model(tmp_path / "w.safetensors")


def test_descriptions_are_plain_data() -> None:
    encoder = layer("TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 3), 2, nn.LayerNorm(4))")
    told = json.loads(json.dumps(describe(encoder)))
    assert told["encoder_layer"]["nhead"] == 2
    assert repr(build(told)) == repr(encoder)
