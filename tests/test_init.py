"""First weights: bounds, spread, gains, fans; PyTorch's where there are some, and the book's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, init, nn
from pellucid.errors import ArgumentError, ShapeError

Fill = Callable[..., Tensor]


def filled(fill: Fill, shape: tuple[int, ...], *args: Any, **more: Any) -> Any:
    """Numbers that the function has put into a tensor of float64."""
    pellucid.manual_seed(3)
    tensor = Tensor(np.full(shape, np.nan), requires_grad=True)
    assert fill(tensor, *args, **more) is tensor
    return tensor.numpy()


def is_uniform(x: Any, low: float, high: float) -> None:
    """Within its bounds, reaching them, with mean, variance and quarters of a uniform one."""
    width = high - low
    assert low <= x.min() < low + 0.01 * width
    assert high - 0.01 * width < x.max() <= high
    error = 5 / math.sqrt(x.size)
    assert x.mean() == pytest.approx((low + high) / 2, abs=error * width)
    assert x.std() == pytest.approx(width / math.sqrt(12), rel=error)
    quarters = np.histogram(x, bins=4, range=(low, high))[0] / x.size
    np.testing.assert_allclose(quarters, 0.25, atol=error)


def is_normal(x: Any, mean: float, std: float) -> None:
    """Mean, deviation, and as many within one, two and three deviations as there should be."""
    error = 5 / math.sqrt(x.size)
    assert x.mean() == pytest.approx(mean, abs=error * std)
    assert x.std() == pytest.approx(std, rel=error)
    for k in (1, 2, 3):
        inside = (abs(x - mean) <= k * std).mean()
        assert inside == pytest.approx(math.erf(k / math.sqrt(2)), abs=error)


def test_plain_ones() -> None:
    assert (filled(init.zeros_, (2, 3)) == 0).all()
    assert (filled(init.ones_, (4,)) == 1).all()
    assert (filled(init.constant_, (2, 2), -0.5) == -0.5).all()
    assert filled(init.eye_, (2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_uniform_and_normal() -> None:
    is_uniform(filled(init.uniform_, (200, 100)), 0, 1)
    is_uniform(filled(init.uniform_, (20_000,), -3, 5), -3, 5)
    is_uniform(filled(init.around_zero_, (20_000,), 0.2), -0.2, 0.2)
    is_normal(filled(init.normal_, (200, 100)), 0, 1)
    is_normal(filled(init.normal_, (20_000,), 3, 0.1), 3, 0.1)
    assert (filled(init.uniform_, (3,), 2.0, 2.0) == 2).all()
    assert (filled(init.normal_, (3,), 2.0, 0.0) == 2).all()


def test_truncated_normal_keeps_its_bounds_and_the_shape_between() -> None:
    x = filled(init.trunc_normal_, (30_000,))
    assert abs(x).max() <= 2
    assert x.std() == pytest.approx(0.8796, abs=0.02)  # that of a normal cut off at 2 deviations
    assert abs(x.mean()) < 0.03
    shifted = filled(init.trunc_normal_, (30_000,), mean=1.0, std=0.5, a=0.5, b=3.0)
    assert shifted.min() >= 0.5
    assert shifted.max() <= 3.0


@pytest.mark.parametrize(("low", "high"), [(2, 2.5), (2, 1e6), (3, math.inf), (9, 9.5), (-50, -8)])
def test_truncated_far_from_the_mean(low: float, high: float) -> None:
    """Mean of what is left: the difference of the curve's heights over the area between."""
    x = filled(init.trunc_normal_, (20_000,), a=low, b=high)
    assert low <= x.min()
    assert x.max() <= high
    edge = min(abs(low), abs(high))
    grid = np.linspace(max(low, -edge - 12), min(high, edge + 12), 200_001)
    height = np.exp(-(grid**2 - edge**2) / 2)
    assert x.mean() == pytest.approx((grid * height).sum() / height.sum(), rel=5e-3)


def test_numbers_keep_the_tensor_s_type() -> None:
    for fill in (init.uniform_, init.xavier_normal_, init.orthogonal_, init.book_uniform_):
        small = pellucid.zeros(4, 3)
        assert fill(small).dtype == np.float32


# -------------------------------------------------------------------------------- fans and gains


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((3, 5), (5, 3)),  # Linear(5, 3)
        ((8, 4, 3), (4 * 3, 8 * 3)),  # Conv1d(4, 8, 3)
        ((8, 4, 3, 5), (4 * 15, 8 * 15)),  # Conv2d(4, 8, (3, 5))
        ((8, 2, 3, 3), (2 * 9, 8 * 9)),  # Conv2d(4, 8, 3, groups=2)
    ],
)
def test_fans(shape: tuple[int, ...], fans: tuple[int, int]) -> None:
    assert init.fans(pellucid.zeros(*shape)) == fans
    inputs, outputs = fans
    bound = math.sqrt(6 / (inputs + outputs))
    assert abs(filled(init.xavier_uniform_, shape)).max() <= bound
    assert abs(filled(init.kaiming_uniform_, shape)).max() <= math.sqrt(6 / inputs)


def test_fans_of_layers() -> None:
    assert init.fans(nn.Linear(5, 3).weight) == (5, 3)
    assert init.fans(nn.Conv2d(4, 8, (3, 5)).weight) == (60, 120)
    assert init.fans(nn.ConvTranspose2d(4, 8, 3).weight) == (72, 36)  # as PyTorch counts them


@pytest.mark.parametrize("shape", [(120, 150), (40, 20, 5, 5)])
def test_xavier(shape: tuple[int, ...]) -> None:
    inputs, outputs = init.fans(pellucid.zeros(*shape))
    for gain in (1.0, 5 / 3):
        bound = gain * math.sqrt(6 / (inputs + outputs))
        is_uniform(filled(init.xavier_uniform_, shape, gain), -bound, bound)
        std = gain * math.sqrt(2 / (inputs + outputs))
        is_normal(filled(init.xavier_normal_, shape, gain=gain), 0, std)


@pytest.mark.parametrize("shape", [(120, 150), (40, 20, 5, 5)])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize(
    ("nonlinearity", "a", "gain"),
    [("leaky_relu", 0, math.sqrt(2)), ("relu", 0, math.sqrt(2)), ("tanh", 0, 5 / 3),
     ("leaky_relu", 0.5, math.sqrt(1.6)), ("linear", 0, 1.0)],
)  # fmt: skip
def test_kaiming(
    shape: tuple[int, ...], mode: str, nonlinearity: str, a: float, gain: float
) -> None:
    inputs, outputs = init.fans(pellucid.zeros(*shape))
    std = gain / math.sqrt(inputs if mode == "fan_in" else outputs)
    bound = math.sqrt(3) * std
    is_uniform(filled(init.kaiming_uniform_, shape, a, mode, nonlinearity), -bound, bound)
    is_normal(filled(init.kaiming_normal_, shape, a, mode, nonlinearity), 0, std)


def test_what_kaiming_is_for() -> None:
    """Numbers stay as large as they were through twenty layers of relu, forwards and back."""
    pellucid.manual_seed(5)
    x = pellucid.randn(50, 400).double()
    for mode, nonlinearity, stays in (
        ("fan_in", "relu", True),
        ("fan_out", "relu", True),
        ("fan_in", "linear", False),  # half of each layer's variance is lost
    ):
        start = x.detach().requires_grad_()
        h = start
        for _ in range(20):
            weight = init.kaiming_normal_(Tensor(np.empty((400, 400))), 0, mode, nonlinearity)
            h = pellucid.relu(h @ weight.mT)
        h.backward(x.numpy())
        forwards = (h**2).mean().item() / (x**2).mean().item()
        backwards = (start.grad**2).mean().item() / (x**2).mean().item()
        for factor in (forwards, backwards):
            assert (0.2 < factor < 5) if stays else (factor < 1e-4)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (8, 2, 3, 3), (5, 1, 2)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    w = filled(init.orthogonal_, shape, gain=1.5).reshape(shape[0], -1)
    small = min(w.shape)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 1.5**2 * np.eye(small), atol=1e-12)


def test_orthogonal_ones_are_all_equally_likely() -> None:
    """Without the sign correction, the first number would never be positive."""
    draws = np.array([init.orthogonal_(Tensor(np.empty((2, 2)))).numpy() for _ in range(400)])
    for place in np.ndindex(2, 2):
        assert 0.4 < (draws[:, *place] > 0).mean() < 0.6
    assert 0.4 < (np.linalg.det(draws) > 0).mean() < 0.6


# ------------------------------------------------------------------------------------- the book's


def test_the_book_draws_by_input() -> None:
    layer = nn.Linear(4, 3, bias=False, dtype=np.float64)
    init.book_uniform_(layer.weight, 0.1, np.random.RandomState(1))
    expected = 0.2 * np.random.RandomState(1).random_sample((4, 3)) - 0.1
    assert layer.weight.numpy().T.tolist() == expected.tolist()

    init.book_normal_(layer.weight, np.random.RandomState(1))
    expected = np.random.RandomState(1).randn(4, 3) * math.sqrt(2 / 4)
    assert layer.weight.numpy().T.tolist() == expected.tolist()

    kernels = Tensor(np.empty((2, 1, 3, 3)))
    init.book_uniform_(kernels, 0.01, np.random.RandomState(1))
    expected = 0.02 * np.random.RandomState(1).random_sample((2, 1, 3, 3)) - 0.01
    assert kernels.numpy().tolist() == expected.tolist()


def test_the_book_s_spread() -> None:
    is_uniform(filled(init.book_uniform_, (100, 200), 0.2), -0.2, 0.2)
    is_normal(filled(init.book_normal_, (100, 200)), 0, math.sqrt(2 / 200))


# ---------------------------------------------------------------------------------- for all of them

DRAWN: list[tuple[Fill, dict[str, Any]]] = [
    (init.uniform_, {}),
    (init.normal_, {}),
    (init.trunc_normal_, {}),
    (init.xavier_uniform_, {}),
    (init.xavier_normal_, {}),
    (init.kaiming_uniform_, {}),
    (init.kaiming_normal_, {}),
    (init.orthogonal_, {}),
    (init.book_uniform_, {}),
    (init.book_normal_, {}),
    (init.around_zero_, {"width": 0.5}),
]


@pytest.mark.parametrize(("fill", "settings"), DRAWN, ids=lambda x: getattr(x, "__name__", ""))
def test_the_seed_decides_or_a_generator_of_either_kind(fill: Fill, settings: Any) -> None:
    def drawn(generator: Any = None) -> Any:
        return fill(Tensor(np.empty((4, 3))), generator=generator, **settings).tolist()

    pellucid.manual_seed(1)
    first, second = drawn(), drawn()
    pellucid.manual_seed(1)
    assert drawn() == first != second
    for kind in (np.random.default_rng, np.random.RandomState):
        assert drawn(kind(2)) == drawn(kind(2)) != drawn(kind(3))
    pellucid.manual_seed(1)
    drawn(np.random.default_rng(2))  # does not touch Pellucid's own
    assert drawn() == first


@pytest.mark.parametrize(("fill", "settings"), DRAWN, ids=lambda x: getattr(x, "__name__", ""))
def test_filling_is_a_change_that_backward_notices(fill: Fill, settings: Any) -> None:
    weight = Tensor(np.ones((2, 2)), requires_grad=True)
    y = ((weight * 2) @ (weight * 3)).sum() + (weight * weight).sum()
    fill(weight, **settings)
    with pytest.raises(pellucid.errors.GraphError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("fill", [f for f, _ in DRAWN if f is not init.around_zero_])
def test_nothing_to_fill(fill: Fill) -> None:
    for shape in ((0, 3), (3, 0)):
        assert fill(Tensor(np.empty(shape))).shape == shape


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: init.eye_(pellucid.zeros(2)), ShapeError, r"shape \(2,\)"),
        (lambda: init.xavier_uniform_(pellucid.zeros(2)), ShapeError, "for a bias use zeros_"),
        (lambda: init.kaiming_normal_(pellucid.zeros(2)), ShapeError, r"\(2,\) has not two axes"),
        (lambda: init.orthogonal_(pellucid.zeros(2)), ShapeError, "has not two axes"),
        (lambda: init.uniform_(pellucid.zeros(2), 1, 0), ArgumentError, "a=1 is above b=0"),
        (lambda: init.normal_(pellucid.zeros(2), std=-1), ArgumentError, "std=-1"),
        (lambda: init.trunc_normal_(pellucid.zeros(2), std=0), ArgumentError, "std > 0 and a < b"),
        (lambda: init.trunc_normal_(pellucid.zeros(2), a=1, b=1), ArgumentError, "a=1, b=1"),
        (
            lambda: init.kaiming_normal_(pellucid.zeros(2, 2), mode="in"),
            ArgumentError,
            '"fan_in" or "fan_out", not \'in\'',
        ),
        (lambda: init.calculate_gain("relu7"), ArgumentError, "'relu7'; there are linear, .*selu"),
    ],
)
def test_what_cannot_be_filled(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        make()


# ------------------------------------------------------------------------------- beside PyTorch


@pytest.mark.parity
def test_gains_and_fans_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for name in init._GAINS:
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    for slope in (None, 0, 0.01, 0.3, 1):
        ours = init.calculate_gain("leaky_relu", slope)
        assert ours == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", slope))
    for shape in ((3, 5), (8, 4, 3), (8, 4, 3, 5)):
        theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape))
        assert init.fans(pellucid.zeros(*shape)) == theirs


@pytest.mark.parity
@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("uniform_(w, -0.3, 0.7)", (300, 100)),
        ("normal_(w, 1.0, 0.3)", (300, 100)),
        ("trunc_normal_(w, 0.2, 0.5, -0.4, 1.5)", (300, 100)),
        ("xavier_uniform_(w, gain=2.0)", (300, 100)),
        ("xavier_normal_(w)", (60, 20, 5, 5)),
        ("kaiming_uniform_(w, a=0.2, mode='fan_out')", (60, 20, 5, 5)),
        ("kaiming_normal_(w, nonlinearity='tanh')", (300, 100)),
        ("orthogonal_(w, gain=0.5)", (300, 100)),
        ("constant_(w, 3.0)", (3, 4)),
        ("eye_(w)", (3, 4)),
    ],
)
def test_the_same_distribution_as_pytorchs(code: str, shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    pellucid.manual_seed(2), torch.manual_seed(2)
    ours = np.sort(eval(f"init.{code}", {"init": init, "w": Tensor(np.zeros(shape))}).numpy(), None)
    peer = {"init": torch.nn.init, "w": torch.zeros(shape, dtype=torch.float64)}
    theirs = np.sort(eval(f"init.{code}", peer).numpy(), None)
    # two samples of one distribution: quantiles agree, to what chance allows
    at = np.linspace(0.02, 0.98, 25)
    a, b = np.quantile(ours, at), np.quantile(theirs, at)
    np.testing.assert_allclose(a, b, atol=0.05 * max(theirs.std(), 1e-12))
