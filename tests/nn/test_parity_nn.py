"""Every layer beside PyTorch's: names and shapes of weights, results, gradients, 20 steps.

A case is code that both libraries understand; `nn` is pellucid.nn or torch.nn.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True"),  # PyTorch's own advice
]

R = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray[Any, Any]:
    return R.normal(size=shape)


def ids(high: int, *shape: int) -> np.ndarray[Any, Any]:
    return R.integers(0, high, shape)


BLOCKED = np.triu(np.ones((5, 5), dtype=bool), 1)
PADDING = np.array([[False] * 5, [False] * 3 + [True] * 2, [False] * 4 + [True]])

CASES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "Linear": ("nn.Linear(5, 3)", (floats(4, 5),)),
    "Linear 1-D": ("nn.Linear(5, 3)", (floats(5),)),
    "Linear 3-D, no bias": ("nn.Linear(5, 3, bias=False)", (floats(2, 4, 5),)),
    "Bilinear": ("nn.Bilinear(3, 4, 2)", (floats(5, 3), floats(5, 4))),
    "Identity": ("nn.Identity(3, what=4)", (floats(2, 3),)),
    "Flatten": ("nn.Flatten()", (floats(2, 3, 4),)),
    "Flatten some": ("nn.Flatten(0, 1)", (floats(2, 3, 4),)),
    "Unflatten": ("nn.Unflatten(1, (2, 3))", (floats(2, 6),)),
    "Sequential": ("nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))", (floats(5, 4),)),
    "Softmax": ("nn.Softmax(dim=1)", (floats(3, 4),)),
    "LogSoftmax": ("nn.LogSoftmax(dim=-1)", (floats(3, 4),)),
    "Softmin": ("nn.Softmin(dim=0)", (floats(3, 4),)),
    "PReLU": ("nn.PReLU()", (floats(3, 4),)),
    "PReLU per channel": ("nn.PReLU(4, init=0.1)", (floats(3, 4, 2),)),
    "Threshold": ("nn.Threshold(0.2, -1.0)", (floats(3, 4),)),
    "LeakyReLU": ("nn.LeakyReLU(0.3)", (floats(3, 4),)),
    "GELU tanh": ("nn.GELU(approximate='tanh')", (floats(3, 4),)),
    "Softplus": ("nn.Softplus(2.0, 1.0)", (floats(3, 4),)),
    "GLU": ("nn.GLU(dim=1)", (floats(3, 4),)),
    "Hardtanh": ("nn.Hardtanh(-0.5, 0.7)", (floats(3, 4),)),
    "Conv1d": ("nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2)", (floats(2, 4, 9),)),
    "Conv1d reflect": ("nn.Conv1d(2, 3, 3, padding=2, padding_mode='reflect')", (floats(2, 2, 7),)),
    "Conv2d": ("nn.Conv2d(3, 4, 3)", (floats(2, 3, 6, 7),)),
    "Conv2d one image": ("nn.Conv2d(3, 4, 3)", (floats(3, 6, 7),)),
    "Conv2d same": ("nn.Conv2d(3, 4, (3, 2), padding='same', dilation=2)", (floats(2, 3, 6, 7),)),
    "Conv2d valid": ("nn.Conv2d(3, 4, 2, padding='valid', bias=False)", (floats(2, 3, 4, 4),)),
    "Conv2d circular": (
        "nn.Conv2d(2, 4, (3, 5), padding=(1, 2), padding_mode='circular')",
        (floats(2, 2, 6, 7),),
    ),
    "Conv2d same replicate": (
        "nn.Conv2d(2, 4, (2, 3), padding='same', padding_mode='replicate')",
        (floats(2, 2, 6, 7),),
    ),
    "ConvTranspose1d": (
        "nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)",
        (floats(2, 4, 5),),
    ),
    "ConvTranspose2d": (
        "nn.ConvTranspose2d(3, 4, (3, 2), stride=2, dilation=2, bias=False)",
        (floats(2, 3, 4, 5),),
    ),
    "MaxPool1d": ("nn.MaxPool1d(3, stride=2, padding=1)", (floats(2, 3, 8),)),
    "MaxPool2d": ("nn.MaxPool2d(2, ceil_mode=True)", (floats(2, 3, 5, 7),)),
    "MaxPool2d with places": ("nn.MaxPool2d((2, 3), return_indices=True)", (floats(2, 3, 5, 7),)),
    "AvgPool1d": ("nn.AvgPool1d(3, 2, 1, count_include_pad=False)", (floats(2, 3, 8),)),
    "AvgPool2d": ("nn.AvgPool2d((2, 3), divisor_override=5)", (floats(2, 3, 5, 7),)),
    "AdaptiveAvgPool1d": ("nn.AdaptiveAvgPool1d(3)", (floats(2, 3, 8),)),
    "AdaptiveAvgPool2d": ("nn.AdaptiveAvgPool2d((None, 2))", (floats(2, 3, 5, 7),)),
    "AdaptiveMaxPool1d": ("nn.AdaptiveMaxPool1d(3)", (floats(2, 3, 8),)),
    "AdaptiveMaxPool2d": ("nn.AdaptiveMaxPool2d(2)", (floats(2, 3, 5, 7),)),
    "BatchNorm1d": ("nn.BatchNorm1d(3)", (floats(6, 3),)),
    "BatchNorm1d sequence": ("nn.BatchNorm1d(3, momentum=0.3, eps=1e-3)", (floats(6, 3, 4),)),
    "BatchNorm2d mean of all": ("nn.BatchNorm2d(3, momentum=None)", (floats(4, 3, 2, 5),)),
    "BatchNorm2d not affine": ("nn.BatchNorm2d(3, affine=False)", (floats(4, 3, 2, 5),)),
    "BatchNorm2d untracked": (
        "nn.BatchNorm2d(3, track_running_stats=False)",
        (floats(4, 3, 2, 5),),
    ),
    "LayerNorm": ("nn.LayerNorm(5)", (floats(2, 3, 5),)),
    "LayerNorm two axes": ("nn.LayerNorm((3, 5), eps=1e-3, bias=False)", (floats(2, 3, 5),)),
    "RMSNorm": ("nn.RMSNorm(5)", (floats(2, 3, 5),)),
    "GroupNorm": ("nn.GroupNorm(2, 4)", (floats(3, 4, 5),)),
    "InstanceNorm1d": ("nn.InstanceNorm1d(3)", (floats(4, 3, 5),)),
    "InstanceNorm2d": (
        "nn.InstanceNorm2d(3, affine=True, track_running_stats=True)",
        (floats(4, 3, 2, 5),),
    ),
    "Embedding": ("nn.Embedding(7, 3, padding_idx=-2)", (ids(7, 4, 5),)),
    "EmbeddingBag": ("nn.EmbeddingBag(7, 3)", (ids(7, 4, 5),)),
    "EmbeddingBag offsets": (
        "nn.EmbeddingBag(7, 3, mode='sum', padding_idx=2)",
        (ids(7, 9), np.array([0, 2, 2, 6])),
    ),
    "EmbeddingBag max": ("nn.EmbeddingBag(7, 3, mode='max')", (ids(7, 4, 5),)),
    "RNN": ("nn.RNN(3, 4)", (floats(5, 2, 3),)),
    "RNN relu, deep": ("nn.RNN(3, 4, 2, 'relu', bidirectional=True)", (floats(5, 2, 3),)),
    "RNN with state": ("nn.RNN(3, 4, batch_first=True)", (floats(2, 5, 3), floats(1, 2, 4))),
    "RNN one sequence": ("nn.RNN(3, 4, 2)", (floats(5, 3), floats(2, 4))),
    "GRU": ("nn.GRU(3, 4, 2, bidirectional=True)", (floats(5, 2, 3),)),
    "GRU with state": ("nn.GRU(3, 4, bias=False)", (floats(5, 2, 3), floats(1, 2, 4))),
    "LSTM": ("nn.LSTM(3, 4)", (floats(5, 2, 3),)),
    "LSTM deep": (
        "nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)",
        (floats(2, 5, 3), (floats(4, 2, 4), floats(4, 2, 4))),
    ),
    "LSTM one sequence": ("nn.LSTM(3, 4)", (floats(5, 3), (floats(1, 4), floats(1, 4)))),
    "RNNCell": ("nn.RNNCell(3, 4)", (floats(2, 3), floats(2, 4))),
    "RNNCell relu": ("nn.RNNCell(3, 4, nonlinearity='relu')", (floats(3),)),
    "GRUCell": ("nn.GRUCell(3, 4)", (floats(2, 3), floats(2, 4))),
    "LSTMCell": ("nn.LSTMCell(3, 4, bias=False)", (floats(2, 3),)),
    "LSTMCell with state": ("nn.LSTMCell(3, 4)", (floats(2, 3), (floats(2, 4), floats(2, 4)))),
    "MultiheadAttention": ("nn.MultiheadAttention(8, 2)", (floats(5, 3, 8),) * 3),
    "MultiheadAttention to others": (
        "nn.MultiheadAttention(8, 4, batch_first=True, bias=False)",
        (floats(3, 5, 8), floats(3, 4, 8), floats(3, 4, 8)),
    ),
    "MultiheadAttention other sizes": (
        "nn.MultiheadAttention(8, 2, kdim=3, vdim=6)",
        (floats(5, 3, 8), floats(4, 3, 3), floats(4, 3, 6)),
    ),
    "MultiheadAttention one sequence": ("nn.MultiheadAttention(8, 2)", (floats(5, 8),) * 3),
    "MultiheadAttention masks": (
        "nn.MultiheadAttention(8, 2, batch_first=True)",
        (*[floats(3, 5, 8)] * 3, PADDING, True, BLOCKED, False),
    ),
    "MultiheadAttention added, fast": (
        "nn.MultiheadAttention(8, 2, batch_first=True)",
        (*[floats(3, 5, 8)] * 3, None, False, floats(6, 5, 5)),
    ),
    "TransformerEncoderLayer": (
        "nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)",
        (floats(5, 3, 8), BLOCKED),
    ),
    "TransformerEncoderLayer norm first": (
        "nn.TransformerEncoderLayer(8, 2, 16, 0.0, 'gelu', batch_first=True, norm_first=True)",
        (floats(3, 5, 8), None, PADDING),
    ),
    "TransformerEncoder": (
        "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0), 2, nn.LayerNorm(8))",
        (floats(5, 3, 8),),
    ),
    **{
        name: (f"nn.{name}()", (3 * floats(3, 4),))
        for name in [
            "CELU",
            "ELU",
            "GELU",
            "Hardshrink",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "LeakyReLU",
            "LogSigmoid",
            "Mish",
            "ReLU",
            "ReLU6",
            "SELU",
            "Sigmoid",
            "SiLU",
            "Softplus",
            "Softshrink",
            "Softsign",
            "Tanh",
            "Tanhshrink",
        ]
    },
    **{
        f"{name} in use": (f"nn.{name}(0.7)", (floats(3, 4, *[5] * (1 + ("2d" in name))),))
        for name in ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout")
    },
}

Pair = tuple[Any, Any]


def pair(code: str) -> Pair:
    """The same layer twice, in float64, with the same weights."""
    theirs = eval(code, {"nn": torch.nn}).double()
    ours = eval(code, {"nn": nn}).double()
    ours.load_state_dict(theirs.state_dict())
    if "in use" in code or "Dropout" in code:
        theirs.eval(), ours.eval()
    return theirs, ours


def given(value: Any, lib: Any) -> Any:
    """Arrays as tensors; those with fractions ask for gradients."""
    if isinstance(value, tuple):
        return tuple(given(part, lib) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    if lib is torch:
        return torch.tensor(value, requires_grad=value.dtype.kind == "f")
    return pellucid.Tensor(value.copy(), requires_grad=value.dtype.kind == "f")


def parts(value: Any) -> list[Any]:
    """The tensors in nested tuples."""
    if isinstance(value, tuple):
        return [tensor for part in value for tensor in parts(part)]
    return [] if value is None or isinstance(value, bool) else [value]


def score(results: Any) -> Any:
    """One number that every element of every result with fractions has a different say in."""
    total = 0
    for result in parts(results):
        kind = np.asarray(result.detach()).dtype.kind
        if kind == "f":
            total = total + (result * result.detach() * 0.5 + 0.3 * result).sum()
    return total


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_weights_have_pytorchs_names_and_shapes_and_travel_both_ways(name: str) -> None:
    code, _ = CASES[name]
    theirs = eval(code, {"nn": torch.nn})
    ours = eval(code, {"nn": nn})
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    assert list(ours.state_dict()) == list(shapes)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in ours.state_dict().items()})
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key], value)


# what is no layer with a result of its own, and what PyTorch has not; both have tests elsewhere
NO_LAYERS = {
    "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList", "functional", "init",
    "utils",
}  # fmt: skip
ONLY_OURS = {"HingeLoss", "NegativeSamplingLoss"}


def test_no_layer_is_left_out() -> None:
    """A layer that is added to `nn` needs a case here."""
    codes = [code for code, _ in [*CASES.values(), *LOSSES.values()]]
    compared = {name for code in codes for name in re.findall(r"nn\.(\w+)\(", code)}
    assert set(nn.__all__) - compared == NO_LAYERS | ONLY_OURS
    for name in ONLY_OURS:
        assert not hasattr(torch.nn, name)


@pytest.mark.parametrize("name", CASES)
def test_files_of_weights_travel_both_ways(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    code, _ = CASES[name]
    theirs, ours = eval(code, {"nn": torch.nn}), eval(code, {"nn": nn})
    if not theirs.state_dict():
        assert not ours.state_dict()
        return
    pellucid.save(ours.state_dict(), tmp_path / "ours.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    for key, value in theirs.state_dict().items():
        assert ours.state_dict()[key].numpy().tobytes() == value.numpy().tobytes(), key

    fresh = eval(code, {"nn": torch.nn})
    save_file(fresh.state_dict(), tmp_path / "theirs.safetensors")
    ours.load_state_dict(pellucid.load(tmp_path / "theirs.safetensors"))
    for key, value in fresh.state_dict().items():
        assert ours.state_dict()[key].numpy().tobytes() == value.numpy().tobytes(), key


def test_a_whole_network_travels_in_pytorchs_words() -> None:
    """Made by the same code, with containers of every kind; weights handed over without a file."""
    code = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.blocks = nn.ModuleList([nn.Linear(16, 16) for _ in range(2)])
        self.heads = nn.ModuleDict({"class": nn.Linear(16, 3), "size": nn.Linear(16, 1)})
        self.free = nn.ParameterList([nn.Parameter(w)])

    def forward(self, x):
        x = self.stem(x).flatten(1)
        for block in self.blocks:
            x = x + block(x).tanh()
        return self.heads["class"](x) * self.free[0], self.heads["size"](x)
"""
    nets = []
    for lib, modules in ((torch, torch.nn), (pellucid, nn)):
        names: dict[str, Any] = {"nn": modules, "w": lib.ones(3)}
        exec(code, names)
        nets.append(names["Net"]())
    theirs, ours = nets
    assert sorted(ours.state_dict()) == sorted(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    theirs.eval(), ours.eval()
    x = np.random.default_rng(2).normal(size=(2, 1, 4, 4)).astype(np.float32)
    for a, b in zip(ours(pellucid.tensor(x)), theirs(torch.tensor(x)), strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_results_and_gradients(name: str) -> None:
    code, inputs = CASES[name]
    theirs, ours = pair(code)
    their_inputs, our_inputs = given(inputs, torch), given(inputs, pellucid)
    expected, found = theirs(*their_inputs), ours(*our_inputs)
    for a, b in zip(parts(found), parts(expected), strict=True):
        assert a.shape == tuple(b.shape)
        close(a.detach(), b.detach())
    their_score, our_score = score(expected), score(found)
    if not their_score.requires_grad:
        assert not our_score.requires_grad
        return
    their_score.backward(), our_score.backward()
    for a, b in zip(parts(our_inputs), parts(their_inputs), strict=True):
        if a.requires_grad and b.grad is not None:
            close(a.grad, b.grad)
    for (key, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert b.grad is not None, key
        close(a.grad, b.grad)
    for key, b in theirs.named_buffers():
        close(dict(ours.named_buffers())[key], b)


@pytest.mark.parametrize("name", [n for n in CASES if "(" in CASES[n][0]])
def test_twenty_steps_of_learning(name: str) -> None:
    code, inputs = CASES[name]
    theirs, ours = pair(code)
    if not list(theirs.parameters()):
        return
    their_optimizer = torch.optim.SGD(theirs.parameters(), lr=1e-3, momentum=0.5)
    our_optimizer = pellucid.optim.SGD(ours.parameters(), lr=1e-3, momentum=0.5)
    their_inputs, our_inputs = given(inputs, torch), given(inputs, pellucid)
    for _ in range(20):
        for optimizer, model, x in (
            (their_optimizer, theirs, their_inputs),
            (our_optimizer, ours, our_inputs),
        ):
            optimizer.zero_grad()
            score(model(*x)).backward()
            optimizer.step()
    for key, b in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key], b, rtol=1e-6, atol=1e-8, err_msg=key)
    theirs.eval(), ours.eval()
    for a, b in zip(parts(ours(*our_inputs)), parts(theirs(*their_inputs)), strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name: str) -> None:
    code, inputs = CASES[name]
    ours = eval(code, {"nn": nn})
    small = [
        tuple(part.astype(np.float32) for part in x)
        if isinstance(x, tuple)
        else x.astype(np.float32)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f"
        else x
        for x in inputs
    ]
    our_inputs = given(tuple(small), pellucid)
    results = ours(*our_inputs)
    for result in parts(results):
        assert result.dtype in (np.float32, np.int64)
    total = score(results)
    if total.requires_grad:
        total.backward()
    for key, parameter in ours.named_parameters():
        assert parameter.grad.dtype == np.float32, key


LOSSES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "MSELoss": ("nn.MSELoss({})", (floats(4, 3), floats(4, 3))),
    "L1Loss": ("nn.L1Loss({})", (floats(4, 3), floats(4, 3))),
    "HuberLoss": ("nn.HuberLoss({}, delta=0.7)", (floats(4, 3), floats(4, 3))),
    "SmoothL1Loss": ("nn.SmoothL1Loss({}, beta=0.7)", (floats(4, 3), floats(4, 3))),
    "BCELoss": ("nn.BCELoss({})", (R.uniform(0.1, 0.9, (4, 3)), R.uniform(size=(4, 3)))),
    "BCEWithLogitsLoss": ("nn.BCEWithLogitsLoss({})", (floats(4, 3), R.uniform(size=(4, 3)))),
    "CrossEntropyLoss": ("nn.CrossEntropyLoss({})", (floats(4, 3), ids(3, 4))),
    "CrossEntropyLoss smooth": (
        "nn.CrossEntropyLoss({}, label_smoothing=0.1, ignore_index=1)",
        (floats(6, 3, 2), ids(3, 6, 2)),
    ),
    "CrossEntropyLoss soft": (
        "nn.CrossEntropyLoss({})",
        (floats(4, 3), R.dirichlet(np.ones(3), size=4)),
    ),
    "NLLLoss": ("nn.NLLLoss({}, ignore_index=0)", (floats(6, 3), ids(3, 6))),
    "KLDivLoss": ("nn.KLDivLoss({})", (floats(4, 3), R.uniform(size=(4, 3)))),
    "HingeEmbeddingLoss": (
        "nn.HingeEmbeddingLoss(0.5, {})",
        (floats(4, 3), R.choice([-1.0, 1.0], (4, 3))),
    ),
    "SoftMarginLoss": ("nn.SoftMarginLoss({})", (floats(4, 3), R.choice([-1.0, 1.0], (4, 3)))),
    "MarginRankingLoss": (
        "nn.MarginRankingLoss(0.2, {})",
        (floats(4), floats(4), R.choice([-1.0, 1.0], 4)),
    ),
    "MultiMarginLoss": ("nn.MultiMarginLoss(2, 0.5, {})", (floats(4, 3), ids(3, 4))),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")
def test_losses(name: str, reduction: str) -> None:
    code, inputs = LOSSES[name]
    code = code.format(f"reduction={reduction!r}")
    their_inputs = [torch.tensor(x, requires_grad=i == 0) for i, x in enumerate(inputs)]
    our_inputs = [pellucid.Tensor(x, requires_grad=i == 0) for i, x in enumerate(inputs)]
    expected = eval(code, {"nn": torch.nn})(*their_inputs)
    found = eval(code, {"nn": nn})(*our_inputs)
    close(found.detach(), expected.detach())
    expected.sum().backward(), found.sum().backward()
    close(our_inputs[0].grad, their_inputs[0].grad)


def test_losses_with_weights() -> None:
    scores, labels, weight = floats(4, 3), ids(3, 4), np.array([0.2, 1.0, 3.0])
    chances, truth = R.uniform(0.1, 0.9, (4, 3)), R.uniform(size=(4, 3))
    for code, x, y in [
        ("nn.CrossEntropyLoss(w)", scores, labels),
        ("nn.NLLLoss(w)", scores, labels),
        ("nn.MultiMarginLoss(weight=w)", scores, labels),
        ("nn.BCELoss(w)", chances, truth),
        ("nn.BCEWithLogitsLoss(w, pos_weight=w)", scores, truth),
    ]:
        theirs = eval(code, {"nn": torch.nn, "w": torch.tensor(weight)})
        ours = eval(code, {"nn": nn, "w": pellucid.Tensor(weight)})
        close(
            ours(pellucid.Tensor(x), pellucid.Tensor(y)), theirs(torch.tensor(x), torch.tensor(y))
        )
        assert list(ours.state_dict()) == list(theirs.state_dict())


def test_default_initialisation_has_pytorchs_spread() -> None:
    """Bounds and standard deviations of the first weights, layer by layer."""
    pellucid.manual_seed(1)
    torch.manual_seed(1)
    for code in (
        "nn.Linear(400, 300)",
        "nn.Conv2d(8, 32, 5, groups=2)",
        "nn.ConvTranspose2d(32, 16, 5)",
        "nn.Embedding(500, 100)",
        "nn.LSTM(100, 100)",
        "nn.MultiheadAttention(120, 4)",
        "nn.Bilinear(30, 40, 50)",
    ):
        theirs, ours = eval(code, {"nn": torch.nn}), eval(code, {"nn": nn})
        for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            expected, found = b.detach().numpy(), a.numpy()
            error = 5 * expected.std() / np.sqrt(found.size)
            assert abs(found.mean()) <= error, (code, name)
            np.testing.assert_allclose(found.std(), expected.std(), atol=error, err_msg=name)
            if expected.size > 1000 and "Embedding" not in code:
                np.testing.assert_allclose(abs(found).max(), abs(expected).max(), rtol=0.02)


FUNCTIONAL = [
    "F.relu(x)", "F.relu(x, inplace=False)", "F.leaky_relu(x, 0.2)", "F.elu(x, 0.5)",
    "F.celu(x, 2.0)", "F.selu(x)", "F.silu(x)", "F.mish(x)", "F.gelu(x)",
    "F.gelu(x, approximate='tanh')", "F.hardtanh(x, -0.5, 0.5)", "F.hardsigmoid(x)",
    "F.hardswish(x)", "F.threshold(x, 0.1, 2.0)", "F.relu6(x)", "F.softplus(x, 2, 10)",
    "F.softsign(x)", "F.tanhshrink(x)", "F.hardshrink(x, 0.3)", "F.softshrink(x, 0.3)",
    "F.logsigmoid(x)", "F.sigmoid(x)", "F.tanh(x)", "F.softmax(x, 1)", "F.log_softmax(x, dim=1)",
    "F.softmin(x, 1)", "F.glu(x, 1)", "F.dropout(x, 0.5, False)", "F.normalize(x)",
    "F.normalize(x, p=1, dim=0)", "F.layer_norm(x, (4,))", "F.layer_norm(x, (4,), w, w, 1e-3)",
    "F.rms_norm(x, (4,), w)", "F.group_norm(x, 2, w, w)", "F.batch_norm(x, w, w.abs(), w, w)",
    "F.linear(x, x, None)", "F.prelu(x, w)", "F.conv1d(s, k, None, 2, 1)",
    "F.conv_transpose1d(s, k.transpose(0, 1), None, 2)", "F.max_pool1d(s, 2)",
    "F.max_pool1d(s, 2, 1, 1, 1, False, return_indices=True)[0]", "F.avg_pool1d(s, 2, 1, 1)",
    "F.adaptive_avg_pool1d(s, 3)", "F.mse_loss(x, x * 2)", "F.mse_loss(x, x * 2, reduction='sum')",
    "F.embedding(i, x)", "F.embedding_bag(i, x, mode='sum')", "F.one_hot(i, 5)",
    "F.pad(x, (1, 2), 'constant', 3.0)", "F.cosine_similarity(x, x * x)",
    "F.cross_entropy(x, i[0, :3])", "F.nll_loss(x, i[0, :3], reduction='sum')",
    "F.scaled_dot_product_attention(s, s, s)", "F.bilinear(x, x, q)",
]  # fmt: skip


@pytest.mark.parametrize("code", FUNCTIONAL)
def test_functional_takes_pytorchs_arguments_in_pytorchs_order(code: str) -> None:
    import pellucid.nn.functional as ours

    arrays = {
        "x": np.random.default_rng(1).normal(size=(3, 4)),
        "w": np.random.default_rng(2).normal(size=4),
        "s": np.random.default_rng(3).normal(size=(2, 3, 6)),
        "k": np.random.default_rng(4).normal(size=(4, 3, 2)),
        "q": np.random.default_rng(5).normal(size=(2, 4, 4)),
        "i": np.random.default_rng(6).integers(0, 3, (2, 4)),
    }
    expected = eval(
        code, {"F": torch.nn.functional, **{k: torch.tensor(v) for k, v in arrays.items()}}
    )
    found = eval(code, {"F": ours, **{k: pellucid.Tensor(v) for k, v in arrays.items()}})
    close(found, expected)
