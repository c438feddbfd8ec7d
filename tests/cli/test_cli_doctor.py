"""`pellucid doctor` and `pellucid bench`, as commands; what they find is tested elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from pellucid import doctor


def test_it_ends_with_a_verdict(pellucid: Any) -> None:
    shown = pellucid("doctor")
    assert shown.exit_code == 0
    for topic in ("Python", "NumPy", "BLAS", "Threads", "Memory", "Optional", "Data", "Terminal"):
        assert f" {topic} " in shown.stdout
    assert shown.stdout.strip().splitlines()[-1].startswith("Everything Pellucid needs is here")
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80


def test_in_chinese(pellucid: Any) -> None:
    shown = pellucid("doctor", "--lang", "zh-CN").stdout
    for topic in ("线程", "内存", "内核", "可选", "数据", "终端"):
        assert f" {topic} " in shown
    assert shown.strip().splitlines()[-1].startswith("Pellucid 需要的都有了")
    assert not re.search(r"\b(here|not|with|cores|memory|compiled)\b", shown)
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_for_machines(pellucid: Any) -> None:
    told = json.loads(pellucid("doctor", "--json").stdout)
    assert told["well"] is True
    assert told["numpy"] == np.__version__
    assert told["data"]["mnist"] is None
    assert {"topic", "what", "state", "hint"} == set(told["findings"][0])


def test_what_is_needed_and_not_here_is_the_exit_status(
    pellucid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, "__version__", "1.26.4")
    failed = pellucid("doctor")
    assert failed.exit_code == 1
    assert "✗ NumPy" in failed.stdout
    assert "pip install 'numpy>=2'" in failed.stdout


def test_a_check_more_is_a_line_more(pellucid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    note = [doctor.Finding("Weather", "it rains", "note", "take an umbrella")]
    monkeypatch.setattr(doctor, "CHECKS", [lambda facts: iter(note)])
    shown = pellucid("doctor").stdout
    assert "! Weather   it rains" in shown
    assert "take an umbrella" in shown
    assert "1 note above could make it better" in shown
