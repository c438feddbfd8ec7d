"""Arrays looked at in another way: turned, cut, repeated, with other axes. Nothing is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .code import Code, Index, over, plus, rest, summed, times, whole
from .terms import Term, View


def turned(x: Term, order: Sequence[int], spelled: str) -> View:
    """Axes in another order: axis `order[a]` of x becomes axis a."""
    order = [axis % len(x.shape) for axis in order]
    back = np.argsort(order)

    def place(index: Index) -> Index:
        return tuple(index[a] for a in back)

    return View(np.transpose(x.value, order), x, spelled, place)


def repeated(x: Term, shape: tuple[int, ...], spelled: str = "") -> Term:
    """Broadcast to a shape."""
    if x.shape == shape:
        return x
    sizes, ahead = x.shape, len(shape) - len(x.shape)

    def place(index: Index) -> Index:
        return tuple(whole(0) if n == 1 else i for n, i in zip(sizes, index[ahead:], strict=True))

    spelled = spelled or f"np.broadcast_to({{}}, {shape})"
    return View(np.broadcast_to(x.value, shape), x, spelled, place)


def cut(x: Term, places: Sequence[Any], spelled: str) -> View:
    """`x[places]` with whole numbers, slices, None and `...` that are known."""
    value = x.value[tuple(places)]
    used = sum(p is not None and p is not ... for p in places)
    full: list[Any] = []
    for p in places:
        full += [slice(None)] * (len(x.shape) - used) if p is ... else [p]
    full += [slice(None)] * (len(x.shape) - sum(p is not None for p in full))
    axes = [p for p in full if p is not None]
    ways = []
    for p, size in zip(axes, x.shape, strict=True):
        ways.append(p % size if isinstance(p, int) else p.indices(size)[::2])

    def place(index: Index) -> Index:
        found, rest = [], iter(index)
        kept = iter(ways)
        for p in full:
            if p is None:
                next(rest)
                continue
            way = next(kept)
            if isinstance(way, int):
                found.append(whole(way))
            else:
                start, step = way
                found.append(plus(times(next(rest), step), start))
        return tuple(found)

    return View(value, x, spelled, place)


def reshaped(x: Term, shape: tuple[int, ...], spelled: str) -> Term:
    """The same elements in the same order, with other axes."""
    value = np.reshape(x.value, shape)
    if value.shape == x.shape:
        return x
    if isinstance(x, View) and x.shaped:
        return reshaped(x.of, value.shape, spelled)
    groups = _groups(x.shape, value.shape)
    sizes = x.shape

    def place(index: Index) -> Index:
        found: list[Code] = [whole(0)] * len(sizes)
        for old, new in groups:
            _regroup(found, old, sizes, [index[a] for a in new], [value.shape[a] for a in new])
        return tuple(found)

    plain = all(len(old) == len(new) == 1 for old, new in groups)
    rough = bool(groups) and not len(groups[-1][0]) == len(groups[-1][1]) == 1
    return View(value, x, spelled, place, shaped=not plain, rough=rough)


def _groups(old: tuple[int, ...], new: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """Which axes become which: groups of old and new ones of the same size, without those of 1."""
    before = [a for a, n in enumerate(old) if n != 1]
    after = [a for a, n in enumerate(new) if n != 1]
    found = []
    while before or after:
        ours, theirs = [before.pop(0)], [after.pop(0)]
        a, b = old[ours[0]], new[theirs[0]]
        while a != b:
            if a < b:
                ours.append(before.pop(0))
                a *= old[ours[-1]]
            else:
                theirs.append(after.pop(0))
                b *= new[theirs[-1]]
        found.append((ours, theirs))
    return found


def _regroup(
    found: list[Code], axes: list[int], sizes: tuple[int, ...], index: list[Code], shape: list[int]
) -> None:
    """Indices along some axes from those along others."""
    flat = index[0]
    for i, n in zip(index[1:], shape[1:], strict=True):
        flat = summed(times(flat, n), i)
    for axis in reversed(axes[1:]):
        found[axis] = rest(flat, sizes[axis])
        flat = over(flat, sizes[axis])
    found[axes[0]] = flat
