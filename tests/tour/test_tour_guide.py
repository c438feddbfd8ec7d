"""Whole tours: what is shown and kept, Ctrl-C, going on, and what the next tour offers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

import pellucid
from pellucid import nn
from pellucid.book.texts import LANGUAGES
from pellucid.errors import ArgumentError
from pellucid.explain import picture
from pellucid.io import load_checkpoint
from pellucid.tour import guide
from pellucid.tour.guide import Stopped, activation
from pellucid.tour.result import read_digits
from pellucid.tour.words import words

Go = Callable[..., Any]
plain = pytest.mark.usefixtures("plain")
NETWORK = "network.best.safetensors"


def model(folder: Path) -> nn.Sequential:
    """The kept network, loaded as anybody would."""
    network = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    network.load_state_dict(pellucid.load(folder / NETWORK))
    return network


def weights(folder: Path) -> dict[str, Any]:
    """The last weights of a run, not its best."""
    return {name: np.asarray(w) for name, w in load_checkpoint(folder / "network")["model"].items()}


def same(one: Path, other: Path) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def passes(text: str) -> list[int]:
    """The passes that have a line."""
    return [int(n) for n in re.findall(r"^ *pass +(\d+)/", text, re.MULTILINE)]


# --------------------------------------------------------------------------------- what is shown


def test_a_whole_tour(go: Go, tmp_path: Path) -> None:
    result, text = go()
    assert passes(text) == [1, 2, 3]
    for said in ("PREDICT", "COMPARE", "LEARN", "Learned in", "The error, from the first step"):
        assert said in text
    assert f"it reads {100 * result.accuracy:.1f} % right" in text
    assert f"It got {len(result.wrong)} wrong" in text
    assert "MNIST" not in text  # nobody asked for it
    assert "\x1b" not in text  # a pipe gets no colours and no live picture
    assert "pass 1 of 3" not in text
    folder = tmp_path / "kept"
    assert np.array_equal(read_digits(model(folder), result.images), result.probabilities)
    assert str(folder / NETWORK) in re.sub(r"\s", "", text)
    if picture.available():
        assert (folder / "tour.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    else:
        assert "matplotlib is not installed" in text


@plain
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_fits_80_columns(
    go: Go, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a short path for the folder
    _, text = go(language=language, folder=Path("kept"))
    _, again = go(language=language, folder=Path("kept"))
    for line in (text + again).split("\n"):
        assert cell_len(line) <= 80, line
    assert words(language)("result.title") in text
    assert words(language)("resume.finished", folder="kept") in again


@plain
def test_a_terminal_has_a_live_picture_that_vanishes(go: Go) -> None:
    _, text = go(terminal=True, passes=12)
    assert "learning " in text
    assert "pass 1 of 12" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back
    assert "\x1b[2J" not in text  # the screen is never cleared: that would flicker
    lines = passes(re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text).replace("\r", "\n"))
    assert lines == [1, 2, 4, 6, 8, 10, 12]  # the picture shows the others


@plain
def test_another_seed_learns_another_network(go: Go, tmp_path: Path) -> None:
    one, _ = go(folder=tmp_path / "one")
    other, _ = go(folder=tmp_path / "other", seed=2)
    again, _ = go(folder=tmp_path / "again")
    assert not np.array_equal(one.probabilities, other.probabilities)
    assert np.array_equal(one.probabilities, again.probabilities)


def test_the_picture_shows_right_and_wrong_ones(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[picture.Report] = []
    monkeypatch.setattr(picture, "available", lambda: True)
    monkeypatch.setattr(picture, "report", lambda path, what: drawn.append(what))
    result, text = go()
    assert "kept/tour.png" in re.sub(r"\s", "", text)
    what = drawn[0]
    right = np.asarray(what.truth) == np.asarray(what.predicted)
    assert right[:10].all()
    assert not right[10:].any()
    assert len(right) == 10 + min(10, len(result.wrong))
    assert what.title == (
        f"A network that learned to read: {100 * result.accuracy:.1f} % of 257 digits right"
    )


# ----------------------------------------------------------------------- stopping and going on


@plain
def test_stopped_and_continued_ends_with_the_same_bits(
    go: Go, ctrl_c: Callable[[int], None], tmp_path: Path
) -> None:
    undisturbed, _ = go(folder=tmp_path / "undisturbed")
    ctrl_c(60)
    with pytest.raises(Stopped) as stopped:
        go()
    said = " ".join(str(stopped.value).split())
    assert re.match(r"Stopped after 1 of 3 passes\. The best network so far \(\d\d\.\d % ", said)
    command = said.partition("Or at once: ")[2]
    assert command.startswith("pellucid tour --continue --small --out ")
    assert "--passes 3" in command
    assert load_checkpoint(tmp_path / "kept" / "network")["step"] == 60
    assert read_digits(model(tmp_path / "kept"), undisturbed.images).shape == (257, 10)
    continued, text = go("")
    assert "1 of 3 passes done" in " ".join(text.split())
    assert "Continue it? [Y/n]" in text
    assert passes(text) == [2, 3]
    assert np.array_equal(continued.probabilities, undisturbed.probabilities)
    assert continued.curve == undisturbed.curve
    assert same(tmp_path / "kept", tmp_path / "undisturbed")


@plain
def test_stopped_in_the_first_pass(go: Go, ctrl_c: Callable[[int], None], tmp_path: Path) -> None:
    ctrl_c(7)
    with pytest.raises(Stopped, match="during the first of 3 passes"):
        go()
    assert not (tmp_path / "kept" / NETWORK).exists()
    _, text = go(resume=True)
    assert passes(text) == [1, 2, 3]
    go(folder=tmp_path / "undisturbed")
    assert same(tmp_path / "kept", tmp_path / "undisturbed")


@plain
def test_stopped_when_all_was_done_is_not_stopped(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the last pass is being judged: there is nothing left to stop."""
    before = guide.Watcher.on_epoch

    def on_epoch(self: Any, run: Any) -> None:
        before(self, run)
        if run.epoch == run.epochs:
            run.stop("interrupted")

    monkeypatch.setattr(guide.Watcher, "on_epoch", on_epoch)
    _, text = go()
    assert "What it can do now" in text
    _, text = go(resume=True)
    assert "All 3 passes are done already" in text


@plain
@pytest.mark.parametrize(
    ("answer", "continues"), [("", True), ("y", True), (" YES ", True), ("n", False), ("x", False)]
)
def test_an_unfinished_tour_is_offered(
    go: Go, ctrl_c: Callable[[int], None], answer: str, continues: bool
) -> None:
    ctrl_c(50)
    with pytest.raises(Stopped):
        go()
    _, text = go(answer)
    assert passes(text) == ([2, 3] if continues else [1, 2, 3])
    assert ("Continuing it" in text) == continues


@plain
def test_what_a_finished_tour_offers(go: Go) -> None:
    first, _ = go()
    for answer in ("s", "show"):
        shown, text = go(answer)
        assert "Show what it learned (s), or learn afresh (f)? [s/F]" in text
        assert passes(text) == []
        assert "All 3 passes are done already" in text
        assert np.array_equal(shown.probabilities, first.probabilities)
    for answer in ("", "f"):
        _, text = go(answer)
        assert passes(text) == [1, 2, 3]
        assert "Learning afresh" in text


@plain
def test_in_chinese_one_answers_in_chinese(go: Go, ctrl_c: Callable[[int], None]) -> None:
    ctrl_c(50)
    with pytest.raises(Stopped, match="停下了：3 遍中完成了 1 遍"):
        go(language="zh-CN")
    _, text = go("好", language="zh-CN")
    assert "接着走吗？[Y/n]" in text
    assert "接着走；要从头来请用 --fresh。" in text
    _, text = go("看", language="zh-CN")
    assert "3 遍都已学完" in text


@plain
def test_with_nobody_to_ask_the_sensible_is_done(go: Go, ctrl_c: Callable[[int], None]) -> None:
    ctrl_c(50)
    with pytest.raises(Stopped):
        go()
    _, text = go()
    assert passes(text) == [2, 3]
    _, text = go()
    assert passes(text) == [1, 2, 3]
    assert "--continue shows what it had learned" in text


@plain
def test_a_closed_input_and_ctrl_c_at_the_question(go: Go) -> None:
    go()
    _, text = go(EOFError)
    assert passes(text) == [1, 2, 3]
    with pytest.raises(KeyboardInterrupt) as pressed:
        go(KeyboardInterrupt)
    assert not isinstance(pressed.value, Stopped)  # there was nothing to keep yet


@plain
def test_told_to_continue_or_not_nobody_is_asked(go: Go, tmp_path: Path) -> None:
    go()
    _, text = go(AssertionError, resume=False)
    assert passes(text) == [1, 2, 3]
    _, text = go(AssertionError, resume=True)
    assert passes(text) == []
    # the file of the best weights is made again, should somebody have lost it
    (tmp_path / "kept" / NETWORK).unlink()
    result, _ = go(resume=True)
    assert np.array_equal(
        read_digits(model(tmp_path / "kept"), result.images), result.probabilities
    )


@plain
@pytest.mark.parametrize("other", [{"passes": 2}, {"seed": 2}], ids=str)
def test_another_tour_in_the_folder(go: Go, other: dict[str, int]) -> None:
    go()
    _, text = go(AssertionError, **other)
    assert "other data or with other settings" in " ".join(text.split())
    assert 1 in passes(text)
    with pytest.raises(ArgumentError, match="other data or settings"):
        go(resume=True)


@plain
@pytest.mark.parametrize(
    "damage",
    [lambda c: c[:5000], lambda c: b"", lambda c: b"x" + c],
    ids=["cut", "empty", "spoilt"],
)
def test_a_damaged_checkpoint(go: Go, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    go()
    file = tmp_path / "kept" / "network.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ArgumentError, match="its checkpoint is damaged"):
        go(resume=True)
    _, text = go(AssertionError)
    assert "cannot be read: it is damaged" in " ".join(text.split())
    assert passes(text) == [1, 2, 3]


def test_nothing_to_continue(go: Go) -> None:
    with pytest.raises(ArgumentError, match=r"There is no tour in\s.*\sto\s+continue"):
        go(resume=True)


def test_a_folder_that_cannot_be_made(go: Go, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match=r"cannot be made .*\n.*--out"):
        go(folder=tmp_path / "file")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(go: Go, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(ArgumentError, match=r"cannot be written to.\n.*--out"):
        go(folder=tmp_path / "locked")


def test_how_to_make_the_command_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "my env"))
    assert activation() is None  # no virtual environment
    script = tmp_path / "my env" / "bin" / "activate"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.chdir(tmp_path)
    assert activation() == "source 'my env/bin/activate'"
    monkeypatch.chdir("/")
    monkeypatch.setattr("pathlib.Path.cwd", lambda: Path("/elsewhere"))
    assert activation() == f"source '{script}'"
    command = tmp_path / "pellucid"
    command.touch(mode=0o755)
    assert activation() is None
