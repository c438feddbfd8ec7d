"""Chapter 14: letters, gradients that vanish, gates, what a framework lost, and writing."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, book, no_grad
from pellucid.book import chapter14, chapter14_gates, chapter14_lstm, letters
from pellucid.book.keeping import Keeper
from pellucid.data import Windows
from pellucid.errors import ArgumentError, DataError
from pellucid.nn import CrossEntropyLoss
from pellucid.optim import SGD

REAL = os.environ.get("PELLUCID_DATA", "")  # before the tests' fixture hides it
EXPERIMENTS = book.select(["14"])
SMALL: dict[str, Any] = {"passes": 2, "hidden": 12, "characters": 6000}


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Float64, as while an experiment runs."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    yield
    pellucid.set_default_dtype(before)


def small(e: book.Experiment, **settings: Any) -> book.Result:
    return e.run(**{p.name: SMALL[p.name] for p in e.parameters if p.name in SMALL} | settings)


@pytest.fixture
def poem(tmp_path: Path) -> Path:
    file = tmp_path / "poem.txt"
    file.write_text("row, row, row your boat,\ngently down the stream.\n" * 120)
    return file


def test_every_row_of_the_chapter_is_there() -> None:
    spans = ["14.1–14.4", "14.5–14.6", "14.7–14.9", "14.10–14.11", "14.12"]
    assert [e.span for e in EXPERIMENTS] == spans
    assert [e.id for e in EXPERIMENTS if e.long] == ["14.12"]


@pytest.mark.parametrize("e", EXPERIMENTS, ids=lambda e: e.id)
def test_both_ways_agree_and_a_step_is_told(e: book.Experiment) -> None:
    result = small(e)
    assert result.agreements
    assert [a.name for a in result.agreements if not a.ok] == []
    assert bool(result.incomparable) == (e.id != "14.5")  # the texts are stand-ins here
    stages = {v.stage for v in result.steps[0].values}
    assert "predict" in stages
    assert stages == {"predict", "compare", "learn"} or e.id == "14.7"


@pytest.mark.parametrize("e", EXPERIMENTS, ids=lambda e: e.id)
def test_a_text_of_ones_own(e: book.Experiment, poem: Path) -> None:
    if "text" in {p.name for p in e.parameters}:
        result = small(e, text=str(poem))
        assert result.replaced == {}
        assert "text" in str(result.incomparable)
        with pytest.raises(DataError, match="is not there"):
            e.run(text=str(poem) + "x")
        poem.write_text("much too short")
        with pytest.raises(ArgumentError, match="do not fill one window"):
            e.run(text=str(poem))


# ---------------------------------------------------------------------------- 14.5: vanishing


def test_figures_of_the_two_by_two_example_are_met() -> None:
    e = book.find("14.5")
    assert [c.met for c in e.compare(e.run())] == [True, True]


def test_with_weights_of_one_relu_keeps_its_gradient() -> None:
    result = book.find("14.6").run(diagonal=0.0, across=1.0, steps=7)
    assert result.numbers["relu: gradient 7 steps back"] == 1


# ----------------------------------------------------------------------------- 14.1: the plain cell


def two_models(kind: Any, start: Any) -> tuple[Any, Any]:
    return kind(start), kind(start)


def windows(streams: int = 3, steps: int = 4) -> Windows:
    return Windows(np.random.RandomState(0).randint(0, 5, 60), streams, steps)


def gradients(model: Any, loss: Tensor) -> dict[str, Any]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.numpy().copy() for name, p in model.named_parameters()}


def window_loss(model: Any, data: Windows, compare: Any) -> tuple[Tensor, float]:
    read, targets = (Tensor(part.T) for part in data[0])
    states, _ = model(read, model.start(data.streams))
    return compare(model, states, targets)  # type: ignore[no-any-return]


def by_trying(model: Any, name: str, at: tuple[int, ...], measure: Any) -> float:
    """How much a loss changes with one weight."""
    weight = dict(model.named_parameters())[name].numpy()
    before, step, found = weight[at], 1e-6, []
    with no_grad():
        for sign in (1, -1):
            weight[at] = before + sign * step
            found.append(measure())
    weight[at] = before
    return float(found[0] - found[1]) / (2 * step)


@pytest.mark.parametrize("kind", ["RNN", "LSTM"])
def test_the_corrected_gradient_is_that_of_the_printed_loss(kind: str) -> None:
    if kind == "RNN":
        model: Any = chapter14.LetterRNN(chapter14.first_weights(5, 6, 0))
        compare, share = letters.all_letters, 1.0
    else:
        model = chapter14_lstm.ChapterLSTM(chapter14_lstm.first_weights(5, 6, 0))
        with no_grad():
            model.output.weight.normal_()
        compare, share = chapter14_lstm.summed(over_streams=False), 4.0  # summed over 4 steps
    data = windows()
    sent, printed = window_loss(model, data, compare)
    assert sent.item() == pytest.approx(share * printed)
    for name, gradient in gradients(model, sent).items():
        at = tuple(np.unravel_index(np.abs(gradient).argmax(), gradient.shape))
        tried = by_trying(model, name, at, lambda: window_loss(model, data, compare)[1])
        assert gradient[at] == pytest.approx(share * tried, rel=1e-5), name


def test_the_published_cell_learns_from_the_last_letter_alone() -> None:
    model = chapter14.LetterRNN(chapter14.first_weights(5, 6, 0))
    data = windows()
    sent, printed = window_loss(model, data, chapter14.last_letter)
    read, targets = (Tensor(part.T) for part in data[0])
    states, _ = model(read, model.start(3))
    last = CrossEntropyLoss()(model.scores(states)[-1], targets[-1])
    assert printed == pytest.approx(last.item())
    assert sent.item() == pytest.approx(3 * printed)


def test_the_published_cell_knows_the_letters_it_learned_from_best(poem: Path) -> None:
    """Its printed perplexity is about the last letters of windows, which it learns by heart."""
    result = book.find("14.1").run(text=str(poem), passes=30, hidden=24, streams=8)
    printed = result.plots[0].curves[0].y[-1]
    found = result.numbers
    assert printed < found["perplexity of all letters"]
    assert found["perplexity of all letters, corrected"] < found["perplexity of all letters"]


def test_a_letter_says_the_same_wherever_it_stands() -> None:
    """The table of letters is projected before it is looked up; the result is the same."""
    model = chapter14.LetterRNN(chapter14.first_weights(5, 6, 0))
    read = Tensor(np.array([[1, 2], [0, 1]]))
    states, _ = model(read, model.start(2))
    state = model.start(2)[0]
    for row in read.unbind(0):
        heard = model.letters(row)
        state = pellucid.sigmoid(model.of_letter(heard) + model.of_state(state))
    assert states.numpy()[-1] == pytest.approx(state.numpy())


# ---------------------------------------------------------------------- 14.10: what was lost


def published_and_whole() -> tuple[Any, Any]:
    start = chapter14_lstm.first_weights(5, 6, 0)
    models = chapter14_lstm.PublishedLSTM(start), chapter14_lstm.ChapterLSTM(start)
    for model in models:
        with no_grad():
            model.output.weight.copy_(np.random.RandomState(1).randn(5, 6))
    return models


def test_the_published_lstm_predicts_as_the_fused_layer_does() -> None:
    published, whole = published_and_whole()
    read = Tensor(windows()[0][0].T)
    for ours, theirs in zip(
        _flat(published(read, published.start(3))), _flat(whole(read, whole.start(3))), strict=True
    ):
        assert ours == pytest.approx(theirs, rel=1e-12)


def _flat(result: Any) -> list[Any]:
    states, (state, cell) = result
    return [part.numpy() for part in (states, state, cell)]


def test_only_what_goes_through_output_gates_gets_far_back() -> None:
    published, whole = published_and_whole()
    compare, data = chapter14_lstm.summed(over_streams=True), windows(steps=6)
    lost = gradients(published, window_loss(published, data, compare)[0])
    true = gradients(whole, window_loss(whole, data, compare)[0])
    # What lies behind no state is complete; what lies behind one is not.
    assert lost["output.weight"] == pytest.approx(true["output.weight"])
    for name in ("lstm.weight_hh_l0", "lstm.weight_ih_l0", "letters.weight"):
        assert np.abs(lost[name]).sum() < np.abs(true[name]).sum()
    # With a single step there is nothing to lose.
    short = windows(steps=1)
    lost = gradients(published, window_loss(published, short, compare)[0])
    true = gradients(whole, window_loss(whole, short, compare)[0])
    for name, gradient in lost.items():
        assert gradient == pytest.approx(true[name]), name


def test_zero_output_weights_make_all_letters_equally_likely() -> None:
    model = chapter14_lstm.ChapterLSTM(chapter14_lstm.first_weights(62, 8, 0))
    data = Windows(np.arange(200) % 62, 2, 5)
    _, printed = window_loss(model, data, letters.all_letters)
    assert np.exp(printed) == pytest.approx(62)
    state, cell = model.start(2)
    assert state.numpy()[0].tolist() == cell.numpy()[0].tolist() == [[1] + 7 * [0]] * 2


# ----------------------------------------------------------------------------- 14.7: the gates


def test_features_of_a_text() -> None:
    found = chapter14_gates.features("Ab a\nI")
    assert found["how long the line is"].tolist() == [1, 2, 3, 4, 5, 1]
    assert found["how long the word is"].tolist() == [1, 2, 3, 1, 2, 1]
    assert found["between two words"].tolist() == [0, 0, 1, 0, 1, 0]
    assert found["a vowel"].tolist() == [1, 0, 0, 1, 0, 1]
    assert found["a capital"].tolist() == [1, 0, 0, 0, 0, 1]


def test_the_unit_that_follows_is_found() -> None:
    random = np.random.RandomState(0)
    wanted = random.rand(50)
    cells = random.rand(50, 4)
    cells[:, 2] = 3 - wanted
    cells[:, 3] = 7
    found = chapter14_gates.correlations(cells, wanted)
    assert found[2] == pytest.approx(-1)
    assert found[3] == 0
    assert np.abs(found).argmax() == 2


def test_blame_gets_further_through_an_lstm() -> None:
    result = book.find("14.7").run(hidden=16, passes=2, characters=20_000)
    plot = next(p for p in result.plots if "blame" in p.title)
    lstm, plain = (curve.y for curve in plot.curves)
    assert lstm[0] == plain[0] == 1
    assert lstm[-1] > 100 * plain[-1]


def test_a_sentence_of_ones_own(poem: Path) -> None:
    result = book.find("14.7").run(text=str(poem), sentence="row the boat", hidden=8, passes=1)
    gates, units = result.tables
    assert gates.rows[0] == ("the text", "row the boat")
    assert all(len(row[-1]) == 12 for row in (*gates.rows, *units.rows))
    with pytest.raises(DataError, match="'Z' is not among the"):
        book.find("14.7").run(text=str(poem), sentence="Zoo", hidden=8, passes=1)


# ------------------------------------------------------------------------------------- writing


def test_temperature() -> None:
    scores = np.array([0.0, 1.0, 3.0])

    def share(temperature: float) -> float:
        random = np.random.RandomState(0)
        drawn = [letters.drawn(scores, temperature, random) for _ in range(4000)]
        return drawn.count(2) / 4000

    assert share(0) == 1
    for temperature in (0.5, 1, 2):
        shares = np.exp(scores / temperature) / np.exp(scores / temperature).sum()
        assert share(temperature) == pytest.approx(shares[2], abs=0.03)


def test_a_network_that_knows_its_text_writes_it(poem: Path) -> None:
    result = book.find("14.12").run(
        text=str(poem), passes=20, hidden=32, steps=16, streams=4, lr=0.02, dropout=0.0,
        temperature=0.0,
    )  # fmt: skip
    (greedy, *_) = result.sheets
    assert "row, row, row your boat," in greedy.text
    assert result.numbers["loss on the text kept aside"] < 0.6  # 2.8 is guessing


def test_a_temperature_below_zero_is_refused(poem: Path) -> None:
    with pytest.raises(ArgumentError, match="a temperature is 0 or more, not -1"):
        small(book.find("14.1"), text=str(poem), temperature=-1)


def test_samples_cannot_command_a_terminal() -> None:
    shown = letters.printable("\x1b[31mred\x07\n\n" + "long " * 40)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert max(map(len, shown.split("\n"))) <= 80


# --------------------------------------------------------------------------------- interrupted


@pytest.mark.parametrize("name", ["14.1", "14.7", "14.10", "14.12"])
def test_an_interrupted_run_ends_with_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(result: book.Result) -> dict[str, Any]:
        plain = result.as_dict() | {"seconds": 0, "tables": []}  # a table has minutes in it
        return plain | {"numbers": result.numbers}

    settings = {"passes": 2, "hidden": 8, "characters": 5000}
    e = book.find(name)
    e.run(**settings)
    whole = told(e.run(**settings))
    learn, made = letters.Learner.one_window, []

    def one_window(self: Any, n: int, result: Any = None) -> None:
        made.append(n)
        if len(made) == 3:
            raise RuntimeError("the current is gone")
        learn(self, n, result)

    with monkeypatch.context() as cut:
        cut.setattr(letters.Learner, "one_window", one_window)
        keeper = Keeper(tmp_path, every=-1)
        with pytest.raises(RuntimeError):
            e.run(keeper=keeper, **settings)
    assert told(e.run(keeper=keeper, **settings)) == whole


# ------------------------------------------------------------------------------------ the real text


@pytest.mark.skipif(not REAL, reason="the published text is not here")
def test_the_published_lstm_starts_at_62(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    e = book.find("14.10")
    result = e.run(passes=1, hidden=16)
    assert result.numbers["perplexity of the first window"] == pytest.approx(62.0, rel=1e-12)


@pytest.mark.skipif(not REAL, reason="the published text is not here")
def test_learning_the_published_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", REAL)
    result = book.Result()
    known = letters.read_letters(result, "", imitation=True)
    assert (len(known.text), len(known)) == (99_993, 62)
    data = Windows(known.numbers, 32, 16)
    assert len(data) == 195
    model = chapter14.LetterRNN(chapter14.first_weights(62, 32, 0))
    learner = letters.Learner(model, data, SGD(model.parameters(), lr=1.6))
    learner.learn(result, 1, "")
    assert learner.perplexities[0] < 30


# ---------------------------------------------------------------------------------------- checking


def test_what_takes_long_is_checked_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check = importlib.import_module("pellucid.book.check")
    asked: list[str] = []

    def answer(waiting: Any, jobs: int, keep: Any) -> None:
        for e in waiting:
            asked.append(e.id)
            keep(check.Verdict(e.id, e.span, "met"))

    monkeypatch.setattr(check, "_share_out", answer)
    verdicts = {v.id: v.status for v in check.check(["14"])}
    assert "14.12" not in asked
    assert verdicts["14.12"] == "skipped"
    check.check(["14.12"])
    assert asked[-1] == "14.12"
