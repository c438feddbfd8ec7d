"""Figures of a run: accuracy, the history's table and picture, and the progress on a screen."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from pellucid import Tensor, nn, optim
from pellucid.errors import ArgumentError, MissingExtraError, ShapeError
from pellucid.train import Callback, EarlyStopping, History, Progress, accuracy, fit


def test_accuracy() -> None:
    scores = [[0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.2, 0.3, 0.5]]
    assert accuracy(Tensor(scores), Tensor([1, 0, 0])) == pytest.approx(2 / 3)
    assert accuracy(np.array(scores), np.eye(3)) == pytest.approx(1 / 3)
    over_time = np.moveaxis(np.array([scores, scores]), 2, 1)  # (items, classes, steps)
    assert accuracy(over_time, np.array([[1, 0, 2], [1, 0, 0]])) == pytest.approx(5 / 6)
    with pytest.raises(ShapeError, match=r"predictions \(3, 3\) with targets \(2,\)"):
        accuracy(scores, [1, 0])
    with pytest.raises(ShapeError, match=r"predictions \(3,\)"):
        accuracy([0.2, 0.8, 0.1], [0, 1, 0])


ROWS = [
    {"epoch": 1, "loss": 0.5, "accuracy": 0.25, "lr": 0.1, "seconds": 1.0},
    {"epoch": 2, "loss": 0.25, "accuracy": 0.75, "validation_loss": 0.3, "lr": 0.1, "seconds": 1.0},
]


def test_history_columns_and_table() -> None:
    history = History(ROWS)
    assert history["loss"] == [0.5, 0.25]
    assert history["validation_loss"] == [None, 0.3]
    assert len(history) == len(list(history)) == 2
    lines = history.table().splitlines()
    assert " ".join(lines[0].split()) == "epoch loss accuracy lr seconds validation loss"
    assert lines[2].split() == ["2", "0.25", "0.75", "0.1", "1", "0.3"]
    assert len({len(line) for line in lines}) == 1
    assert repr(history).startswith("History(2 passes, loss=0.25, accuracy=0.75")
    with pytest.raises(ArgumentError, match="no figure 'f1'; there are epoch, loss"):
        history["f1"]


def test_history_as_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = History(ROWS).plot(tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 1000
    assert [len(axes.lines) for axes in figure.axes] == [2, 1]
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"plots need.*\n.*pellucid\[book\]"):
        History(ROWS).plot()


# --------------------------------------------------------------------------------- the progress


def watched(console: Console, epochs: int = 2, *callbacks: Callback) -> str:
    model = nn.Linear(2, 1)
    sgd = optim.SGD(model.parameters(), lr=0.01)
    pair = Tensor(np.ones((4, 2), np.float32)), Tensor(np.zeros((4, 1), np.float32))
    fit(
        model, [pair] * 3, lambda p, t: ((p - t) ** 2).mean(), sgd, epochs=epochs,
        callbacks=callbacks, progress=Progress(console, unit="images"),
    )  # fmt: skip
    file: Any = console.file
    return str(file.getvalue())


def test_lines_where_there_is_no_terminal() -> None:
    text = watched(Console(file=io.StringIO(), width=60))
    lines = text.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["pass 1/2", "pass 2/2"]
    assert re.search(r"  loss \d+\.\d{4}  \d+\.\d s$", lines[0])
    assert "\x1b" not in text


def test_a_live_line_on_a_terminal() -> None:
    text = watched(
        Console(file=io.StringIO(), width=100, force_terminal=True, legacy_windows=False)
    )
    assert "images/s" in text
    assert "left" in text
    assert "pass 2/2" in text


def test_a_narrow_terminal_gets_two_lines() -> None:
    def said(console: Console) -> list[str]:
        model = nn.Linear(2, 2)
        sgd = optim.SGD(model.parameters(), lr=0.01)
        pair = Tensor(np.ones((4, 2), np.float32)), Tensor(np.zeros(4, np.int64))
        fit(
            model, [pair], nn.CrossEntropyLoss(), sgd, epochs=1, validation=[pair],
            metrics="accuracy", progress=Progress(console),
        )  # fmt: skip
        file: Any = console.file
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue()).replace("\r", "\n")
        return [line.rstrip() for line in text.splitlines() if "validation" in line or " s" in line]

    narrow = Console(
        file=io.StringIO(), width=80, force_terminal=True, legacy_windows=False, color_system=None
    )
    first, second = said(narrow)
    assert re.fullmatch(r"pass 1/1  loss \d\.\d{4}  accuracy \d\.\d{4}  \d\.\d s", first)
    assert re.fullmatch(r" {10}validation loss \d\.\d{4}  validation accuracy \d\.\d{4}", second)
    (one,) = said(Console(file=io.StringIO(), width=80))  # a pipe: one line for each pass
    assert one.startswith("pass 1/1  loss")
    assert "validation accuracy" in one


def test_why_it_stopped() -> None:
    class Stop(Callback):
        def on_step(self, run: Any) -> None:
            run.stop("interrupted")

    assert "stopped by Ctrl-C after step 1" in watched(Console(file=io.StringIO()), 2, Stop())
    never_enough = EarlyStopping(patience=1, min_delta=1e9)
    assert "no better than pass 2 for a while" in watched(
        Console(file=io.StringIO()), 9, never_enough
    )


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Linear(1, 1)
    pair = Tensor([[1.0]]), Tensor([[1.0]])
    adam = optim.Adam(model.parameters())
    fit(model, [pair], lambda p, t: ((p - t) ** 2).mean(), adam, epochs=1, progress=False)
    assert capsys.readouterr() == ("", "")
