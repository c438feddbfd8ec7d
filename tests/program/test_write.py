"""Programs compute what their steps compute, bit for bit, and say it in words one can read.

`pellucid.write` itself compares program and step, with the recorded inputs and with others, and refuses
to give out a program that differs; here the comparison is made once more from outside.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import pellucid
from pellucid import Tensor, nn, no_grad, optim
from pellucid.errors import ArgumentError, ShapeError
from pellucid.ops.base import OPS
from pellucid.program.readable import READABLE


def _registry() -> Any:
    """The sample calls of all operations, from the registry's own tests."""
    path = Path(__file__).parent.parent / "ops" / "test_registry.py"
    spec = importlib.util.spec_from_file_location("registry_samples", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


registry = _registry()


# ----------------------------------------------------------------------- every operation


def same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def check_operation(name: str, dtype: Any, samples: list[Any]) -> None:
    op = OPS[name]
    for inputs, given_settings in samples:
        arrays = [
            x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
            for x in inputs
        ]
        leaves = registry.prepared(op, arrays, dtype)
        watched = [x for x in leaves if isinstance(x, Tensor)]

        def step(*xs: Any, op: Any = op, given_settings: Any = given_settings) -> Any:
            y = registry.call(op, xs, given_settings)
            if not y.requires_grad:
                return y
            for x in xs:
                if isinstance(x, Tensor):
                    x.grad = None
            y.sum().backward()
            return y

        program = pellucid.write(step)(*leaves)
        expected = step(*leaves)
        if "rng" in program.namespace:
            program.seed(3)  # registry.call seeds with 3
        given_arrays = [x for x in leaves if isinstance(x, (Tensor, np.ndarray))]
        found = program.run(*given_arrays)
        assert same(found, expected.numpy()), f"{name}: result\n{program}"
        gradients = [x.grad.numpy() for x in watched if x.grad is not None]
        assert len(gradients) == len(program.gradients), f"{name}: gradients\n{program}"
        for mine, theirs in zip(program.gradients.values(), gradients, strict=True):
            assert same(mine, theirs), f"{name}: gradient\n{program}"


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_operation_in_float64(name: str) -> None:
    check_operation(name, np.float64, registry.samples(name))


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_operation_in_float32(name: str) -> None:
    check_operation(name, np.float32, registry.samples(name)[:1])


def test_readable_twins_stand_in_for_rules_that_are_there() -> None:
    for title in READABLE:
        module, _, function = title.rpartition(".")
        assert hasattr(importlib.import_module(module), function), title


ELEMENTWISE = ("add", "sub", "mul", "div", "maximum", "logaddexp", "where")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_broadcasting_is_summed_back_where_shapes_demand_it(data: Any) -> None:
    name = data.draw(st.sampled_from(ELEMENTWISE))
    shapes = data.draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    r = np.random.default_rng(0)
    a, b = (Tensor(r.uniform(0.5, 2, s), requires_grad=True) for s in shapes.input_shapes)

    def step(a: Tensor, b: Tensor) -> Tensor:
        y = pellucid.where(a > 1, a, b) if name == "where" else getattr(pellucid, name)(a, b)
        loss = (y * y).sum()
        a.grad = b.grad = None
        loss.backward()
        return loss

    program = pellucid.write(step)(a, b)
    assert same(program.run(a, b), step(a, b).numpy())
    for mine, x in zip(program.gradients.values(), (a, b), strict=True):
        assert same(mine, x.grad.numpy())
    sums = program.source.count("sum(axis=")
    assert sums <= sum(len(s) < 3 or 1 in s for s in shapes.input_shapes) * 4


# --------------------------------------------------------------------------- optimisers

OPTIMIZERS = {
    "sgd": (optim.SGD, {"lr": 0.1}),
    "up": (optim.SGD, {"lr": 0.1, "maximize": True}),
    "momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    "dampened": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    "nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "rmsprop": (optim.RMSprop, {"lr": 0.01}),
    "centred": (optim.RMSprop, {"lr": 0.01, "centered": True, "momentum": 0.5}),
    "adagrad": (optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    "adam": (optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "amsgrad": (optim.Adam, {"lr": 0.01, "amsgrad": True, "maximize": True}),
    "adamw": (optim.AdamW, {"lr": 0.01}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers_step_by_step(name: str) -> None:
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    kind, how = OPTIMIZERS[name]
    optimizer = kind(model.parameters(), **how)
    x, target = pellucid.rand(5, 3), pellucid.ones(5, 2)

    def step(x: Tensor, target: Tensor) -> Tensor:
        loss = nn.functional.mse_loss(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    start = {n: p.numpy().copy() for n, p in model.named_parameters()}
    program = pellucid.write(step)(x, target)
    assert all((start[n] == p.numpy()).all() for n, p in model.named_parameters())  # as it was
    for _ in range(4):
        assert same(program.run(x, target), step(x, target).numpy())
    for title, p in zip(
        ("weight_1", "bias_1", "weight_2", "bias_2"), model.parameters(), strict=True
    ):
        assert same(program.weights[title], p.numpy()), title
    # written in the middle of learning, it goes on from there
    later = pellucid.write(step)(x, target)
    assert same(later.run(x, target), step(x, target).numpy())
    assert same(later.weights["weight_2"], model[2].weight.numpy())


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adagrad])
def test_tables_of_which_only_some_rows_learn(kind: Any) -> None:
    pellucid.manual_seed(0)
    words, output = nn.EmbeddingBag(90, 4, sparse=True), nn.Linear(4, 1)
    optimizer = kind([*words.parameters(), *output.parameters()], lr=0.1)

    def step(ids: Tensor, target: Tensor) -> Tensor:
        error = ((output(words(ids)) - target) ** 2).mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        return error

    ids, target = Tensor(np.array([[1, 5, 1], [80, 2, 5]])), pellucid.ones(2, 1)
    program = pellucid.write(step)(ids, target)
    for _ in range(3):
        assert same(program.run(ids, target), step(ids, target).numpy())
    assert same(program.weights["words_weight"], words.weight.numpy())


# -------------------------------------------------------------------------- what it looks like


def body(program: Any) -> str:
    return program.source.partition(f"def {program.title}(")[2].partition(":\n")[2]


def test_names_come_from_variables_and_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.hidden = nn.Linear(3, 4)
            self.output = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.output(self.hidden(x).relu())

    model = Net()

    def step(lights: Tensor) -> Tensor:
        prediction: Tensor = model(lights)
        return prediction + 0

    program = pellucid.write(step)(pellucid.ones(2, 3))
    assert body(program) == (
        "    layer_1 = np.maximum(lights @ hidden_weight.T + hidden_bias, 0)\n"
        "    prediction = layer_1 @ output_weight.T + output_bias\n"
        "    return prediction + 0\n"
    )
    assert set(program.weights) == {"hidden_weight", "hidden_bias", "output_weight", "output_bias"}


def test_gradients_that_nobody_needs_are_not_written() -> None:
    frozen = Tensor([[1.0, 2.0]], requires_grad=True)
    learned = Tensor([[0.5], [0.25]], requires_grad=True)
    optimizer = optim.SGD([learned], lr=0.1)

    def step(x: Tensor) -> None:
        hidden = x * frozen
        unused = hidden.exp()  # noqa: F841
        loss = (hidden @ learned).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    text = pellucid.write(step)(pellucid.ones(3, 2)).source
    assert "d_frozen" not in text
    assert "exp" not in text
    assert "d_hidden" not in text
    assert "learned -= lr * d_learned" in text


def test_parts_are_told_apart() -> None:
    w = Tensor([[0.5], [0.25]], requires_grad=True)

    def step(x: Tensor, target: Tensor) -> Tensor:
        prediction = x @ w
        error = ((prediction - target) ** 2).mean()
        w.grad = None
        error.backward()
        with no_grad():
            w.sub_(0.1 * w.grad)
        return error

    x, target = pellucid.ones(3, 2), pellucid.zeros(3, 1)
    program = pellucid.write(step)(x, target)
    said = [line.strip() for line in program.source.splitlines() if line.strip().startswith("#")]
    assert said == ["# predict", "# compare", "# learn"]
    for _ in range(3):
        assert same(program.run(x, target), step(x, target).numpy())
    assert same(program.weights["w"], w.numpy())


def test_lines_fit_and_parse() -> None:
    from gallery import exhibits

    for exhibit in exhibits():
        text = exhibit.golden.read_text(encoding="utf-8")
        ast.parse(text)
        wide = [line for line in text.splitlines() if len(line) > 100]
        assert not wide, exhibit.name
        assert not re.search(r"\b([vw]_\d+_|matmul)", text), exhibit.name


# --------------------------------------------------------------------------- running it


def test_dropout_draws_fresh_numbers_and_can_be_seeded() -> None:
    layer = nn.Dropout(0.5)
    program = pellucid.write(lambda x: layer(x))(pellucid.ones(50, 4))
    x = np.ones((50, 4), np.float32)
    assert not same(program.run(x), program.run(x))
    program.seed(7)
    first = program.run(x)
    program.seed(7)
    assert same(first, program.run(x))
    pellucid.manual_seed(7)
    assert same(first, layer(Tensor(x)).numpy())


def test_batch_norm_moves_its_running_numbers() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    program = pellucid.write(model)(pellucid.rand(6, 3))
    x = pellucid.rand(6, 3)
    for _ in range(3):
        assert same(program.run(x), model(x).numpy())
    moved = [v for n, v in program.weights.items() if "running_mean" in n]
    assert same(moved[0], model[1].running_mean.numpy())


def test_it_runs_where_there_is_only_numpy(tmp_path: Path) -> None:
    from gallery import exhibits

    for exhibit in exhibits():
        program = exhibit.program()
        program.save(tmp_path / f"{exhibit.name}.py")
    names = [exhibit.name for exhibit in exhibits()]
    run = (
        "import sys, runpy\n"
        "sys.modules['pellucid'] = None\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"import os; os.chdir({str(tmp_path)!r})\n"
        f"for name in {names!r}:\n"
        "    runpy.run_path(name + '.py', run_name='__main__')\n"
        "print(sorted(m for m in sys.modules if m.startswith('pellucid') and sys.modules[m]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", run], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    assert len(lines) == len(names) + 1


def test_inputs_that_do_not_fit_are_refused_in_words() -> None:
    program = pellucid.write(lambda x, y: x + y)(pellucid.ones(3), pellucid.ones(3))
    with pytest.raises(ShapeError, match=r"written for x \(3,\), not \(4,\)"):
        program.run(np.ones(4), np.ones(3))
    with pytest.raises(ArgumentError, match="lacks or does not know y"):
        program.run(np.ones(3))
    assert same(program(y=np.ones(3), x=np.zeros(3)), np.ones(3, np.float32))


# ------------------------------------------------------------- what cannot be written down


def refused(step: Any, *inputs: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        pellucid.write(step)(*inputs)
    return str(caught.value)


X = Tensor(np.array([[1.0, -2.0], [3.0, 4.0]]))


def test_a_python_if_is_refused() -> None:
    def step(x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x

    message = refused(step, X)
    assert "an `if`" in message
    assert "pellucid.where" in message


def test_a_number_taken_out_may_be_returned_but_not_decide() -> None:
    def fine(x: Tensor) -> float:
        return x.sum().item()  # type: ignore[no-any-return]

    assert pellucid.write(fine)(X).run(X) == 6.0

    def step(x: Tensor) -> Tensor:
        return x * 2 if x.sum().item() > 0 else x

    assert "item()" in refused(step, X)

    def again(x: Tensor) -> Tensor:
        return x * x.sum().item()

    assert "goes into an operation" in refused(again, X)


def test_a_trip_through_numpy_is_refused() -> None:
    def step(x: Tensor) -> Tensor:
        return x + Tensor(np.sort(x.numpy(), axis=None)[:2])

    assert "x.numpy()" in refused(step, X)


def test_a_loss_from_before_the_step_is_refused() -> None:
    w = Tensor([1.0], requires_grad=True)
    before = w * 2

    def step(x: Tensor) -> None:
        (before * x).sum().backward()

    message = refused(step, Tensor([1.0]))
    assert "before the step" in message
    assert "detach()" in message


def test_a_forgotten_zero_grad_is_refused() -> None:
    w = Tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    def step(x: Tensor) -> None:
        (w * x).sum().backward()
        optimizer.step()

    assert "zero_grad" in refused(step, Tensor([2.0]))


def test_two_losses_in_one_step_are_added() -> None:
    w = Tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    def step(x: Tensor) -> None:
        optimizer.zero_grad()
        (w * x).sum().backward()
        (w * w * x).sum().backward()
        optimizer.step()

    program = pellucid.write(step)(Tensor([2.0]))
    program.run(np.array([2.0]))
    step(Tensor([2.0]))
    assert same(program.weights["w"], w.numpy())


def test_gradients_from_before_are_there_afterwards() -> None:
    w = Tensor([1.0], requires_grad=True)
    (w * 1).sum().backward()

    def step(x: Tensor) -> None:
        w.grad = None
        (w * x).sum().backward()

    pellucid.write(step)(Tensor([2.0]))
    assert w.grad.item() == 1.0


def test_numbers_that_change_from_step_to_step_are_refused() -> None:
    count = [0]

    def step(x: Tensor) -> Tensor:
        count[0] += 1
        return x * float(count[0])

    assert "from step to step" in refused(step, X)


def test_second_derivatives_are_refused() -> None:
    def step(x: Tensor) -> None:
        (x**3).sum().backward(create_graph=True)

    assert "create_graph" in refused(step, Tensor([1.0], requires_grad=True))


def test_everything_is_as_it_was() -> None:
    pellucid.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.1)

    def step(x: Tensor) -> Tensor:
        loss = (model(x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    step(pellucid.rand(4, 2))
    before = {n: t.numpy().copy() for n, t in model.state_dict().items()}
    state = {k: s["exp_avg"].copy() for k, s in optimizer.state_dict()["state"].items()}
    rng = str(pellucid.get_rng_state())
    x = Tensor(np.ones((4, 2), np.float32))
    pellucid.write(step)(x)
    assert all(same(before[n], t.numpy()) for n, t in model.state_dict().items())
    after = optimizer.state_dict()["state"]
    assert all(same(v, after[k]["exp_avg"]) and after[k]["step"] == 1 for k, v in state.items())
    assert str(pellucid.get_rng_state()) == rng


@pytest.mark.parametrize("taken", ["t", "np", "math", "rng"])
def test_arguments_may_be_called_like_what_programs_use_themselves(taken: str) -> None:
    """`t` counts Adam's steps in a program; a person's own `t` becomes `t_in`."""
    model = nn.Linear(3, 2)
    optimizer = optim.Adam(model.parameters())
    namespace = {"model": model, "optimizer": optimizer}
    text = f"""
def step(x, {taken}):
    loss = ((model(x) - {taken}) ** 2).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss
"""
    exec(text, namespace)
    program = pellucid.write(namespace["step"])(pellucid.ones(4, 3), pellucid.ones(4, 2))
    assert list(program.inputs) == ["x", f"{taken}_in"]
