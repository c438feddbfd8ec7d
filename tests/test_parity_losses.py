"""Losses beside PyTorch's: values and gradients, in every reduction, with every setting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import nn

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:reduction. .mean. divides:UserWarning"),
]

R = np.random.default_rng(12)
SCORES, OTHERS = R.normal(size=(6, 4)), R.normal(size=(6, 4))
LABELS, SOME = R.integers(0, 4, 6), np.array([1, -100, 3, 2, -100, 0])
SHARES = R.dirichlet(np.ones(4), size=6)
PIXELS, CLASSES = R.normal(size=(3, 4, 2, 5)), R.integers(0, 4, (3, 2, 5))
PIXEL_SHARES = np.moveaxis(R.dirichlet(np.ones(4), size=(3, 2, 5)), -1, 1)
CHANCES, TRUTH = R.uniform(0.02, 0.98, (6, 4)), R.uniform(size=(6, 4))
YES = R.integers(0, 2, (6, 4)).astype(np.float64)
SIGNS = R.choice([-1.0, 1.0], (6, 4))
W = np.array([0.3, 1.0, 2.5, 0.7])

CASES: list[tuple[str, tuple[Any, ...]]] = [
    ("nn.MSELoss({})", (SCORES, OTHERS)),
    ("nn.L1Loss({})", (SCORES, OTHERS)),
    *[(f"nn.HuberLoss({{}}, delta={d})", (SCORES, OTHERS)) for d in (0.1, 1.0, 3.0)],
    *[(f"nn.SmoothL1Loss({{}}, beta={b})", (SCORES, OTHERS)) for b in (0.0, 0.1, 1.0, 3.0)],
    ("nn.BCELoss({})", (CHANCES, TRUTH)),
    ("nn.BCELoss({}, weight=w)", (CHANCES, YES)),
    ("nn.BCELoss({})", (np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]))),
    ("nn.BCEWithLogitsLoss({})", (50 * SCORES, YES)),
    ("nn.BCEWithLogitsLoss({}, pos_weight=w)", (SCORES, TRUTH)),
    ("nn.BCEWithLogitsLoss({}, weight=w, pos_weight=w)", (SCORES, YES)),
    ("nn.CrossEntropyLoss({})", (SCORES, LABELS)),
    ("nn.CrossEntropyLoss({})", (100 * SCORES, LABELS)),
    ("nn.CrossEntropyLoss({})", (SCORES[0], LABELS[0])),
    ("nn.CrossEntropyLoss({})", (PIXELS, CLASSES)),
    ("nn.CrossEntropyLoss({}, weight=w)", (SCORES, LABELS)),
    ("nn.CrossEntropyLoss({}, weight=w)", (PIXELS, CLASSES)),
    ("nn.CrossEntropyLoss({})", (SCORES, SOME)),
    ("nn.CrossEntropyLoss({}, ignore_index=2)", (PIXELS, CLASSES)),
    ("nn.CrossEntropyLoss({}, ignore_index=-1, weight=w)", (SCORES, np.maximum(SOME, -1))),
    ("nn.CrossEntropyLoss({}, label_smoothing=0.2)", (SCORES, LABELS)),
    ("nn.CrossEntropyLoss({}, label_smoothing=1.0)", (SCORES, LABELS)),
    ("nn.CrossEntropyLoss({}, label_smoothing=0.2, weight=w)", (SCORES, SOME)),
    ("nn.CrossEntropyLoss({}, label_smoothing=0.1, weight=w, ignore_index=3)", (PIXELS, CLASSES)),
    ("nn.CrossEntropyLoss({})", (SCORES, SHARES)),
    ("nn.CrossEntropyLoss({}, weight=w)", (SCORES, SHARES)),
    ("nn.CrossEntropyLoss({}, weight=w, label_smoothing=0.3)", (PIXELS, PIXEL_SHARES)),
    ("nn.CrossEntropyLoss({})", (SCORES[0], SHARES[0])),
    ("nn.NLLLoss({})", (SCORES, LABELS)),
    ("nn.NLLLoss({}, weight=w)", (SCORES, SOME)),
    ("nn.NLLLoss({}, ignore_index=1)", (PIXELS, CLASSES)),
    ("nn.KLDivLoss({})", (np.log(SHARES), SHARES[::-1].copy())),
    ("nn.KLDivLoss({})", (np.log(SHARES), np.eye(4)[LABELS])),
    ("nn.KLDivLoss({}, log_target=True)", (np.log(SHARES), np.log(SHARES[::-1].copy()))),
    ("nn.HingeEmbeddingLoss({})", (abs(SCORES), SIGNS)),
    ("nn.HingeEmbeddingLoss({}, margin=0.3)", (SCORES, SIGNS)),
    ("nn.SoftMarginLoss({})", (20 * SCORES, SIGNS)),
    ("nn.MarginRankingLoss({})", (SCORES, OTHERS, SIGNS)),
    ("nn.MarginRankingLoss({}, margin=0.4)", (SCORES[0], OTHERS[0], SIGNS[0])),
    ("nn.MultiMarginLoss({})", (SCORES, LABELS)),
    ("nn.MultiMarginLoss({}, p=2, margin=0.4, weight=w)", (SCORES, LABELS)),
    ("nn.MultiMarginLoss({})", (SCORES[0], LABELS[0])),
]


def compared(code: str, inputs: tuple[Any, ...], learned: tuple[int, ...], **names: Any) -> None:
    results, gradients = [], []
    for lib, modules in ((pellucid, nn), (torch, torch.nn)):
        tensors = [lib.tensor(np.array(x)) for x in inputs]
        for i in learned:
            tensors[i].requires_grad_()
        weight = lib.tensor(W)
        results.append(eval(code, {"nn": modules, "w": weight})(*tensors))
        (results[-1] * results[-1].detach()).sum().backward()
        gradients.append([np.asarray(tensors[i].grad) for i in learned])
    ours, theirs = results
    assert tuple(ours.shape) == tuple(theirs.shape)
    near = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), **near)
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, **near)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("code", "inputs"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_values_and_gradients(code: str, inputs: tuple[Any, ...], reduction: str) -> None:
    learned = (0, 1) if "Ranking" in code else (0,)
    compared(code.format(f"reduction={reduction!r}"), inputs, learned)


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("nn.MSELoss()", (SCORES, OTHERS)),
        ("nn.L1Loss(reduction='sum')", (SCORES, OTHERS)),
        ("nn.HuberLoss(delta=0.5)", (SCORES, OTHERS)),
        ("nn.SmoothL1Loss(beta=0.5)", (SCORES, OTHERS)),
        ("nn.BCELoss(weight=w)", (CHANCES, TRUTH)),
        ("nn.BCEWithLogitsLoss(weight=w)", (SCORES, TRUTH)),
        ("nn.BCEWithLogitsLoss(pos_weight=w)", (SCORES, TRUTH)),
        ("nn.CrossEntropyLoss()", (SCORES, SHARES)),
        ("nn.CrossEntropyLoss(weight=w, label_smoothing=0.2)", (PIXELS, PIXEL_SHARES)),
        ("nn.KLDivLoss(reduction='batchmean')", (np.log(SHARES), SHARES[::-1].copy())),
        ("nn.KLDivLoss(reduction='sum', log_target=True)", (np.log(SHARES), np.log(CHANCES))),
    ],
)
def test_targets_may_learn_too(code: str, inputs: tuple[Any, ...]) -> None:
    compared(code, inputs, (0, 1))


def test_hinge_is_pytorchs_by_hand() -> None:
    """PyTorch has no plain hinge loss and no negative sampling: they are a line each."""
    x, signs = torch.tensor(SCORES, requires_grad=True), torch.tensor(SIGNS)
    expected = torch.clamp(0.7 - signs * x, min=0).mean()
    expected.backward()
    ours = pellucid.tensor(SCORES, requires_grad=True)
    found = nn.HingeLoss(0.7)(ours, pellucid.tensor(SIGNS))
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(ours.grad.numpy(), x.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_negative_sampling_is_pytorchs_by_hand(reduction: str) -> None:
    arrays = (R.normal(size=(2, 3, 5)), R.normal(size=(2, 3, 5)), R.normal(size=(2, 3, 4, 5)))
    x, right, noise = (torch.tensor(a, requires_grad=True) for a in arrays)
    sure = torch.nn.functional.logsigmoid
    each = -sure((x * right).sum(-1)) - sure(-(x.unsqueeze(-2) * noise).sum(-1)).sum(-1)
    expected = {"mean": each.mean(), "sum": each.sum(), "none": each}[reduction]
    (expected * expected.detach()).sum().backward()
    ours = [pellucid.tensor(a, requires_grad=True) for a in arrays]
    found = nn.NegativeSamplingLoss(reduction=reduction)(*ours)
    (found * found.detach()).sum().backward()
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-10)
    for a, b in zip(ours, (x, right, noise), strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_every_loss_is_compared() -> None:
    from pellucid import losses

    tested = {code.split("(")[0].removeprefix("nn.") for code, _ in CASES}
    assert tested | {"Loss", "HingeLoss", "NegativeSamplingLoss"} == set(losses.__all__)
