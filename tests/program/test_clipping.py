"""Clipped gradients in programs: the same bits as the step, in NumPy; nearly so as loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim
from pellucid.errors import ArgumentError

CLIPS: dict[str, Callable[[Any], Any]] = {
    "far too long": lambda ps: nn.utils.clip_grad_norm_(ps, 0.1),
    "short enough": lambda ps: nn.utils.clip_grad_norm_(ps, 100.0),
    "largest element": lambda ps: nn.utils.clip_grad_norm_(ps, 0.1, norm_type=float("inf")),
    "another norm": lambda ps: nn.utils.clip_grad_norm_(ps, 0.1, norm_type=3.0),
    "each element": lambda ps: nn.utils.clip_grad_value_(ps, 0.01),
}


def learning(clip: Callable[[Any], Any]) -> tuple[nn.Module, Callable[..., Any]]:
    """A network, and a step that gives its loss and what clipping returned."""
    pellucid.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x: Tensor, target: Tensor) -> Any:
        loss = nn.functional.mse_loss(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        length = clip(model.parameters())
        optimizer.step()
        return loss if length is None else (loss, length)

    return model, step


def data() -> tuple[Tensor, Tensor]:
    r = np.random.default_rng(0)
    return Tensor(r.normal(size=(5, 3)).astype("f")), Tensor(r.normal(size=(5, 2)).astype("f"))


def numbers(result: Any) -> list[Any]:
    parts = result if isinstance(result, tuple) else (result,)
    return [getattr(part, "_value", part) for part in parts]


@pytest.mark.parametrize("name", CLIPS)
def test_written_down_it_gives_the_same_bits(name: str) -> None:
    model, step = learning(CLIPS[name])
    x, target = data()
    program = pellucid.write(step)(x, target)
    for _ in range(3):
        found, wanted = numbers(program.run(x, target)), numbers(step(x, target))
        assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))
    assert np.array_equal(program.weights["weight_1"], model[0].weight.numpy())


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("loops", [False, None])
def test_compiled_it_learns_the_same(name: str, loops: bool | None) -> None:
    (eager, step), (model, plain) = learning(CLIPS[name]), learning(CLIPS[name])
    compiled = pellucid.compile(plain) if loops is None else pellucid.compile(plain, loops=loops)
    x, target = data()
    near = {"rtol": 1e-5, "atol": 1e-6} if loops is None else {"rtol": 0, "atol": 0}
    for _ in range(4):
        for a, b in zip(numbers(compiled(x, target)), numbers(step(x, target)), strict=True):
            assert np.allclose(a, b, **near)
        for p, q in zip(model.parameters(), eager.parameters(), strict=True):
            assert np.allclose(p.numpy(), q.numpy(), rtol=near["rtol"], atol=10 * near["atol"])


def test_numbers_that_are_none_stay_none() -> None:
    _, step = learning(CLIPS["far too long"])
    x, target = data()
    program = pellucid.write(step)(x, target)
    x.data[0, 0] = np.nan
    with np.errstate(all="ignore"):
        program.run(x, target)
    assert np.isnan(program.weights["weight_1"]).any()


def test_it_reads_like_what_a_person_writes() -> None:
    _, step = learning(CLIPS["far too long"])
    source = pellucid.write(step)(*data()).source
    assert "shrink = min(0.1 / (length + 1e-06), 1.0)" in source
    assert "clipped_d_weight_1" in source


def test_rows_of_a_table_are_refused_in_words() -> None:
    words = nn.EmbeddingBag(90, 4, sparse=True)
    optimizer = optim.SGD(words.parameters(), lr=0.1)

    def step(ids: Tensor) -> None:
        optimizer.zero_grad()
        (words(ids) ** 2).sum().backward()
        nn.utils.clip_grad_norm_(words.parameters(), 0.1)
        optimizer.step()

    with pytest.raises(ArgumentError, match="sparse=False"):
        pellucid.write(step)(Tensor(np.array([[1, 5, 1], [80, 2, 5]])))


def test_gradients_changed_in_other_ways_are_refused() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x: Tensor) -> None:
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        np.multiply(model.weight.grad, 2.0, out=model.weight.grad)
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()

    with pytest.raises(ArgumentError, match="between backward and"):
        pellucid.write(step)(pellucid.ones(2, 2))


def test_a_check_that_may_end_the_step_is_refused() -> None:
    _, step = learning(lambda ps: nn.utils.clip_grad_norm_(ps, 0.1, error_if_nonfinite=True))
    with pytest.raises(ArgumentError, match="error_if_nonfinite=True"):
        pellucid.write(step)(*data())
