"""Experiments watched from outside: their curves, what they find, and how often one hears of them."""

from __future__ import annotations

import re

import pytest

from pellucid.book import find
from pellucid.lab import present, worker
from pellucid.lab.codec import encode
from pellucid.lab.contents import CHAPTERS, parts


def watched(id: str, language: str = "en", **settings):
    e, told = find(id), []
    watch = worker.Watch(told.append, worker.labels(e, language), per_second=1e9)
    result = e.run(on_progress=watch, **settings)
    return e, result, told


def test_the_curve_that_was_seen_growing_is_the_one_that_was_found() -> None:
    _, result, told = watched("6.20")
    seen = [value for message in told for value in message["curves"]["error"][1]]
    places = [place for message in told for place in message["curves"]["error"][0]]
    final = result.plots[0].curves[0].y.tolist()
    assert places == list(range(1, len(seen) + 1))
    assert seen == final[: len(seen)]
    assert told[-1]["done"] == told[-1]["total"] == 60


def test_watching_changes_no_number() -> None:
    e, result, _ = watched("6.20")
    assert e.run().numbers == result.numbers
    assert all(c.met for c in e.compare(result))


def test_curves_are_called_as_the_reader_calls_them() -> None:
    _, _, told = watched("6.20", "zh-CN", passes=3)
    assert set(told[-1]["curves"]) == {"误差"}


def test_many_points_at_once_are_thinned_and_the_last_one_is_kept() -> None:
    told = []
    watch = worker.Watch(told.append)
    scope = {"watch": watch, "__name__": "pellucid.book.chapter99"}
    exec(
        "def run():\n    errors = [float(n) for n in range(10_000)]\n"
        "    import sys\n    watch.update(1, 1, sys._getframe())\nrun()",
        scope,
    )
    places, values = told[0]["curves"]["errors"]
    assert len(values) <= worker.MOST_POINTS
    assert (places[-1], values[-1]) == (10_000, 9999.0)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("number", CHAPTERS)
def test_every_chapter_can_be_shown(number: int, language: str) -> None:
    told = present.chapter(number, language)
    assert told["title"]
    assert told["lead"]
    shown = [e["id"] for e in told["experiments"]]
    shown += [part["name"] for kind in ("views", "exercises") for part in told[kind]]
    assert shown == parts()[number]
    for e in told["experiments"]:
        assert e["title"]
        assert e["shows"]
        assert e["source"].count("def ") >= 1
        chinese = [bool(re.search("[\u4e00-\u9fff]", p["help"])) for p in e["parameters"]]
        assert chinese == [language == "zh-CN"] * len(e["parameters"])
    encode(told)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("id", ["2.1", "2.5", "4.6", "6.20", "6.25", "7.4"])
def test_what_was_found_can_be_shown(id: str, language: str) -> None:
    e = find(id)
    told = present.outcome(e, e.run(), language)
    encode({"id": 1, **told})
    assert [f["met"] for f in told["figures"]] == [True] * len(e.figures)
    for exhibit in told["exhibits"]:
        if exhibit["kind"] == "table":
            assert all(len(row) == len(exhibit["headings"]) for row in exhibit["rows"])
