"""`pellucid run`: one experiment, its settings as options."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from pellucid.book import all_experiments, find
from pellucid.cli import app, common, run
from pellucid.explain import picture

FIXED = {"explain", "watch", "plot", "fresh", "lang", "as_json", "json", "help", "alpha"}


def test_it_shows_the_experiment_and_its_figures(pellucid: Any) -> None:
    shown = pellucid("run", "6.20")
    assert shown.exit_code == 0
    assert "6.20–6.24  The first deep network" in shown.stdout
    assert shown.stdout.count("0.6342311598444467") == 2  # published, and ours
    assert "met" in shown.stdout
    assert "layer_1_delta =" not in shown.stdout


def test_a_section_inside_a_span_finds_its_experiment(pellucid: Any) -> None:
    assert "6.20–6.24" in pellucid("run", "6.22").stdout


def test_explain_tells_steps_in_full(pellucid: Any) -> None:
    shown = pellucid("run", "6.20", "--explain").stdout
    assert shown.count("layer_2_delta = layer_2 - walk") == 3
    assert "-0.608057" in shown
    assert pellucid("run", "6.20", "--watch", "1").stdout.count("layer_2_delta = ") == 1
    assert at_zero(pellucid("run", "6.20", "--watch", "0").stdout)


def at_zero(shown: str) -> bool:
    return "layer_2_delta = " not in shown


@pytest.mark.parametrize("option", ["--lr", "--alpha"])
def test_settings_by_their_name_and_by_the_books(pellucid: Any, option: str) -> None:
    told = json.loads(pellucid("run", "6.20", option, "0.5", "--hidden=3", "--json").stdout)
    assert told["parameters"] == {"lr": 0.5, "passes": 60, "hidden": 3, "seed": 1}
    assert told["incomparable"] == "lr, hidden other than published"
    assert [f["met"] for f in told["figures"]] == [None] * 6


def test_for_machines(pellucid: Any) -> None:
    told = json.loads(pellucid("run", "6.20", "--json").stdout)
    assert told["id"] == "6.20"
    assert [f["met"] for f in told["figures"]] == [True] * 6
    assert told["figures"][0]["ours"] == told["numbers"]["error after pass 10"]
    assert told["agreements"][0]["ok"]


def test_every_experiment_has_help(pellucid: Any) -> None:
    for e in all_experiments():
        shown = pellucid("run", e.id, "--help")
        assert shown.exit_code == 0
        assert f"Usage: pellucid run {e.id} [OPTIONS]" in shown.stdout
        assert max(map(cell_len, shown.stdout.splitlines())) <= 80
        for p in e.parameters:
            assert f"--{p.name.replace('_', '-')}" in shown.stdout
            assert p.help.split()[0] in shown.stdout
            assert p.name not in FIXED
    assert "[default: 0.2]" in pellucid("run", "6.20", "-h").stdout


def test_help_without_a_section_names_the_common_options(pellucid: Any) -> None:
    for words in ((), ("--help",), ("-h",)):
        shown = pellucid("run", *words)
        assert shown.exit_code == 0
        assert "--explain" in shown.stdout
        assert "pellucid run 4.24 --alpha 0.5" in shown.stdout


def test_help_in_chinese(pellucid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_LANG", "zh")
    assert "第一个深度网络" in pellucid("run", "6.20", "--help").stdout
    monkeypatch.setenv("PELLUCID_LANG", "en")
    for asked in (("--lang", "zh-CN"), ("--lang=zh",)):
        shown = pellucid("run", "6.20", "--help", *asked).stdout
        assert "--lr" in shown
        assert "学习率：每次修正走出多大一部分" in shown


def test_the_words_of_the_examples_in_help_work(pellucid: Any) -> None:
    shown = pellucid("run", "6.20", "--help").stdout
    lines = [line.split() for line in shown.splitlines() if line.startswith("    pellucid run ")]
    assert len(lines) == 3
    for _, *words in lines[:2]:
        assert pellucid(*words).exit_code == 0


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_80_columns(pellucid: Any, language: str) -> None:
    shown = pellucid("run", "6.20", "--explain", "--lang", language).stdout
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert ("第一个深度网络" in shown) == (language == "zh-CN")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("6.20", "--alpa", "0.3"), 2, "--alpha"),
        (("6.20", "--seed", "x"), 2, "--seed"),
        (("6.20", "--lr"), 2, "--lr"),
        (("6.20", "4.24"), 2, "4.24"),
        (("--lr", "0.3"), 2, "Name its section: pellucid run 6.20"),
        (("6.20", "--watch", "-1"), 2, "--watch"),
        (("6.20", "--lang", "fr"), 2, "'fr' is not spoken here; there are en, zh-CN"),
        (("6.20", "--lr", "nan"), 1, "lr of experiment 6.20–6.24 must be a finite number"),
        (("6.20", "--hidden", "-3"), 1, "hidden of experiment 6.20–6.24 must be at least 1"),
        (("6.20", "--seed", "5000000000"), 1, "must be at most 4294967295"),
        (("6.20", "--hidden", "999999999999"), 1, "needs more memory than there is"),
        (("6.99",), 1, "there is no experiment 6.99; chapter 6 has: 6.1–6.4"),
        (("6",), 1, "chapter 6 has: 6.1–6.4"),
        (("soup",), 1, "sections look like 6.20"),
        (("6.20", "--plot", "a.jpg"), 1, "end its name in .png, .svg or .pdf"),
        (("6.1", "--plot", "a.png"), 1, "nothing to draw"),
    ],
)
def test_mistakes(pellucid: Any, words: tuple[str, ...], status: int, said: str) -> None:
    failed = pellucid("run", *words)
    assert failed.exit_code == status
    assert said in failed.stderr
    assert failed.stdout == ""


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_plot(pellucid: Any, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "new" / f"picture{ending}"
    shown = pellucid("run", "6.20", "--plot", str(file))
    assert shown.exit_code == 0
    assert file.stat().st_size > 1000
    assert str(file) in shown.stdout.replace("\n", "")


def test_plot_where_nothing_can_be_written(pellucid: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("in the way")
    failed = pellucid("run", "6.20", "--plot", str(tmp_path / "file" / "a.png"))
    assert failed.exit_code == 1
    assert "cannot be written to" in failed.stderr


def test_plot_without_matplotlib_is_told_before_the_run(
    pellucid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "available", lambda: False)
    monkeypatch.setattr(find("6.20"), "run", lambda **_: pytest.fail("it ran"))
    failed = pellucid("run", "6.20", "--plot", "a.png")
    assert failed.exit_code == 1
    assert "pip install 'pellucid[book]'" in failed.stderr


# ------------------------------------------------------------------------- words of a command line


@given(st.lists(st.text(max_size=8), max_size=6))
def test_splitting_loses_no_word(words: list[str]) -> None:
    section, rest = run.split(words)
    assert sorted(rest if section is None else [*rest, section]) == sorted(words)


ODD = "6.20 --lr --alpha --seed --hidden --explain --json --watch --lang zh -- - -h --no --lr= -1"
WORDS = st.one_of(st.sampled_from(ODD.split()), st.text(st.characters(codec="utf-8"), max_size=6))


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=5))
def test_whatever_is_written_is_answered_calmly(words: list[str]) -> None:
    """Help, a result or a message; never a traceback."""
    done = CliRunner().invoke(app, ["run", "6.20", "--passes", "1", *words])
    assert done.exit_code in (0, 1, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert bool(done.stderr) == (done.exit_code != 0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_settings_of_any_experiment_are_answered_calmly(data: st.DataObject) -> None:
    e = data.draw(st.sampled_from([e for e in all_experiments() if e.parameters and not e.slow]))
    p = data.draw(st.sampled_from(e.parameters))
    small = st.floats(-3, 3) if p.type is float else st.integers(-2, 12)
    value = data.draw(st.text("0123456789,. -ax", max_size=6) if p.type is str else small)
    done = CliRunner().invoke(app, ["run", e.id, f"--{p.name.replace('_', '-')}={value}"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in (0, 1, 2)
    assert bool(done.stderr) == (done.exit_code != 0)


# --------------------------------------------------------------------------------------- progress


def test_a_bar_on_a_terminal_and_nothing_elsewhere() -> None:
    for terminal in (True, False):
        written = io.StringIO()
        console = Console(file=written, force_terminal=terminal, width=80)
        with common.Bar("6.20", console, pause=0) as bar:
            for done in range(1, 11):
                bar(done, 10)
        assert ("6.20" in written.getvalue() and "10/10" in written.getvalue()) == terminal


def test_what_is_over_soon_needs_no_bar() -> None:
    written = io.StringIO()
    with common.Bar("6.20", Console(file=written, force_terminal=True)) as bar:
        bar(1, 2)
        bar(2, 2)
    assert written.getvalue() == ""
