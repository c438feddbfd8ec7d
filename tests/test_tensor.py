"""Tensor as people use it: how it looks, numbers in and out, operators, indexing, changes."""

from __future__ import annotations

import copy
import operator
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pellucid
from pellucid import Tensor, nn
from pellucid.errors import ArgumentError, DTypeError, GraphError, RangeError, ShapeError

t = pellucid.tensor


def same(found: Any, expected: Any) -> None:
    """Equal numbers, shape and dtype."""
    found = np.asarray(found)
    expected = np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(found, expected)


# ------------------------------------------------------------------------------------- how it looks

LOOKS: list[tuple[str, str]] = [
    ("t(3.0)", "tensor(3.)"),
    ("t(3)", "tensor(3)"),
    ("t([1.0, 2.5])", "tensor([1. , 2.5])"),
    ("t([True, False])", "tensor([ True, False])"),
    ("t([0.123456, 1.0])", "tensor([0.1235, 1.    ])"),
    ("t([[1, 2], [3, 4]])", "tensor([[1, 2],\n        [3, 4]], shape=(2, 2))"),
    ("pellucid.arange(7)", "tensor([0, 1, 2, 3, 4, 5, 6], shape=(7,))"),
    ("t([1.5], dtype='float64')", "tensor([1.5], dtype=float64)"),
    ("t([1], dtype='int32')", "tensor([1], dtype=int32)"),
    ("pellucid.zeros(0, 3)", "tensor([], shape=(0, 3))"),
    ("t([1.0], requires_grad=True)", "tensor([1.], requires_grad=True)"),
    ("t([1.0], requires_grad=True) * 2", "tensor([2.], made by mul)"),
    ("t([[1.0]], requires_grad=True).exp()", "tensor([[2.7183]], shape=(1, 1), made by exp)"),
    ("nn.Parameter(t([1.0]))", "parameter([1.], requires_grad=True)"),
]


@pytest.mark.parametrize(("code", "text"), LOOKS)
def test_it_shows_numbers_shape_dtype_and_maker(code: str, text: str) -> None:
    assert repr(eval(code)) == text


def test_a_large_tensor_shows_its_corners() -> None:
    text = repr(pellucid.zeros(1000, 1000))
    assert text.count("\n") == 6
    assert max(map(len, text.splitlines())) < 60
    assert text.endswith("shape=(1000, 1000))")


def test_the_default_dtype_is_not_worth_a_word() -> None:
    pellucid.set_default_dtype("float64")
    try:
        assert repr(t([1.5])) == "tensor([1.5])"
        assert t([1.5]).dtype == np.float64
        assert repr(t([1.5], dtype="float32")) == "tensor([1.5], dtype=float32)"
    finally:
        pellucid.set_default_dtype("float32")
    with pytest.raises(DTypeError, match="float32 or float64, not int64"):
        pellucid.set_default_dtype("int64")


def test_it_can_be_formatted() -> None:
    assert f"{t(3.14159):.2f}" == "3.14"
    assert f"{t([2]):03d}" == "002"
    assert f"{t([1.0, 2.0])}" == "tensor([1., 2.])"
    assert f"{t([1.0, 2.0]):.2f}" == "tensor([1., 2.])"


def test_in_a_notebook_it_is_a_table() -> None:
    html = t([[1.0, -2.0], [3.5, 4.0]], requires_grad=True).relu()._repr_html_()
    for part in ("<b>tensor</b> (2, 2) float32", ">3.5<", "made by relu: "):
        assert part in html
    assert html.count("<td") == 4
    assert "<script" not in html


# ------------------------------------------------------------------------------------- numbers in


def test_python_numbers_take_the_default_types() -> None:
    for data, kind in [
        (2.5, "float32"), (3, "int64"), (True, "bool"), ([1, 2.5], "float32"), ([True, 2], "int64"),
        (np.float64(2.5), "float64"), (np.ones(2), "float64"), (np.ones(2, "uint8"), "uint8"),
        ([], "float32"), ([[1, 2], (3, 4)], "int64"), (range(3), "int64"),
    ]:  # fmt: skip
        assert t(data).dtype == kind, data


def test_tensors_in_lists() -> None:
    x, y = t([1.0, 2.0]), t([3.0, 4.0])
    same(t([x, y]), np.array([[1, 2], [3, 4]], np.float32))
    same(t([x[0], 5.0]), np.array([1, 5], np.float32))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([[1, 2], [3]], "make no tensor"),
        ("text", "numbers or booleans"),
        (None, "numbers or booleans"),
        ([1 + 2j], "not complex128"),
        (np.array(["2024-01-01"], "datetime64[D]"), "not datetime64"),
    ],
)
def test_what_is_no_number_is_refused(data: Any, words: str) -> None:
    with pytest.raises(DTypeError, match=words):
        Tensor(data)


def test_arrays_are_shared_by_the_class_and_copied_by_the_function() -> None:
    array = np.zeros(3, np.float32)
    assert np.shares_memory(Tensor(array).numpy(), array)
    assert not np.shares_memory(t(array).numpy(), array)


# ------------------------------------------------------------------------------------- numbers out


def test_one_number() -> None:
    assert t(2.5).item() == 2.5
    assert type(t([[3]]).item()) is int
    assert (int(t(2.9)), float(t([2])), bool(t([0.0])), complex(t(1.0))) == (2, 2.0, False, 1 + 0j)
    for convert in (int, float, Tensor.item):
        with pytest.raises(ArgumentError, match=r"one element, and this tensor has shape \(2,\)"):
            convert(t([1, 2]))


def test_truth() -> None:
    assert t(0.5)
    assert not t([[False]])
    for x in (t([True, True]), t([])):
        with pytest.raises(ArgumentError, match=r"neither true nor false.*\n.*\.any\(\) or"):
            bool(x)


def test_as_an_index_of_something_else() -> None:
    assert ["a", "b", "c"][t(1)] == "b"
    assert list(range(t(3))) == [0, 1, 2]
    assert np.arange(5)[t(4)] == 4
    for x in (t(1.0), t([1])):
        with pytest.raises(TypeError):
            [1, 2, 3][x]


def test_as_a_sequence() -> None:
    x = t([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert len(x) == 2
    rows = list(x)
    assert [row.tolist() for row in rows] == [[1.0, 2.0], [3.0, 4.0]]
    rows[1].sum().backward()
    assert x.grad.tolist() == [[0, 0], [1, 1]]
    a, b = t([5, 6])
    assert (a.item(), b.item()) == (5, 6)
    assert 3.0 in x
    assert t(9) not in x
    with pytest.raises(ArgumentError, match="no length"):
        len(t(1.0))
    with pytest.raises(ArgumentError, match="nothing to iterate over"):
        list(t(1.0))


def test_lists_and_arrays() -> None:
    x = t([[1.0, 2.0]])
    assert x.tolist() == [[1.0, 2.0]]
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    same(np.asarray(x, dtype=np.float64), np.array([[1.0, 2.0]]))
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)


def test_what_it_says_about_itself() -> None:
    x = pellucid.zeros(2, 3, 4)
    assert (x.shape, x.size(), x.size(-1), x.ndim, x.dim(), x.numel()) == (
        (2, 3, 4), (2, 3, 4), 4, 3, 3, 24,
    )  # fmt: skip
    assert (x.device, x.dtype, x.is_leaf, x.requires_grad) == ("cpu", np.float32, True, False)
    assert x.is_floating_point()
    assert not x.long().is_floating_point()
    with pytest.raises(ShapeError, match=r"axis 3, but x has 3 axes \(-3 to 2\)"):
        x.size(3)


def test_dlpack_both_ways_shares_memory() -> None:
    x = t([[1.0, 2.0], [3.0, 4.0]])
    array = np.from_dlpack(x)
    assert np.shares_memory(array, x.numpy())
    back = pellucid.from_dlpack(array)
    assert isinstance(back, Tensor)
    assert np.shares_memory(back.numpy(), x.numpy())
    same(back, x.numpy())


def test_dlpack_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x = t([1.0, 2.0, 3.0])
    theirs = torch.from_dlpack(x)
    theirs[0] = 9.0
    assert x.tolist() == [9.0, 2.0, 3.0]
    ours = pellucid.from_dlpack(torch.arange(4))
    same(ours, np.arange(4))


# ------------------------------------------------------------------------------------------- copies


def test_pickling_is_refused_with_a_way_out() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(DTypeError, match=r"not pickled.*\n.*safetensors.*pellucid\.load"):
            pickle.dumps({"weight": t([1.0])}, protocol)


def test_deep_copies_have_numbers_and_gradients_of_their_own() -> None:
    x = t([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    twin = copy.deepcopy(x)
    same(twin, x.numpy())
    same(twin.grad, x.grad.numpy())
    assert twin.requires_grad
    for mine, theirs in ((x, twin), (x.grad, twin.grad)):
        assert not np.shares_memory(mine.numpy(), theirs.numpy())
    first, second = copy.deepcopy([x, x])
    assert first is second
    parameter = copy.deepcopy(nn.Parameter(x))
    assert type(parameter) is nn.Parameter
    with pytest.raises(GraphError, match=r"copy x\.detach\(\)"):
        copy.deepcopy(x * 2)


def test_clone_is_recorded_and_lies_in_order() -> None:
    x = t([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    twin = x.T.clone()
    assert not np.shares_memory(twin.numpy(), x.numpy())
    assert twin.is_contiguous()
    (twin * t([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert x.grad.tolist() == [[1, 3], [2, 4]]


def test_contiguous() -> None:
    x = pellucid.rand(3, 4)
    assert x.contiguous() is x
    assert not x.T.is_contiguous()
    assert x.T.contiguous().is_contiguous()
    same(x.T.contiguous(), x.numpy().T)


# ---------------------------------------------------------------------------------------- operators

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
]  # fmt: skip
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


@pytest.mark.parametrize("sign", BINARY)
def test_operators_with_tensors_arrays_and_numbers_on_either_side(sign: Any) -> None:
    a, b = np.array([[1.5, 2.0], [3.0, 2.5]]), np.array([2.0, 0.5])
    x = Tensor(a)
    for left, right in [(x, Tensor(b)), (x, b), (a, Tensor(b)), (x, [2.0, 0.5])]:
        found = sign(left, right)
        assert isinstance(found, Tensor)
        same(found, sign(a, b))
    same(sign(x, 2), sign(a, 2))
    same(sign(2, x), sign(2, a))


@pytest.mark.parametrize("sign", BITS)
def test_operators_on_bits(sign: Any) -> None:
    a, b = np.array([12, 7, 1]), np.array([1, 2, 3])
    same(sign(t(a), t(b)), sign(a, b))
    same(sign(t(a), 2), sign(a, 2))
    same(sign(2, t(b)), sign(2, b))
    if sign in BITS[:3]:
        p, q = np.array([True, True, False]), np.array([True, False, False])
        same(sign(t(p), t(q)), sign(p, q))


def test_operators_on_one() -> None:
    x = np.array([1.5, -2.0])
    for found, expected in [(-Tensor(x), -x), (+Tensor(x), x), (abs(Tensor(x)), abs(x))]:
        same(found, expected)
    same(~t([True, False]), [False, True])
    same(~t([1, 2]), [-2, -3])


def test_the_matrix_product_sign() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for left, right in [(Tensor(a), Tensor(b)), (Tensor(a), b), (a, Tensor(b))]:
        found = left @ right
        assert isinstance(found, Tensor)
        same(found, a @ b)


def test_arrays_on_the_left_keep_the_history() -> None:
    x = t([1.0, 2.0], requires_grad=True)
    for y in (np.ones(2, np.float32) * x, np.float32(3) - x, np.ones((1, 2), np.float32) @ x):
        assert isinstance(y, Tensor)
        assert y.requires_grad


def test_it_differs_from_what_is_no_number() -> None:
    x = t([1.0, 2.0])
    assert (x == None) is False  # noqa: E711 - what people write
    assert (x != None) is True  # noqa: E711
    assert (x == "weights") is False
    assert x not in [None, "weights"]


def test_tensors_are_keys_by_identity() -> None:
    x, y = t([1.0]), t([1.0])
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y, x}) == 2


# --------------------------------------------------------------------------------- types that meet


def kinds(text: str) -> list[str]:
    return text.split()


# rows and columns in this order; what two tensors with axes make together, as in PyTorch
ORDER = kinds("bool uint8 int8 int16 int32 int64 float32 float64")
TOGETHER = [
    kinds("bool uint8 int8 int16 int32 int64 float32 float64"),
    kinds("uint8 uint8 int16 int16 int32 int64 float32 float64"),
    kinds("int8 int16 int8 int16 int32 int64 float32 float64"),
    kinds("int16 int16 int16 int16 int32 int64 float32 float64"),
    kinds("int32 int32 int32 int32 int32 int64 float32 float64"),
    kinds("int64 int64 int64 int64 int64 int64 float32 float64"),
    kinds("float32 float32 float32 float32 float32 float32 float32 float64"),
    kinds("float64 float64 float64 float64 float64 float64 float64 float64"),
]


@pytest.mark.parametrize("sign", [operator.add, operator.mul])
def test_two_tensors_together(sign: Any) -> None:
    for first, row in zip(ORDER, TOGETHER, strict=True):
        for second, expected in zip(ORDER, row, strict=True):
            a, b = pellucid.ones(2, dtype=first), pellucid.ones(2, dtype=second)
            assert sign(a, b).dtype == expected, (first, second)


def test_a_single_number_gives_way_to_a_tensor_with_axes_of_its_kind() -> None:
    for axes, single, expected in [
        ("float32", "float64", "float32"),
        ("int32", "int64", "int32"),
        ("uint8", "int64", "uint8"),
        ("int64", "float32", "float32"),
        ("int64", "float64", "float64"),
        ("bool", "int32", "int32"),
        ("bool", "float32", "float32"),
        ("float64", "float32", "float64"),
    ]:
        a, b = pellucid.ones(2, dtype=axes), pellucid.ones((), dtype=single)
        assert (a + b).dtype == expected, (axes, single)
        assert (b + a).dtype == expected, (axes, single)
        assert (a.reshape(2, 1) * b).dtype == expected


def test_pythons_numbers_give_way() -> None:
    for kind, number, expected in [
        ("float32", 2, "float32"), ("float32", 2.5, "float32"), ("float64", 2.5, "float64"),
        ("int32", 2, "int32"), ("uint8", 2, "uint8"), ("int32", 2.5, "float32"),
        ("int64", 2.5, "float32"), ("bool", 2, "int64"), ("bool", 2.5, "float32"),
        ("int64", True, "int64"), ("float32", True, "float32"), ("bool", True, "bool"),
    ]:  # fmt: skip
        for shape in ((2,), ()):
            x = pellucid.ones(shape, dtype=kind)
            assert (x + number).dtype == expected, (kind, number, shape)
            assert (number * x).dtype == expected, (kind, number, shape)


def test_division_and_functions_of_integers_have_fractions() -> None:
    i = t([1, 2, 3])
    for y in (i / i, i / 2, 1 / i, i.exp(), i.sqrt(), i.sigmoid(), i.sin(), i.reciprocal()):
        assert y.dtype == np.float32
    for y in (i // 2, i % 2, i**2, -i, abs(i), i.sum(), i.cumsum(0), i.prod()):
        assert y.dtype == np.int64
    assert t([True, False]).sum().dtype == np.int64
    assert t([1], dtype="uint8").sum().dtype == np.int64


def test_gradients_have_the_type_of_their_leaf() -> None:
    a = t([1.0, 2.0], dtype="float32", requires_grad=True)
    b = t([1.0, 2.0], dtype="float64", requires_grad=True)
    y = (a * b).sum()
    assert y.dtype == np.float64
    y.backward()
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


def test_other_types() -> None:
    x = t([1.7, -2.0, 0.0])
    same(x.int(), np.array([1, -2, 0], np.int32))
    same(x.long(), np.array([1, -2, 0]))
    same(x.bool(), [True, True, False])
    same(x.double(), x.numpy().astype(np.float64))
    same(x.type("int8"), np.array([1, -2, 0], np.int8))
    same(x.astype(np.int16), np.array([1, -2, 0], np.int16))
    same(x.to(pellucid.float64), x.numpy().astype(np.float64))
    assert x.to("cpu", "float64").dtype == np.float64
    assert x.to(t([1])).dtype == np.int64
    assert x.to("cpu") is x.float() is x.cpu() is x
    with pytest.raises(ArgumentError, match="no device 'cuda:0'"):
        x.to("cuda:0")


def test_a_change_of_type_passes_gradients() -> None:
    x = t([1.0, 2.0], requires_grad=True)
    x.double().square().sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [2.0, 4.0]


# ------------------------------------------------------------------------------- nothing and single


def test_tensors_without_elements() -> None:
    x = pellucid.zeros(0, 3, requires_grad=True)
    assert x.sum().item() == 0
    assert x.sum(0).shape == (3,)
    assert x.prod().item() == 1
    assert np.isnan(x.mean().item())
    assert (x @ pellucid.ones(3, 2)).shape == (0, 2)
    assert pellucid.cat([x, pellucid.ones(2, 3)]).shape == (2, 3)
    (x * 2 + 1).sum().backward()
    assert x.grad.shape == (0, 3)
    with pytest.raises(ShapeError, match="amax"):
        x.max()


def test_tensors_without_axes() -> None:
    x = t(3.0, requires_grad=True)
    y = x * x + x.exp()
    assert y.shape == ()
    assert isinstance(y, Tensor)
    y.backward()
    assert x.grad.shape == ()
    assert x.grad.item() == pytest.approx(6 + np.e**3)
    assert x.sum(0).shape == ()
    assert x.max(0).indices.item() == 0
    assert x[...].shape == ()
    assert x[None].shape == (1,)


# --------------------------------------------------------------------------------------- indexing

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Every kind of NumPy index: numbers, slices, `...`, None, positions, masks, and mixtures."""
    kind = draw(st.sampled_from(["basic", "positions", "mask", "lists", "mixed"]))
    if kind == "basic":
        return draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "positions":
        return draw(hnp.integer_array_indices(shape))
    if kind == "mask":
        axes = draw(st.integers(1, len(shape)))
        return draw(hnp.arrays(bool, shape[:axes]))
    if kind == "lists":
        return draw(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=5))
    size = draw(st.integers(1, 3))  # of the lists of positions, which broadcast together

    def part(n: int) -> Any:
        positions = hnp.arrays(np.int64, size, elements=st.integers(-n, n - 1))
        return draw(
            st.one_of(st.just(slice(None)), st.slices(n), st.integers(-n, n - 1), positions)
        )

    return tuple(part(n) for n in shape)


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_reading_is_numpys_reading_and_gradients_go_back_where_they_came_from(
    data: st.DataObject,
) -> None:
    shape = data.draw(SHAPES)
    index = data.draw(indices(shape))
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    x = Tensor(array, requires_grad=True)
    y = x[index]
    same(y, array[index])
    weights = np.arange(1.0, 1 + y.numel()).reshape(y.shape)
    (y * weights).sum().backward()
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    same(x.grad, expected)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_writing_is_numpys_writing(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    index = data.draw(indices(shape))
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    x = Tensor(array.copy())
    value: Any = -1.0
    if data.draw(st.booleans()):
        value = Tensor(-np.arange(1.0, 1 + array[index].size).reshape(array[index].shape))
    x[index] = value
    array[index] = np.asarray(value)
    same(x, array)


def test_indices_may_be_tensors() -> None:
    x = t([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert x[t(1)].tolist() == [4.0, 5.0, 6.0]
    assert x[t([1, 0]), t([2, 0])].tolist() == [6.0, 1.0]
    assert x[x > 3].tolist() == [4.0, 5.0, 6.0]
    assert x[:, t([True, False, True])].tolist() == [[1.0, 3.0], [4.0, 6.0]]
    x[x > 3] = 0.0
    x[t([0]), 1:] = t([7.0, 8.0])
    assert x.tolist() == [[1.0, 7.0, 8.0], [0.0, 0.0, 0.0]]


def test_an_index_that_changes_later_was_read_in_time() -> None:
    x, where = t([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 1])
    y = x[where]
    where[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (5, r"no position 5 along axis 0, which has size 2: so positions run from -2 to 1"),
        ((0, -4), r"no position -4 along axis 1, which has size 3"),
        ((0, 0, 0), "too many indices"),
        ("a", "'a' is no index; whole numbers, slices"),
        (1.5, "1.5 is no index"),
        (np.array([True, False, True]), "boolean index did not match"),
    ],
)
def test_an_index_that_does_not_fit(index: Any, words: str) -> None:
    x = pellucid.zeros(2, 3)
    with pytest.raises(RangeError, match=rf"x \(2, 3\) has nothing at this index: .*{words}"):
        x[index]
    with pytest.raises(RangeError, match=words):
        x[index] = 1.0


def test_views_read_the_same_memory() -> None:
    x = pellucid.zeros(2, 3)
    x[0][1] = 5.0
    x.T[2, 1] = 7.0
    x.reshape(6)[0] = 9.0
    assert x.tolist() == [[9.0, 5.0, 0.0], [0.0, 0.0, 7.0]]


def test_a_value_that_does_not_fit_where_it_is_written() -> None:
    x = pellucid.zeros(2, 3)
    with pytest.raises(ShapeError, match=r"\(2,\) cannot be written into a tensor \(2, 3\)"):
        x[0] = t([1.0, 2.0])


# --------------------------------------------------------------------------------- changes in place


def test_changes_in_place() -> None:
    x = t([1.0, -2.0, 3.0])
    memory = x.numpy()
    assert x.add_(1) is x
    x.sub_(t([1.0, 0.0, 0.0]), alpha=2)
    x.mul_(3)
    x.div_(2)
    same(x, np.array([0.0, -1.5, 6.0], np.float32))
    x.clamp_(-1, 1)
    same(x, np.array([0.0, -1.0, 1.0], np.float32))
    x.copy_(t([4, 5, 6]))
    same(x, np.array([4, 5, 6], np.float32))
    x.fill_(2).add_(np.ones(3))
    same(x, np.array([3, 3, 3], np.float32))
    assert x.zero_().numpy() is memory


def test_assignment_operators_keep_the_memory_where_they_can() -> None:
    x = t([1.0, 2.0])
    memory = x.numpy()
    x += 1
    x -= t([0.5, 0.5])
    x *= 4
    x /= 2
    assert x.numpy() is memory
    same(x, np.array([3.0, 5.0], np.float32))
    w = t([1.0, 1.0], requires_grad=True)
    y = x
    y += w  # part of it has a history: a new tensor
    assert y.requires_grad
    assert not x.requires_grad
    y *= 2
    y.sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]
    same(x, np.array([3.0, 5.0], np.float32))


def test_leaves_change_only_where_nothing_is_recorded() -> None:
    w = t([1.0, 2.0], requires_grad=True)
    for change in ("w.add_(1)", "w.zero_()", "w.copy_(w)", "w.uniform_()", "w.__setitem__(0, 1.0)"):
        with pytest.raises(GraphError, match="a leaf that requires gradients"):
            eval(change)
    with pytest.raises(GraphError, match="a leaf that requires gradients"):
        w += 1
    with pellucid.no_grad():
        w += 1
        w[0] = 7.0
        w.mul_(2)
    assert w.tolist() == [14.0, 6.0]
    assert w.requires_grad
    x = t([1.0, 2.0])
    with pytest.raises(GraphError, match="a recorded history"):
        x[0] = (w * 2).sum()
    with pytest.raises(GraphError, match="a recorded history"):
        x.copy_(w * 2)


def test_a_result_of_another_kind_is_not_squeezed_in() -> None:
    for x, change in [
        (t([1, 2]), lambda x: x.add_(0.5)),
        (t([1, 2]), lambda x: x.div_(2)),
        (t([True]), lambda x: x.mul_(2)),
        (t([1, 2]), lambda x: x.normal_()),
    ]:
        before = x.tolist()
        with pytest.raises(DTypeError, match=r"cannot be written into a tensor of"):
            change(x)
        assert x.tolist() == before
    assert t([1, 2]).add_(True).tolist() == [2, 3]
    assert t([1, 2], dtype="int32").mul_(t([3])).dtype == np.int32


def test_shapes_do_not_grow_in_place() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3\) cannot be written into a tensor \(3,\)"):
        pellucid.zeros(3).add_(pellucid.ones(2, 3))


def test_memory_that_is_read_several_times_is_not_written_to() -> None:
    x = pellucid.zeros(3).expand(2, 3)
    for change in (lambda: x.add_(1), lambda: x.__setitem__(0, 1.0)):
        with pytest.raises(ArgumentError, match=r"after expand.*\n.*x\.clone\(\)"):
            change()


def test_random_fillings() -> None:
    pellucid.manual_seed(0)
    x = pellucid.zeros(10_000)
    x.uniform_(2, 4)
    assert 2 <= x.min().item() < 2.01
    assert 3.99 < x.max().item() < 4
    x.normal_(5, 2)
    assert x.mean().item() == pytest.approx(5, abs=0.1)
    assert x.std().item() == pytest.approx(2, abs=0.1)


def test_data_is_the_array_itself() -> None:
    w = t([1.0, 2.0], requires_grad=True)
    w.data[0] = 5.0
    assert w.tolist() == [5.0, 2.0]
    w.data = np.array([7.0, 8.0, 9.0], np.float32)
    assert w.shape == (3,)
    assert w.requires_grad


# ---------------------------------------------------------------------------------------- gradients


def test_requires_grad_can_be_asked_and_taken_back() -> None:
    x = t([1.0])
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad
    y = t([1.0], requires_grad=True) * 2
    with pytest.raises(GraphError, match=r"only a leaf .*x\.detach\(\)"):
        y.requires_grad_(False)


def test_a_gradient_given_by_hand_has_the_tensors_shape() -> None:
    x = t([1.0, 2.0], requires_grad=True)
    x.grad = t([3.0, 4.0])
    (x * 1).sum().backward()
    assert x.grad.tolist() == [4.0, 5.0]
    with pytest.raises(GraphError, match=r"\(3,\) cannot belong to a tensor \(2,\)"):
        x.grad = t([1.0, 2.0, 3.0])
