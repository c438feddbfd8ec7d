"""`pellucid check`: published, ours, verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

from pellucid import book
from pellucid.book import Verdict


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """Verdicts to be shown in place of computed ones; the computing is tested with the book."""
    given: list[Verdict] = []

    def check(ids: Any, jobs: int, *, quick: bool = False, on_verdict: Any = None) -> list[Verdict]:
        for verdict in given:
            if on_verdict is not None:
                on_verdict(verdict)
        return given

    monkeypatch.setattr(book, "check", check)
    return given


def figure(met: bool | None, name: str = "error after pass 10") -> dict[str, Any]:
    return {"name": name, "how": "seed 1", "published": 0.5, "ours": 0.25, "met": met}


def test_published_ours_verdict(pellucid: Any) -> None:
    shown = pellucid("check", "6.20", "6.5")
    assert shown.exit_code == 0
    assert shown.stdout.count("✓ error after pass") == 6
    (line,) = [line for line in shown.stdout.splitlines() if "error after pass 10" in line]
    assert line.count("0.6342311598444467") == 2
    assert "7 published figures met in 2 experiments, none missed." in shown.stdout
    assert "computed twice, by the framework and by hand: the same" in shown.stdout
    assert "✗" not in shown.stdout


def test_for_machines(pellucid: Any) -> None:
    shown = pellucid("check", "6.20", "--json")
    assert shown.exit_code == 0
    told = json.loads(shown.stdout)
    assert told["ok"] is True
    assert (told["met"], told["missed"], told["not compared"]) == (6, 0, 0)
    (experiment,) = told["experiments"]
    assert experiment["id"] == "6.20"
    assert experiment["status"] == "met"
    assert experiment["figures"][0] == {
        "name": "error after pass 10",
        "how": "",
        "published": 0.6342311598444467,
        "ours": pytest.approx(0.6342311598444467, rel=1e-9),
        "met": True,
    }


def test_stand_in_data_are_said_and_not_failed(pellucid: Any) -> None:
    pytest.importorskip("sklearn")
    shown = pellucid("check", "9.4")
    assert shown.exit_code == 0
    said = " ".join(shown.stdout.split())
    assert "MNIST is not here; scikit-learn's digits of 8 by 8 used instead" in said
    assert "Not compared, for want of the real data: 9.4–9.5." in said
    assert "pellucid data list" in said


def test_a_quick_check_leaves_the_slow_out(pellucid: Any) -> None:
    shown = pellucid("check", "8.1", "9.9", "--quick")
    assert shown.exit_code == 0
    assert "Left out, being slow: 8.1–8.2, 9.9." in shown.stdout


def test_what_is_missed_is_the_exit_status(pellucid: Any, verdicts: list[Verdict]) -> None:
    verdicts.append(Verdict("6.20", "6.20–6.24", "missed", [figure(True), figure(False)]))
    shown = pellucid("check")
    assert shown.exit_code == 1
    assert "✗ error after pass 10" in shown.stdout
    assert "1 missed, 1 published figures met, in 1 experiments." in shown.stdout
    told = pellucid("check", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["missed"] == 1
    assert json.loads(told.stdout)["ok"] is False


def test_two_ways_that_differ_are_missed(pellucid: Any, verdicts: list[Verdict]) -> None:
    differ = [{"name": "error of every pass", "difference": 0.25, "ok": False}]
    verdicts.append(Verdict("6.20", "6.20–6.24", "missed", [], differ))
    shown = pellucid("check")
    assert shown.exit_code == 1
    assert "✗ error of every pass" in shown.stdout
    assert "NOT the same   " in shown.stdout
    assert "0.2" in shown.stdout


def test_an_experiment_that_stops_is_missed(pellucid: Any, verdicts: list[Verdict]) -> None:
    verdicts.append(Verdict("6.20", "6.20–6.24", "failed", note="KeyError: 'weights'"))
    shown = pellucid("check")
    assert shown.exit_code == 1
    assert "KeyError: 'weights'" in shown.stdout
    assert "1 missed" in shown.stdout


def test_a_missing_extra_is_named_and_not_missed(pellucid: Any, verdicts: list[Verdict]) -> None:
    note = "secure aggregation needs an optional part: pip install 'pellucid[federated]'"
    verdicts.append(Verdict("15.6", "15.6", "skipped", note=note, lacks="federated"))
    shown = pellucid("check")
    assert shown.exit_code == 0
    assert "pellucid[federated]" in shown.stdout
    assert "being slow" not in shown.stdout


def test_in_chinese(pellucid: Any, verdicts: list[Verdict]) -> None:
    replaced = {"what": "MNIST", "instead": "scikit-learn's digits of 8 by 8"}
    verdicts += [
        Verdict("6.20", "6.20–6.24", "met", [figure(True)], [{"name": "x", "ok": True}]),
        Verdict("8.1", "8.1–8.2", "skipped", [figure(None)], replaced=replaced),
        Verdict("8.6", "8.6", "skipped", note="slow; left out of a quick check"),
    ]
    shown = pellucid("check", "--lang", "zh").stdout
    assert "第 10 遍后的误差" in shown
    assert "1 项用框架和手写代码各算一遍：结果一致" in shown
    assert "这里没有 MNIST，改用 scikit-learn 自带的 8 × 8 手写数字" in shown
    assert "1 个实验，1 个公布的数字全部一致。" in shown
    assert "没有真实数据，未比较：8.1–8.2。" in shown
    assert "较慢，略过：8.6。" in shown


def test_80_columns(pellucid: Any, verdicts: list[Verdict]) -> None:
    long = figure(False, "a name that is far too long for the column where it has to stand")
    verdicts.append(Verdict("6.20", "6.20–6.24", "missed", [long], note="why " * 40))
    for language in ("en", "zh-CN"):
        lines = pellucid("check", "--lang", language).stdout.splitlines()
        assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("99",), 1, "chapter 99 has no experiments"),
        (("6.99",), 1, "there is no experiment 6.99; chapter 6 has: "),
        (("6.20", "--jobs", "0"), 2, "--jobs"),
        (("--quik",), 2, "--quick"),
    ],
)
def test_mistakes(pellucid: Any, words: tuple[str, ...], status: int, said: str) -> None:
    failed = pellucid("check", *words)
    assert failed.exit_code == status
    assert said in failed.stderr
    assert failed.stdout == ""
