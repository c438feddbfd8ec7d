"""Errors that teach: each case of the design's list, and the words a reader gets.

A message names the operation, the layer's path, the shapes, the rule and the likely fix.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, errors, nn, optim
from pellucid.nn import functional as F  # noqa: N812 - everybody calls it F


def message(info: pytest.ExceptionInfo[BaseException]) -> str:
    return str(info.value)


# ------------------------------------------------------------------------------------------- shapes


def test_shapes_that_do_not_fit_name_rule_path_and_line() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.classifier = nn.ModuleDict({"hidden": nn.Linear(100, 10)})

        def forward(self, x: Tensor) -> Tensor:
            return self.classifier["hidden"](x)

    images = pellucid.zeros(32, 784)
    with pytest.raises(errors.ShapeError) as info:
        Net()(images)  # the line a reader wrote
    text = message(info)
    assert "linear cannot combine x (32, 784), weight (10, 100)" in text
    assert "rule (..., i), (o, i), (o)? -> (..., o), but 784 is not 100" in text
    assert "in classifier.hidden: Linear(100 -> 10)" in text
    assert "test_errors.py line" in text


def test_matrix_product_names_both_sides() -> None:
    with pytest.raises(errors.ShapeError, match=r"matmul cannot combine a \(2, 3\) and b \(4, 5\)"):
        pellucid.ones(2, 3) @ pellucid.ones(4, 5)


def test_broadcast_says_which_sizes_differ() -> None:
    with pytest.raises(
        errors.ShapeError, match=r"add cannot combine .*3 and 4 differ and neither is 1"
    ):
        pellucid.ones(3) + pellucid.ones(4)


def test_the_line_named_is_the_readers_own() -> None:
    with pytest.raises(errors.ShapeError) as info:
        F.linear(pellucid.ones(2, 3), pellucid.ones(4, 5))
    assert "F.linear(pellucid.ones(2, 3), pellucid.ones(4, 5))" in message(info)


PAIRED = [
    nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.BCELoss, nn.BCEWithLogitsLoss,
    nn.KLDivLoss, nn.SoftMarginLoss, nn.HingeEmbeddingLoss,
]  # fmt: skip


@pytest.mark.parametrize("loss", PAIRED)
def test_a_loss_that_would_broadcast_is_refused(loss: type[nn.Module]) -> None:
    column, row = pellucid.full((8, 1), 0.5), pellucid.full((8,), 0.5)
    with pytest.raises(errors.ShapeError) as info:
        loss()(column, row)
    assert "the prediction is (8, 1) and the target (8,)" in message(info)
    assert "every prediction would meet every target" in message(info)
    assert "target.unsqueeze(1)" in message(info)
    assert f"in {loss.__name__}(" in message(info)
    with pytest.raises(errors.ShapeError, match=r"target\.squeeze\(1\)"):
        loss()(row, column)


def test_what_is_no_number_is_named() -> None:
    x = pellucid.ones(3)
    with pytest.raises(errors.DTypeError, match="add works on numbers, not on str"):
        x + "1"
    with pytest.raises(errors.DTypeError, match=r"matmul works on tensors, not on int"):
        x @ 2


def test_a_missing_argument_shows_the_call() -> None:
    with pytest.raises(
        errors.ArgumentError, match=r"softmax is missing dim.\n.*softmax\(x, \*, dim"
    ):
        pellucid.softmax(pellucid.ones(3))


# ------------------------------------------------------------------------------- the walk backwards


def test_backward_on_a_tensor_nothing_leads_to() -> None:
    weights = pellucid.ones(3)
    with pytest.raises(errors.GraphError) as info:
        (weights * 2).sum().backward()
    assert "no input of it has requires_grad=True" in message(info)
    assert "It was made by sum from a (3,)" in message(info)


def test_backward_names_all_inputs_without_requires_grad() -> None:
    x, weight, bias = pellucid.ones(2, 3), pellucid.ones(4, 3), pellucid.ones(4)
    with pytest.raises(errors.GraphError) as info:
        F.linear(x, weight, bias).sum().backward()
    assert "from x (2, 3), weight (4, 3), bias (4,)" in message(info)
    assert "give the weights among them requires_grad=True" in message(info)


def test_backward_on_a_constant() -> None:
    x = pellucid.ones(3, requires_grad=True)
    for constant in ((x * 2).sum().detach(), pellucid.tensor(1.0)):
        with pytest.raises(errors.GraphError, match=r"outside of the tape .*no_grad.*detach\(\)"):
            constant.backward()


def test_backward_on_integers() -> None:
    with pytest.raises(errors.DTypeError, match="numbers with fractions, but this tensor is int64"):
        pellucid.tensor([1, 2]).sum().backward()


def test_backward_through_freed_values() -> None:
    x = pellucid.ones(3, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(errors.GraphError, match=r"second time.*\n.*retain_graph=True"):
        y.backward()


def test_backward_through_a_changed_value_names_it() -> None:
    x = pellucid.ones(3, requires_grad=True)
    factor = pellucid.ones(3)
    y = (x * factor).sum()
    factor[0] = 5.0
    with pytest.raises(errors.GraphError, match=r"mul, whose slope needs the value of 'b' \(3,\)"):
        y.backward()


def test_backward_through_a_changed_result_names_it() -> None:
    x = pellucid.ones(3, requires_grad=True)
    y = x.exp()
    with pellucid.no_grad():
        y.zero_()
    with pytest.raises(errors.GraphError, match=r"exp, whose slope needs the value of 'y' \(3,\)"):
        y.sum().backward()


def test_a_change_through_a_view_is_seen_too() -> None:
    x, factor = pellucid.ones(2, 3, requires_grad=True), pellucid.ones(2, 3)
    y = (x * factor).sum()
    factor.reshape(6)[1:3].mul_(2.0)
    with pytest.raises(errors.GraphError, match=r"'b' \(2, 3\).*\n.*x\.clone\(\)"):
        y.backward()


def test_optimizer_step_between_forward_and_backward() -> None:
    layer = nn.Linear(2, 2)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    x = pellucid.ones(1, 2, requires_grad=True)
    loss = layer(x).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(errors.GraphError, match=r"'weight' \(2, 2\).*changed in place"):
        loss.backward()


def test_assignment_to_a_recorded_tensor() -> None:
    x = pellucid.ones(3, requires_grad=True)
    with pytest.raises(errors.GraphError, match=r"a leaf that requires.*\n.*pellucid\.where"):
        x[0] = 2.0
    y = x * 2
    with pytest.raises(errors.GraphError, match=r"a recorded history.*\n.*pellucid\.no_grad\(\)"):
        y[0] = 2.0


def test_gradient_of_a_non_leaf() -> None:
    x = pellucid.ones(3, requires_grad=True)
    y = x * 2
    with pytest.raises(errors.GraphError, match=r"made by mul.*\n.*retain_grad\(\)"):
        _ = y.grad


def test_backward_needs_one_number() -> None:
    x = pellucid.ones(3, requires_grad=True)
    with pytest.raises(errors.GraphError, match=r"shape \(3,\).*\n.*loss\.sum\(\)"):
        (x * 2).backward()


def test_integers_have_no_gradients() -> None:
    with pytest.raises(errors.DTypeError, match=r"this tensor is int64.*\n.*x\.float\(\)"):
        pellucid.tensor([1, 2], requires_grad=True)
    with pytest.raises(errors.DTypeError, match="this tensor is bool"):
        pellucid.tensor([True]).requires_grad_()
    with pytest.raises(errors.DTypeError, match=r"mean of integers.*\n.*x\.float\(\)\.mean\(\)"):
        pellucid.tensor([1, 2]).mean()


def test_forgotten_zero_grad() -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(pellucid.ones(1, 2)).sum().backward()
    optimizer.step()
    layer(pellucid.ones(1, 2)).sum().backward()
    with pytest.warns(errors.PellucidWarning, match=r"zero_grad\(\)"):
        optimizer.step()


def test_step_without_backward() -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    with pytest.raises(
        errors.GraphError, match=r"SGD\.step found no gradient in any of its 2"
    ) as info:
        optimizer.step()
    assert "loss.backward(); optimizer.step()" in message(info)


# ------------------------------------------------------------------------------------------- labels


def test_softmax_before_cross_entropy() -> None:
    logits = pellucid.ones(2, 3, requires_grad=True)
    with pytest.warns(errors.PellucidWarning, match="softmax"):
        nn.CrossEntropyLoss()(logits.softmax(1), pellucid.tensor([0, 1]))


def test_label_out_of_range_names_index_value_and_classes() -> None:
    with pytest.raises(errors.LabelError) as info:
        nn.CrossEntropyLoss()(pellucid.zeros(3, 10), pellucid.tensor([1, 10, 2]))
    assert "cross_entropy: target[1] is 10, but there are 10 classes, 0 to 9" in message(info)
    assert "If yours count from 1, take target - 1" in message(info)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss])
def test_a_negative_label_is_named(loss: type[nn.Module]) -> None:
    with pytest.raises(
        errors.LabelError, match=r"target\[2\] is -1, but there are 4 classes, 0 to 3"
    ):
        loss()(pellucid.zeros(3, 4), pellucid.tensor([1, 0, -1]))


def test_a_label_of_a_pixel_is_named_by_its_place() -> None:
    with pytest.raises(errors.LabelError, match=r"target\[1, 1\] is 7, but there are 3 classes"):
        nn.CrossEntropyLoss()(pellucid.zeros(2, 3, 2), pellucid.tensor([[0, 0], [2, 7]]))


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_one_hot_where_indices_are_meant(loss: type[nn.Module]) -> None:
    with pytest.raises(errors.LabelError, match=r"(?s)look one-hot.*target\.argmax\(1\)"):
        loss()(pellucid.zeros(2, 3), pellucid.tensor([[0, 1, 0], [1, 0, 0]]))


@pytest.mark.parametrize("loss", [nn.MSELoss, nn.BCEWithLogitsLoss])
def test_indices_where_one_hot_is_meant(loss: type[nn.Module]) -> None:
    with pytest.raises(errors.LabelError, match=r"class numbers.*one_hot\(target, 3\)"):
        loss()(pellucid.zeros(4, 3), pellucid.tensor([0, 1, 2, 1]))


def test_class_numbers_with_fractions() -> None:
    with pytest.raises(errors.LabelError, match=r"float32: target\.long\(\)"):
        nn.CrossEntropyLoss()(pellucid.zeros(2, 3), pellucid.tensor([0.0, 1.0]))


# ------------------------------------------------------------------------------------ the first NaN


def test_the_first_nan_is_named_with_its_line() -> None:
    x = pellucid.tensor([1.0, -1.0], requires_grad=True)
    with pellucid.detect_anomaly(), pytest.raises(errors.AnomalyError) as info:
        (x.log() * 2).sum()
    assert "the first NaN was born in log, at index (1,)" in message(info)
    assert "x = -1" in message(info)
    assert "(x.log() * 2).sum()" in message(info)


def test_the_first_infinity_on_the_way_back() -> None:
    x = pellucid.tensor([0.0, 1.0], requires_grad=True)
    with pellucid.detect_anomaly(), pytest.raises(errors.AnomalyError) as info:
        x.sqrt().sum().backward()
    assert "the first infinity on the way back was born in the slope of sqrt" in message(info)
    assert "x.sqrt().sum().backward()" in message(info)


QUIET = """
import numpy as np, pellucid
x = pellucid.tensor([0.0, -1.0], requires_grad=True)
(x.log() + 1 / x + x.sqrt() + x.mean(0) + (x * 1e30).exp()).sum().backward()
pellucid.zeros(0).mean(), pellucid.tensor([True]).exp(), pellucid.zeros(1).var()
try:
    np.log(np.zeros(1))
    raise SystemExit("NumPy's own warnings are gone")
except RuntimeWarning:
    pass
"""


def test_numpy_says_nothing_about_infinities_here_but_still_does_about_ones_own() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", QUIET], check=True)


# --------------------------------------------------------------------------- layers and checkpoints


def test_layers_in_a_plain_list_are_found() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(2, 3), nn.Linear(3, 1)]

    net = Net()
    names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert list(net.state_dict()) == names
    assert [name for name, _ in net.named_parameters()] == names


def test_a_checkpoint_that_does_not_match_lists_every_key() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = {k: np.array(v) for k, v in model.state_dict().items()}
    state = {
        "0.weight": np.zeros((4, 2)),
        "0.bias": np.zeros(3),
        "1.weight": np.zeros((1, 3)),
        "2.bias": np.zeros(1),
    }
    with pytest.raises(errors.CheckpointError) as info:
        model.load_state_dict(state)
    assert "these weights do not fit Sequential; nothing was changed" in message(info)
    assert "missing:     1.bias\n" in message(info)
    assert "surplus:     2.bias\n" in message(info)
    assert "wrong shape: 0.weight: (4, 2) given, (3, 2) needed" in message(info)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(np.array(value), before[name])


# -------------------------------------------------------------------------------------------- files


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
HEADER = np.array([2051, 60000, 28, 28], ">u4").tobytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where MNIST is looked for, and nowhere else."""
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PELLUCID_OFFLINE", "1")
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    (folder / LABELS).write_bytes(gzip.compress(b""))
    return folder


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "fewer images than promised": (
        gzip.compress(HEADER + b"\0" * 784),
        "is cut short: its header promises 60,000 images of 784 bytes, and it holds 1",
    ),
    "cut while it was fetched": (
        gzip.compress(HEADER + b"\0" * 784)[:-12],
        "is damaged or cut short",
    ),
    "another kind of file": (
        gzip.compress(np.array([2049, 60000, 28, 28], ">u4").tobytes()),
        "should begin with the number 2051, and begins with 2049, which marks labels",
    ),
    "a web page": (b"<!DOCTYPE html><html>404</html>", "a web page"),
    "nothing": (b"", "is cut short"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_data_file_says_what_was_expected_and_found(folder: Path, what: str) -> None:
    content, words = UNREADABLE[what]
    (folder / IMAGES).write_bytes(content)
    with pytest.raises(errors.DataError) as info:
        pellucid.data.datasets.mnist(train=True)
    assert IMAGES in message(info)
    assert words in message(info)


def test_without_a_network_one_is_told_what_to_do_instead(folder: Path) -> None:
    with pytest.raises(errors.DownloadError) as info:
        pellucid.data.datasets.mnist(train=True)
    assert IMAGES in message(info)
    assert "PELLUCID_OFFLINE" in message(info)
    assert "PELLUCID_DATA" in message(info)


def test_errors_stay_the_builtin_errors_people_catch() -> None:
    for own, builtin in (
        (errors.ShapeError, ValueError),
        (errors.DTypeError, TypeError),
        (errors.GraphError, RuntimeError),
        (errors.DownloadError, OSError),
        (errors.MissingExtraError, ImportError),
    ):
        assert issubclass(own, builtin)
        assert issubclass(own, errors.PellucidError)


def test_a_right_step_warns_of_nothing() -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            optimizer.zero_grad()
            layer(pellucid.ones(1, 2)).sum().backward()
            optimizer.step()
