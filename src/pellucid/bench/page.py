"""The page in the docs: the last results, the machine they ran on, and how to read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, MissingExtraError
from ..explain.picture import available, check_ending
from .results import Line, Report, Row
from .wording import (
    amount,
    first_steps,
    ignored,
    installed,
    name,
    times,
    wrong,
)

COLOURS = {"eager": "#2563eb", "compiled": "#15803d", "torch": "#d97706", "secure": "#2563eb"}
MARKS = {True: "✓", False: "✗", None: ""}

HEAD = """# Speed, measured

`pellucid bench` times the same work here and in the libraries that people otherwise use for it. This page is
real output of one run: `pellucid bench --page {page}` writes it.

{machine}
"""

HOW = """## How to read it

Every variant runs in a process of its own, with one thread and with two; the better of the two counts, for all
alike. They take turns, A B A B …, so that a machine that slows down slows all of them; a number is the median of
its turns. A step is predict, compare, learn: forwards, backwards, and plain gradient descent, in float32, on data
of the real shape.

- *Eager* is NumPy alone, step by step, with kernels switched off.
- *Compiled* is `pellucid.compile(step)` with Numba's loops and kernels, asked for a pass over the data at once:
  `step.epoch(inputs, targets, batch_size=...)`.
- The *peer* is PyTorch's eager mode, written as its users write it; for W5 gensim's Word2Vec with one worker.
  `torch.compile` and JAX stand beside it.
- *Bare* is what nobody who calls NumPy can do without: the matrix products alone, or fetching and storing the rows
  of a table. Loops of our own can be faster.
- *First step* is what one waits for at the beginning, when nothing has been compiled yet.

In the same run the numbers are compared: after 20 steps without dropout, the losses and how far each weight has
moved have to be the same in all variants, up to rounding; ours also with dropout, as they are timed. A variant that
computes something else is no competitor, and is named below.

All libraries keep freed memory for the next step, as Pellucid does by itself: it helps all of them. Each chooses
the kernels that it finds best for this processor.
"""


def check(page: Path | None, plot: Path | None) -> None:
    """Complain before something is measured that cannot be kept.

    Raises:
        ArgumentError: no such kind of file, or no folder to write it to.
        MissingExtraError: a picture without matplotlib.
    """
    if page is not None and page.suffix.lower() != ".md":
        raise ArgumentError(f"the page is Markdown: end the name {page.name} in .md")
    if plot is not None:
        check_ending(plot)
    for path in (page, plot):
        if path is not None and not path.absolute().parent.is_dir():
            raise ArgumentError(f"{path} cannot be written: there is no folder {path.parent}")
        if path is not None and not available():
            raise MissingExtraError("the picture of the curves", "book")


def save(report: Report, page: Path) -> None:
    """Write the page, and the figure beside it."""
    figure = page.with_name(f"{page.stem}-scaling.svg")
    if report.lines:
        save_curves(report.lines, figure)
    page.write_text(written(report, page, figure.name), encoding="utf-8")


def written(report: Report, page: Path, figure: str) -> str:
    """The text of the page."""
    steps = [
        r for r in report.rows if r.workload.unit.startswith("µs a") and r.workload.id[0] == "W"
    ]
    others = [r for r in report.rows if r not in steps]
    parts = [HEAD.format(page=page.as_posix(), machine=_machine(report))]
    if steps:
        parts.append(_steps(steps))
    if others:
        parts.append(_others(others))
    if report.lines:
        parts.append(_curves(report.lines, figure))
    parts.append(HOW)
    parts.append(_conditions(report))
    return "\n".join(parts)


def _machine(report: Report) -> str:
    m = report.machine
    memory = f", {m['memory'] / 2**30:.0f} GiB" if m["memory"] else ""
    versions = m["versions"]
    numba = f", Numba {versions['numba']}" if "numba" in versions else ", without Numba"
    blas = "".join(
        f", {b['internal_api']} {b['version']} ({b['architecture']})" for b in m["blas"] or ()
    )
    parts: list[Row | Line] = [*report.rows, *report.lines]
    many = sum(p.conditions.disturbed for p in parts) > len(parts) / 2
    busy = (
        "\n\n**The machine was busy with other things meanwhile: see [Conditions](#conditions).**"
    )
    return (
        f"Measured on {m['date']}: {m['processor']}, {m['cores']} cores{memory}; {m['system']}; Python "
        f"{m['python']}, NumPy {versions['numpy']}{blas}{numba}; Pellucid {m['pellucid']} beside "
        f"{installed(report)}. {report.rounds} rounds, {report.seconds / 60:.0f} minutes."
        + (busy if many else "")
    )


def _steps(rows: list[Row]) -> str:
    """Training steps: a row each, ours beside the peer."""
    titles = (
        "", "network", "eager", "compiled", "peer", "eager is", "compiled is", "bare", "others",
        "first step",
    )  # fmt: skip
    body = []
    for row in rows:
        work, peer = row.workload, row.workload.peer or ""
        body.append(
            (
                work.id,
                work.title,
                _cost(row, "eager"),
                _cost(row, "compiled"),
                f"{name(peer)} {_cost(row, peer)}" if _cost(row, peer) else "",
                _ratio(row, "eager"),
                _ratio(row, "compiled"),
                _cost(row, "bare"),
                _beside(row, [v for v in work.others if v != "bare"]),
                first_steps(row),
            )
        )
    notes = [f"{row.workload.id}: {row.workload.note}." for row in rows if row.workload.note]
    return (
        "## Training steps\n\nMicroseconds a step (W5: a word). *Eager is*, *compiled is*: how many times as fast "
        "as the peer, and in brackets the floor we set ourselves; ✗ where it is missed.\n\n"
        + _table(titles, body)
        + "".join(f"\n{note}\n" for note in notes)
    )


def _beside(row: Row, variants: Iterable[str]) -> str:
    return ", ".join(f"{name(v)} {_cost(row, v)}" for v in variants if _cost(row, v))


def _cost(row: Row, variant: str) -> str:
    best = row.best(variant)
    return amount(best[0], row.workload.scale) if best else ""


def _ratio(row: Row, variant: str) -> str:
    """4.4 × (4) ✓"""
    peer = row.workload.peer
    ours, theirs = row.best(variant), row.best(peer) if peer else None
    if ours is None or theirs is None:
        return ""
    said = f"{times(theirs[0] / ours[0])} ×"
    goal = next((g for g in row.workload.goals if g.variant == variant), None)
    found = row.reached(goal) if goal else None
    return f"{said} ({goal.floor:g}) {MARKS[found.reached]}" if goal and found else said


def _others(rows: list[Row]) -> str:
    """What is no training step: a row for each of our variants."""
    body = []
    for row in rows:
        work = row.workload
        beside = _beside(row, (work.peer or "", *work.others))
        for variant in work.ours:
            goal = next((g for g in work.goals if g.variant == variant), None)
            found = row.reached(goal) if goal else None
            wanted = ""
            if goal and found and goal.most is not None:
                wanted = f"at most {goal.most * work.scale:g} {MARKS[found.reached]}"
            elif goal and found:
                wanted = _ratio(row, variant)
            what = f"{work.title}" + (f", {variant}" if len(work.ours) > 1 else "")
            cost = f"{_cost(row, variant)} {work.unit}"
            body.append((work.id, what, cost, wanted, beside))
    notes = [f"{row.workload.id}: {row.workload.note}." for row in rows if row.workload.note]
    table = _table(("", "what", "ours", "goal", "beside it"), body)
    return "## Starting, size, secrecy\n\n" + table + "\n" + "\n".join(notes) + "\n"


def _curves(lines: list[Line], figure: str) -> str:
    body = []
    for line in lines:
        c = line.curve
        slopes = [
            f"{line.slope(v):.2f}" if v in line.seconds else ""
            for v in ("eager", "compiled", "torch")
        ]
        if "secure" in line.seconds:
            slopes[0] = f"{line.slope('secure'):.2f}"
        body.append((c.title, f"{c.axis}, {c.sizes[0]:,} to {c.sizes[-1]:,}", str(c.work), *slopes))
    titles = ("what", "what grows", "the work's slope", "eager", "compiled", "PyTorch")
    return (
        "## Does the cost grow as the work does?\n\nBoth axes are logarithmic, so a cost that grows as the "
        "n-th power of the size is a straight line of slope n. Slopes are read off the upper half of the "
        f"sizes; one thread each.\n\n![Time against size]({figure})\n\n" + _table(titles, body)
    )


def _conditions(report: Report) -> str:
    """What else the machine was doing, and what went wrong."""
    parts: list[Row | Line] = [*report.rows, *report.lines]
    said, disturbances = [], []
    if report.absent:
        said.append(f"Not installed, so left out: {', '.join(report.absent)}.")
    if report.ignored:
        said.append(f"{ignored(report)}.")
    loads = [p.conditions.load for p in parts if p.conditions.load is not None]
    if loads:
        said.append(
            f"The load average was {min(loads):.1f} to {max(loads):.1f}, our own work included."
        )
    for part in parts:
        title = part.workload.id if isinstance(part, Row) else part.curve.id
        if part.conditions.disturbed:
            disturbances.append(f"{title} ({part.conditions.others or 0:.1f} processors)")
        said += [f"**{title}: {w}.**" for w in wrong(part.wrong)]
        said += [f"**{title}: {why.splitlines()[0]}**" for why in part.broken.values()]
    if disturbances:
        said.append(f"Others were at work during {', '.join(disturbances)}.")
    if report.sound:
        said.append("All numbers were equal.")
    return "## Conditions\n\n" + "\n".join(f"- {s}" for s in said) + "\n"


def _table(titles: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    titles = list(titles)
    rows = [titles, ["---"] * len(titles), *(list(r) for r in body)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


# -------------------------------------------------------------------------------------------- curves


def save_curves(lines: list[Line], path: Path) -> None:
    """Draw all curves, each in a panel, both axes logarithmic.

    Raises:
        ArgumentError: nothing can be written there.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = (len(lines) + 1) // 2
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "pellucid", "font.size": 9}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(9, 3.1 * rows), layout="constrained", facecolor="white")
        panels: Any = figure.subplots(rows, min(2, len(lines)), squeeze=False)
        for axes in panels.flat:
            axes.set_visible(False)
        for axes, line in zip(panels.flat, lines, strict=False):
            axes.set_visible(True)
            _panel(axes, line)
        try:
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        except OSError as error:
            raise ArgumentError(f"{path} cannot be written to ({error.strerror})") from None


def _panel(axes: Any, line: Line) -> None:
    curve = line.curve
    for variant, seconds in line.seconds.items():
        label = f"{name(variant)}, slope {line.slope(variant):.2f}"
        colour = COLOURS.get(variant, "#444444")
        axes.loglog(curve.sizes, seconds, "o-", color=colour, label=label, markersize=4)
    axes.set_title(f"{curve.title} (work: slope {curve.work})", fontsize=9)
    axes.set_xlabel(curve.axis)
    axes.set_ylabel("seconds a step")
    every = [v for s in line.seconds.values() for v in s]
    low, high = min(every), max(every)
    if high < 10 * low:  # what hardly changes shall not look as if it did
        axes.set_ylim((low * high / 10) ** 0.5, (low * high * 10) ** 0.5)
    axes.set_xticks(curve.sizes, [f"{n:,}" for n in curve.sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
