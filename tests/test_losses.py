"""Losses: each against its written formula, reductions, and what may not be compared."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, losses, nn
from pellucid.errors import ArgumentError, LabelError, PellucidWarning, ShapeError
from pellucid.nn import functional as F  # noqa: N812 - everybody calls it F
from pellucid.testing import gradcheck

R = np.random.default_rng(11)
X, Y = R.normal(size=(5, 3)), R.normal(size=(5, 3))
CHANCES, TRUTH = R.uniform(0.05, 0.95, (5, 3)), R.uniform(size=(5, 3))
SIGNS = R.choice([-1.0, 1.0], size=(5, 3))
LABELS = np.array([2, 0, 1, 1, 2])
NOISE = R.normal(size=(5, 4, 3))
SHARES = R.dirichlet(np.ones(3), size=5)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def log_softmax(x: Any) -> Any:
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def margins(x: Any, labels: Any, margin: float, p: int) -> Any:
    """Sum over the other classes, divided by the number of classes."""
    found = np.zeros(len(x))
    for i, right in enumerate(labels):
        for other in range(x.shape[1]):
            if other != right:
                found[i] += max(0.0, margin - x[i, right] + x[i, other]) ** p
    return found / x.shape[1]


# loss, its inputs, and the loss of each element or decision, written out
FORMULAS: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
    "MSELoss": (nn.MSELoss, (X, Y), (X - Y) ** 2),
    "L1Loss": (nn.L1Loss, (X, Y), abs(X - Y)),
    "HuberLoss": (
        lambda **s: nn.HuberLoss(delta=0.7, **s),
        (X, Y),
        np.where(abs(X - Y) <= 0.7, (X - Y) ** 2 / 2, 0.7 * (abs(X - Y) - 0.35)),
    ),
    "SmoothL1Loss": (
        lambda **s: nn.SmoothL1Loss(beta=0.7, **s),
        (X, Y),
        np.where(abs(X - Y) < 0.7, (X - Y) ** 2 / 1.4, abs(X - Y) - 0.35),
    ),
    "SmoothL1Loss sharp": (lambda **s: nn.SmoothL1Loss(beta=0, **s), (X, Y), abs(X - Y)),
    "BCELoss": (
        nn.BCELoss,
        (CHANCES, TRUTH),
        -TRUTH * np.log(CHANCES) - (1 - TRUTH) * np.log(1 - CHANCES),
    ),
    "BCEWithLogitsLoss": (
        lambda **s: nn.BCEWithLogitsLoss(pos_weight=[2.0, 0.5, 1.0], **s),
        (X, TRUTH),
        -np.array([2, 0.5, 1]) * TRUTH * np.log(sigmoid(X)) - (1 - TRUTH) * np.log(sigmoid(-X)),
    ),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, (X, LABELS), -log_softmax(X)[range(5), LABELS]),
    "CrossEntropyLoss soft": (
        nn.CrossEntropyLoss,
        (X, SHARES),
        -(SHARES * log_softmax(X)).sum(axis=1),
    ),
    "CrossEntropyLoss smooth": (
        lambda **s: nn.CrossEntropyLoss(label_smoothing=0.3, **s),
        (X, LABELS),
        -((0.7 * np.eye(3)[LABELS] + 0.1) * log_softmax(X)).sum(axis=1),
    ),
    "NLLLoss": (nn.NLLLoss, (X, LABELS), -X[range(5), LABELS]),
    "KLDivLoss": (nn.KLDivLoss, (np.log(CHANCES), TRUTH), TRUTH * np.log(TRUTH / CHANCES)),
    "KLDivLoss of logarithms": (
        lambda **s: nn.KLDivLoss(log_target=True, **s),
        (np.log(CHANCES), np.log(TRUTH)),
        TRUTH * np.log(TRUTH / CHANCES),
    ),
    "HingeLoss": (
        lambda **s: nn.HingeLoss(0.5, **s),
        (X, SIGNS),
        np.maximum(0, 0.5 - SIGNS * X),
    ),
    "HingeEmbeddingLoss": (
        nn.HingeEmbeddingLoss,
        (abs(X), SIGNS),
        np.where(SIGNS == 1, abs(X), np.maximum(0, 1 - abs(X))),
    ),
    "SoftMarginLoss": (nn.SoftMarginLoss, (X, SIGNS), np.log(1 + np.exp(-SIGNS * X))),
    "MarginRankingLoss": (
        lambda **s: nn.MarginRankingLoss(0.2, **s),
        (X, Y, SIGNS),
        np.maximum(0, 0.2 - SIGNS * (X - Y)),
    ),
    "MultiMarginLoss": (nn.MultiMarginLoss, (X, LABELS), margins(X, LABELS, 1.0, 1)),
    "MultiMarginLoss squared": (
        lambda **s: nn.MultiMarginLoss(2, 0.5, **s),
        (X, LABELS),
        margins(X, LABELS, 0.5, 2),
    ),
    "NegativeSamplingLoss": (
        nn.NegativeSamplingLoss,
        (X, Y, NOISE),
        -np.log(sigmoid((X * Y).sum(-1)))
        - np.log(sigmoid(-np.einsum("ne,nke->nk", X, NOISE))).sum(-1),
    ),
}


def test_every_loss_has_a_formula() -> None:
    assert {name.split()[0] for name in FORMULAS} | {"Loss"} == set(losses.__all__)
    for name in losses.__all__:
        if name != "Loss":
            assert getattr(losses, name) is getattr(nn, name)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_written_formula(name: str) -> None:
    make, inputs, expected = FORMULAS[name]
    tensors = [Tensor(x) for x in inputs]
    each = make(reduction="none")(*tensors)
    assert each.shape == expected.shape
    np.testing.assert_allclose(each.numpy(), expected, rtol=1e-12, atol=1e-14)
    mean, total = make()(*tensors), make(reduction="sum")(*tensors)
    assert mean.shape == total.shape == ()
    assert mean.item() == pytest.approx(expected.mean(), rel=1e-12)
    assert total.item() == pytest.approx(expected.sum(), rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", FORMULAS)
def test_slopes_of_predictions(name: str, reduction: str) -> None:
    make, inputs, _ = FORMULAS[name]
    gradcheck(
        make(reduction=reduction),
        [Tensor(x, requires_grad=i == 0) for i, x in enumerate(inputs)],
    )


@pytest.mark.parametrize(
    "name",
    ["MSELoss", "L1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss soft",
     "KLDivLoss", "KLDivLoss of logarithms", "NegativeSamplingLoss"],
)  # fmt: skip
def test_slopes_of_targets(name: str) -> None:
    make, inputs, _ = FORMULAS[name]
    gradcheck(make(), [Tensor(x, requires_grad=True) for x in inputs])


@pytest.mark.parametrize("name", FORMULAS)
def test_float32_stays_float32(name: str) -> None:
    make, inputs, expected = FORMULAS[name]
    small = [Tensor(x.astype(np.float32) if x.dtype.kind == "f" else x) for x in inputs]
    small[0].requires_grad_()
    loss = make()(*small)
    loss.backward()
    assert loss.dtype == small[0].grad.dtype == np.float32
    assert loss.item() == pytest.approx(expected.mean(), rel=1e-4)


@pytest.mark.parametrize("name", FORMULAS)
def test_functions_and_modules_are_one(name: str) -> None:
    functions = {
        "MSELoss": F.mse_loss, "L1Loss": F.l1_loss, "CrossEntropyLoss": F.cross_entropy,
        "NLLLoss": F.nll_loss, "BCELoss": F.binary_cross_entropy, "KLDivLoss": F.kl_div,
        "SoftMarginLoss": F.soft_margin_loss, "MultiMarginLoss": F.multi_margin_loss,
    }  # fmt: skip
    if name in functions:
        make, inputs, _ = FORMULAS[name]
        tensors = [Tensor(x) for x in inputs]
        assert functions[name](*tensors).item() == make()(*tensors).item()


# -------------------------------------------------------------------------------------- figures


def test_figures_everybody_can_check() -> None:
    assert nn.MSELoss()(Tensor([1.0, 3.0]), Tensor([0.0, 1.0])).item() == 2.5
    assert nn.L1Loss()(Tensor([1.0, 3.0]), Tensor([0.0, 1.0])).item() == 1.5
    ten = pellucid.zeros(4, 10, dtype=np.float64)
    guessing = nn.CrossEntropyLoss()(ten, Tensor([0, 3, 5, 9]))
    assert guessing.item() == pytest.approx(math.log(10))  # one of ten, without an idea
    coin = nn.BCEWithLogitsLoss()(pellucid.zeros(3, dtype=np.float64), Tensor([0.0, 1.0, 1.0]))
    assert coin.item() == pytest.approx(math.log(2))
    same = nn.KLDivLoss(reduction="batchmean")(Tensor(np.log(SHARES)), Tensor(SHARES))
    assert same.item() == pytest.approx(0, abs=1e-15)
    assert nn.HingeLoss()(Tensor([2.0, -3.0]), Tensor([1.0, -1.0])).item() == 0


def test_batchmean_divides_by_the_batch() -> None:
    found = nn.KLDivLoss(reduction="batchmean")(Tensor(np.log(CHANCES)), Tensor(TRUTH))
    assert found.item() == pytest.approx((TRUTH * np.log(TRUTH / CHANCES)).sum() / 5)
    with_zeros = np.array([[0.5, 0.5, 0.0]])
    found = nn.KLDivLoss(reduction="sum")(Tensor(np.log(SHARES[:1])), Tensor(with_zeros))
    expected = (with_zeros[0, :2] * np.log(with_zeros[0, :2] / SHARES[0, :2])).sum()
    assert found.item() == pytest.approx(expected)  # 0 · log 0 is 0


def test_large_numbers_neither_overflow_nor_become_nan() -> None:
    """Warnings are errors here: NumPy would tell of an overflow."""
    far = Tensor(np.array([[1000.0, -1000.0]]), requires_grad=True)
    right, wrong = Tensor([0]), Tensor([1])
    assert nn.CrossEntropyLoss()(far, right).item() == 0
    loss = nn.CrossEntropyLoss()(far, wrong)
    loss.backward()
    assert loss.item() == 2000
    assert far.grad.tolist() == [[1, -1]]
    for make, at, expected in (
        (nn.BCEWithLogitsLoss(), [0.0, 1.0], 1000.0),
        (nn.SoftMarginLoss(), [-1.0, 1.0], 1000.0),
    ):
        scores = Tensor(np.array([1000.0, -1000.0]), requires_grad=True)
        loss = make(scores, Tensor(at))
        loss.backward()
        assert loss.item() == expected
        assert scores.grad.tolist() == [0.5, -0.5]
    sure = Tensor(np.array([0.0, 1.0]), requires_grad=True)
    wrong_and_sure = nn.BCELoss()(sure, Tensor([1.0, 0.0]))
    assert wrong_and_sure.item() == 100  # logarithms are kept above -100
    wrong_and_sure.backward()
    assert np.isfinite(sure.grad.numpy()).all()
    vectors = Tensor(np.full((1, 2), 40.0), requires_grad=True)
    noise = Tensor(np.full((1, 3, 2), 40.0))
    nn.NegativeSamplingLoss()(vectors, Tensor(np.full((1, 2), -40.0)), noise).backward()
    assert np.isfinite(vectors.grad.numpy()).all()


def test_sure_predictions_and_targets_that_learn() -> None:
    """Where a probability is exactly 0 or 1, the target's slope is as large as the loss can be."""
    sure, target = Tensor(np.array([0.0, 1.0])), Tensor(np.array([0.5, 0.5]), requires_grad=True)
    nn.BCELoss(reduction="sum")(sure, target).backward()
    assert target.grad.tolist() == [100, -100]


# -------------------------------------------------------------------------------------- weights


def test_weights_of_classes() -> None:
    weight = np.array([0.2, 1.0, 3.0])
    each = -log_softmax(X)[range(5), LABELS] * weight[LABELS]
    loss = nn.CrossEntropyLoss(weight)
    assert loss(Tensor(X), Tensor(LABELS)).item() == pytest.approx(
        each.sum() / weight[LABELS].sum()
    )
    total = nn.CrossEntropyLoss(weight, reduction="sum")(Tensor(X), Tensor(LABELS))
    assert total.item() == pytest.approx(each.sum())
    likelihood = nn.NLLLoss(weight)(Tensor(log_softmax(X)), Tensor(LABELS))
    assert likelihood.item() == pytest.approx(each.sum() / weight[LABELS].sum())
    assert list(loss.state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []


def test_weights_of_elements() -> None:
    weight = np.array([0.2, 1.0, 3.0])
    each = -weight * (TRUTH * np.log(CHANCES) + (1 - TRUTH) * np.log(1 - CHANCES))
    assert nn.BCELoss(weight)(Tensor(CHANCES), Tensor(TRUTH)).item() == pytest.approx(each.mean())
    logits = np.log(CHANCES / (1 - CHANCES))
    again = nn.BCEWithLogitsLoss(weight)(Tensor(logits), Tensor(TRUTH))
    assert again.item() == pytest.approx(each.mean())


def test_decisions_that_do_not_count() -> None:
    labels = np.array([2, -100, 1, -100, 2])
    kept = labels != -100
    expected = -log_softmax(X)[kept, labels[kept]]
    scores = Tensor(X, requires_grad=True)
    loss = nn.CrossEntropyLoss()(scores, Tensor(labels))
    loss.backward()
    assert loss.item() == pytest.approx(expected.mean())
    assert (scores.grad.numpy()[~kept] == 0).all()
    padding = nn.CrossEntropyLoss(ignore_index=0, reduction="none")(Tensor(X), Tensor(LABELS))
    assert padding[1].item() == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        none_left = nn.CrossEntropyLoss()(Tensor(X), Tensor(np.full(5, -100)))
    assert math.isnan(none_left.item())


def test_classes_stand_on_the_second_axis() -> None:
    scores, labels = R.normal(size=(2, 3, 4, 5)), R.integers(0, 3, (2, 4, 5))
    found = nn.CrossEntropyLoss(reduction="none")(Tensor(scores), Tensor(labels))
    flat = np.moveaxis(scores, 1, -1).reshape(-1, 3)
    expected = -log_softmax(flat)[range(40), labels.reshape(-1)].reshape(2, 4, 5)
    np.testing.assert_allclose(found.numpy(), expected)
    one = nn.CrossEntropyLoss()(Tensor(X[0]), Tensor(LABELS[0]))
    assert one.item() == pytest.approx(-log_softmax(X)[0, LABELS[0]])


def test_negative_sampling_points_the_vectors() -> None:
    """A few steps bring the right word near and the random ones away."""
    r = np.random.default_rng(2)
    x = Tensor(r.normal(size=(1, 4)), requires_grad=True)
    right, noise = Tensor(r.normal(size=(1, 4))), Tensor(r.normal(size=(1, 3, 4)))
    optimizer = pellucid.optim.SGD([x], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        nn.NegativeSamplingLoss()(x, right, noise).backward()
        optimizer.step()
    assert (x * right).sum().item() > 1 > -0.5 > (x.numpy()[:, None] * noise.numpy()).sum(-1).max()


# ------------------------------------------------------------------------- what may not be compared

PAIRED: dict[str, Any] = {
    "mse_loss": nn.MSELoss(),
    "l1_loss": nn.L1Loss(),
    "huber_loss": nn.HuberLoss(),
    "smooth_l1_loss": nn.SmoothL1Loss(),
    "binary_cross_entropy": nn.BCELoss(),
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss(),
    "kl_div": nn.KLDivLoss(),
    "hinge_loss": nn.HingeLoss(),
    "hinge_embedding_loss": nn.HingeEmbeddingLoss(),
    "soft_margin_loss": nn.SoftMarginLoss(),
}


@pytest.mark.parametrize("name", PAIRED)
def test_a_column_does_not_meet_a_row(name: str) -> None:
    column, row = pellucid.full((4, 1), 0.5), pellucid.ones(4)
    for x, target, fix in ((column, row, "unsqueeze"), (row * 0.5, column * 2, "squeeze")):
        with pytest.raises(ShapeError) as caught:
            PAIRED[name](x, target)
        text = str(caught.value)
        assert "every prediction would meet every target" in text
        assert str(x.shape) in text
        assert str(target.shape) in text
        assert fix in text


@pytest.mark.parametrize("name", PAIRED)
def test_other_shapes_do_not_meet(name: str) -> None:
    x = pellucid.full((4, 3), 0.5)
    for target in (pellucid.ones(3), pellucid.ones(4, 1), pellucid.ones(2, 4, 3)):
        with pytest.raises(ShapeError, match=r"\(4, 3\)"):
            PAIRED[name](x, target)


def test_ranked_scores_and_sampled_vectors_have_their_shapes() -> None:
    a = pellucid.ones(4)
    with pytest.raises(ShapeError, match="margin_ranking_loss compares pairs"):
        nn.MarginRankingLoss()(a, pellucid.ones(4, 1), a)
    with pytest.raises(ShapeError, match="margin_ranking_loss compares pairs"):
        nn.MarginRankingLoss()(a, a, pellucid.ones(4, 1))
    vectors = pellucid.ones(2, 3)
    for target, noise in (
        (pellucid.ones(3), pellucid.ones(2, 5, 3)),
        (vectors, pellucid.ones(5, 3)),
        (vectors, pellucid.ones(1, 5, 3)),
        (vectors, pellucid.ones(2, 3)),
        (vectors, pellucid.ones(3)),
    ):
        with pytest.raises(ShapeError, match="negative_sampling_loss"):
            nn.NegativeSamplingLoss()(vectors, target, noise)


@pytest.mark.parametrize(
    ("loss", "x", "target", "error", "words"),
    [
        (nn.MSELoss(), X, LABELS, LabelError, r"class numbers .*\n?.*one_hot\(target, 3\)"),
        (nn.HingeLoss(), X[0], [0.0, 1.0, 1.0], LabelError, r"target\[0\] is 0.*\n.*2 \* target"),
        (nn.SoftMarginLoss(), X[0], [1.0, 2.0, 1.0], LabelError, r"target\[1\] is 2"),
        (nn.BCELoss(), X[0], [0.0, 1.0, 1.0], ArgumentError, "probabilities, from 0 to 1"),
        (nn.BCELoss(), CHANCES[0], [0.0, 2.0, 1.0], LabelError, r"target\[1\] is 2"),
        (nn.BCEWithLogitsLoss(), X[0], [0.0, -1.0, 1.0], LabelError, "two answers"),
        (nn.CrossEntropyLoss(), X, LABELS + 1, LabelError, r"target\[0\] is 3, .*\n.*target - 1"),
        (nn.CrossEntropyLoss(), X, LABELS - 1, LabelError, r"target\[1\] is -1"),
        (nn.CrossEntropyLoss(), X, LABELS[:4], ShapeError, r"\(5, 3\) with targets \(4,\)"),
        (nn.CrossEntropyLoss(), X, LABELS[:, None], ShapeError, "reshape"),
        (nn.CrossEntropyLoss(), X, np.eye(3, dtype=int)[LABELS], LabelError, "one-hot"),
        (nn.CrossEntropyLoss(), X, LABELS * 1.0, LabelError, r"target\.long\(\)"),
        (nn.CrossEntropyLoss(np.ones(4)), X, LABELS, ShapeError, "each of 3 classes"),
        (nn.NLLLoss(), X, SHARES, LabelError, "cross_entropy"),
        (nn.NLLLoss(), X, LABELS + 1, LabelError, "there are 3 classes"),
        (nn.MultiMarginLoss(), X, LABELS + 1, LabelError, "there are 3 classes"),
        (nn.MultiMarginLoss(3), X, LABELS, ArgumentError, "p is 1 or 2, not 3"),
        (nn.HuberLoss(delta=0), X, Y, ArgumentError, "delta is a positive number, not 0"),
        (nn.SmoothL1Loss(beta=-1), X, Y, ArgumentError, "beta is not negative"),
        (nn.CrossEntropyLoss(label_smoothing=2), X, LABELS, ArgumentError, "from 0 to 1"),
        (nn.CrossEntropyLoss(), np.float64(1), 0, ShapeError, "an axis for them"),
    ],
)  # fmt: skip
def test_targets_that_make_no_sense(loss: Any, x: Any, target: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        loss(Tensor(x), Tensor(target))


def test_weights_that_do_not_fit_are_refused_in_words() -> None:
    for loss in (
        nn.BCELoss(np.ones(4)),
        nn.BCEWithLogitsLoss(np.ones(4)),
        nn.BCEWithLogitsLoss(pos_weight=np.ones(4)),
    ):
        with pytest.raises(ShapeError, match=r"weight.*\(4,\).*\(5, 3\)"):
            loss(Tensor(CHANCES), Tensor(TRUTH))
    with pytest.raises(ShapeError, match=r"weight.*\(2, 5, 3\)"):  # would make more of the losses
        nn.BCELoss(np.ones((2, 5, 3)))(Tensor(CHANCES), Tensor(TRUTH))


def test_reductions_that_do_not_exist() -> None:
    for name in losses.__all__:
        with pytest.raises(ArgumentError, match="reduction is one of 'mean', 'sum', 'none'"):
            getattr(losses, name)(reduction="average")
    with pytest.raises(ArgumentError, match="reduction is 'mean', 'sum' or 'none'"):
        F.mse_loss(Tensor(X), Tensor(Y), reduction="batchmean")


def test_a_softmax_before_cross_entropy_is_said() -> None:
    with pytest.warns(PellucidWarning, match="applies softmax itself"):
        nn.CrossEntropyLoss()(nn.Softmax(1)(Tensor(X)), Tensor(LABELS))


def test_losses_show_their_settings() -> None:
    assert repr(nn.MSELoss()) == "MSELoss()"
    assert repr(nn.L1Loss(reduction="sum")) == "L1Loss(reduction='sum')"


def test_an_empty_batch_has_no_mean() -> None:
    """PyTorch's answer is NaN; at least nothing is divided behind one's back."""
    empty = Tensor(np.zeros((0, 3)))
    assert nn.MSELoss(reduction="sum")(empty, empty).item() == 0
    assert nn.CrossEntropyLoss(reduction="sum")(empty, Tensor(np.zeros(0, int))).item() == 0
    assert nn.MSELoss(reduction="none")(empty, empty).shape == (0, 3)
