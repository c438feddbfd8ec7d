"""`pellucid errata`: the mistakes of the published runs, as published and corrected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

from pellucid.book import find


def test_all_of_them(pellucid: Any) -> None:
    shown = pellucid("errata").stdout
    for span in ("8.1–8.2", "8.7–8.10", "8.11", "9.9", "13.20", "14.1–14.4", "14.10–14.11"):
        assert f"\n{span}  " in shown
    assert "Not run here yet. To see both: pellucid run 13.20" in shown


def test_figures_appear_when_it_was_run_and_not_before(pellucid: Any) -> None:
    def row() -> list[str]:
        lines = pellucid("errata", "13.20").stdout.splitlines()
        return next(line.split() for line in lines if "loss of step 10 " in line)

    assert len(row()) == 5  # name and published figure
    pellucid("run", "13.20", "--lr", "0.3")
    assert len(row()) == 5
    pellucid("run", "13.20")
    *_, published, ours, corrected = row()
    assert published == ours != corrected
    numbers = find("13.20").run().numbers
    assert corrected == f"{numbers['loss of step 10, corrected']:.6g}"


def test_chapters_and_sections_can_be_named(pellucid: Any) -> None:
    told = json.loads(pellucid("errata", "8", "13.20", "--json").stdout)
    assert [e["id"] for e in told] == ["8.1", "8.7", "8.11", "13.20"]
    assert json.loads(pellucid("errata", "6", "--json").stdout) == []
    assert pellucid("errata", "6.99").exit_code == 1


def test_for_machines(pellucid: Any) -> None:
    pellucid("run", "13.20")
    (told,) = json.loads(pellucid("errata", "13.20", "--json").stdout)
    assert told["run"] == "13.20-1"
    assert told["comparable"]
    assert told["mistake"].startswith("The mean loss over the rows")
    figure = next(f for f in told["figures"] if f["name"] == "loss of step 10")
    assert figure["published"] == pytest.approx(figure["ours"], rel=1e-12)
    assert figure["corrected"] > 2 * figure["ours"]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_80_columns(pellucid: Any, language: str) -> None:
    pellucid("run", "13.20")
    shown = pellucid("errata", "--lang", language).stdout
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert ("自己的框架" in shown or "交叉熵" in shown) == (language == "zh-CN")


def test_stand_ins_are_said_to_be_stand_ins(pellucid: Any) -> None:
    from pellucid.book import records

    e = find("13.20")
    result = e.run()
    result.stand_in("MNIST", "something else")
    records.write(e, result)
    assert "Stand-in data were used here" in pellucid("errata", "13.20").stdout
