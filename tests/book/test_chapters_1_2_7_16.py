"""Chapters 1, 2, 7 and 16: a digit of the reader's, ways to learn, drawings, exports."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn
from pellucid.book import Result, chapter01, chapter02, chapter07, find
from pellucid.book.drawn import as_known, read_drawing
from pellucid.errors import ArgumentError, MissingExtraError

ONE = "....#....\n...##....\n....#....\n....#....\n....#....\n....#....\n...###...\n"


def run(id: str, **settings: Any) -> Result:
    return find(id).run(**settings)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# ---------------------------------------------------------------------------------------- chapter 1


def test_a_network_reads_digits() -> None:
    result = run("1.1")
    assert result.numbers["read right, in percent"] > 88
    assert result.agrees
    captions = [caption for caption, _ in result.pictures[0].images]
    table = result.tables[0].rows
    assert captions == [f"{row[0]}: {row[1]}" for row in table]
    wrong = [row for row in table if row[1] != row[4]]
    assert 1 <= len(wrong) <= 2
    assert "learned" in [getattr(e, "key", "") for e in result.exhibits]


def test_the_network_of_the_tour_is_taken_where_it_fits() -> None:
    pellucid.manual_seed(1)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    chapter01.TOUR.parent.mkdir(parents=True)
    pellucid.save_model(model, chapter01.TOUR)
    result = run("1.1")
    assert "tour" in [getattr(e, "key", "") for e in result.exhibits]
    assert result.numbers["read right, in percent"] < 40  # it never learned anything
    assert chapter01.from_the_tour(784) is None
    chapter01.TOUR.write_text("broken")
    assert chapter01.from_the_tour(64) is None


def test_a_digit_of_the_reader(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(ONE)
    result = run("1.1", draw="one.txt")
    yours = next(p for p in result.pictures if p.title == "your digit")
    assert [caption for caption, _ in yours.images] == ["as you drew it", "as the network gets it"]
    assert yours.images[1][1].shape == (8, 8)
    assert result.numbers["your digit"] in range(10)
    likely = next(t for t in result.tables if t.title == "what it reads in yours").rows
    assert likely[0][0] == result.numbers["your digit"]
    assert likely[0][1] >= likely[1][1] >= likely[2][1]


def ring(side: int) -> Any:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    gap = np.hypot(x, y)
    return ((gap > 0.25 * side) & (gap < 0.4 * side)).astype(float)


@pytest.mark.parametrize("kind", ["dark on light", "light on dark", "colour", "see-through"])
def test_pngs_of_all_kinds(kind: str, tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    ink = ring(60)
    if kind == "see-through":  # ink where it is opaque
        pixels = np.dstack([0 * ink] * 3 + [ink])
    else:
        grey = ink if kind == "light on dark" else 1 - ink
        pixels = np.dstack([grey, grey, grey])
        if kind == "colour":
            pixels = np.dstack([grey, grey, np.ones_like(grey)])  # blue on white
    image.imsave(tmp_path / "ring.png", pixels)
    drawn = read_drawing(tmp_path / "ring.png")
    assert drawn.shape == (60, 60)
    np.testing.assert_array_equal(drawn > 0.3, ink > 0)


def test_a_drawing_as_the_network_knows_it() -> None:
    small = np.zeros((100, 80))
    small[70:90, 5:15] = 1  # low and to the left
    known = as_known(small, 28)
    assert known.max() == 1
    down, across = np.nonzero(known)
    assert (down.min(), down.max()) == (4, 23)  # 20 of 28, in the middle
    assert abs((across.min() + across.max()) / 2 - 13.5) <= 1
    assert as_known(small, 8).shape == (8, 8)
    assert as_known(np.pad([[1.0]], 9), 28).sum() > 0


def test_a_character_is_twice_as_high_as_it_is_wide(tmp_path: Path) -> None:
    (tmp_path / "square.txt").write_text("####\n####\n")
    assert read_drawing(tmp_path / "square.txt").shape == (4, 4)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.txt", None, "there is no file none.txt"),
        ("blank.txt", b"....\n....\n", "is blank"),
        ("empty.txt", b"", "is blank"),
        ("bad.png", b"no picture", "cannot be read as a PNG"),
        ("picture.jpg", b"\xff\xd8\xff\xe0", "is no text, and its name does not end in .png"),
    ],
)
def test_drawings_that_cannot_be_read(
    name: str, content: bytes | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ArgumentError, match=words):
        run("1.1", draw=name)


def test_a_png_without_what_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.png").write_bytes(b"png")
    monkeypatch.setattr("pellucid.book.drawn.available", lambda: False)
    with pytest.raises(MissingExtraError, match="PNG pictures need"):
        read_drawing("one.png")


def test_the_doctor_is_asked() -> None:
    from pellucid.doctor import examine

    result = run("1.5")
    (sheet,) = result.sheets
    for finding in examine().findings:
        assert finding.topic in sheet.text
    assert sum(row[2] for row in result.tables[0].rows) == len(examine().findings)
    assert max(map(len, sheet.text.splitlines())) <= 80


# ---------------------------------------------------------------------------------------- chapter 2


def test_a_hidden_layer_finds_what_one_layer_cannot() -> None:
    result = run("2.1")
    assert result.numbers["cases right, learned, one layer"] == 0
    assert result.numbers["cases right, learned, with a hidden layer"] == 4
    assert result.agrees
    assert result.tables[0].rows[0][1:] == (0, 1, 1, 0, 4)


def test_from_known_to_wanted() -> None:
    result = run("2.3")
    assert result.agrees
    predicted = {row[0]: row[1] for row in result.tables[1].rows}
    line = np.polyfit(chapter02.KNOWN[:, 0], chapter02.WANTED[:, 0], 1)
    for degrees, ice in predicted.items():
        assert ice == pytest.approx(np.polyval(line, degrees), abs=0.06)
    assert result.steps[0].values[0].stage == "predict"


def test_heaps_get_their_names_afterwards() -> None:
    result = run("2.4")
    assert result.numbers["in the heap of their name"] >= 85
    assert {row[-1] for row in result.tables[0].rows} == set(chapter02.FRUIT)
    course = result.plots[0].curves[0].y
    assert all(a >= b - 1e-12 for a, b in pairwise(course))
    assert result.agrees
    for clusters in (1, 2, 5, 500):
        assert run("2.4", clusters=clusters, each=4, rounds=3).agrees


def test_an_empty_heap_keeps_its_middle() -> None:
    points = np.array([[0.0, 0.0], [0.0, 1.0]])
    middles = np.array([[0.0, 0.5], [9.0, 9.0]])
    found, heap, _ = chapter02.k_means(Tensor(points), Tensor(middles), 2)
    assert found.tolist() == middles.tolist()
    assert heap.tolist() == [0, 0]


def test_knobs_stay_and_counts_grow() -> None:
    result = run("2.5")
    knobs = [row[1] for row in result.tables[0].rows]
    counts = [row[3] for row in result.tables[0].rows]
    assert set(knobs) == {7}
    assert counts == sorted(counts)
    assert counts[-1] > 3 * counts[0]
    assert counts[-1] <= 2 * 2**chapter02.LIGHTS
    first, last = result.tables[0].rows[1], result.tables[0].rows[-1]
    assert first[2] > first[4]  # with few examples, knobs do better
    assert last[2] > 95
    assert last[4] > 95
    assert result.agrees
    few, many = result.tables[1].rows
    assert (few[1], few[3]) == (many[1], many[3])
    assert many[2] > few[2]
    assert many[4] > few[4]


def test_a_pattern_never_seen_is_half() -> None:
    table = chapter02.count_patterns(np.array([[0.0, 1.0]] * 3), np.array([1.0, 1.0, 0.0]))
    assert chapter02.share(table, np.array([0.0, 1.0])) == pytest.approx(2 / 3)
    assert chapter02.share(table, np.array([1.0, 1.0])) == 0.5


# ---------------------------------------------------------------------------------------- chapter 7


def test_the_network_drawn_is_the_one_that_learned() -> None:
    result = run("7.1")
    assert result.agrees
    assert result.numbers["prediction"] == pytest.approx(1, abs=0.01)  # 1, 0, 1: people walk
    (sheet,) = result.sheets
    assert sheet.svg.count("<line ") == 16
    lines = {row[0]: row[2] for row in result.tables[0].rows}
    assert lines["784 - 40 - 10"] == 784 * 40 + 40 * 10


@pytest.mark.parametrize("level", [*chapter07.LEVELS, "all"])
def test_one_switch_for_three_levels(level: str) -> None:
    result = run("7.4", level=level, lights="0, 1, 1")
    assert len(result.sheets) == (3 if level == "all" else 1)
    said = f"{result.numbers['prediction']:.3g}"
    assert all(said in sheet.text and said in sheet.svg for sheet in result.sheets)
    assert result.agrees


def test_a_drawing_is_saved(tmp_path: Path) -> None:
    result = run("7.7", svg="net.svg")
    assert (tmp_path / "net.svg").read_text() == result.sheets[0].svg
    assert "h₁ = relu(x W₀ᵀ)" in result.sheets[0].text
    assert "y = h1 @ W2.T" in result.sheets[0].text
    with pytest.raises(ArgumentError, match="level is neurons, layers, letters or all"):
        run("7.4", level="atoms")
    with pytest.raises(ArgumentError, match=r"end its name in \.svg"):
        run("7.1", svg="net.png")
    with pytest.raises(ArgumentError, match="one file holds one drawing"):
        run("7.4", level="all", svg="net.svg")


# --------------------------------------------------------------------------------------- chapter 16


def test_a_network_goes_and_comes_back(tmp_path: Path) -> None:
    result = run("16")
    assert result.agrees
    assert result.numbers["and afterwards"] == 100
    assert result.numbers["same digit before the weights came back"] < 60
    for name, difference in result.numbers.items():
        if name.startswith("largest difference"):
            assert difference < 1e-5
            assert math.isfinite(difference)
    assert [row[0] for row in result.tables[0].rows] == ["NumPy", "PyTorch", "ONNX"]
    assert result.sheets[0].text.startswith("def predict(x):")
    assert "layer_1 = np.maximum(layer_0, 0)" in result.sheets[0].text
    assert list(tmp_path.iterdir()) == []


def test_without_the_other_places_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.io.exporting.onnx_file.find_spec", lambda name: None)
    monkeypatch.setattr(
        "pellucid.io.exporting.door.find_spec", lambda name: name == "numpy" or None
    )
    result = run("16")
    checked = [row[-1] for row in result.tables[0].rows]
    assert checked == ["the same predictions", "not installed here", "not installed here"]
    assert result.agrees
