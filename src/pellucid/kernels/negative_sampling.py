"""Filling in blanks with negative sampling: word vectors from running text, one word after another.

From the mean of the vectors around a blank, six words are judged: the one that stood there, which
should get a 1, and five drawn from the running text, which should get a 0 (T. Mikolov et al.,
"Distributed Representations of Words and Phrases and their Compositionality", 2013). The loss is the
cross-entropy of the six, added up. After each blank the vectors change, so the blanks cannot be
worked on side by side: in NumPy each costs some thirty calls, in a compiled loop none.

`learn` is for everybody. `by_numpy` is what is to be computed, `_loops` the same for Numba; both draw
the same words, for a draw is no state but a number computed from where the blank stands (`drawn`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, RangeError, ShapeError
from . import state

Array = Any

GOLDEN = 0x9E3779B9  # 2**32 divided by the golden ratio: spreads 0, 1, 2, ... over 32 bits
LINE = 64  # bytes that a processor fetches from memory at once
AHEAD = 2  # blanks: for so many, what will be needed is on its way


def learn(
    tokens: Array,
    starts: Array,
    vectors: Array,
    targets: Array,
    *,
    order: Array | None = None,
    lr: float = 0.05,
    left: int = 2,
    right: int = 2,
    negatives: int = 5,
    key: int = 1,
    shared: bool = True,
) -> int:
    """Go through texts once and change the vectors, in place, after every word.

    Args:
        tokens: the numbers of the words of all texts, one text after the other, (words), int32.
        starts: where each text begins, and where the last one ends, (texts + 1).
        vectors: a row for each word as part of a surrounding, (vocabulary, size), float32 or float64.
        targets: a row for each word as what may fill a blank, of the same shape and type.
        order: which texts to read, in which order; by default all of them as they stand.
        lr: how far each step goes.
        left, right: how many words before and after a blank are looked at.
        negatives: how many words are drawn for each blank.
        key: which random draws; another key for each pass.
        shared: each word around a blank gets its share of the blame, as a mean demands; if False, all
            of it, as was published.

    Returns:
        How many words were read.

    Raises:
        ShapeError: sizes that do not fit together.
        DTypeError: numbers of the wrong kind.
        RangeError: a word that has no row, or a text that is not there.
        ArgumentError: a setting outside what makes sense.

    >>> import numpy as np
    >>> from pellucid.kernels import negative_sampling
    >>> text = np.array([0, 1, 2, 0, 1, 3], dtype=np.int32)
    >>> vectors, targets = np.full((4, 2), 0.1), np.zeros((4, 2))
    >>> negative_sampling.learn(text, [0, 6], vectors, targets)
    6
    """
    tokens = np.ascontiguousarray(tokens)
    starts = np.ascontiguousarray(starts, np.int64)
    order = np.arange(len(starts) - 1) if order is None else np.ascontiguousarray(order, np.int64)
    _check(tokens, starts, order, vectors, targets)
    if min(left, right) < 0 or left + right < 1 or negatives < 0:
        raise ArgumentError(
            f"negative sampling looks at one word or more and draws none or more, not at {left} to "
            f"the left and {right} to the right, drawing {negatives}"
        )
    if not len(order):
        return 0
    stirred = mix(np.array([key % 2**32], np.uint32))[0]
    settings = (float(lr), int(left), int(right), int(negatives), stirred, bool(shared))
    run = compiled() if state() == "compiled" else by_numpy
    run(tokens, starts, order, vectors, targets, *settings)
    return int((starts[order + 1] - starts[order]).sum())


def _check(tokens: Array, starts: Array, order: Array, vectors: Array, targets: Array) -> None:
    """What a compiled loop would not notice: it would write anywhere."""
    if tokens.dtype != np.int32:
        raise DTypeError(f"negative sampling: the numbers of words are int32, not {tokens.dtype}")
    kinds = {getattr(table, "dtype", None) for table in (vectors, targets)}
    if len(kinds) > 1 or not kinds <= {np.dtype(np.float32), np.dtype(np.float64)}:
        raise DTypeError("negative sampling: both tables are arrays of float32, or both of float64")
    if vectors.ndim != 2 or vectors.shape != targets.shape:
        raise ShapeError(
            f"negative sampling: vectors {vectors.shape} and targets {targets.shape} have to be two "
            "tables (vocabulary, size) of the same shape"
        )
    if not (vectors.flags.c_contiguous and targets.flags.c_contiguous):
        raise ShapeError("negative sampling: a table is a view with gaps; make it whole: x.copy()")
    ascending = starts.ndim == 1 and len(starts) and (np.diff(starts) >= 0).all()
    if tokens.ndim != 1 or not ascending or starts[0] < 0 or starts[-1] > len(tokens):
        raise ShapeError(
            f"negative sampling: starts have to ascend from 0 to {len(tokens)}, the number of words"
        )
    for what, numbers, count in (("word", tokens, len(vectors)), ("text", order, len(starts) - 1)):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < count:
            wrong = numbers[(numbers < 0) | (numbers >= count)][0]
            raise RangeError(
                f"negative sampling: no {what} has the number {wrong}; there are {count}"
            )


# --------------------------------------------------------------------------- the same draws for all


def mix(x: Array) -> Array:
    """Stir 32 bits until each depends on all (C. Wellons, "Prospecting for Hash Functions", 2018).

    Args:
        x: uint32; a number or an array.
    """
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


def drawn(tokens: Array, positions: Array, negatives: int, key: Array) -> Array:
    """The words drawn for the blanks at some positions, (positions, negatives).

    Drawn from the running text, so a frequent word is drawn often. `key` is uint32, already stirred.
    """
    steps = np.arange(negatives, dtype=np.uint32) * np.uint32(GOLDEN)
    numbers = mix(mix(positions.astype(np.uint32) ^ key)[:, None] + steps)
    return tokens[(numbers.astype(np.uint64) * np.uint64(len(tokens))) >> np.uint64(32)]


# --------------------------------------------------------------------------------------- the twins


def by_numpy(
    tokens: Array,
    starts: Array,
    order: Array,
    vectors: Array,
    targets: Array,
    lr: float,
    left: int,
    right: int,
    negatives: int,
    key: Array,
    shared: bool,
) -> None:
    """The NumPy twin. Arguments as for `learn`, all of them checked; `key` is stirred."""
    wanted = np.zeros(1 + negatives, vectors.dtype)
    wanted[0] = 1
    for text in order:
        begin, end = starts[text], starts[text + 1]
        here = np.arange(begin, end)
        words = np.column_stack([tokens[here], drawn(tokens, here, negatives, key)])
        for p in range(begin, end):
            around = np.append(
                tokens[max(begin, p - left) : p], tokens[p + 1 : min(end, p + right + 1)]
            )
            if not len(around):
                continue
            judged = words[p - begin]
            layer_1 = vectors[around].mean(axis=0)
            delta = 1 / (1 + np.exp(-(targets[judged] @ layer_1))) - wanted
            blame = delta @ targets[judged]
            share = len(around) if shared else 1
            np.subtract.at(targets, judged, lr * np.outer(delta, layer_1))
            np.subtract.at(vectors, around, lr * blame / share)


def _loops(
    tokens: Array,
    starts: Array,
    order: Array,
    vectors: Array,
    targets: Array,
    lr: float,
    left: int,
    right: int,
    negatives: int,
    key: Array,
    shared: bool,
) -> None:
    """The same, number by number. Only ever run compiled.

    A text's draws are made before its first blank, and rows are fetched two blanks ahead: waiting for
    memory, not arithmetic, is what takes time here.
    """
    size, judged_by_each = vectors.shape[1], negatives + 1
    one, rate = vectors.dtype.type(1), vectors.dtype.type(lr)
    layer_1, blame = np.empty(size, vectors.dtype), np.empty(size, vectors.dtype)
    delta = np.empty(judged_by_each, vectors.dtype)
    longest = 0
    for text in order:
        longest = max(longest, starts[text + 1] - starts[text])
    judged = np.empty(longest * judged_by_each, np.int32)
    for text in order:
        begin, end = starts[text], starts[text + 1]
        at = 0
        for p in range(begin, end):
            judged[at] = tokens[p]
            stirred = mix(np.uint32(np.uint32(p) ^ key))
            for k in range(negatives):
                number = mix(np.uint32(stirred + np.uint32(np.uint32(k) * np.uint32(GOLDEN))))
                place = (np.uint64(number) * np.uint64(len(tokens))) >> np.uint64(32)
                judged[at + 1 + k] = tokens[place]
            at += judged_by_each
        for p in range(begin, end):
            first, last = max(begin, p - left), min(end, p + right + 1)
            if last - first < 2:
                continue
            at = (p - begin) * judged_by_each
            if p + AHEAD < end:
                for k in range(judged_by_each):
                    fetch(targets, judged[at + AHEAD * judged_by_each + k])
            share = one / vectors.dtype.type(last - first - 1)
            for i in range(size):
                layer_1[i] = blame[i] = 0
            for q in range(first, last):
                if q != p:
                    row = np.uintp(tokens[q])
                    for i in range(size):
                        layer_1[i] += vectors[row, i]
            for i in range(size):
                layer_1[i] *= share
            for k in range(judged_by_each):
                row = np.uintp(judged[at + k])
                score = vectors.dtype.type(0)
                for i in range(size):
                    score += layer_1[i] * targets[row, i]
                delta[k] = one / (one + np.exp(-score))
            delta[0] -= one
            for k in range(judged_by_each):
                row, d = np.uintp(judged[at + k]), delta[k]
                for i in range(size):
                    blame[i] += d * targets[row, i]
            for k in range(judged_by_each):
                row, step = np.uintp(judged[at + k]), rate * delta[k]
                for i in range(size):
                    targets[row, i] -= step * layer_1[i]
            step = rate * share if shared else rate
            for q in range(first, last):
                if q != p:
                    row = np.uintp(tokens[q])
                    for i in range(size):
                        vectors[row, i] -= step * blame[i]


def fetch(table: Array, row: Array) -> None:
    """Have a row brought near before it is needed. It changes nothing; compiled, it saves waiting."""


# ------------------------------------------------------------------------------------- compiling


@cache
def compiled() -> Callable[..., None]:
    """`_loops`, to be compiled when it is first called; what was compiled once is kept on disk."""
    extending = import_module("numba.extending")
    extending.register_jitable(mix)
    extending.overload(fetch, strict=False)(lambda table, row: _fetching(extending))
    options = {"cache": True, "error_model": "numpy", "nogil": True}
    # sums may be added up in another order: eight or sixteen numbers at a time
    fast = {"reassoc", "contract", "nsz"}
    made: Callable[..., None] = import_module("numba").njit(fastmath=fast, **options)(_loops)
    return made


@cache
def _fetching(extending: Any) -> Callable[..., None]:
    """The processor's own instruction for `fetch`, for each line of memory that a row has."""
    ir: Any = import_module("llvmlite.ir")
    types: Any = import_module("numba").types

    def of_line(typing: Any, table: Any, row: Any, offset: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, args[0])
            stride = builder.extract_value(array.strides, 0)
            start = builder.mul(builder.sext(args[1], stride.type), stride)
            data = builder.bitcast(array.data, ir.IntType(8).as_pointer())
            place = builder.gep(data, [builder.add(start, args[2])])
            kinds = [place.type, *[ir.IntType(32)] * 3]
            instruction = builder.module.declare_intrinsic(
                "llvm.prefetch", [place.type], ir.FunctionType(ir.VoidType(), kinds)
            )
            to_be_written, keep_near, data_not_code = 1, 3, 1
            how = [ir.Constant(kinds[1], n) for n in (to_be_written, keep_near, data_not_code)]
            builder.call(instruction, [place, *how])
            return context.get_dummy_value()

        return types.void(table, types.int32, types.intp), generate

    line = extending.intrinsic(of_line)

    def fetching(table: Array, row: Array) -> None:
        for offset in range(0, table.shape[1] * table.itemsize + LINE - 1, LINE):
            line(table, row, offset)

    return fetching
