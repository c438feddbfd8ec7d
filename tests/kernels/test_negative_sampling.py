"""Filling in blanks: the kernel equals its NumPy twin, and both go down the true gradient."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest

from pellucid import Tensor, kernels, no_grad
from pellucid.errors import ArgumentError, DTypeError, RangeError, ShapeError
from pellucid.kernels import negative_sampling
from pellucid.nn.functional import binary_cross_entropy_with_logits
from pellucid.testing import gradcheck

WORDS, SIZE = 30, 7
STARTS = np.array([0, 1, 1, 9, 60, 200])  # one text of a single word, one without any
TOKENS = np.random.default_rng(1).zipf(1.4, 200).clip(1, WORDS).astype(np.int32) - 1


def tables(dtype: Any, seed: int = 2) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return tuple(random.normal(size=(WORDS, SIZE)).astype(dtype) / 4 for _ in range(2))  # type: ignore[return-value]


def learned(monkeypatch: pytest.MonkeyPatch, switch: str, dtype: Any, **settings: Any) -> Any:
    monkeypatch.setenv(kernels.SWITCH, switch)
    vectors, targets = tables(dtype)
    for key in range(3):
        order = np.random.default_rng(key).permutation(len(STARTS) - 1)
        negative_sampling.learn(TOKENS, STARTS, vectors, targets, order=order, key=key, **settings)
    return vectors, targets


# ------------------------------------------------------------------------------- kernel and its twin


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"left": 2, "right": 1, "shared": False, "lr": 0.1},
        {"left": 0, "right": 3, "negatives": 9},
        {"left": 5, "right": 0, "negatives": 0},
    ],
    ids=str,
)
def test_kernel_equals_twin(
    monkeypatch: pytest.MonkeyPatch, dtype: Any, settings: dict[str, Any]
) -> None:
    pytest.importorskip("numba")
    start = tables(dtype)
    compiled = learned(monkeypatch, "1", dtype, **settings)
    twin = learned(monkeypatch, "0", dtype, **settings)
    for ours, theirs, before in zip(compiled, twin, start, strict=True):
        assert ours.dtype == dtype
        assert np.abs(theirs - before).max() > 0.01
        assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-5 if dtype == np.float32 else 1e-12)


def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kernels.SWITCH, "0")
    assert kernels.state() == "switched off"
    monkeypatch.delenv(kernels.SWITCH)
    monkeypatch.setattr(kernels, "_numba_works", lambda: False)
    assert kernels.state() == "not installed"
    used = []
    monkeypatch.setattr(negative_sampling, "by_numpy", lambda *args: used.append(len(args)))
    negative_sampling.learn(TOKENS, STARTS, *tables(np.float64))
    assert used == [11]


def test_numba_is_only_imported_to_compile() -> None:
    program = (
        "import sys, numpy as np\n"
        "from pellucid.kernels import negative_sampling as n\n"
        "n.learn(np.arange(4, dtype=np.int32), [0, 4], np.ones((4, 2)), np.ones((4, 2)))\n"
        "print('numba' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, env={kernels.SWITCH: "0", "PATH": ""},
    )  # fmt: skip
    assert done.stdout.strip() == "False"


# ---------------------------------------------------------------------------------- what is computed


def loss_of(around: Any, judged: Any) -> Any:
    """The loss of one blank, from both tables."""
    wanted = Tensor(np.array([1.0] + [0.0] * (len(judged) - 1)))

    def loss(vectors: Tensor, targets: Tensor) -> Tensor:
        scores = targets[judged] @ vectors[around].mean(dim=0)
        return binary_cross_entropy_with_logits(scores, wanted, reduction="sum")

    return loss


@pytest.mark.parametrize("shared", [True, False])
def test_one_blank_goes_down_the_true_gradient(shared: bool) -> None:
    """Two words, one seen from the other: the text `3 5` with no draws but repeated words."""
    text, key, negatives, lr = np.array([3, 5, 3], dtype=np.int32), 4, 4, 0.1
    stirred = negative_sampling.mix(np.array([key], np.uint32))[0]
    drawn = negative_sampling.drawn(text, np.arange(3), negatives, stirred)
    start = tables(np.float64)
    by_rule = [table.copy() for table in start]
    for p, around in enumerate(([5, 3], [3, 3], [3, 5])):
        judged = np.array([text[p], *drawn[p]])
        both = [Tensor(table.copy(), requires_grad=True) for table in by_rule]
        loss = loss_of(np.array(around), judged)
        assert gradcheck(loss, both)
        loss(*both).backward()
        with no_grad():
            blame = both[0].grad.numpy() * (1 if shared else len(around))
            by_rule = [
                by_rule[0] - lr * blame,
                by_rule[1] - lr * both[1].grad.numpy(),
            ]
    vectors, targets = (table.copy() for table in start)
    negative_sampling.learn(
        text, [0, 3], vectors, targets, lr=lr, negatives=negatives, key=key, shared=shared
    )
    assert np.allclose(vectors, by_rule[0], atol=1e-12)
    assert np.allclose(targets, by_rule[1], atol=1e-12)
    assert not np.allclose(vectors[5], start[0][5], atol=1e-4)
    untouched = [n for n in range(WORDS) if n not in text]
    assert np.array_equal(vectors[untouched], start[0][untouched])


def test_no_word_is_seen_from_another_text() -> None:
    vectors, targets = tables(np.float64)
    before = vectors.copy(), targets.copy()
    assert negative_sampling.learn(TOKENS, STARTS, vectors, targets, order=[0, 1]) == 1
    assert np.array_equal(vectors, before[0])
    assert np.array_equal(targets, before[1])
    assert negative_sampling.learn(TOKENS, STARTS, vectors, targets, order=[]) == 0


def test_draws_are_as_frequent_as_words() -> None:
    text = np.repeat(np.arange(4, dtype=np.int32), [10, 20, 30, 40])
    drawn = negative_sampling.drawn(text, np.arange(20_000), 5, np.uint32(77))
    shares = Counter(drawn.ravel().tolist())
    assert [shares[n] / drawn.size for n in range(4)] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4], abs=0.01
    )
    other = negative_sampling.drawn(text, np.arange(20_000), 5, np.uint32(78))
    assert (drawn == other).mean() == pytest.approx(
        0.3, abs=0.02
    )  # by chance: .01 + .04 + .09 + .16
    assert np.array_equal(
        drawn[70:80], negative_sampling.drawn(text, np.arange(70, 80), 5, np.uint32(77))
    )


def test_mixing_loses_nothing() -> None:
    numbers = np.arange(100_000, dtype=np.uint32)
    mixed = negative_sampling.mix(numbers)
    assert mixed.dtype == np.uint32
    assert len(np.unique(mixed)) == len(numbers)


def test_words_that_fill_the_same_blanks_grow_alike() -> None:
    random = np.random.default_rng(3)
    subject, verb, thing = (random.integers(low, low + 3, 4000) for low in (0, 3, 6))
    text = np.stack([subject, verb, thing], axis=1).astype(np.int32).ravel()
    vectors, targets = (random.random((9, 8)) - 0.5) * 0.2, np.zeros((9, 8))
    starts = np.arange(0, len(text) + 1, 3)
    for key in range(3):
        negative_sampling.learn(text, starts, vectors, targets, key=key)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[~np.eye(9, dtype=bool)].reshape(9, 8)
    kinds = np.arange(9) // 3
    alike = np.stack([np.delete(kinds == kinds[n], n) for n in range(9)])
    assert cosines[alike].min() > cosines[~alike].max()


# -------------------------------------------------------------------------------------- wrong inputs


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"tokens": TOKENS.astype(np.int64)}, DTypeError, "int32, not int64"),
        ({"tokens": TOKENS + WORDS}, RangeError, f"no word has the number {TOKENS[0] + WORDS}"),
        ({"tokens": TOKENS - 40}, RangeError, "no word has the number"),
        ({"starts": np.array([0, 999])}, ShapeError, "ascend from 0 to 200"),
        ({"starts": np.array([0, 9, 5])}, ShapeError, "ascend"),
        ({"order": np.array([5])}, RangeError, "no text has the number 5; there are 5"),
        ({"vectors": np.ones((WORDS, SIZE), np.float32)}, DTypeError, "float32, or both"),
        ({"vectors": np.ones((WORDS, 3))}, ShapeError, "two tables"),
        ({"targets": np.ones((SIZE, WORDS)).T}, ShapeError, "make it whole"),
        ({"left": 0, "right": 0}, ArgumentError, "looks at one word or more"),
        ({"negatives": -1}, ArgumentError, "drawing -1"),
    ],
)
def test_what_does_not_fit_is_refused(
    changed: dict[str, Any], error: type[Exception], said: str
) -> None:
    vectors, targets = tables(np.float64)
    given = {"tokens": TOKENS, "starts": STARTS, "vectors": vectors, "targets": targets, **changed}
    with pytest.raises(error, match=said):
        negative_sampling.learn(**given)
