"""`pellucid list`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

from pellucid.book import all_experiments


def test_all_experiments_by_chapter(pellucid: Any) -> None:
    shown = pellucid("list")
    assert shown.exit_code == 0
    at = [shown.stdout.index(f"  {e.span}") for e in all_experiments()]
    assert at == sorted(at)
    assert "chapter 6  The first deep network: backpropagation" in shown.stdout
    assert "pellucid run" in shown.stdout


def test_some_chapters_and_sections(pellucid: Any) -> None:
    shown = pellucid("list", "6", "4.24").stdout
    assert "6.20–6.24" in shown
    assert "4.24–4.25" in shown
    assert "chapter 8" not in shown
    assert "4.9" not in shown


def test_in_chinese(pellucid: Any) -> None:
    shown = pellucid("list", "6", "--lang", "zh").stdout
    assert "第 6 章  第一个深度网络：反向传播" in shown
    assert "它的设置：  pellucid run" in shown


def test_for_machines(pellucid: Any) -> None:
    (found,) = json.loads(pellucid("list", "6.20", "--json").stdout)
    assert found["id"] == "6.20"
    assert found["chapter"] == 6
    assert found["title"] == "The first deep network"
    assert found["settings"][0]["name"] == "lr"
    assert found["settings"][0]["default"] == 0.2
    assert "error after pass 10" in found["figures"]
    assert len(json.loads(pellucid("list", "--json").stdout)) == len(all_experiments())


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_80_columns(pellucid: Any, language: str) -> None:
    lines = pellucid("list", "--lang", language).stdout.splitlines()
    assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("99",), 1, "chapter 99 has no experiments"),
        (("soup",), 1, "'soup' is no section of the book; sections look like 6.20"),
        (("6", "--lang", "fr"), 2, "'fr' is not spoken here; there are en, zh-CN"),
    ],
)
def test_mistakes(pellucid: Any, words: tuple[str, ...], status: int, said: str) -> None:
    failed = pellucid("list", *words)
    assert failed.exit_code == status
    assert said in failed.stderr
    assert failed.stdout == ""


def test_an_unknown_language_in_the_environment(
    pellucid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PELLUCID_LANG", "fr")
    failed = pellucid("list")
    assert failed.exit_code == 2
    assert "'fr' is not spoken here" in failed.stderr
