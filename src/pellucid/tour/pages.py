"""What the tour shows, page by page: each takes numbers and words, and gives something to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.align import Align
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..explain.terminal import Ability, bar, curve, image, probability_bars
from .wrapping import fold

if TYPE_CHECKING:
    from .digits import Digits
    from .first_step import FirstStep
    from .learning import Plan
    from .result import Result
    from .words import Words

Array = Any
Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]
TIMES, MINUS = "\u00d7", "\u2212"
WIDTH = 80
FACTS = 66  # columns beside the names of the facts
BESIDE = 50  # columns beside the large picture
COLUMNS = 14  # of a digit in a row of five
LARGE = 24  # of the digit one step is told about
NEXT = (
    ("pellucid run 6.20 --explain", "kept.next_explain"),
    ("pellucid list", "kept.next_list"),
    ("pellucid check 3 4 5", "kept.next_check"),
    ("pellucid tour --fresh --seed 2", "kept.again"),
)
NAME, RIGHT, WRONG, QUIET = "bold cyan", "bold green", "bold red", "dim"


def percent(share: float) -> str:
    """0.98123 as `98.1 %`; never 100 or 0 for what is not quite that."""
    for digits in (1, 2, 3):
        said = f"{100 * share:.{digits}f}"
        if float(said) not in (0, 100) or share in (0, 1):
            return f"{said} %"
    return "> 99.999 %" if share > 0.5 else "< 0.001 %"


def number(value: float, digits: int = 4, sign: bool = False) -> str:
    """A number with a proper minus."""
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", MINUS)


def thousands(count: int) -> str:
    """60000 as `60,000`."""
    return f"{count:,}"


def heading(text: str) -> RenderableType:
    """The line above a page."""
    return Group(Text(), Rule(Text(text, "bold"), align="left", style="cyan"))


def indented(what: RenderableType, by: int = 2) -> Padding:
    """A block, moved to the right."""
    return Padding(what, (0, 0, 0, by), expand=False)


class Pages:
    """The tour's pages in one language, for one kind of terminal."""

    def __init__(self, words: Words, ability: Ability) -> None:
        self.words = words
        self.ability = ability

    def say(self, key: str, columns: int = WIDTH - 3, style: str = "", **values: object) -> Text:
        """A text of this language, broken into lines."""
        return Text(fold(self.words(key, **values), columns), style)

    # --- 1: what there is

    def opening(self, digits: Digits, shape: tuple[int, int, int], weights: int) -> RenderableType:
        """The data and the network, before anything is learned."""
        w = self.words
        height, width = digits.train_images.shape[1:]
        data = self.say(
            "opening.data",
            FACTS,
            train=thousands(len(digits.train_images) + len(digits.kept_images)),
            test=thousands(len(digits.test_images)),
            height=height,
            width=width,
        )
        place = w(f"source.{digits.source}")
        source = self.say("opening.source", FACTS, QUIET, name=digits.name, source=place)
        stand_in = [self.say("opening.stand_in", FACTS, "yellow")] if digits.stand_in else []
        inputs, hidden, outputs = shape
        network = self.say(
            "opening.network",
            FACTS,
            inputs=inputs,
            hidden=hidden,
            outputs=outputs,
            weights=thousands(weights),
        )
        facts = Table.grid(padding=(0, 2))
        facts.add_column(no_wrap=True)
        facts.add_column(overflow="fold")
        facts.add_row(Text(w("opening.data_name"), NAME), Group(data, source, *stand_in))
        facts.add_row("", "")
        facts.add_row(Text(w("opening.network_name"), NAME), network)
        names = [Text(str(n), NAME) for n in digits.train_labels[:5]]
        return Group(
            heading(w("opening.title")),
            Text(),
            self._row(digits.train_images[:5], [[name] for name in names]),
            Text(),
            facts,
        )

    def _row(self, images: Iterable[Array], captions: Sequence[Sequence[Text]]) -> RenderableType:
        """Pictures side by side, each over its lines of text."""
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in captions:
            table.add_column(width=COLUMNS)
        table.add_row(*[image(pixels, COLUMNS, self.ability) for pixels in images])
        for line in zip_longest(*captions, fillvalue=Text()):
            table.add_row(*[Align.center(text) for text in line])
        return table

    # --- 2: one step

    def step(self, step: FirstStep, hidden: int, weights: int) -> RenderableType:
        """Predict, compare, learn: once, with the numbers themselves."""
        w = self.words
        return Group(
            heading(w("step.title")),
            self._predict(step, hidden),
            self._compare(step),
            self._learn(step, weights),
        )

    def _word(self, number: int, key: str) -> Text:
        return Text(f"\n{number}  {self.words(key)}", NAME)

    def _predict(self, step: FirstStep, hidden: int) -> RenderableType:
        w = self.words
        said = self.say("step.pixels", BESIDE, digit=step.digit, inputs=step.image.size)
        weigh = self.say("step.weigh", BESIDE, unit=step.unit)
        sums = Table.grid(padding=(0, 2))
        sums.add_column(overflow="fold")
        sums.add_column(justify="right")
        for i, (ink, weight) in enumerate(step.products):
            factors = Text(f"{ink:.2f}", "bold red" if i == 0 else "")
            factors.append(f" {TIMES} {number(weight, sign=True)}", "not bold default")
            sums.add_row(factors, number(ink * weight, sign=True))
        count, rest = step.others
        sums.add_row(w("step.others", count=count), number(rest + step.bias, sign=True))
        sums.add_row(Text(w("step.sum"), "bold"), Text(number(step.total, sign=True), "bold"))
        told = Group(said, Text(), weigh, indented(sums))
        side = Table.grid(padding=(0, 2))
        side.add_row(self._large(step), told)
        return Group(
            self._word(1, "step.predict"),
            indented(side, 3),
            Text(),
            indented(self.say("step.relu", hidden=hidden), 3),
            Text(),
            indented(self._bars(step), 3),
        )

    def _large(self, step: FirstStep) -> RenderableType:
        """The picture, without its empty margin, the pixel that is followed marked."""
        margin = 2 if len(step.image) == 28 else 0
        inner = step.image[margin : len(step.image) - margin, margin : len(step.image) - margin]
        mark = step.place[0] - margin, step.place[1] - margin
        return image(inner, LARGE if margin else 16, self.ability, mark)

    def _bars(self, step: FirstStep) -> RenderableType:
        """Ten probabilities in two columns."""
        bars = probability_bars(step.probabilities, self.ability, right=step.digit).split("\n")
        half = len(bars) // 2
        table = Table.grid(padding=(0, 4))
        table.add_row(Text("\n").join(bars[:half]), Text("\n").join(bars[half:]))
        return table

    def _compare(self, step: FirstStep) -> RenderableType:
        w = self.words
        p = step.probabilities[step.digit]
        formula = Text(w("step.loss", p=number(p, 3), loss=number(step.loss)), "bold")
        formula.append(f"   {w('step.loss_note')}", "not bold dim")
        return Group(
            self._word(2, "step.compare"),
            indented(self.say("step.truth", digit=step.digit, p=percent(p)), 3),
            indented(formula, 5),
        )

    def _learn(self, step: FirstStep, weights: int) -> RenderableType:
        w = self.words
        blame = self.say(
            "step.blame_less" if step.slope < 0 else "step.blame_more",
            weights=thousands(weights),
            row=step.place[0],
            column=step.place[1],
            unit=step.unit,
            slope=number(step.slope),
        )
        slope = number(step.slope, 5)
        slope = f"({slope})" if step.slope < 0 else slope
        arithmetic = Text(f"{number(step.before, 5)} {MINUS} {step.lr:g} {TIMES} {slope}", "bold")
        arithmetic.append(f" = {number(step.after, 5)}")
        arithmetic.append(f"   {w('step.rule')}", "not bold dim")
        after = Table.grid(padding=(0, 2))
        p, q = step.probabilities[step.digit], step.probabilities_after[step.digit]
        name = w("step.probability", digit=step.digit)
        after.add_row(name, percent(p), "→", Text(percent(q), RIGHT if q > p else WRONG))
        better = RIGHT if step.loss_after < step.loss else WRONG
        loss = Text(number(step.loss_after), better)
        after.add_row(w("step.error"), number(step.loss), "→", loss)
        return Group(
            self._word(3, "step.learn"),
            indented(blame, 3),
            indented(arithmetic, 5),
            indented(self.say("step.after"), 3),
            indented(after, 5),
        )

    # --- 3: the same again, thousands of times

    def training(self, plan: Plan, count: int, kept: int) -> RenderableType:
        """What is about to happen to `count` digits, while `kept` others are kept aside."""
        steps = plan.passes * (count // plan.batch)
        said = self.say(
            "training.intro",
            batch=plan.batch,
            passes=plan.passes,
            train=thousands(count),
            kept=thousands(kept),
        )
        return Group(
            heading(self.words("training.title", steps=thousands(steps))), Text(), said, Text()
        )

    def line(
        self, now: int, passes: int, figures: tuple[float, float], kept: int, best: bool
    ) -> Text:
        """One pass in one line: the error, and the share of the digits kept aside that is read."""
        error, right = figures
        said = self.words(
            "training.line",
            now=f"{now:>{len(str(passes))}}",
            passes=passes,
            error=f"{error:.4f}",
            right=f"{percent(right):>7}",
            count=thousands(kept),
        )
        line = Text(f"  {said}")
        return line.append(f"   {self.words('training.best')}", RIGHT) if best else line

    def under_way(
        self, share: float, place: tuple[int, int], error: float, curves: Curves
    ) -> RenderableType:
        """The live picture: how far it is (a share, and which pass of how many), and the curve."""
        words, ability = self.words, self.ability
        now, passes = place
        head = Text(f"{words('training.bar')} ", NAME)
        head.append(bar(share, 24, ability), "cyan on grey23" if ability.colour else "")
        said = words("training.error_now", error=f"{error:.4f}")
        head.append(f"  {words('training.pass', now=now, passes=passes)}   {said}", QUIET)
        drawn = curve(curves, ability, width=WIDTH - 12, height=8, until=passes)
        return Group(Text(), indented(head), Text(), indented(drawn))

    def learned(self, best: int, seconds: float | None, passes: int) -> RenderableType:
        """That it is over: how long it took (None: it was over before), which pass was best."""
        if seconds is None:
            return self.say("training.nothing_left", passes=passes)
        said = self.say("training.done", seconds=f"{seconds:.1f}", best=best)
        return Group(Text(), said)

    # --- 4: what came of it

    def result(self, result: Result) -> RenderableType:
        """How much it reads right, some digits, the wrong ones, the curve of errors."""
        count = thousands(len(result.labels))
        score = self.say("result.score", WIDTH, "bold", count=count, right=percent(result.accuracy))
        return Group(
            heading(self.words("result.title")),
            Text(),
            score,
            Text(),
            self.say("result.some"),
            Text(),
            self._read(result, result.some),
            *self._wrong(result),
            Text(),
            self.say("result.curve"),
            Text(),
            self.curve(result),
        )

    def _read(self, result: Result, places: Array) -> RenderableType:
        """Digits with what was read in them; below, the truth, or what else it might have been."""
        captions = []
        for place in places:
            p, truth = result.probabilities[place], int(result.labels[place])
            first, second = (int(i) for i in np.argsort(-p)[:2])
            said = self._guess("result.read", first, p, RIGHT if first == truth else WRONG)
            if first == truth:
                captions.append([said, self._guess("result.else", second, p, QUIET)])
            else:
                captions.append([said, self._guess("result.truth", truth, p, RIGHT)])
        return self._row(result.images[places], captions)

    def _guess(self, key: str, digit: int, probabilities: Array, style: str) -> Text:
        return Text(self.words(key, digit=digit, p=percent(probabilities[digit])), style)

    def _wrong(self, result: Result) -> list[RenderableType]:
        wrong = result.wrong
        if not len(wrong):
            return [Text(), self.say("result.wrong_none")]
        some = wrong[: len(result.some)]
        key = "result.wrong" if len(wrong) > len(some) else "result.wrong_few"
        said = self.say(key, count=thousands(len(wrong)))
        return [Text(), said, Text(), self._read(result, some)]

    def curve(self, result: Result, height: int = 9) -> RenderableType:
        """The error over the passes."""
        drawn = curve(result.curve, self.ability, width=WIDTH - 10, height=height)
        across = self.words("training.across")
        return Group(drawn, Text(" " * (WIDTH - 2 - cell_len(across)) + across, QUIET))

    # --- 5: what is kept

    def kept(
        self, files: Sequence[tuple[str, str]], has_picture: bool, first: str | None = None
    ) -> RenderableType:
        """Where picture and network lie, and what to do next (what to type first, if anything)."""
        w = self.words
        paths = Table.grid(padding=(0, 2))
        for name, path in files:
            paths.add_row(Text(w(f"kept.{name}"), NAME), Text(path, overflow="fold"))
        parts: list[RenderableType] = [heading(w("kept.title")), Text(), indented(paths)]
        if not has_picture:
            parts += [Text(), indented(self.say("kept.no_picture", style="yellow"))]
        next_steps = Table.grid(padding=(0, 3))
        for command, key in NEXT:
            next_steps.add_row(Text(command, "bold"), Text(w(key), QUIET))
        parts += [Text(), self.say("kept.next"), Text(), indented(next_steps), Text()]
        if first:
            parts += [indented(self.say("kept.first", style="yellow", command=first)), Text()]
        return Group(*parts)
