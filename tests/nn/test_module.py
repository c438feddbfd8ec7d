"""What a module is made of, how it is saved, looked at and hooked into, and what its errors say."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, errors, nn


class Net(nn.Module):
    """Parts in every place they can be kept."""

    def __init__(self) -> None:
        self.first = nn.Linear(3, 4)
        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]
        self.heads = {"a": nn.Linear(4, 2), "b": (nn.Linear(4, 1), nn.ReLU())}
        self.scale = nn.Parameter(np.ones(1))
        self.free = [nn.Parameter(np.zeros(2))]
        self.notes = ["no part", 3, None]
        self.constant = Tensor([1.0])

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for layer in self.layers:
            x = layer(x)
        return self.heads["a"](x) * self.scale  # type: ignore[index, operator]


NAMES = [
    "scale", "free.0", "first.weight", "first.bias", "layers.0.weight", "layers.0.bias",
    "layers.1.weight", "layers.1.bias", "heads.a.weight", "heads.a.bias", "heads.b.0.weight",
    "heads.b.0.bias",
]  # fmt: skip


def test_parts_are_found_in_attributes_lists_tuples_and_dicts() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert list(net.state_dict()) == NAMES
    assert [name for name, _ in net.named_children()] == [
        "first", "layers.0", "layers.1", "heads.a", "heads.b.0", "heads.b.1"
    ]  # fmt: skip


def test_layers_in_a_plain_list_learn() -> None:
    net = Net()
    optimizer = pellucid.optim.SGD(net.parameters(), lr=0.1)
    before = net.layers[1].weight.numpy().copy()
    net(pellucid.ones(2, 3)).sum().backward()
    optimizer.step()
    assert not np.array_equal(before, net.layers[1].weight.numpy())


def test_super_init_may_be_called_or_left_out() -> None:
    class With(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

    assert len(list(With().parameters())) == len(list(nn.Linear(2, 1).parameters())) == 2


def test_names_can_be_asked_for_without_the_inner_ones_or_with_a_prefix() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale", "free.0"]
    assert next(iter(net.named_parameters(prefix="net")))[0] == "net.scale"
    assert len(list(net.parameters(recurse=False))) == 2


def test_shared_parameters_are_counted_once_and_saved_under_all_names() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    with_all = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert with_all == ["0.weight", "0.bias", "1.weight", "1.bias"]
    twice = nn.Sequential(net[0], net[0])
    assert len(list(twice.modules())) == 2
    assert list(twice.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_circles_end() -> None:
    net = Net()
    net.myself = net
    net.layers[0].owner = net
    loop: list[Any] = [1]
    loop.append(loop)
    net.loop = loop
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert list(net.state_dict()) == NAMES


def test_buffers() -> None:
    net = nn.Module()
    net.register_buffer("mean", pellucid.zeros(3))
    net.register_buffer("scratch", pellucid.zeros(2), persistent=False)
    net.register_buffer("later", None)
    assert [name for name, _ in net.named_buffers()] == ["mean", "scratch"]
    assert list(net.state_dict()) == ["mean"]
    assert list(net.parameters()) == []
    net.mean = pellucid.ones(3)
    assert net.state_dict()["mean"].tolist() == [1, 1, 1]
    with pytest.raises(errors.ArgumentError, match="'forward' already"):
        net.register_buffer("forward", pellucid.zeros(1))


def test_buffers_after_parameters_in_state_dict() -> None:
    assert list(nn.BatchNorm1d(2).state_dict()) == [
        "weight", "bias", "running_mean", "running_var", "num_batches_tracked"
    ]  # fmt: skip


def test_get_submodule_and_parameter() -> None:
    net = Net()
    assert net.get_submodule("layers.1") is net.layers[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("heads.b.0.bias").shape == (1,)
    with pytest.raises(errors.ArgumentError, match=r"Net has no module 'layer\.1'") as caught:
        net.get_submodule("layer.1")
    assert "layers.0, layers.1" in str(caught.value)
    with pytest.raises(errors.ArgumentError, match="no parameter 'scales'"):
        net.get_parameter("scales")


def test_state_dict_shares_memory_and_needs_no_gradient() -> None:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    state["weight"].fill_(7)
    assert (layer.weight.numpy() == 7).all()
    assert not state["weight"].requires_grad


def test_loading_from_arrays_copies() -> None:
    layer, weight = nn.Linear(2, 2), np.ones((2, 2))
    keys = layer.load_state_dict({"weight": weight, "bias": np.zeros(2)})
    weight[:] = 5
    assert (layer.weight.numpy() == 1).all()
    assert layer.weight.dtype == np.float32
    assert keys.missing_keys == keys.unexpected_keys == []


def test_a_state_that_does_not_match_lists_everything_and_changes_nothing() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    state = {
        "0.weight": np.zeros((2, 4)),
        "0.bias": np.zeros(2),
        "1.bias": np.zeros(1),
        "2.bias": np.zeros(1),
    }
    with pytest.raises(errors.CheckpointError) as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert "missing:     1.weight" in text
    assert "surplus:     2.bias" in text
    assert "wrong shape: 0.weight: (2, 4) given, (2, 3) needed" in text
    assert "nothing was changed" in text
    for key, value in net.state_dict().items():
        assert np.array_equal(before[key], value.numpy())


def test_loading_what_fits() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    keys = net.load_state_dict({"0.bias": np.ones(2), "9.bias": np.ones(1)}, strict=False)
    assert keys.missing_keys == ["0.weight", "1.weight", "1.bias"]
    assert keys.unexpected_keys == ["9.bias"]
    assert net[0].bias.tolist() == [1, 1]
    with pytest.raises(errors.CheckpointError, match="wrong shape"):
        net.load_state_dict({"0.bias": np.ones(3)}, strict=False)


def test_loading_something_that_is_no_numbers() -> None:
    with pytest.raises(errors.CheckpointError, match="unreadable:  bias"):
        nn.Linear(2, 1).load_state_dict({"weight": np.ones((1, 2)), "bias": ["x"]})


def test_loading_is_a_change_that_backward_notices() -> None:
    layer = nn.Linear(2, 2)
    hidden = layer(pellucid.ones(1, 2))
    y = layer(hidden).sum()
    layer.load_state_dict(copy.deepcopy(layer.state_dict()))
    with pytest.raises(errors.GraphError, match="changed in place"):
        y.backward()


def test_train_and_eval_reach_all() -> None:
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout()))
    assert net.training
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())


def test_freezing_and_forgetting() -> None:
    net = nn.Linear(2, 1)
    net(pellucid.ones(1, 2)).backward()
    net.zero_grad(set_to_none=False)
    assert net.weight.grad.tolist() == [[0, 0]]
    net.zero_grad()
    assert net.weight.grad is None
    net.requires_grad_(False)
    assert not net(pellucid.ones(1, 2)).requires_grad


def test_apply_goes_from_the_inside_out() -> None:
    seen: list[str] = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh()))
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "Tanh", "Sequential", "Sequential"]


def test_other_types() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    weight = net[0].weight
    net(pellucid.ones(2, 2)).sum().backward()
    net.double()
    assert net[0].weight is weight
    assert weight.dtype == weight.grad.dtype == np.float64
    assert net[1].running_mean.dtype == np.float64
    assert net[1].num_batches_tracked.dtype == np.int64
    assert net.to("float32")[0].weight.dtype == np.float32
    assert net.to(pellucid.zeros(1, dtype=np.float64)).float()[1].running_var.dtype == np.float32
    assert net.to("cpu").cpu() is net
    with pytest.raises(errors.DTypeError, match="fractions"):
        net.to(np.int64)
    with pytest.raises(errors.ArgumentError, match="CPU only"):
        net.to("cuda:0")


def test_deep_copies_are_independent_and_keep_sharing() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    twin = copy.deepcopy(net)
    twin[0].weight.numpy()[:] = 0
    assert isinstance(twin[0].weight, nn.Parameter)
    assert twin[1].weight is twin[0].weight
    assert net[0].weight.numpy().any()


def test_parameter() -> None:
    array = np.ones(3)
    parameter = nn.Parameter(array)
    assert parameter.requires_grad
    assert parameter.numpy() is array
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    assert repr(nn.Parameter([1.0])) == "parameter([1.], requires_grad=True)"
    assert type(parameter * 2) is Tensor
    with pytest.raises(errors.DTypeError, match="fractions"):
        nn.Parameter([1, 2])


def test_repr_is_nested() -> None:
    net = nn.Sequential(nn.Linear(784, 40), nn.Sequential(nn.ReLU()), nn.Linear(40, 10, bias=False))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(784 -> 40)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "  )\n"
        "  (2): Linear(40 -> 10, bias=False)\n"
        ")"
    )
    assert "(heads.b.0): Linear(4 -> 1)" in repr(Net())


def test_a_module_without_forward_says_what_to_write() -> None:
    class Empty(nn.Module):
        pass

    with pytest.raises(errors.ArgumentError, match=r"def forward\(self, x\)"):
        Empty()(1)


# --------------------------------------------------------------------------- where errors come from


class Classifier(nn.Module):
    """The network of the error example."""

    def __init__(self) -> None:
        self.hidden = nn.Linear(100, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.hidden(x)  # type: ignore[no-any-return]


class Model(nn.Module):
    """One level above it."""

    def __init__(self) -> None:
        self.classifier = Classifier()

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(x)  # type: ignore[no-any-return]


def test_errors_name_the_layer_by_its_full_path() -> None:
    model = Model()
    images = pellucid.zeros(32, 784)
    with pytest.raises(errors.ShapeError) as caught:
        model(images)
    text = str(caught.value)
    assert "x (32, 784)" in text
    assert "784 is not 100" in text
    assert "in classifier.hidden: Linear(100 -> 10)" in text
    assert "test_module.py line" in text


def test_the_outermost_module_goes_by_its_class() -> None:
    with pytest.raises(errors.ShapeError, match=r"in Linear\(3 -> 2\)"):
        nn.Linear(3, 2)(pellucid.zeros(1, 4))
    with pytest.raises(errors.ShapeError, match=r"in 1: Linear\(3 -> 2\)"):
        nn.Sequential(nn.Linear(4, 4), nn.Linear(3, 2))(pellucid.zeros(1, 4))


def test_errors_in_lists_and_in_modules_nobody_owns() -> None:
    net = Net()
    net.layers[1] = nn.Linear(5, 4)
    with pytest.raises(errors.ShapeError, match=r"in layers\.1: Linear\(5 -> 4\)"):
        net(pellucid.zeros(1, 3))

    class Borrower(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.Linear(7, 2)(x)  # type: ignore[no-any-return]

    with pytest.raises(errors.ShapeError, match=r"in Linear\(7 -> 2\)"):
        Borrower()(pellucid.zeros(1, 3))

    class Adder(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + pellucid.zeros(5)

    with pytest.raises(errors.ShapeError, match=r"in 0: Adder\(\)"):
        nn.Sequential(Adder())(pellucid.zeros(1, 3))


# -------------------------------------------------------------------------------------------- hooks


def test_forward_hooks_see_and_change() -> None:
    layer = nn.Linear(2, 1)
    seen: list[Any] = []
    before = layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 0,))
    after = layer.register_forward_hook(lambda module, inputs, y: seen.append((inputs, y)))
    y = layer(pellucid.ones(1, 2))
    assert y.tolist()[0] == layer.bias.tolist()  # type: ignore[union-attr]
    assert seen[0][0][0].tolist() == [[0, 0]]
    assert seen[0][1] is y
    before.remove(), after.remove()
    before.remove()
    layer(pellucid.ones(1, 2))
    assert len(seen) == 1
    layer.register_forward_hook(lambda module, inputs, y: y * 0 + 5)
    assert layer(pellucid.ones(1, 2)).tolist() == [[5]]
    layer.register_forward_pre_hook(lambda module, inputs: inputs[0])
    assert layer(pellucid.ones(1, 2)).tolist() == [[5]]


def test_backward_hooks_see_gradients_of_this_call_alone() -> None:
    layer = nn.Linear(2, 3, bias=False)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda module, d_in, d_out: seen.append((d_in, d_out)))
    x = pellucid.ones(1, 2, requires_grad=True)
    y = layer(x)
    (y.sum() * 2 + x.sum() * 10).backward()
    ((d_in,), (d_out,)) = seen[0]
    assert d_out.tolist() == [[2, 2, 2]]
    np.testing.assert_allclose(d_in, 2 * layer.weight.numpy().sum(0, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(x.grad, np.asarray(d_in) + 10, rtol=1e-6)


def test_backward_hooks_without_input_gradients_and_with_several() -> None:
    first = nn.Embedding(4, 2)
    calls: list[Any] = []
    first.register_full_backward_hook(lambda module, d_in, d_out: calls.append((d_in, d_out)))
    first(pellucid.tensor([1, 2])).sum().backward()
    assert calls[0][0] == (None,)
    assert calls[0][1][0].shape == (2, 2)

    pair = nn.Bilinear(2, 2, 1)
    pair.register_full_backward_hook(lambda module, d_in, d_out: calls.append((d_in, d_out)))
    a, b = (pellucid.ones(1, 2, requires_grad=True) for _ in range(2))
    pair(a, b).backward()
    assert [d.shape for d in calls[1][0]] == [(1, 2), (1, 2)]
    assert len(calls) == 2

    lstm = nn.LSTM(2, 3)
    lstm.register_full_backward_hook(lambda module, d_in, d_out: calls.append((d_in, d_out)))
    y, _ = lstm(pellucid.ones(4, 1, 2, requires_grad=True))
    y.sum().backward()
    assert calls[2][1][0].shape == (4, 1, 3)


def test_backward_hooks_may_change_the_gradient() -> None:
    layer = nn.Linear(2, 1)
    handle = layer.register_full_backward_hook(lambda module, d_in, d_out: (d_in[0] * 0,))
    x = pellucid.ones(1, 2, requires_grad=True)
    layer(x).backward()
    assert x.grad.tolist() == [[0, 0]]
    handle.remove()
    layer(x).backward()
    assert x.grad.tolist() == layer.weight.tolist()

    pair = nn.Bilinear(2, 2, 1)
    pair.register_full_backward_hook(lambda module, d_in, d_out: (d_in[0], d_in[1] * 0))
    with pytest.raises(errors.GraphError, match="input number 1"):
        pair(x, pellucid.ones(1, 2, requires_grad=True)).backward()
    wrong = nn.Tanh()
    wrong.register_full_backward_hook(lambda module, d_in, d_out: ())
    with pytest.raises(errors.GraphError, match="0 gradients for 1 inputs"):
        wrong(x).sum().backward()


# --------------------------------------------------------------------------------------- containers


def test_sequential() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    assert len(net) == 3
    assert net[-1] is net[2]
    assert [type(layer).__name__ for layer in net] == ["Linear", "Tanh", "Linear"]
    assert isinstance(net[:2], nn.Sequential)
    assert net[:2][0] is net[0]
    net.append(nn.Sigmoid())
    assert list(dict(net.named_children())) == ["0", "1", "2", "3"]
    del net[1]
    assert [type(layer).__name__ for layer in net] == ["Linear", "Linear", "Sigmoid"]
    net.insert(1, nn.ReLU())
    assert isinstance(net[1], nn.ReLU)
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert isinstance(net.pop(), nn.Sigmoid)
    net[1] = nn.Softsign()
    assert list(dict(net.named_children())) == ["0", "1", "2"]
    assert net(pellucid.ones(4, 2)).shape == (4, 1)
    with pytest.raises(IndexError, match="has 3 parts"):
        net[3]


def test_sequential_with_names() -> None:
    net = nn.Sequential({"hidden": nn.Linear(2, 3), "out": nn.Linear(3, 1)})
    assert list(net.state_dict()) == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert net.hidden is net[0]
    assert net(pellucid.ones(1, 2)).shape == (1, 1)
    with pytest.raises(errors.ArgumentError, match="cannot name a part 'forward'"):
        nn.Sequential({"forward": nn.Tanh()})


def test_sequential_refuses_what_is_no_module() -> None:
    with pytest.raises(errors.ArgumentError, match=r"did you mean Tanh\(\)"):
        nn.Sequential(nn.Linear(2, 1), nn.Tanh)  # type: ignore[arg-type]
    with pytest.raises(errors.ArgumentError, match="holds Modules"):
        nn.Sequential(nn.Linear(2, 1), pellucid.tanh)


def test_module_list_parameter_list_and_module_dict() -> None:
    more = [nn.Linear(1, 2)]
    layers = nn.ModuleList([nn.Linear(1, 1)]) + more
    layers.extend([nn.Linear(2, 2)])
    assert len(layers) == 3
    assert list(layers.state_dict())[-1] == "2.bias"
    assert layers[1] in layers

    free = nn.ParameterList([np.zeros(2), nn.Parameter([1.0])])
    assert [name for name, _ in free.named_parameters()] == ["0", "1"]
    assert repr(free) == "ParameterList((2,), (1,))"

    named = nn.ModuleDict({"a": nn.Linear(1, 1)})
    named["b"] = nn.Tanh()
    named["a"] = nn.Linear(1, 3)
    assert named.keys() == ["a", "b"]
    assert list(named) == ["a", "b"]
    assert "b" in named
    assert len(named) == 2
    assert list(named.state_dict()) == ["a.weight", "a.bias"]
    assert isinstance(named.pop("b"), nn.Tanh)
    assert [type(m).__name__ for m in named.values()] == ["Linear"]
    with pytest.raises(KeyError, match="no module 'z' among a"):
        named["z"]
    with pytest.raises(errors.ArgumentError, match="cannot name a part 'keys'"):
        named["keys"] = nn.Tanh()
    with pytest.raises(errors.ArgumentError, match="holds modules"):
        named["c"] = 3  # type: ignore[assignment]
