"""Errors that teach: each case of the design's list, and the words a reader gets.

A message names the operation, the layer's path, the shapes, the rule and the likely fix.
"""

from __future__ import annotations

import gzip
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


def test_a_loss_that_would_broadcast_is_refused() -> None:
    with pytest.raises(errors.ShapeError) as info:
        nn.MSELoss()(pellucid.zeros(8, 1), pellucid.zeros(8))
    assert "(8, 1)" in message(info)
    assert "(8,)" in message(info)
    assert "squeeze" in message(info)


# ---------------------------------------------------------------------------------- the walk backwards


def test_backward_on_a_tensor_nothing_leads_to() -> None:
    weights = pellucid.ones(3)
    with pytest.raises(errors.GraphError) as info:
        (weights * 2).sum().backward()
    assert "no input of it has requires_grad=True" in message(info)
    assert "a (3,)" in message(info)


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
    with pytest.raises(errors.GraphError, match=r"change in place.*\n.*pellucid\.where"):
        x[0] = 2.0


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
    with pytest.raises(errors.DTypeError, match=r"int64.*\n.*x\.float\(\)"):
        pellucid.tensor([1, 2], requires_grad=True)


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
    with pytest.warns(errors.PellucidWarning, match="backward"):
        optimizer.step()


# --------------------------------------------------------------------------------------------- labels


def test_softmax_before_cross_entropy() -> None:
    logits = pellucid.ones(2, 3, requires_grad=True)
    with pytest.warns(errors.PellucidWarning, match="softmax"):
        nn.CrossEntropyLoss()(logits.softmax(1), pellucid.tensor([0, 1]))


def test_label_out_of_range_names_index_value_and_classes() -> None:
    with pytest.raises(errors.LabelError) as info:
        nn.CrossEntropyLoss()(pellucid.zeros(3, 10), pellucid.tensor([1, 10, 2]))
    text = message(info)
    assert "10" in text
    assert "1" in text
    assert "0 to 9" in text or "10 classes" in text


def test_one_hot_where_indices_are_meant() -> None:
    with pytest.raises(errors.LabelError, match=r"(?s)one-hot.*argmax"):
        nn.NLLLoss()(pellucid.zeros(2, 3), pellucid.tensor([[0, 1, 0], [1, 0, 0]]))


def test_indices_where_probabilities_are_meant() -> None:
    with pytest.raises(errors.PellucidError, match="long"):
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
    assert "infinity was born in the slope of sqrt" in message(info)
    assert "x.sqrt().sum().backward()" in message(info)


# -------------------------------------------------------------------------------- layers and checkpoints


def test_layers_in_a_plain_list_are_found() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(2, 3), nn.Linear(3, 1)]

    assert list(Net().state_dict()) == [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "layers.1.bias",
    ]


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
    text = message(info)
    assert "1.bias" in text  # missing
    assert "2.bias" in text  # surplus
    assert "(4, 2)" in text  # another shape
    assert "(3, 2)" in text
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(np.array(value), before[name])


# ------------------------------------------------------------------------------------------------ files


def test_a_truncated_data_file_says_what_was_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    header = np.array([2051, 60000, 28, 28], ">u4").tobytes()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + b"\0" * 100))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b""))
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path))
    with pytest.raises(errors.DataError) as info:
        pellucid.data.datasets.mnist(train=True)
    assert "train-images-idx3-ubyte.gz" in message(info)


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
