"""The tour from beginning to end: what there is, one step, learning, what came of it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console, Group, RenderableType

from ..errors import ArgumentError
from ..explain import picture
from ..explain.terminal import Ability
from ..train import History
from .digits import Digits, find_digits
from .first_step import FirstStep, first_step
from .learning import Earlier, Learning, build, plan_for
from .pages import WIDTH, Pages, percent, thousands
from .recording import record
from .result import Result, read_digits
from .watching import Watcher
from .words import words
from .wrapping import fold

ON_THE_LEFT = 2  # pages of the record: what there is, and one step
FOLDER = Path("pellucid-runs") / "tour"
Ask = Callable[[str], str]
Page = Callable[[Pages], RenderableType]


@dataclass(frozen=True)
class Options:
    """What can be chosen.

    Attributes:
        language: "en" or "zh-CN".
        folder: where picture and network are kept.
        resume: go on from what lies in the folder (True), begin anew (False), or ask (None).
        small: take the small digits, also where MNIST is at hand.
        passes: how often to see all pictures; None for what suits them.
        seed: of the first weights and the order of the pictures.
        record: draw what was shown as an SVG picture of this name, too.
    """

    language: str = "en"
    folder: Path = FOLDER
    resume: bool | None = None
    small: bool = False
    passes: int | None = None
    seed: int = 1
    record: Path | None = None


class Stopped(KeyboardInterrupt):
    """Ctrl-C, after everything worth keeping was kept; says what that was."""


def tour(options: Options, console: Console, ask: Ask | None = None) -> Result:
    """Show the whole tour.

    Args:
        options: what can be chosen.
        console: where to.
        ask: puts a question to the person in front of the terminal; None where there is nobody.

    Returns:
        What the network can do in the end.

    Raises:
        Stopped: by Ctrl-C while learning; what was learned so far is kept.
        PellucidError: there are no digits to learn from, there is nothing to go on from although
            that was asked for, or the folder cannot be written to.
    """
    return _Tour(options, console, ask).go()


class _Tour:
    """One tour under way."""

    def __init__(self, options: Options, console: Console, ask: Ask | None) -> None:
        self.options, self.console, self.ask = options, console, ask
        self.words = words(options.language)
        self.pages = Pages(self.words, Ability.of(console))
        self.shown: list[Page] = []

    def show(self, page: Page) -> None:
        """Print a page, and remember it for the record."""
        self.shown.append(page)
        self.console.print(page(self.pages))

    def say(self, key: str, style: str = "", **values: object) -> None:
        """Print a text that is not for the record."""
        self.console.print(self.pages.say(key, WIDTH - 3, style, **values))

    # --- the way

    def go(self) -> Result:
        options = self.options
        if options.record:
            picture.check_ending(options.record, (".svg",))
        _make_room(options.folder)
        digits = find_digits(options.small)
        plan = plan_for(digits, options.passes, options.seed)
        learning = Learning(digits, plan, options.folder)
        weights = sum(p.numel() for p in learning.model.parameters())
        shape = (digits.train_images[0].size, plan.hidden, 10)
        self.show(lambda pages: pages.opening(digits, shape, weights))
        resume = self._resume(learning.earlier(), plan.passes)
        step = self._first_step(digits, learning)
        self.show(lambda pages: pages.step(step, plan.hidden, weights))
        self._learn(learning, resume)
        result = self._result(learning)
        self.show(lambda pages: pages.result(result))
        self._keep(learning, result)
        return result

    def _first_step(self, digits: Digits, learning: Learning) -> FirstStep:
        """One step of a network that will not be used further: the run begins from the same one."""
        image, digit = digits.train_images[0], int(digits.train_labels[0])
        return first_step(build(digits, learning.plan), image, digit, learning.plan.lr)

    def _resume(self, earlier: Earlier | None, passes: int) -> bool:
        """Whether to go on from what lies in the folder: as told, as answered, or as is sensible.

        An unfinished run is worth going on with. A finished one is not: whoever comes again wants
        to see the network learn.
        """
        options = self.options
        if options.resume is False:
            return False
        if options.resume:
            self._must_fit(earlier)
            return True
        if earlier is None:
            return False
        self.console.print()
        if not earlier.fits:
            key = "resume.damaged" if earlier.damaged else "resume.other"
            self.say(key, "yellow", folder=options.folder)
            return False
        if earlier.finished:
            self.say("resume.finished", "yellow", folder=options.folder)
            if self._answered("resume.ask_finished", "resume.show", otherwise=False):
                return True
            self.say("resume.fresh", "dim")
            return False
        done = earlier.passes
        self.say("resume.unfinished", "yellow", folder=options.folder, done=done, passes=passes)
        if self._answered("resume.ask", "resume.yes", otherwise=True):
            self.say("resume.continuing", "dim")
            return True
        return False

    def _must_fit(self, earlier: Earlier | None) -> None:
        """To go on was asked for by name, so anything else would be a surprise."""
        if earlier is not None and earlier.fits:
            return
        key = "nothing" if earlier is None else "damaged" if earlier.damaged else "other"
        told = self.words(f"refused.{key}", folder=self.options.folder)
        raise ArgumentError(fold(told, WIDTH - len("pellucid: ")))

    def _answered(self, question: str, wanted: str, otherwise: bool) -> bool:
        """Ask; an empty answer, and nobody there to answer, mean `otherwise`."""
        if self.ask is None:
            return otherwise
        try:
            answer = self.ask(f"{self.words(question)} ").strip().lower()
        except EOFError:  # the input was closed
            self.console.print()
            return otherwise
        return answer in self.words(wanted).split() if answer else otherwise

    # --- learning

    def _learn(self, learning: Learning, resume: bool) -> None:
        """All passes, or what is left of them; then the best weights are in the network."""
        plan, digits = learning.plan, learning.digits
        count, kept = len(digits.train_images), len(digits.kept_images)
        self.show(lambda pages: pages.training(plan, count, kept))
        watcher = Watcher(self.console, self.pages, learning.curve, kept)
        begin = time.perf_counter()
        history = learning.run(resume, [watcher])
        seconds = time.perf_counter() - begin
        if history.stopped == "interrupted" and len(history) < plan.passes:
            raise Stopped(self._farewell(history, plan.passes))
        learning.take_the_best()
        best = history.best["epoch"] if history.best else plan.passes
        lines = list(watcher.lines)
        self.shown.append(lambda _: Group(*lines))
        self.show(lambda pages: pages.learned(best, seconds if lines else None, plan.passes))

    def _farewell(self, history: History, passes: int) -> str:
        """What is kept, and how to go on."""
        folder = self.options.folder
        if history.best is None:
            told = self.words("resume.stopped_early", folder=folder, passes=passes)
        else:
            right = percent(history.best["validation_accuracy"])
            told = self.words(
                "resume.stopped", folder=folder, passes=passes, done=len(history), right=right
            )
        go_on = self.words("resume.go_on", command=self._command())
        first = activation()
        lines = [told, go_on, *([self.words("kept.first", command=first)] if first else [])]
        return "\n".join(fold(line, WIDTH - 3) for line in lines)

    def _command(self) -> str:
        """What to type to go on from here."""
        options = self.options
        parts = ["pellucid tour --continue"]
        if options.small:
            parts.append("--small")
        if options.folder != FOLDER:
            parts.append(f"--out {shlex.quote(str(options.folder))}")
        if options.passes is not None:
            parts.append(f"--passes {options.passes}")
        if options.seed != 1:
            parts.append(f"--seed {options.seed}")
        return " ".join(parts)

    # --- what came of it

    def _result(self, learning: Learning) -> Result:
        digits = learning.digits
        names = self.words("training.curve"), self.words("training.curve_kept")
        return Result(
            digits.test_images,
            digits.test_labels,
            read_digits(learning.model, digits.test_images),
            learning.curve.named(*names),
        )

    def _keep(self, learning: Learning, result: Result) -> None:
        """Write the picture and the record, and say where everything lies."""
        files = [("network", str(learning.best_path))]
        has_picture = picture.available()
        if has_picture:
            path = self.options.folder / "tour.png"
            picture.report(path, report(result, learning, self.options.language))
            files.insert(0, ("picture", str(path)))
        first = activation()
        self.show(lambda pages: pages.kept(files, has_picture, first))
        if self.options.record:
            pages = Pages(self.words, Ability())
            drawn = [page(pages) for page in self.shown]
            try:
                record(self.options.record, drawn[:ON_THE_LEFT], drawn[ON_THE_LEFT:])
            except OSError as error:
                raise ArgumentError(
                    f"{self.options.record} cannot be written to ({error.strerror})"
                ) from None
            self.say("kept.recorded", path=self.options.record)
            self.console.print()


def report(result: Result, learning: Learning, language: str) -> picture.Report:
    """The picture's contents: ten digits that were read right, and up to ten that were not.

    In English where this machine has no font for the language.
    """
    font = picture.chinese_font() if language == "zh-CN" else None
    w = words(language if language == "en" or font else "en")
    right = np.flatnonzero(result.read == result.labels)
    places = np.concatenate([right[:10], result.wrong[:10]])
    training = w("picture.training", batch=learning.plan.batch)
    return picture.Report(
        title=w(
            "picture.title", right=percent(result.accuracy), count=thousands(len(result.labels))
        ),
        images=result.images[places],
        truth=result.labels[places],
        predicted=result.read[places],
        probabilities=result.probabilities.max(axis=1)[places],
        curve=learning.curve.named(training, w("picture.kept_aside")),
        confusion=result.confusion,
        digits_title=w("picture.digits"),
        curve_title=w("picture.curve"),
        across=w("picture.across"),
        confusion_title=w("picture.confusion"),
        truth_label=w("picture.written"),
        predicted_label=w("picture.read"),
        read_as=w("picture.read_as"),
        font=font,
    )


def activation() -> str | None:
    """What to type so that the shell finds `pellucid`; None where it does already.

    `make tour` runs the command by its path, and whoever types its name afterwards would be told
    that there is none.
    """
    here = Path(sys.prefix)
    script = here / "bin" / "activate"
    if shutil.which("pellucid") or not script.exists():
        return None
    near = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    return f"source {shlex.quote(str(near))}"


def _make_room(folder: Path) -> None:
    """Make the folder now: to find out in the end that it cannot be written would be a pity."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(
            f"the folder {folder} cannot be made ({error.strerror}).\nName another with --out"
        ) from None
    if not os.access(folder, os.W_OK):
        raise ArgumentError(f"the folder {folder} cannot be written to.\nName another with --out")
