"""What was measured: a row for each workload, a line for each curve, and what was reached."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from .scaling import Curve, slope
from .workload import OURS, Goal, Workload

OUR_TOLERANCE = 1e-4  # of our variants among each other, relative, after 20 steps in float32
QUIET = 0.1  # processors that others may use meanwhile, before we call it a disturbance


@dataclass
class Conditions:
    """What else the machine was doing.

    Attributes:
        load: the system's load average before it began, this measuring included.
        others: how many processors were busy with something else meanwhile, where the system tells.
    """

    load: float | None = None
    others: float | None = None

    @property
    def disturbed(self) -> bool:
        """Whether somebody else was at work."""
        return self.others is not None and self.others > QUIET


@dataclass
class Reached:
    """A goal, and how near one came.

    Attributes:
        goal: what was to be reached.
        value: what ours costs, in seconds or bytes.
        ratio: how many times the peer's speed, if that is the goal.
        spread: the ratio in the worst and in the best round.
        reached: None where there is nobody to compare with.
    """

    goal: Goal
    value: float
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    reached: bool | None = None


@dataclass
class Row:
    """What was measured of one workload.

    Attributes:
        samples: what a unit cost in each turn, in seconds or bytes, by variant and threads: "torch 2T".
        starts: seconds that the first step took; compiling, for those who compile.
        differences: how far the numbers of each variant are from the first one's, relative.
        failures: variants that could not do it, and why.
    """

    workload: Workload
    samples: dict[str, list[float]] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)

    def best(self, variant: str) -> tuple[float, str] | None:
        """The median of a variant with the thread count that suits it better, and its full name."""
        medians = [
            (statistics.median(values), name)
            for name, values in self.samples.items()
            if values and name.rpartition(" ")[0] == variant
        ]
        return min(medians, default=None)

    @property
    def wrong(self) -> dict[str, float]:
        """The variants whose numbers are not equal, and how far off they are."""
        wrong = {}
        for name, difference in self.differences.items():
            own = name.split()[0] in OURS
            if not difference <= (OUR_TOLERANCE if own else self.workload.tolerance):
                wrong[name] = difference
        return wrong

    @property
    def broken(self) -> dict[str, str]:
        """Our own variants that could not do it; that a peer cannot is none of our failures."""
        own = self.workload.ours
        return {name: why for name, why in self.failures.items() if name.rpartition(" ")[0] in own}

    def reached(self, goal: Goal) -> Reached | None:
        """How near one came; None where it was not measured."""
        ours = self.best(goal.variant)
        if ours is None:
            return None
        if goal.most is not None:
            met = ours[0] <= goal.most and not self.wrong
            return Reached(goal, ours[0], reached=met)
        theirs = self.best(self.workload.peer) if self.workload.peer else None
        if theirs is None or goal.floor is None:
            return Reached(goal, ours[0])
        turns = zip(self.samples[theirs[1]], self.samples[ours[1]], strict=False)
        ratios = [b / a for b, a in turns]
        ratio = theirs[0] / ours[0]
        met = ratio >= goal.floor and not self.wrong
        return Reached(goal, ours[0], ratio, (min(ratios), max(ratios)), met)

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        w = self.workload
        variants = {name.rpartition(" ")[0] for name in self.samples}
        found = {v: self.best(v) for v in sorted(variants)}
        goals = [asdict(r) for goal in w.goals if (r := self.reached(goal))]
        return {
            "id": w.id,
            "title": w.title,
            "unit": w.unit,
            "scale": w.scale,
            "note": w.note,
            "peer": w.peer,
            "best": {v: {"median": b[0], "threads": b[1]} for v, b in found.items() if b},
            "goals": goals,
            "equal": not self.wrong if self.differences else None,
            "differences": self.differences,
            "tolerance": {"ours": OUR_TOLERANCE, "others": w.tolerance},
            "first step": self.starts,
            "failures": self.failures,
            "samples": self.samples,
            **asdict(self.conditions),
            "disturbed": self.conditions.disturbed,
        }


@dataclass
class Line:
    """What was measured of one curve.

    Attributes:
        seconds: the median of each variant at each size.
        samples: by variant, what a step cost in each turn at each size.
        differences: as for `Row`, the largest over the sizes.
    """

    curve: Curve
    seconds: dict[str, list[float]] = field(default_factory=dict)
    samples: dict[str, list[list[float]]] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)

    def slope(self, variant: str) -> float:
        """The power with which its cost grows."""
        return slope(self.curve.sizes, self.seconds[variant])

    @property
    def _row(self) -> Row:
        workload = self.curve.at(self.curve.sizes[0])
        return Row(workload, differences=self.differences, failures=self.failures)

    @property
    def wrong(self) -> dict[str, float]:
        """The variants whose numbers are not equal."""
        return self._row.wrong

    @property
    def broken(self) -> dict[str, str]:
        """Our own variants that could not do it."""
        return self._row.broken

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        c = self.curve
        return {
            "id": c.id,
            "title": c.title,
            "axis": c.axis,
            "sizes": c.sizes,
            "work grows with the power": c.work,
            "slopes": {variant: self.slope(variant) for variant in self.seconds},
            "seconds": self.seconds,
            "equal": not self.wrong if self.differences else None,
            "differences": self.differences,
            "failures": self.failures,
            "samples": self.samples,
            **asdict(self.conditions),
            "disturbed": self.conditions.disturbed,
        }


@dataclass
class Report:
    """Everything that was measured in one run.

    Attributes:
        machine: processor, system, versions.
        absent: peers that are not installed.
        ignored: settings of this environment that would have told a library which kernels to use.
    """

    machine: dict[str, Any]
    rounds: int
    absent: tuple[str, ...] = ()
    ignored: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def sound(self) -> bool:
        """Whether all of ours worked, and all variants computed the same."""
        parts: list[Row | Line] = [*self.rows, *self.lines]
        return not any(part.wrong or part.broken for part in parts)

    def plain(self) -> dict[str, Any]:
        """As plain data, for `--json`."""
        return {
            "machine": self.machine,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "absent": self.absent,
            "ignored": self.ignored,
            "sound": self.sound,
            "workloads": [row.plain() for row in self.rows],
            "curves": [line.plain() for line in self.lines],
        }
