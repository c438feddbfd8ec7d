"""Optimisers: rules as written, groups, memory, rows of tables, words for mistakes."""

from __future__ import annotations

import copy
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid import Tensor, nn, optim
from pellucid.errors import ArgumentError, CheckpointError, GraphError, PellucidWarning
from pellucid.sparse import RowSparse

ALL: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1},
    "SGD momentum": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "RMSprop": {"lr": 0.05, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2},
    "Adam": {"lr": 0.05, "amsgrad": True},
    "AdamW": {"lr": 0.05, "weight_decay": 0.1},
}


def made(name: str, params: Any, **more: Any) -> optim.Optimizer:
    optimizer: optim.Optimizer = getattr(optim, name.split()[0])(params, **{**ALL[name], **more})
    return optimizer


def leaf(*numbers: float, dtype: Any = np.float64) -> Tensor:
    return Tensor(np.array(numbers, dtype), requires_grad=True)


def learn(optimizer: optim.Optimizer, *pairs: tuple[Tensor, Any]) -> None:
    for p, gradient in pairs:
        p.grad = Tensor(np.array(gradient, p.dtype))
    optimizer.step()


# ---------------------------------------------------------------------------- the rules, by hand


def test_sgd_is_a_step_against_the_gradient() -> None:
    w = leaf(1.0, -2.0)
    learn(optim.SGD([w], lr=0.1), (w, [0.5, 1.0]))
    assert w.tolist() == [1.0 - 0.1 * 0.5, -2.0 - 0.1 * 1.0]


def test_momentum_gathers_speed() -> None:
    w = leaf(0.0)
    sgd = optim.SGD([w], lr=1.0, momentum=0.5)
    seen = []
    for _ in range(4):
        learn(sgd, (w, [1.0]))
        seen.append(w.item())
    assert seen == [-1.0, -2.5, -4.25, -6.125]  # steps of 1, 1.5, 1.75, 1.875


def test_nesterov_looks_ahead() -> None:
    w = leaf(0.0)
    sgd = optim.SGD([w], lr=1.0, momentum=0.5, nesterov=True)
    learn(sgd, (w, [1.0]))
    assert w.item() == -1.5
    learn(sgd, (w, [1.0]))
    assert w.item() == -1.5 - (1.0 + 0.5 * 1.5)


def test_weights_decay() -> None:
    w = leaf(2.0)
    learn(optim.SGD([w], lr=0.5, weight_decay=0.1), (w, [0.0]))
    assert w.item() == 2.0 - 0.5 * 0.1 * 2.0
    w = leaf(2.0)
    learn(optim.AdamW([w], lr=0.5, weight_decay=0.1), (w, [0.0]))
    assert w.item() == pytest.approx(2.0 * (1 - 0.5 * 0.1))


def test_adam_s_first_step_is_lr_long_whatever_the_gradient() -> None:
    for size in (1e-4, 1.0, 1e4):
        w = leaf(0.0, 0.0)
        learn(optim.Adam([w], lr=0.1), (w, [size, -size]))
        assert w.tolist() == pytest.approx([-0.1, 0.1], rel=1e-3)


def test_adam_by_its_written_formula() -> None:
    r = np.random.default_rng(0)
    w, by_hand = leaf(*r.normal(size=3)), np.zeros(3)
    by_hand[:] = w.numpy()
    adam = optim.Adam([w], lr=0.1, betas=(0.8, 0.95), eps=1e-3)
    m, v = np.zeros(3), np.zeros(3)
    for t in range(1, 30):
        g = r.normal(size=3)
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g**2
        by_hand -= 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-3)
        learn(adam, (w, g))
    np.testing.assert_allclose(w.numpy(), by_hand, rtol=1e-12)


def test_adagrad_and_rmsprop_by_their_written_formulas() -> None:
    r = np.random.default_rng(1)
    w, u = leaf(*r.normal(size=3)), leaf(*r.normal(size=3))
    of_w, of_u = w.numpy().copy(), u.numpy().copy()
    adagrad = optim.Adagrad([w], lr=0.1, lr_decay=0.5)
    rmsprop = optim.RMSprop([u], lr=0.1, alpha=0.9)
    total, mean = np.zeros(3), np.zeros(3)
    for t in range(1, 20):
        g = r.normal(size=3)
        total += g**2
        of_w -= 0.1 / (1 + (t - 1) * 0.5) * g / (np.sqrt(total) + 1e-10)
        mean = 0.9 * mean + 0.1 * g**2
        of_u -= 0.1 * g / (np.sqrt(mean) + 1e-8)
        learn(adagrad, (w, g)), learn(rmsprop, (u, g))
    np.testing.assert_allclose(w.numpy(), of_w, rtol=1e-12)
    np.testing.assert_allclose(u.numpy(), of_u, rtol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_maximize_is_minimising_the_opposite(name: str) -> None:
    up, down = leaf(0.3, -0.2), leaf(0.3, -0.2)
    rising, falling = made(name, [up], maximize=True), made(name, [down])
    for t in range(5):
        g = np.array([math.sin(t), 1.0])
        learn(rising, (up, -g)), learn(falling, (down, g))
    np.testing.assert_allclose(up.numpy(), down.numpy(), rtol=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_every_rule_reaches_the_bottom_of_a_bowl(name: str) -> None:
    w = leaf(3.0, -2.0)
    optimizer = made(name, [w], **({"lr": 1.0} if name == "Adagrad" else {}))
    for _ in range(600):
        optimizer.zero_grad()
        ((w - Tensor([1.0, 0.5], dtype="float64")) ** 2).sum().backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.995
    # AdamW does not reach it: its weights are pulled towards 0 all the while
    np.testing.assert_allclose(w.numpy(), [1.0, 0.5], atol=0.06 if name == "AdamW" else 2e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ALL)
def test_always_the_same_gradient_for_a_long_time(name: str, dtype: Any) -> None:
    """Whatever is rounded, nothing becomes NaN: the variance of a constant is 0, not below."""
    w = Tensor(np.zeros(2000, dtype), requires_grad=True)
    optimizer = made(name, [w], lr=1e-4, **({"alpha": 0.5} if name == "RMSprop" else {}))
    g = np.linspace(-0.7, 1.3, 2000)
    for _ in range(300):
        learn(optimizer, (w, g))
    assert np.isfinite(w.numpy()).all()
    assert w.dtype == dtype


@pytest.mark.parametrize("name", ALL)
def test_weights_are_changed_where_they_lie(name: str) -> None:
    array = np.ones((3, 4))
    w = Tensor(array.T, requires_grad=True)  # and not in the usual order
    held = w._value
    learn(made(name, [w]), (w, np.ones((4, 3))))
    assert w._value is held
    assert (array != 1).all()


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_left_as_they_are(name: str) -> None:
    for settings in ({}, {"maximize": True}, {"weight_decay": 0.3}):
        w = leaf(1.0, 2.0)
        learn(made(name, [w], **settings), (w, [0.25, -4.0]))
        assert w.grad.tolist() == [0.25, -4.0]


@pytest.mark.parametrize("name", ALL)
def test_a_large_matrix_learns_as_its_parts_do(name: str) -> None:
    """In blocks, the same numbers as all at once."""
    r = np.random.default_rng(2)
    values, steps = r.normal(size=(70_000, 3)), [r.normal(size=(70_000, 3)) for _ in range(3)]
    whole = Tensor(values.copy(), requires_grad=True)
    pieces = [Tensor(part.copy(), requires_grad=True) for part in np.split(values, 7)]
    assert pieces[0].numel() < optim.base.BLOCK < whole.numel()
    one, many = made(name, [whole], weight_decay=0.1), made(name, pieces, weight_decay=0.1)
    for g in steps:
        learn(one, (whole, g))
        learn(many, *zip(pieces, np.split(g, 7), strict=True))
    np.testing.assert_array_equal(whole.numpy(), np.concatenate([p.numpy() for p in pieces]))


# ------------------------------------------------------------------------------------- groups


def test_groups_have_settings_of_their_own() -> None:
    a, b = leaf(1.0), leaf(1.0)
    sgd = optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)
    learn(sgd, (a, [1.0]), (b, [1.0]))
    assert (a.item(), b.item()) == (0.9, 0.5)
    assert [g["lr"] for g in sgd.param_groups] == [0.1, 0.5]
    assert "group 1: 1 parameters, lr=0.5, momentum=0" in repr(sgd)


def test_a_group_can_come_later() -> None:
    a, b = leaf(1.0), leaf(1.0)
    sgd = optim.SGD([a], lr=0.1)
    sgd.add_param_group({"params": [b], "lr": 0.2, "momentum": 0.5})
    learn(sgd, (a, [1.0]), (b, [1.0]))
    assert (a.item(), b.item()) == (0.9, 0.8)
    with pytest.raises(ArgumentError, match=r"given a parameter \(1,\) twice"):
        sgd.add_param_group({"params": [a]})
    assert len(sgd.param_groups) == 2


def test_settings_can_be_changed_on_the_way() -> None:
    w = leaf(0.0)
    sgd = optim.SGD([w], lr=1.0, weight_decay=1e-9)
    learn(sgd, (w, [1.0]))
    sgd.param_groups[0].update(momentum=0.5, weight_decay=0.0)  # momentum begins now
    learn(sgd, (w, [1.0]))
    learn(sgd, (w, [1.0]))
    assert w.item() == pytest.approx(-1.0 - 1.0 - 1.5)
    adam = optim.Adam([w], lr=0.1)
    learn(adam, (w, [1.0]))
    adam.param_groups[0]["amsgrad"] = True
    learn(adam, (w, [1.0]))
    assert w.item() == pytest.approx(-3.7)


@pytest.mark.parametrize("name", ALL)
def test_only_parameters_with_a_gradient_learn(name: str) -> None:
    a, b = leaf(1.0), leaf(1.0)
    optimizer = made(name, [a, b])
    learn(optimizer, (a, [1.0]))
    assert a.item() != 1.0
    assert b.item() == 1.0
    assert b not in optimizer.state


# -------------------------------------------------------------------------- rows of large tables


def dense_and_sparse(name: str, rows: list[Any], **settings: Any) -> tuple[Any, Any]:
    """The same lookups in a table with row-sparse gradients and in one with dense ones."""
    tables = []
    for sparse in (True, False):
        pellucid.manual_seed(4)
        table = nn.Embedding(8, 3, sparse=sparse).double()
        optimizer = made(name, table.parameters(), **settings)
        for at in rows:
            optimizer.zero_grad()
            ((table(Tensor(np.array(at, np.int64))) + 0.5) ** 2).sum().backward()
            assert isinstance(table.weight._grad, RowSparse) == sparse
            optimizer.step()
        tables.append(table.weight.numpy())
    return tables[0], tables[1]


@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}, {"maximize": True}], ids=str)
@pytest.mark.parametrize("name", ALL)
@given(rows=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=12), min_size=1, max_size=4))
def test_row_sparse_gradients_do_what_dense_ones_do(
    name: str, settings: dict[str, Any], rows: list[Any]
) -> None:
    if "maximize" in settings:
        settings = {**settings, "lr": 1e-3}
    sparse, dense = dense_and_sparse(name, rows, **settings)
    np.testing.assert_allclose(sparse, dense, rtol=1e-10, atol=1e-12)


def test_rows_that_were_not_used_are_not_touched() -> None:
    for name in ("SGD", "Adagrad"):
        table = nn.Embedding(6, 2, sparse=True)
        before = table.weight.numpy().copy()
        table(Tensor([1, 4, 1])).sum().backward()
        made(name, table.parameters()).step()
        changed = (table.weight.numpy() != before).any(axis=1)
        assert changed.tolist() == [False, True, False, False, True, False]


def test_a_sparse_table_is_shortened_before_it_is_clipped() -> None:
    table = nn.Embedding(6, 2, sparse=True).double()
    table(Tensor([1, 1, 2])).sum().backward()  # row 1 twice: (2, 2), row 2 once: (1, 1)
    length = nn.utils.clip_grad_norm_(table.parameters(), 1.0)
    assert length.item() == pytest.approx(math.sqrt(10))
    assert np.linalg.norm(np.asarray(table.weight.grad)) == pytest.approx(1.0, rel=1e-5)


# ----------------------------------------------------------------------------- saved and loaded


def step_once(model: Any, optimizer: optim.Optimizer, t: int) -> None:
    x = Tensor(np.random.default_rng(t).normal(size=(5, 3)).astype(np.float32))
    optimizer.zero_grad()
    (model(x) ** 2).mean().backward()
    optimizer.step()


@pytest.mark.parametrize("how", ["as it is", "as a file", "as JSON keys"])
@pytest.mark.parametrize("name", ALL)
def test_a_new_optimiser_goes_on_bit_for_bit(name: str, how: str, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = made(name, model.parameters())
    for t in range(4):
        step_once(model, optimizer, t)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    state = optimizer.state_dict()
    if how == "as a file":
        pellucid.save(state, tmp_path / "optimizer.safetensors")
        state = pellucid.load(tmp_path / "optimizer.safetensors")
    elif how == "as JSON keys":
        state["state"] = {str(place): kept for place, kept in state["state"].items()}
    for t in range(4, 8):
        step_once(model, optimizer, t)

    again = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    again.load_state_dict(weights)
    other = made(name, again.parameters(), lr=9.0)
    other.load_state_dict(state)
    for t in range(4, 8):
        step_once(again, other, t)
    for key, value in model.state_dict().items():
        assert value.numpy().tobytes() == again.state_dict()[key].numpy().tobytes(), key


def test_the_state_has_pytorchs_form_and_memory_of_its_own() -> None:
    a, b = leaf(1.0), leaf(1.0, 2.0)
    sgd = optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)
    learn(sgd, (b, [1.0, 2.0]))
    state = sgd.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert [g["lr"] for g in state["param_groups"]] == [0.1, 0.5]
    assert list(state["state"]) == [1]
    assert state["state"][1]["momentum_buffer"].tolist() == [1.0, 2.0]
    json.dumps(state["param_groups"])
    learn(sgd, (b, [5.0, 5.0]))
    assert state["state"][1]["momentum_buffer"].tolist() == [1.0, 2.0]
    other = optim.SGD([{"params": [leaf(1.0)]}, {"params": [leaf(1.0, 2.0)]}], lr=0.1, momentum=0.9)
    other.load_state_dict(state)
    other.param_groups[1]["lr"] = 7.0
    assert state["param_groups"][1]["lr"] == 0.5
    for kept in other.state.values():
        kept["momentum_buffer"][:] = 0
    assert state["state"][1]["momentum_buffer"].tolist() == [1.0, 2.0]


def spoil(how: str, state: dict[str, Any]) -> Any:
    first = state["state"][0]
    if how == "other parameters":
        state["param_groups"][0]["params"] = [0]
    elif how == "more groups":
        state["param_groups"].append({"params": [9], "lr": 1.0})
    elif how == "other shape":
        first["exp_avg"] = np.zeros(5)
    elif how == "no memory":
        del first["exp_avg_sq"]
    elif how == "no step":
        del first["step"]
    elif how == "strange step":
        first["step"] = "three"
    elif how == "strange memory":
        first["exp_avg"] = ["x"]
    elif how == "place":
        state["state"][7] = first
    elif how == "strange place":
        state["state"]["weight"] = first
    elif how == "missing part":
        del state["state"]
    elif how == "no groups":
        return {"state": {}}
    elif how == "no dict":
        return [state]
    elif how == "missing setting":
        del state["param_groups"][0]["betas"]
    elif how == "strange setting":
        state["param_groups"][0]["lr"] = -1.0
    return state


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("other parameters", r"groups of \[1\] parameters, and this optimiser groups of \[2\]"),
        ("more groups", r"groups of \[2, 1\] parameters"),
        ("other shape", r"'exp_avg' of parameter 0 has shape \(5,\).*parameter \(2,\)"),
        ("no memory", "the saved state of parameter 0 has no 'exp_avg_sq'"),
        ("no step", "the saved state of parameter 0 has no 'step'"),
        ("strange step", "'step' of parameter 0 is 'three'"),
        ("strange memory", "'exp_avg' of parameter 0"),
        ("place", "parameter 7, .* 2 parameters"),
        ("strange place", "parameter 'weight', .* 2 parameters"),
        ("missing part", "'state'"),
        ("no groups", "'param_groups'"),
        ("no dict", "list"),
        ("missing setting", "missing: betas"),
        ("strange setting", "lr is 0 or more, not -1.0"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(how: str, words: str) -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0)
    adam = optim.Adam([a, b], lr=0.1)
    learn(adam, (a, [1.0, 1.0]), (b, [1.0]))
    spoilt = spoil(how, adam.state_dict())
    before = copy.deepcopy(adam.state_dict())
    with pytest.raises(CheckpointError, match=words):
        adam.load_state_dict(spoilt)
    after = adam.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert after["state"][0]["exp_avg"].tolist() == before["state"][0]["exp_avg"].tolist()


def test_the_state_of_another_optimiser_is_refused() -> None:
    w = leaf(1.0)
    adam = optim.Adam([w])
    learn(adam, (w, [1.0]))
    with pytest.raises(CheckpointError, match=r"missing: .*momentum.*\n.*surplus: .*betas"):
        optim.SGD([w]).load_state_dict(adam.state_dict())


def test_float32_state_for_float64_weights() -> None:
    small, large = leaf(1.0, dtype=np.float32), leaf(1.0)
    adam = optim.Adam([small])
    learn(adam, (small, [0.5]))
    other = optim.Adam([large])
    other.load_state_dict(adam.state_dict())
    assert other.state[large]["exp_avg"].dtype == np.float64


# ----------------------------------------------------------------------------------- zero_grad


def test_zero_grad_forgets_or_fills_with_zeros() -> None:
    a, b = leaf(1.0), leaf(2.0)
    sgd = optim.SGD([a, b], lr=0.1)
    (a * 3).sum().backward()
    held = a.grad
    sgd.zero_grad(set_to_none=False)
    assert a.grad.tolist() == [0.0]
    assert held.tolist() == [3.0]  # whoever kept the old one keeps it
    assert b.grad is None
    sgd.zero_grad()
    assert a.grad is None


def test_zeroed_gradients_count_as_gradients() -> None:
    w = leaf(1.0)
    sgd = optim.SGD([w], lr=0.1, momentum=0.5)
    learn(sgd, (w, [1.0]))
    sgd.zero_grad(set_to_none=False)
    sgd.step()  # momentum carries on
    assert w.item() == pytest.approx(1.0 - 0.1 - 0.05)
    sgd.zero_grad()
    with pytest.raises(GraphError):
        sgd.step()


def test_a_step_without_backward_says_what_the_order_is() -> None:
    layer = nn.Linear(2, 1)
    adam = optim.Adam(layer.parameters())
    before = layer.weight.tolist()
    with pytest.raises(GraphError) as caught:
        adam.step()
    text = str(caught.value)
    assert "Adam.step found no gradient in any of its 2 parameters" in text
    assert "optimizer.zero_grad(); loss = ...; loss.backward(); optimizer.step()" in text
    assert layer.weight.tolist() == before
    layer(pellucid.ones(1, 2)).sum().backward()
    adam.step()
    adam.zero_grad()
    with pytest.raises(GraphError, match="was not called since the last zero_grad"):
        adam.step()


@pytest.mark.parametrize("name", ALL)
def test_a_forgotten_zero_grad_is_said_once(name: str) -> None:
    layer = nn.Linear(2, 1)
    optimizer = made(name, layer.parameters())

    def again() -> None:
        layer(pellucid.ones(1, 2)).sum().backward()
        optimizer.step()

    again()
    with pytest.warns(PellucidWarning, match=r"zero_grad was not called between") as caught:
        again()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    again()  # and not a third time: warnings are errors here


def test_what_is_no_forgotten_zero_grad() -> None:
    """Adding up several batches before a step is meant, and so are two steps along one gradient."""
    layer = nn.Linear(2, 1)
    sgd = optim.SGD(layer.parameters(), lr=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for how in ("optimizer", "module", "zeros"):
            for _ in range(2):
                layer(pellucid.ones(1, 2)).sum().backward()
                layer(pellucid.ones(1, 2)).sum().backward()
                sgd.step()
                sgd.step()
                if how == "module":
                    layer.zero_grad()
                else:
                    sgd.zero_grad(set_to_none=how == "optimizer")


def test_a_closure_is_called_first_and_its_loss_comes_back() -> None:
    w = leaf(2.0)
    sgd = optim.SGD([w], lr=0.25)

    def closure() -> Tensor:
        sgd.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with pellucid.no_grad():
        assert sgd.step(closure).item() == 4.0
    assert w.item() == 1.0
    assert sgd.step(lambda: closure()).item() == 1.0


# ---------------------------------------------------------------------------- words for mistakes


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda w: optim.SGD(nn.Linear(1, 1)), r"SGD\(model\.parameters\(\), \.\.\.\)"),
        (lambda w: optim.SGD(w), r"put the one into a list"),
        (lambda w: optim.SGD([]), "was given no parameters"),
        (lambda w: optim.SGD([w, 3.0]), "takes tensors, and 3.0 is none"),
        (lambda w: optim.SGD([w * 2]), "leaves only, and a tensor .* was made by mul"),
        (lambda w: optim.SGD([w, w]), "given a parameter .* twice"),
        (lambda w: optim.SGD([{"lr": 1.0}]), "has none"),
        (lambda w: optim.SGD([{"params": [w], "lrr": 1.0}]), "SGD has no setting lrr"),
        (lambda w: optim.SGD([{"params": [w]}, w]), "dict"),
        (lambda w: optim.SGD(3), "parameters"),
        (lambda w: optim.SGD([w], lr=-1), "SGD: lr is 0 or more, not -1"),
        (lambda w: optim.SGD([w], lr="fast"), "lr is 0 or more, not 'fast'"),
        (lambda w: optim.SGD([w], lr=math.nan), "lr is 0 or more, not nan"),
        (lambda w: optim.SGD([w], lr=math.inf), "lr is 0 or more, not inf"),
        (lambda w: optim.SGD([w], lr=[0.1]), r"lr is 0 or more, not \[0.1\]"),
        (lambda w: optim.SGD([w], momentum=-0.1), "momentum is 0 or more"),
        (lambda w: optim.SGD([w], nesterov=True), "nesterov needs a momentum above 0"),
        (lambda w: optim.Adam([w], betas=(0.9, 1.0)), "second of betas is at least 0 and less"),
        (lambda w: optim.Adam([w], betas=(-0.1, 0.9)), "first of betas"),
        (lambda w: optim.Adam([w], betas=0.9), "betas is a pair of numbers, not 0.9"),
        (lambda w: optim.Adam([w], eps=-1e-8), "eps is 0 or more"),
        (lambda w: optim.RMSprop([w], alpha=1.5), "alpha is at least 0 and less than 1, not 1.5"),
        (lambda w: optim.RMSprop([w], momentum=-1), "momentum is 0 or more"),
        (lambda w: optim.Adagrad([w], lr_decay=-1), "lr_decay is 0 or more"),
        (lambda w: optim.AdamW([w], weight_decay=-1), "weight_decay is 0 or more"),
    ],
)
def test_settings_and_parameters_that_make_no_sense(make: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        make(leaf(1.0))


def test_parameters_are_often_a_generator_used_up() -> None:
    parameters = nn.Linear(1, 1).parameters()
    optim.SGD(parameters)
    with pytest.raises(ArgumentError, match="only once: to use it twice, make it a list"):
        optim.SGD(parameters)


def test_an_optimiser_of_one_s_own() -> None:
    class Signs(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr, "weight_decay": 0})

        def update(self, weight: Any, gradient: Any, state: Any, group: Any) -> None:
            weight -= group["lr"] * np.sign(gradient)

    w = leaf(1.0, 1.0)
    learn(Signs([w], lr=0.5), (w, [3.0, -0.1]))
    assert w.tolist() == [0.5, 1.5]

    class Nothing(optim.Optimizer):
        pass

    with pytest.raises(ArgumentError, match=r"Nothing has no rule; give it a method update"):
        learn(Nothing([w], {"lr": 1.0, "weight_decay": 0}), (w, [1.0, 1.0]))
