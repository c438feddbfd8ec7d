"""What an experiment leaves behind: numbers, tables, curves, pictures, and one step told in full.

An experiment is handed an empty `Result` and writes into it as it goes along. Nothing here prints:
`report.py` shows a result in the terminal, `plots.py` draws it, `as_dict` gives it away. Names and
headings are written in English; `texts.py` translates them when they are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from ..errors import ArgumentError

if TYPE_CHECKING:
    from .keeping import Keepable, Keeper

Array = Any  # an ndarray, a Tensor, a number or nested lists of numbers
Stage = Literal["predict", "compare", "learn"]
Progress = Callable[[int, int], None]  # told how many turns are done, and how many there will be
Item = TypeVar("Item")

STEPS_KEPT = 3


@dataclass(frozen=True)
class Table:
    """Rows under headings. Cells are numbers, words, or short lists of numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Curve:
    """Points joined by a line: `x` and `y` are arrays of the same length.

    Points with `names` are not joined: each is shown as its name, like a town on a map.
    """

    label: str
    x: Any
    y: Any
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plot:
    """Curves over the same axes. `points` marks each point (a path of steps); `log` squeezes y."""

    title: str
    curves: tuple[Curve, ...]
    x: str = ""
    y: str = ""
    log: bool = False
    points: bool = False


@dataclass(frozen=True)
class Picture:
    """Small images side by side, each a 2-D array; `signed`: zero is the middle."""

    title: str
    images: tuple[tuple[str, Any], ...]
    signed: bool = False


@dataclass(frozen=True)
class Nested:
    """Frames one in the other, from the outermost: what is a part of what."""

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """Lines that are shown as they stand: a program, a drawing; `svg` is the drawing as a picture."""

    title: str
    text: str
    svg: str = ""


@dataclass(frozen=True)
class Note:
    """A sentence from the chapter's texts, by its key, with numbers filled in."""

    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """One value of one step: its name, how it came about, and its numbers."""

    stage: Stage
    name: str
    formula: str
    value: Any


@dataclass
class Step:
    """One turn of predict, compare, learn, with all its values."""

    title: str
    values: list[Value] = field(default_factory=list)


@dataclass(frozen=True)
class Agreement:
    """The same thing computed twice, and by how much the two differ (relative to their size)."""

    name: str
    difference: float
    allowed: float

    @property
    def ok(self) -> bool:
        """Whether they are the same but for rounding."""
        return self.difference <= self.allowed


class Result:
    """The notebook an experiment writes into.

    Args:
        watch: how many steps are kept with all their values.
        on_progress: called with (turns done, turns in all) as a long run goes along.
        keeper: keeps on the disk what a long run needs to go on after an interruption.
    """

    def __init__(
        self,
        *,
        watch: int = STEPS_KEPT,
        on_progress: Progress | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.numbers: dict[str, Any] = {}
        self.agreements: list[Agreement] = []
        self.exhibits: list[Table | Plot | Picture | Nested | Sheet | Note] = []
        self.steps: list[Step] = []
        self.parameters: dict[str, Any] = {}
        self.incomparable: str | None = None
        self.replaced: dict[str, str] = {}
        self.seconds = 0.0
        self._open: Step | None = None
        self._watch = watch
        self._on_progress = on_progress
        self._keeper = keeper

    # ---------------------------------------------------------------------- what an experiment says

    def number(self, name: str, value: Array) -> None:
        """A number (or a few) worth naming; compared with the published figure of that name."""
        self.numbers[name] = _plain(value)

    def agree(self, name: str, ours: Array, by_hand: Array, allowed: float = 1e-9) -> None:
        """Two ways to the same numbers, such as the framework and plain NumPy: do they agree?

        Args:
            name: what was computed.
            ours, by_hand: numbers of the same shape.
            allowed: the largest difference that counts as rounding, relative to the largest number.
        """
        a, b = np.asarray(ours, dtype=np.float64), np.asarray(by_hand, dtype=np.float64)
        if a.shape != b.shape:
            raise ArgumentError(
                f"{name}: shapes {a.shape} and {b.shape} are not the same thing twice"
            )
        apart = ~((a == b) | (np.isnan(a) & np.isnan(b)))  # both lost in infinity: the same
        size = max(float(np.abs(b[np.isfinite(b)]).max(initial=0.0)), np.finfo(np.float64).tiny)
        difference = float(np.abs(a[apart] - b[apart]).max(initial=0.0) / size)
        self.agreements.append(
            Agreement(name, math.inf if math.isnan(difference) else difference, allowed)
        )

    def table(self, title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table: one sequence of cells per row."""
        cells = tuple(tuple(_plain(cell) for cell in row) for row in rows)
        self.exhibits.append(Table(title, tuple(headings), cells))

    def plot(
        self,
        title: str,
        curves: Mapping[str, Any],
        *,
        x: str = "",
        y: str = "",
        log: bool = False,
        points: bool = False,
    ) -> None:
        """Curves over the same axes.

        Args:
            title: what is seen.
            curves: per label the heights, or a pair (positions, heights), or, for a map of named
                points, (positions, heights, names).
            x, y: what the axes count.
            log: squeeze the heights by powers of ten.
            points: mark every point.
        """
        drawn = []
        for label, data in curves.items():
            parts = data if isinstance(data, tuple) else (np.arange(len(data)), data)
            across, up = (np.array(part, dtype=float) for part in parts[:2])
            drawn.append(Curve(label, across, up, *map(tuple, parts[2:])))
        self.exhibits.append(Plot(title, tuple(drawn), x, y, log, points))

    def picture(self, title: str, images: Mapping[str, Array], *, signed: bool = False) -> None:
        """Small images side by side: per caption a 2-D array."""
        kept = tuple((caption, np.array(image, dtype=float)) for caption, image in images.items())
        self.exhibits.append(Picture(title, kept, signed))

    def nested(self, title: str, names: Sequence[str]) -> None:
        """Frames one in the other: each name is a part of the one before it."""
        self.exhibits.append(Nested(title, tuple(names)))

    def sheet(self, title: str, text: str, svg: str = "") -> None:
        """Lines of at most 80 characters, shown as they stand."""
        self.exhibits.append(Sheet(title, text, svg))

    def say(self, key: str, **values: Any) -> None:
        """A sentence of the chapter's texts (`[says."6.20"]`), with values filled in."""
        self.exhibits.append(Note(key, {name: _plain(value) for name, value in values.items()}))

    def stand_in(self, what: str, instead: str) -> None:
        """Announce that other data are used than the published run had: nothing can be compared."""
        self.incomparable = f"{what} is not here; {instead} used instead"
        self.replaced = {"what": what, "instead": instead}
        self.exhibits.append(Note("stand-in", self.replaced))

    # ----------------------------------------------------------------------- one step, told in full

    def step(self, title: str) -> bool:
        """Open a step. True if its values will be kept: the first few are, the rest fly by."""
        self._open = None
        if len(self.steps) < self._watch:
            self._open = Step(title)
            self.steps.append(self._open)
        return self._open is not None

    def predict(self, name: str, formula: str, value: Array) -> None:
        """A value on the way there: `predict("layer_1", "relu(lights @ w)", layer_1)`."""
        self._tell("predict", name, formula, value)

    def compare(self, name: str, formula: str, value: Array) -> None:
        """A value that says how wrong the prediction was."""
        self._tell("compare", name, formula, value)

    def learn(self, name: str, formula: str, value: Array) -> None:
        """A value that says who is to blame, or what a weight changed to."""
        self._tell("learn", name, formula, value)

    def _tell(self, stage: Stage, name: str, formula: str, value: Array) -> None:
        if self._open is not None:
            self._open.values.append(Value(stage, name, formula, np.array(value)))

    # ------------------------------------------------------------------------------------ long runs

    def track(
        self, turns: Iterable[Item], *, keep: Keepable | None = None, name: str = ""
    ) -> Iterator[Item]:
        """Go through `turns`, telling whoever watches: `for n in result.track(range(300))`.

        Args:
            turns: what to go through.
            keep: what a turn changes, so that an interrupted run can go on (`keeping.py`). It has
                `state_dict` and `load_state_dict`, and whatever is reported after the loop has to
                come out of it, since turns that an earlier sitting made are not made again.
            name: which part of the experiment this is, where several are kept.
        """
        total = len(turns) if isinstance(turns, Sized) else 0
        numbered: Iterable[tuple[int, Item]] = enumerate(turns)
        if self._keeper is not None and keep is not None:
            numbered = self._keeper.numbered(turns, name, total, keep, self.steps)
        for done, turn in numbered:
            yield turn
            if self._on_progress is not None:
                self._on_progress(done + 1, total)

    # ----------------------------------------------------------------------------------- reading it

    @property
    def tables(self) -> list[Table]:
        """The tables among the exhibits."""
        return [e for e in self.exhibits if isinstance(e, Table)]

    @property
    def plots(self) -> list[Plot]:
        """The plots among the exhibits."""
        return [e for e in self.exhibits if isinstance(e, Plot)]

    @property
    def pictures(self) -> list[Picture]:
        """The pictures among the exhibits."""
        return [e for e in self.exhibits if isinstance(e, Picture)]

    @property
    def sheets(self) -> list[Sheet]:
        """The programs and drawings among the exhibits."""
        return [e for e in self.exhibits if isinstance(e, Sheet)]

    @property
    def agrees(self) -> bool:
        """Whether everything computed twice came out the same."""
        return all(a.ok for a in self.agreements)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data, ready for JSON."""
        return {
            "parameters": _json(self.parameters),
            "seconds": round(self.seconds, 3),
            "incomparable": self.incomparable,
            "numbers": _json(self.numbers),
            "agreements": [
                {"name": a.name, "difference": _json(a.difference), "ok": a.ok}
                for a in self.agreements
            ],
            "tables": [
                {"title": t.title, "headings": list(t.headings), "rows": _json(t.rows)}
                for t in self.tables
            ],
            "plots": [
                {
                    "title": p.title,
                    "x": p.x,
                    "y": p.y,
                    "log": p.log,
                    "curves": [
                        {
                            "label": c.label,
                            "x": _json(c.x),
                            "y": _json(c.y),
                            **({"names": list(c.names)} if c.names else {}),
                        }
                        for c in p.curves
                    ],
                }
                for p in self.plots
            ],
            "pictures": [
                {
                    "title": p.title,
                    "images": [{"caption": c, "pixels": _json(i)} for c, i in p.images],
                }
                for p in self.pictures
            ],
            "sheets": [{"title": s.title, "text": s.text, "svg": s.svg} for s in self.sheets],
            "steps": [
                {
                    "title": s.title,
                    "values": [
                        {
                            "stage": v.stage,
                            "name": v.name,
                            "formula": v.formula,
                            "value": _json(v.value),
                        }
                        for v in s.values
                    ],
                }
                for s in self.steps
            ],
        }


def _plain(value: Any) -> Any:
    """Tensors and arrays as a copy of their numbers; a single number as a Python number."""
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(part, str) for part in value):
        return list(value)
    array = np.array(value)
    return array.item() if array.ndim == 0 else array


def _json(value: Any) -> Any:
    """Plain data; infinities and NaN, which JSON does not have, as words."""
    if isinstance(value, Mapping):
        return {str(key): _json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
