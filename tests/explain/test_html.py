"""A tensor as HTML: real numbers, escaped, well formed, whatever its shape."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from pellucid import Tensor
from pellucid.explain.html import tensor_html


def cells(html: str) -> list[list[str]]:
    """What stands in the table; parsing fails where a tag is not closed."""
    rows = ElementTree.fromstring(html).iter("tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


def text(html: str) -> str:
    return "\n".join("".join(div.itertext()) for div in ElementTree.fromstring(html).iter("div"))


def test_shows_values_shape_dtype_and_what_made_it() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    html = tensor_html(x @ x)
    assert cells(html) == [["7", "10"], ["15", "22"]]
    assert "(2, 2) float32" in text(html)
    assert "made by matmul: Each row of `a` meets each column of `b`" in text(html)


def test_the_notebook_asks_the_tensor() -> None:
    x = Tensor([1.0, 2.0])
    assert x._repr_html_() == tensor_html(x)


def test_names_are_escaped() -> None:
    made = type("<script>", (Tensor,), {})
    html = tensor_html(made([1.0]))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_long_axes_are_shortened_with_both_ends() -> None:
    table = cells(tensor_html(Tensor(np.arange(400).reshape(20, 20))))
    assert len(table) == len(table[0]) == 9
    assert table[0][:4] == ["0", "1", "2", "3"]
    assert table[0][4] == "…"
    assert table[-1][-1] == "399"


def test_of_many_axes_the_first_matrix() -> None:
    html = tensor_html(Tensor(np.arange(24).reshape(2, 2, 2, 3)))
    assert cells(html) == [["0", "1", "2"], ["3", "4", "5"]]
    assert "shown: [0, 0], the first of 4 matrices (2, 3)" in text(html)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 2, 2)])
def test_single_numbers_and_empty_tensors(shape: tuple[int, ...]) -> None:
    html = tensor_html(Tensor(np.ones(shape)))
    assert ("no elements" in text(html)) == (0 in shape)
    assert cells(html) == ([] if 0 in shape else [["1"]])


def test_nan_and_infinity_are_shown_without_colour() -> None:
    html = tensor_html(Tensor([float("nan"), float("inf"), -2.0]))
    assert cells(html) == [["nan", "inf", "-2"]]
    assert html.count("background") == 1


def test_colour_says_sign_and_size() -> None:
    html = tensor_html(Tensor([4.0, -2.0, 0.0]))
    assert "rgba(217, 95, 14, 0.45)" in html
    assert "rgba(33, 102, 172, 0.23)" in html or "rgba(33, 102, 172, 0.22)" in html
    assert html.count("background") == 2


def test_a_leaf_tells_its_gradient() -> None:
    x = Tensor([2.0, 3.0], requires_grad=True)
    (x * x).sum().backward()
    assert "a leaf" in text(tensor_html(x))
    assert "gradient: from 4 to 6" in text(tensor_html(x))


def test_booleans_and_integers_as_they_are() -> None:
    assert cells(tensor_html(Tensor([True, False]))) == [["True", "False"]]
    assert cells(tensor_html(Tensor([123456789]))) == [["123456789"]]
