"""A table of numbers from a CSV file: one row a line, one of the columns the class."""

from __future__ import annotations

import csv
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import ArgumentError, DataError, ShapeError
from ..dataset import Array, ArrayDataset
from .pictures import Pictures

_LARGEST_LABEL = 1_000_000


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns, with a class for each row.

    Attributes:
        name: the file's name.
        values: (rows, columns), float32.
        labels: (rows,), int64, the class of each row; None where no column was named for it.
        columns: what the columns of `values` are called.
        source: the file's path.
    """

    name: str
    values: Array = field(repr=False)
    labels: Array | None = field(repr=False)
    columns: tuple[str, ...] = field(repr=False)
    source: str

    def __len__(self) -> int:
        return len(self.values)

    def dataset(self) -> ArrayDataset:
        """Pairs of row and label (or rows alone), for a DataLoader."""
        return ArrayDataset(self.values, *([] if self.labels is None else [self.labels]))

    def pictures(self, rows: int, columns: int) -> Pictures:
        """Each row as a picture, its values being pixels from 0 to 255, line by line.

        Args:
            rows: of pixels,
            columns: of pixels; 28 and 28 for MNIST.

        Raises:
            ShapeError: there are more or fewer values in a row than pixels in such a picture.
            DataError: the table has no labels, or values that are no pixels.
        """
        if rows * columns != self.values.shape[1]:
            raise ShapeError(
                f"{self.name} has {self.values.shape[1]:,} values in a row, and a picture of "
                f"{rows} x {columns} has {rows * columns:,} pixels.\nIs another column the label?"
            )
        if self.labels is None:
            raise DataError(
                f"{self.name} was read without a label column, and pictures have labels"
            )
        pixels = self.values.astype(np.uint8)
        if not (wrong := pixels != self.values).any():
            classes = tuple(str(n) for n in range(int(self.labels.max(initial=-1)) + 1))
            shaped = pixels.reshape(-1, rows, columns)
            return Pictures(self.name, shaped, self.labels, classes, self.source)
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{self.name}: row {row + 1} has {self.values[row, column]:g} in "
            f"{self.columns[column]!r}, and a pixel is a whole number from 0 to 255"
        )


def table(
    path: str | os.PathLike[str],
    *,
    label: int | str | None = 0,
    header: bool | None = None,
    delimiter: str = ",",
    columns: int | None = None,
) -> Table:
    """The numbers of a CSV file, such as MNIST in the form of label, pixel, pixel, ...

    Args:
        path: the file, in UTF-8.
        label: which column is the class, by place (from 0; -1 is the last) or by name; None where
            none is.
        header: whether the first line has names instead of numbers; None looks.
        delimiter: what stands between the numbers.
        columns: how many columns there must be, the label included; None takes as many as the first
            line has.

    Raises:
        DataError: it is no such table; the message says in which line.
        ArgumentError: there is no such column.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from pellucid.data import datasets
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "flowers.csv"
    ...     _ = file.write_text("length,width,kind\\n5.1,3.5,0\\n6.2,2.9,1\\n")
    ...     flowers = datasets.table(file, label="kind")
    >>> flowers.columns, flowers.values.shape, flowers.labels.tolist()
    (('length', 'width'), (2, 2), [0, 1])
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"{file} is not there; expected a CSV file")
    form = _Form(file, delimiter, header, columns)
    place = _place(form, label)
    numbers = _numbers(form)
    names = list(form.names)
    if numbers is None or _bad_labels(numbers, place) or not np.isfinite(numbers).all():
        raise DataError(_mistake(form, place))
    labels = None
    if place is not None:
        labels = numbers[:, place].astype(np.int64)
        numbers = np.delete(numbers, place, axis=1)
        del names[place]
    return Table(file.name, numbers.astype(np.float32), labels, tuple(names), str(file))


class _Form:
    """What the first line says of the whole table."""

    def __init__(
        self, path: Path, delimiter: str, header: bool | None, columns: int | None
    ) -> None:
        self.path, self.delimiter = path, delimiter
        line, first = next(self.rows(), (0, []))
        if not first:
            raise DataError(f"{path} is empty; expected a table of numbers")
        if columns is not None and len(first) != columns:
            raise DataError(f"{path} line {line}: {_count(first, columns)}{self._hint(first)}")
        self.header = not all(map(_is_number, first)) if header is None else header
        self.names = (
            [name.strip() for name in first]
            if self.header
            else [f"column {i}" for i in range(len(first))]
        )
        self.hint = self._hint(first)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every line that is not empty: its number and its fields.

        Raises:
            DataError: the file is no text, or breaks the rules of CSV.
        """
        with self.open() as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            try:
                for fields in reader:
                    if fields:
                        yield reader.line_num, fields
            except UnicodeDecodeError:
                raise DataError(self._no_text()) from None
            except csv.Error as error:
                raise DataError(
                    f"{self.path} line {reader.line_num}: not readable as CSV ({error})"
                ) from None

    def open(self) -> IO[str]:
        """The file from its beginning."""
        return self.path.open(encoding="utf-8-sig", newline="")

    def _no_text(self) -> str:
        content = self.path.read_bytes()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            return f"{self.path} line {line}: this is no text in UTF-8; expected a CSV file"
        return f"{self.path} is no text in UTF-8; expected a CSV file"

    def _hint(self, first: list[str]) -> str:
        if len(first) == 1:
            for other in (";", "\t", ",", " "):
                if other != self.delimiter and other in first[0].strip():
                    return f"\nIs {other!r} what stands between the fields? delimiter={other!r}"
        return ""


def _place(form: _Form, label: int | str | None) -> int | None:
    """The label column's place, from 0."""
    if label is None:
        return None
    if isinstance(label, str):
        if label not in form.names:
            raise ArgumentError(
                f"{form.path} has no column {label!r}; it has {', '.join(form.names[:12])}"
                f"{', ...' * (len(form.names) > 12)}{form.hint}"
            )
        return form.names.index(label)
    if not -len(form.names) <= label < len(form.names):
        raise ArgumentError(
            f"label is column {label}, and {form.path} has {len(form.names)} columns, counted from "
            f"0{form.hint}"
        )
    return label % len(form.names)


def _numbers(form: _Form) -> Array | None:
    """All of the table as float64, read fast; None where anything in it is not as it should be."""
    with form.open() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is nothing to read is seen by the shape
        if form.header:
            for fields in csv.reader(file, delimiter=form.delimiter):
                if fields:
                    break
        try:
            numbers = np.loadtxt(
                file, np.float64, comments=None, delimiter=form.delimiter, quotechar='"', ndmin=2
            )
        except ValueError:
            return None
    return numbers if numbers.shape[1:] == (len(form.names),) and len(numbers) else None


def _bad_labels(numbers: Array, place: int | None) -> bool:
    if place is None:
        return False
    labels = numbers[:, place]
    return not ((labels >= 0) & (labels <= _LARGEST_LABEL) & (labels == np.floor(labels))).all()


# ----------------------------------------------------------------- what is wrong, and in which line


def _mistake(form: _Form, place: int | None) -> str:
    """The first mistake in the file, in words."""
    count = 0
    for count, (line, fields) in enumerate(form.rows(), start=1):
        if count == 1 and form.header:
            continue
        words = _mistake_in(form, fields, place)
        if words:
            return f"{form.path} line {line}: {words}"
    if count == form.header:
        return f"{form.path} has no line of numbers, only the header{form.hint}"
    return f"{form.path} is not readable as a table of numbers"


def _mistake_in(form: _Form, fields: list[str], place: int | None) -> str:
    if len(fields) != len(form.names):
        return _count(fields, len(form.names)) + form.hint
    for i, written in enumerate(fields):
        where = f"in column {i}" + (f" ({form.names[i]})" if form.header else "")
        if not _is_number(written):
            what = f"{written[:40]!r} is no number" if written.strip() else "the field is empty"
            return f"{where} {what}{form.hint}"
        number = float(written)
        if not math.isfinite(number):
            return f"{where} {written.strip()} is no finite number"
        if i == place and not (0 <= number <= _LARGEST_LABEL and number == int(number)):
            return (
                f"{where} the label is {written.strip()}, and a label is a whole number from 0 on."
                "\nIs another column the label? For a table without labels: label=None"
            )
    return ""


def _count(fields: list[str], expected: int) -> str:
    return f"expected {expected:,} fields, found {len(fields):,}"


def _is_number(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return "_" not in written  # Python alone takes 1_000 for a number
