"""`pellucid bench`: the same work here and in other libraries, timed in turns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import Json, console, show_json

if TYPE_CHECKING:
    from rich.console import Console

    from ..bench.results import Line, Report, Row

EXAMPLES = """
\b
Examples:
  pellucid bench W1 W3              two of the workloads
  pellucid bench S1 --plot s1.svg   how cost grows with size, as a picture
  pellucid bench --quick            all of it, roughly
"""
QUICK = 3, 0.05  # rounds, seconds a turn
SLOW = ("torch.compile",)  # to start, and therefore left out


def command(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Workloads such as W1; all if none is named.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each has its turn.")] = 9,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few and short turns; no torch.compile.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="The curves of S1 as a picture: .png, .svg or .pdf.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="The results as a page: .md, its figure beside it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time training steps and more, beside PyTorch and other peers that are installed.

    Each variant runs in a process of its own; all must compute the same numbers. Ctrl-C ends it and
    keeps what was measured.
    """
    from ..bench import page as pages
    from ..bench.turns import run

    out, progress = console(), _Progress()
    pages.check(page, plot)
    shown = _Shown(out, progress, silent=as_json)
    times, seconds = QUICK if quick else (rounds, 0.15)
    leave_out = SLOW if quick else ()
    report = run(ids or [], times, seconds, shown.start, shown.part, progress, leave_out)
    progress.clear()
    if plot is not None and report.lines:
        pages.save_curves(report.lines, plot)
    if page is not None and not report.interrupted:
        pages.save(report, page)
    if as_json:
        show_json(report.plain())
    else:
        _end(out, report, page)
    if report.interrupted:
        raise typer.Exit(130)
    if not report.sound:
        raise typer.Exit(1)


class _Progress:
    """One line that says what is under way. It is drawn between turns only, so as not to disturb."""

    def __init__(self) -> None:
        self.console = console(errors=True)

    def __call__(self, title: str, done: int, total: int) -> None:
        if self.console.is_terminal:
            self.clear()
            self.console.print(f"{title}, {done + 1} of {total}"[:79], end="", style="dim")

    def clear(self) -> None:
        if self.console.is_terminal:
            self.console.file.write("\r" + " " * 79 + "\r")
            self.console.file.flush()


class _Shown:
    """Each part as soon as it is measured."""

    def __init__(self, out: Console, progress: _Progress, silent: bool) -> None:
        self.out, self.progress, self.silent = out, progress, silent

    def start(self, report: Report) -> None:
        """Who takes part."""
        from ..bench.wording import ignored, installed

        if self.silent:
            return
        self.out.print(f"Beside {installed(report)}.")
        self.out.print(f"In turns; medians of {report.rounds} rounds.")
        if report.absent:
            self.out.print(f"Not installed, so left out: {', '.join(report.absent)}", style="dim")
        if report.ignored:
            self.out.print(ignored(report), style="dim")

    def part(self, part: Row | Line) -> None:
        """A row or a curve."""
        from ..bench.results import Row

        self.progress.clear()
        if self.silent:
            return
        self.out.print()
        if isinstance(part, Row):
            _row(self.out, part)
        else:
            _line(self.out, part)
        _troubles(self.out, part)


def _row(out: Console, row: Row) -> None:
    """What it is, a line for each variant of ours, and one for all others."""
    from rich.text import Text

    from ..bench.wording import amount, first_steps, goal, name, times

    work = row.workload
    gap = max(1, 74 - len(work.title) - len(work.unit))
    out.print(Text(f"{work.id:5}{work.title}{'':{gap}}{work.unit}", "bold"))
    goals = {g.variant: row.reached(g) for g in work.goals}
    for variant in work.ours:
        best = row.best(variant)
        if best is None:
            continue
        threads = f" {best[1].split()[-1]}" if len(work.threads) > 1 else ""
        text = Text(f"     {variant:<9}{amount(best[0], work.scale):>9}{threads}")
        if (found := goals.get(variant)) is not None:
            style = {True: "green", False: "red", None: ""}[found.reached]
            text.append("   ").append(goal(row, found), style)
        elif work.peer is not None and (theirs := row.best(work.peer)) is not None:
            text.append(f"   {times(theirs[0] / best[0])} x {name(work.peer)}")
        out.print(text)
    others = [
        f"{name(v)} {amount(best[0], work.scale)}"
        for v in (work.peer or "", *work.others)
        if (best := row.best(v)) is not None
    ]
    if others:
        out.print(Text("     " + " · ".join(others), "dim"))
    if first := first_steps(row):
        out.print(Text(f"     first step: {first}", "dim"))
    if work.note:
        out.print(Text(f"     {work.note}", "dim"))


def _line(out: Console, line: Line) -> None:
    """The curve, and the slopes."""
    import numpy as np
    from rich.text import Text

    from ..bench.wording import name
    from ..book import braille
    from ..book.result import Curve, Plot
    from ..explain.terminal import Ability

    curve = line.curve
    out.print(Text(f"{curve.id}: {curve.title}", "bold"))
    if not line.seconds:
        return
    sizes = np.log10(curve.sizes)
    curves = tuple(Curve(v, sizes, np.array(s)) for v, s in line.seconds.items())
    labels = [f"{name(v)}: slope {line.slope(v):.2f}" for v in line.seconds]
    axes = f"log10 of {curve.axis}", "seconds a step"
    out.print(braille.plot(Plot("", curves, log=True, points=True), Ability.of(out), labels, axes))
    out.print(Text(f"     the work grows with slope {curve.work}", "dim"))


def _troubles(out: Console, part: Row | Line) -> None:
    """What differs, what did not work, who disturbed."""
    from rich.text import Text

    from ..bench.wording import disturbed, wrong

    for said in [*wrong(part.wrong), *part.broken.values()]:
        out.print(Text(f"     {said}", "bold red"))
    for who, why in part.failures.items():
        if who not in part.broken:
            out.print(Text(f"     {why.splitlines()[0]}", "dim"))
    if part.conditions.disturbed:
        out.print(Text(f"     {disturbed(part.conditions.others)}", "yellow"))


def _end(out: Console, report: Report, page: Path | None) -> None:
    """The verdict."""
    from rich.text import Text

    out.print()
    goals = [r for row in report.rows for g in row.workload.goals if (r := row.reached(g))]
    judged = [g.reached for g in goals if g.reached is not None]
    if judged:
        missed = len(judged) - sum(judged)
        out.print(
            f"{sum(judged)} of {len(judged)} goals reached"
            + (f", {missed} missed." if missed else ".")
        )
    if not report.sound:
        out.print(Text("Something is not as it should be: see the red lines.", "bold red"))
    if report.interrupted:
        out.print("Stopped. What was measured until then stands above.")
    elif page is not None:
        out.print(f"Written: {page}")
