"""The record of a tour: an SVG picture that looks the same whatever fonts there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len
from rich.text import Text

from pellucid.errors import ArgumentError
from pellucid.tour.recording import CELL, record

Go = Callable[..., Any]


def parts(path: Path) -> list[tuple[str, dict[str, str], str]]:
    """Texts and rectangles: (kind, attributes, what is written)."""
    tree = ElementTree.parse(path)
    return [
        (kind, element.attrib, "".join(element.itertext()))
        for element in tree.iter()
        if (kind := element.tag.rpartition("}")[2]) in ("text", "rect")
    ]


def drawn(path: Path, *left: Text) -> list[tuple[str, dict[str, str], str]]:
    record(path, list(left), [Text("beside")])
    return [p for p in parts(path) if "-r" in p[1].get("class", "")]


def test_both_columns_stand_side_by_side(tmp_path: Path) -> None:
    texts = drawn(tmp_path / "deep" / "r.svg", Text("here"))
    place = {text.strip("\u00a0"): float(a["x"]) for kind, a, text in texts if kind == "text"}
    heights = {a["y"] for kind, a, text in texts if text.strip("\u00a0")}
    assert place["beside"] - place["here"] == pytest.approx(84 * CELL, abs=0.1)
    assert len(heights) == 1


def test_pixels_are_rectangles(tmp_path: Path) -> None:
    pixels = [p for p in drawn(tmp_path / "r.svg", Text("▀▀▀", "red on blue")) if p[0] == "rect"]
    assert [float(a["width"]) for _, a, _ in pixels] == [pytest.approx(3 * CELL)]
    assert "▀" not in (tmp_path / "r.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("bar", "eighths"), [("█", 8), ("██▌", 20), ("▏   ", 1)])
def test_bars_are_rectangles_of_their_length(tmp_path: Path, bar: str, eighths: int) -> None:
    bars = [p for p in drawn(tmp_path / "r.svg", Text(bar, "cyan on grey23")) if p[0] == "rect"]
    assert [float(a["width"]) for _, a, _ in bars] == [pytest.approx(eighths / 8 * CELL)]


def test_wide_characters_get_their_room(tmp_path: Path) -> None:
    texts = [p for p in drawn(tmp_path / "r.svg", Text("学了 5 秒<&>", "bold")) if p[0] == "text"]
    assert "".join(t for _, _, t in texts).replace("\u00a0", "").startswith("学了5秒<&>")
    for _, attributes, text in texts:
        assert float(attributes["textLength"]) == pytest.approx(cell_len(text) * CELL)
        assert len({cell_len(character) for character in text}) == 1


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_recorded_tour(
    go: Go, tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("docs") / "tour.svg"
    result, text = go(language=language, folder=Path("kept"), record=path)
    assert str(path) in text
    svg = path.read_text(encoding="utf-8")
    assert "@font-face" not in svg
    assert "url(http" not in svg
    assert str(tmp_path) not in svg
    assert len(svg) < 300_000
    said = "".join(text for _, _, text in parts(path)).replace("\u00a0", "")
    assert f"{100 * result.accuracy:.1f}%" in said
    assert "pellucidrun6.20--explain" in said
    assert "kept/network.best.safetensors" in said
    rights = sum(kind == "rect" for kind, _, _ in parts(path))
    assert rights > 500  # the digits


def test_only_svg_and_it_is_said_before_anything_is_learned(go: Go, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"end its name in \.svg"):
        go(record=tmp_path / "tour.png")
    assert not (tmp_path / "kept").exists()


@pytest.mark.usefixtures("plain")
def test_a_place_that_cannot_be_written_to(go: Go, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="cannot be written to"):
        go(record=tmp_path / "file" / "tour.svg", passes=1)
