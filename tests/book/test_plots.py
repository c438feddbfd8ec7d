"""A result as a picture file."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.book import Result, find, plots
from pellucid.errors import ArgumentError, MissingExtraError

pytest.importorskip("matplotlib")


@pytest.fixture
def result() -> Result:
    made = Result()
    made.plot("error of each pass", {"error": [3.0, 2.0, 1.0]}, x="pass", y="error", log=True)
    made.plot("way", {"a": ([0, 1], [1, 2]), "b": ([0, 1], [2, 1])}, points=True)
    made.picture("weights", {str(n): np.eye(4) - 0.5 for n in range(7)}, signed=True)
    made.picture("one digit", {"a 3": np.zeros((4, 4))})
    made.table("left out", ("step",), [(1,)])
    return made


def words_of(path: Path) -> str:
    return "\n".join(ElementTree.parse(path).getroot().itertext())


@pytest.mark.parametrize(
    ("ending", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_kinds_of_pictures(result: Result, tmp_path: Path, ending: str, begins: bytes) -> None:
    path = tmp_path / "a folder" / f"picture{ending}"
    assert plots.save(find("6.20"), result, str(path)) == path
    assert path.read_bytes().startswith(begins)


def test_titles_labels_and_captions(result: Result, tmp_path: Path) -> None:
    words = words_of(plots.save(find("6.20"), result, tmp_path / "picture.svg"))
    for wanted in ("6.20–6.24  The first deep network", "error of each pass", "way", "weights"):
        assert wanted in words
    assert "a 3" in words
    assert "left out" not in words


@pytest.mark.parametrize("font", [None, "DejaVu Sans"])
def test_chinese_where_there_is_a_font(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, font: Any
) -> None:
    monkeypatch.setattr(plots, "chinese_font", lambda: font)
    if font is None:
        path = plots.save(find("6.20"), result, tmp_path / "picture.svg", language="zh-CN")
        assert "The first deep network" in words_of(path)
    else:  # a font that has no Chinese: matplotlib says so for each sign
        with pytest.warns(UserWarning, match="missing from font"):
            path = plots.save(find("6.20"), result, tmp_path / "picture.svg", language="zh-CN")
        assert "第一个深度网络" in words_of(path)


def test_the_callers_settings_are_left_alone(result: Result, tmp_path: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.save(find("6.20"), result, tmp_path / "picture.png")
    assert dict(matplotlib.rcParams) == before


def test_every_quick_experiment_with_something_to_draw(tmp_path: Path) -> None:
    e = find("6.20")
    path = plots.save(e, e.run(), tmp_path / "picture.svg")
    assert "error of each pass" in words_of(path)


def test_mistakes(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    e = find("6.20")
    with pytest.raises(ArgumentError, match=r"end its name in \.png, \.svg or \.pdf"):
        plots.save(e, result, tmp_path / "picture.jpg")
    with pytest.raises(ArgumentError, match=r"experiment 6\.20–6\.24 has .* nothing to draw"):
        plots.save(e, Result(), tmp_path / "picture.png")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArgumentError, match="cannot be written to"):
        plots.save(e, result, tmp_path / "file" / "picture.png")
    monkeypatch.setattr(plots, "available", lambda: False)
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[book\]'"):
        plots.save(e, result, tmp_path / "picture.png")
