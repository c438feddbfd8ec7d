"""Tables of numbers from CSV files: read right, and each mistake named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data import DataLoader, datasets
from pellucid.errors import ArgumentError, DataError, ShapeError

DIGITS = "7,0,255,12,3\n1,9,8,7,6\n"


def put(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_label_first(tmp_path: Path) -> None:
    table = datasets.table(put(tmp_path, DIGITS))
    assert table.values.tolist() == [[0, 255, 12, 3], [9, 8, 7, 6]]
    assert table.labels is not None
    assert (table.labels.tolist(), table.labels.dtype) == ([7, 1], np.int64)
    assert table.values.dtype == np.float32
    assert (table.name, len(table)) == ("table.csv", 2)
    assert table.columns == ("column 1", "column 2", "column 3", "column 4")


def test_pictures(tmp_path: Path) -> None:
    table = datasets.table(put(tmp_path, DIGITS))
    digits = table.pictures(2, 2)
    assert digits.pixels.tolist() == [[[0, 255], [12, 3]], [[9, 8], [7, 6]]]
    assert (digits.pixels.dtype, digits.classes[7], digits.images.max()) == (np.uint8, "7", 1)
    with pytest.raises(ShapeError, match="4 values in a row, and a picture of 3 x 2 has 6 pixels"):
        table.pictures(3, 2)
    with pytest.raises(DataError, match="without a label column"):
        datasets.table(put(tmp_path, "1,2\n"), label=None).pictures(1, 2)
    with pytest.raises(DataError, match=r"row 2 has 300 in 'column 2', and a pixel is"):
        datasets.table(put(tmp_path, "0,1,2\n0,5,300\n")).pictures(1, 2)


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        ("a,b,kind\n1,2,0\n3,4,1\n", {"label": "kind"}),
        ("a,b,kind\n1,2,0\n3,4,1\n", {"label": -1}),
        ("kind;a;b\r\n0;1;2\r\n1;3;4", {"delimiter": ";"}),
        ('\n"kind", a, b\n"0",1,2\n\n1, 3 ,4.0\n', {}),
        ("0,1,2\n1,3e0,4\n", {"columns": 3, "header": False}),
        ("9,9,9\n0,1,2\n1,3,4\n", {"header": True}),
        ("\ufeff0,1,2\n1,3,4\n", {}),
    ],
)
def test_forms(content: str, settings: dict[str, Any], tmp_path: Path) -> None:
    table = datasets.table(put(tmp_path, content), **settings)
    assert table.values.tolist() == [[1, 2], [3, 4]]
    assert table.labels is not None
    assert table.labels.tolist() == [0, 1]
    (batch,) = DataLoader(table.dataset(), batch_size=2)
    assert batch[1].tolist() == [0, 1]


def test_without_labels(tmp_path: Path) -> None:
    table = datasets.table(put(tmp_path, "a,b\n1.5,-2\n"), label=None)
    assert (table.values.tolist(), table.labels, table.columns) == ([[1.5, -2]], None, ("a", "b"))
    ((row,),) = DataLoader(table.dataset(), batch_size=1)
    assert row.shape == (1, 2)


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        ("", {}, "is empty; expected a table"),
        ("\n\n", {}, "is empty; expected a table"),
        ("a,b\n", {}, "has no line of numbers, only the header"),
        ("0,1,2\n1,3\n", {}, "line 2: expected 3 fields, found 2"),
        ("0,1\n1,3\n\n1,2,3\n", {}, "line 4: expected 2 fields, found 3"),
        ("0,1,2\n", {"columns": 785}, "line 1: expected 785 fields, found 3"),
        ("k,a\n0,1\n1,x\n", {}, r"line 3: in column 1 \(a\) 'x' is no number"),
        ("0,1\n0,1_000\n", {}, "line 2: in column 1 '1_000' is no number"),
        ("0,1\n0,\n", {}, "line 2: in column 1 the field is empty"),
        ("0,1\n0,nan\n", {}, "line 2: in column 1 nan is no finite number"),
        ("0,1\n0,-inf\n", {}, "line 2: in column 1 -inf is no finite number"),
        ("0,1\n1.5,1\n", {}, "line 2: in column 0 the label is 1.5, and a label is a whole number"),
        ("0,1\n-1,1\n", {}, "line 2: in column 0 the label is -1"),
        ("a,b\n1,2\n", {"header": False}, "line 1: in column 0 'a' is no number"),
        ("0;1\n1;2\n", {}, r"Is ';' what stands between the fields\? delimiter=';'"),
        (b"0,1\n\xff,2\n", {}, "line 2: this is no text in UTF-8"),
        (b"0,1\n\0,2\n", {}, "line 2"),
    ],
)
def test_mistakes_are_named(
    content: str | bytes, settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = put(tmp_path, content)
    with pytest.raises(DataError, match=words) as caught:
        datasets.table(path, **settings)
    assert str(path) in caught.value.message


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = put(tmp_path, "k,a\n0,1\n")
    with pytest.raises(ArgumentError, match="has no column 'b'; it has k, a"):
        datasets.table(path, label="b")
    with pytest.raises(ArgumentError, match=r"label is column 2, and .* has 2 columns"):
        datasets.table(path, label=2)
    with pytest.raises(DataError, match="is not there; expected a CSV file"):
        datasets.table(tmp_path / "none.csv")


@given(
    rows=st.lists(
        st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2), min_size=1, max_size=8
    )
)
def test_numbers_come_back(
    rows: list[list[float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = put(tmp_path_factory.mktemp("csv"), "\n".join(",".join(map(repr, r)) for r in rows))
    assert datasets.table(path, label=None).values.tolist() == rows


messy = st.text(alphabet='01.,;"\n\r\t -xe_a#', max_size=30)


@given(content=messy.map(str.encode) | st.binary(max_size=30))
def test_no_file_at_all_breaks_the_reader(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = put(tmp_path_factory.mktemp("csv"), content)
    try:
        table = datasets.table(path)
    except DataError:
        return
    assert table.labels is not None
    assert len(table.labels) == len(table) > 0
    assert np.isfinite(table.values).all()
    assert table.values.shape[1] == len(table.columns)
