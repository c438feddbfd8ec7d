"""Pictures as files: the right kind, with the right words in them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from pellucid.errors import ArgumentError, MissingExtraError
from pellucid.explain import picture

drawn = pytest.mark.skipif(not picture.available(), reason="matplotlib is not installed")


def sample() -> picture.Report:
    rng = np.random.default_rng(0)
    return picture.Report(
        title="read: 97.9 %",
        images=rng.random((12, 8, 8)),
        truth=[3] * 12,
        predicted=[3] * 10 + [5, 8],
        probabilities=[0.91] * 9 + [0.9999] + [0.91] * 2,
        curve={"training": ([0, 1, 2], [2.0, 1.0, 0.5]), "validation": ([1, 2], [1.2, 0.6])},
        confusion=np.array([[41, 2], [0, 57]]),
    )


def words(path: Path) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.parse(path).iter() if e.tag.endswith("text")]


@drawn
def test_a_report_tells_what_happened(tmp_path: Path) -> None:
    found = words(picture.report(tmp_path / "deep" / "report.svg", sample()))
    assert "read: 97.9 %" in found
    assert found.count("3  91 %") == 9
    assert "3  > 99 %" in found  # not 100
    assert "5, not 3" in found
    assert found.count("91 %") == 2
    assert {"41", "2", "57"} <= set(found)
    assert {"training", "validation", "written", "read"} <= set(found)


@drawn
def test_a_report_as_png(tmp_path: Path) -> None:
    data = picture.report(tmp_path / "report.png", sample()).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data) > 10_000


@drawn
def test_every_word_is_set_in_the_font_that_was_chosen(tmp_path: Path) -> None:
    """One that is on every machine with matplotlib, so that the test needs no Chinese font."""
    what = replace(sample(), font="STIXGeneral")
    path = picture.report(tmp_path / "report.svg", what)
    texts = [e for e in ElementTree.parse(path).iter() if e.tag.endswith("text")]
    assert len(texts) > 20
    assert all("STIXGeneral" in e.attrib["style"] for e in texts)


@drawn
def test_curves_with_their_names(tmp_path: Path) -> None:
    series = {"with dropout": [3.0, 2.0], "without": [3.0, 1.0, 0.5]}
    found = words(picture.curves(tmp_path / "c.svg", series, title="errors", across="pass"))
    assert {"with dropout", "without", "errors", "pass"} <= set(found)


@drawn
def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no numbers over time"):
        picture.curves(tmp_path / "c.png", {"error": []})


@pytest.mark.parametrize("name", ["curve", "curve.jpeg", "curve.txt"])
def test_an_ending_that_is_no_picture(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"\.png, \.svg or \.pdf"):
        picture.check_ending(name)


def test_without_matplotlib_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "matplotlib" else real(n, *a)
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[book\]'"):
        picture.curves(tmp_path / "c.png", {"error": [1.0]})
    assert list(tmp_path.iterdir()) == []
