"""Products with rows that were taken from a table: the table is multiplied, not each row that was taken.

    weights @ table[ids].T          (weights @ table.T)[:, ids]
    d @ table[ids]                  (d @ named) @ table           named[n, ids[n]] = 1, else 0
    named.T @ (d.T @ weights)       (d @ named).T @ weights

In a text the same few letters come again and again: 400 of them are rows of a table of 62, and a sixth
of the multiplications is enough. The numbers are the same but for rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from .terms import Call, Eye, Product, Set, SetAt, Taken, Term, View, memory
from .views import turned

if TYPE_CHECKING:
    from .reading import Reader

LARGE = 1 << 18  # multiplications: below, there is little to save
OFTEN = 2  # how often, on average, a row has to be taken


class Tables:
    """Finds such products for a reader, and remembers what two of them have in common.

    Args:
        reader: makes the terms.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.made: dict[Any, Term] = {}

    def product(self, a: Term, b: Term) -> Term | None:
        """`a @ b` by way of a table, or None where there is none, or nothing to save."""
        if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] * np.size(b.value) < LARGE:
            return None
        r = self.reader
        left, right, below = self.rows(a), self.rows(flipped(b)), self.rows(b)
        if left is not None:
            table, ids = left
            return r.taken(said(r.product(table, b), table, ids), [ids])
        if right is not None:
            table, ids = right
            made = said(r.product(a, self.turned(table)), table, ids)
            return self.turned(r.taken(self.turned(made), [ids]))
        if below is not None:
            table, ids = below
            return r.product(self.summed(a, ids, len(table.value)), table)
        return None

    def spread(self, ids: Term, rows: Term, classes: int) -> Term | None:
        """The sums of the rows that belong to the same id, where the rows are a product."""
        if not isinstance(rows, Product) or rows.count < LARGE or len(rows.shape) != 2:
            return None
        d, weights = rows.parts
        if len(ids.value) < OFTEN * classes or not self.is_as_it_was(rows.time, d, weights, ids):
            return None
        return self.reader.product(self.turned(self.summed(flipped(d), ids, classes)), weights)

    def rows(self, x: Term) -> tuple[Term, Term] | None:
        """The table that rows were taken from, and which, if they were and it is small."""
        of = x.of if isinstance(x, View) and x.shaped else x
        if not isinstance(of, Taken) or len(of.picks) != 1 or isinstance(of.parts[0], Eye):
            return None
        table, ids = of.parts
        rows, size = np.size(ids.value), table.shape[-1]
        if len(table.shape) != 2 or x.shape != (rows, size) or rows < OFTEN * len(table.value):
            return None
        if not self.is_as_it_was(of.time, table, ids):
            return None
        return table, self.in_a_row(ids)

    def in_a_row(self, ids: Term) -> Term:
        """Whole numbers along one axis; the same term whenever they are asked for."""
        key = "ids", id(ids.of if isinstance(ids, View) and ids.shaped else ids)
        if key not in self.made:
            self.made[key] = self.reader.reshape(ids, (np.size(ids.value),))
        return self.made[key]

    def summed(self, d: Term, ids: Term, classes: int) -> Term:
        """Columns of d (m, n) that belong to the same id added up: (m, classes)."""
        r, ids = self.reader, self.in_a_row(ids)
        d = straight(d)
        key = is_turned(d), id(d.of if is_turned(d) else d), id(ids), classes
        found = self.made.get(key)
        if found is None or not self.is_as_it_was(found.time, d, ids):
            named = id(ids), classes, d.dtype
            if named not in self.made:
                eye = r.new(Eye(np.eye(classes, dtype=d.dtype)))
                self.made[named] = r.taken(eye, [ids])
            made = r.product(d, self.made[named])
            made.why = f"{classes} sums instead of {np.size(ids.value)} columns from here on"
            found = self.made[key] = made
        return found

    def turned(self, x: Term) -> Term:
        """`x.T`."""
        return x.of if is_turned(x) else self.reader.new(turned(x, [1, 0], "{}.T"))

    def is_as_it_was(self, time: int, *terms: Term) -> bool:
        """Whether nothing that these terms read has been changed since then."""
        read = {id(memory(part)) for term in terms for part in term.walk()}
        for step in self.reader.steps:
            if isinstance(step, Call):
                changed = step.changed
            else:
                changed = [memory(step.target)] if isinstance(step, (Set, SetAt)) else []
            if step.time > time and any(id(term) in read for term in changed):
                return False
        return True


def said(product: Term, table: Term, ids: Term) -> Term:
    """A product with a table, and why."""
    rows, taken = len(table.value), np.size(ids.value)
    product.why = f"the {rows} rows of a table instead of {taken} that are taken from it"
    return product


def flipped(x: Term) -> Term:
    """What stands before `.T`, twice turned left out; or the matrix turned, only to be looked at."""
    return x.of if is_turned(x) else turned(x, [1, 0], "{}.T")


def is_turned(x: Term) -> TypeGuard[View]:
    """Whether it is another matrix with its axes exchanged."""
    return isinstance(x, View) and x.spelled in ("{}.T", "{}.mT") and len(x.shape) == 2


def straight(x: Term) -> Term:
    """A matrix that was turned twice, as it was."""
    while is_turned(x) and is_turned(x.of):
        x = x.of.of
    return x
