"""Chapters 3 to 5: every figure reached, both ways to it the same, and what turning a knob does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import book
from pellucid.book import chapter04_memory, exercise, report, select
from pellucid.book.result import Note, Result
from pellucid.errors import ArgumentError

ON_DIGITS: dict[str, dict[str, Any]] = {
    "5.7": {"images": 60, "passes": 2},
    "5.9": {"images": 60, "passes": 2},
}
EXPERIMENTS = select(["3", "4", "5"])


def run(id: str, **settings: Any) -> Result:
    return book.find(id).run(**ON_DIGITS.get(id, {}), **settings)


def said(result: Result) -> list[str]:
    return [e.key for e in result.exhibits if isinstance(e, Note)]


# ----------------------------------------------------------------------------- the published figures


def test_every_row_of_the_map_has_its_experiment() -> None:
    assert [e.span for e in EXPERIMENTS] == [
        "3.2", "3.5–3.7", "3.6", "3.8", "3.9–3.10", "3.11", "3.12",
        "4.4–4.5", "4.6–4.8", "4.9", "4.10–4.13", "4.14–4.19", "4.21–4.23", "4.24–4.25", "4.26",
        "5.1–5.3", "5.4", "5.5", "5.6", "5.7–5.8", "5.9",
    ]  # fmt: skip
    assert book.find("3.6").id == "3.6"
    assert book.find("3.7").id == "3.5"


@pytest.mark.parametrize("e", EXPERIMENTS, ids=lambda e: e.id)
def test_every_figure_is_met_and_both_ways_agree(e: book.Experiment) -> None:
    result = run(e.id)
    assert result.agreements
    assert result.agrees, result.agreements
    comparisons = e.compare(result)
    assert all(c.met for c in comparisons), comparisons
    assert result.exhibits


def test_what_was_published() -> None:
    published = {(e.id, f.name): f.published for e in EXPERIMENTS for f in e.figures}
    assert published["4.6", "last prediction"] == 0.7999999999999672
    assert published["4.21", "error at the last step"] == "5.403e+16"
    assert published["5.6", "weights after one step"][2] == [-0.073525, 1.2943775, 0.08962]
    assert len(published) == 27


def test_one_step_is_told_in_full() -> None:
    learning = [e.id for e in EXPERIMENTS if e.chapter in (4, 5)]
    for section in set(learning) - {"4.4"}:
        stages = {v.stage for v in run(section).steps[0].values}
        assert stages == {"predict", "compare", "learn"}, section
    for section in ("3.2", "3.5", "3.8", "3.9", "3.11"):
        assert {v.stage for v in run(section).steps[0].values} == {"predict"}


# ------------------------------------------------------------------------------- turning the knobs


def test_other_numbers_go_in_and_other_predictions_come_out() -> None:
    assert run("3.2", toes=10, weight=0.3).numbers["prediction"] == pytest.approx(3.0)
    assert run("3.5", inputs="1, 2, 3", weights="1, 0, -1").numbers["prediction"] == -2.0
    ours = run("3.9", inputs="0, 0, 1").numbers
    assert [ours[name] for name in ("hurt", "win", "sad")] == pytest.approx([-0.3, 0.0, 0.1])


@pytest.mark.parametrize("text", ["", "1, 2", "1, 2, 3, 4", "1, two, 3", "1, 2, nan", "1; 2; 3"])
def test_lists_of_numbers_that_are_none(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"inputs has to be 3 numbers[\s\S]*--inputs"):
        run("3.5", inputs=text)


def test_dot_products_know_size_and_direction() -> None:
    rows = {row[0]: row[2:] for row in run("3.6").tables[0].rows}
    assert rows["the same numbers"] == (2.25, pytest.approx(1.0))
    assert rows["twice as large"] == (4.5, pytest.approx(1.0))
    assert rows["all signs swapped"] == (-2.25, pytest.approx(-1.0))
    assert rows["the gaps filled, the rest empty"] == (0.0, 0.0)
    assert rows["nothing but zeros"] == (0.0, None)


def test_weights_read_as_logic() -> None:
    truth = {row[0]: [cell.endswith("✓") for cell in row[3:]] for row in run("3.6").tables[1].rows}
    cases = [(a, b) for a in (False, True) for b in (False, True)]
    assert truth["A OR B"] == [a or b for a, b in cases]
    assert truth["A AND B"] == [a and b for a, b in cases]
    assert truth["A AND NOT B"] == [a and not b for a, b in cases]
    assert truth["NOT B"] == [not b for _, b in cases]


def test_large_steps_jump_to_and_fro_for_ever() -> None:
    result = run("4.6")
    large = result.plots[1].curves[1].y
    assert large[-4:] == pytest.approx([0.85, 0.75, 0.85, 0.75])
    assert result.numbers["last error, large steps"] == pytest.approx(0.0025)


def test_the_tangent_has_the_slope_that_tiny_pushes_find() -> None:
    result = run("4.14", weight=2.0, input=0.5, goal=0.8)
    assert result.numbers["slope at the weight"] == pytest.approx(0.2)
    here = next(c for c in result.plots[0].curves if c.label == "here")
    assert np.ptp(np.diff(here.y) / np.diff(here.x)) < 1e-9
    assert (here.y[-1] - here.y[0]) / (here.x[-1] - here.x[0]) == pytest.approx(0.2)
    pushes = [row[2] for row in result.tables[1].rows]
    assert abs(pushes[-1] - 0.2) < abs(pushes[0] - 0.2) / 100


@pytest.mark.parametrize(
    ("lr", "how"),
    [
        (0.1, "arrives"), (0.25, "arrives"), (0.4, "arrives, to and fro"), (0.01, "slow"),
        (0.49, "slow, to and fro"), (0.6, "diverges"), (1000.0, "diverges"),
    ],
)  # fmt: skip
def test_alphas_go_as_they_go(lr: float, how: str) -> None:
    assert run("4.24", lr=lr).tables[0].rows[0][-1] == how


def test_what_leaves_all_numbers_behind_is_still_shown() -> None:
    for section, settings in (("4.21", {"steps": 1000}), ("5.1", {"lr": 1e3, "steps": 300})):
        result = run(section, **settings)
        assert result.agrees
        assert not np.isfinite([*result.numbers.values()][-1])


def test_a_frozen_weight_stays_and_the_others_learn_without_it() -> None:
    before_after = {row[0]: row[1:] for row in run("5.4", steps=30).tables[0].rows}
    assert before_after["toes"] == (0.1, 0.1, "frozen")
    (wins, _), (fans, _) = (
        (after, kind) for _, after, kind in (before_after["wins"], before_after["fans"])
    )
    assert 8.5 * 0.1 + 0.65 * wins + 1.2 * fans == pytest.approx(1.0)
    none = run("5.4", frozen="nobody", lr=0.01).tables[0].rows
    assert all(row[-1] == "learns" and row[1] != row[2] for row in none)


def test_weight_images_have_the_pixels_places_and_untouched_pixels_no_weight() -> None:
    result = run("5.7")
    assert result.incomparable is not None  # without MNIST, small digits stand in
    assert said(result) == ["stand-in"]
    (picture,) = result.pictures
    assert picture.signed
    assert [image.shape for _, image in picture.images] == [(8, 8)] * 10
    assert result.numbers["largest weight of those"] == 0.0
    assert result.numbers["right on images learned from"] > 0.5  # a tenth by chance
    counts = [row[1:3] for row in result.tables[0].rows]
    right = sum(right for _, right in counts) / sum(count for count, _ in counts)
    assert right == pytest.approx(result.numbers["right on new images"])


def test_a_score_is_the_sum_of_what_overlaps() -> None:
    result = run("5.9", image=3)
    rows = result.tables[0].rows
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)
    assert all(up + down == pytest.approx(score) for _, up, down, score in rows)
    overlap = result.pictures[1].images[1][1]
    assert overlap.sum() == pytest.approx(result.numbers["its score"])
    assert result.numbers["read as"] == rows[0][0]


# --------------------------------------------------------------------------------------- 3.12 errors


def test_the_primer_shows_what_the_framework_really_says() -> None:
    shown = {
        e.values["written"]: e.values["message"]
        for e in run("3.12").exhibits
        if isinstance(e, Note) and e.key == "error"
    }
    assert len(shown) == 8
    for written, words in {
        "four + three": ("add", "(4,)", "(3,)", "4 and 3 differ"),
        "wide * tall": ("mul", "(2, 4)", "(4, 3)", "2 and 4 differ"),
        "wide @ wide": ("matmul", "(..., n, k), (..., k, m) -> (..., n, m)", "4 is not 2"),
        "tall @ wide": ("matmul", "(4, 3)", "(2, 4)", "3 is not 2"),
        "tall @ four": ("matmul", "(4, 3)", "(4,)", "3 is not 4"),
        "four.reshape(3, 2)": ("reshape", "(4,)"),
        "four[4]": ("position 4", "from -4 to 3"),
        "mse_loss(column, four)": ("mse_loss", "(4, 1)", "(4,)", "the same shape"),
    }.items():
        assert all(word in shown[written] for word in words), shown[written]


def test_the_primer_shows_results_as_they_are() -> None:
    rows = {row[0]: row[1:] for row in run("3.12").tables[1].rows}
    assert rows["four @ other"] == ("(4,), (4,)", "()", "38")
    assert rows["column + three"] == ("(4, 1), (3,)", "(4, 3)", "11, 12, 13, …")
    assert rows["tall.T @ wide.T"] == ("(3, 4), (4, 2)", "(3, 2)", "42, 114, …")


# ------------------------------------------------------------------------------ 4.26 the exercise

RIGHT = """
print("anybody may print")


def learn(weight, input, goal, alpha, steps):
    for _ in range(steps):
        prediction = input * weight
        delta = prediction - goal
        weight_delta = delta * input
        weight = weight - alpha * weight_delta
    return weight
"""


def hand_in(tmp_path: Path, code: str) -> Result:
    path = tmp_path / "mine.py"
    path.write_text(code, encoding="utf-8")
    return run("4.26", code=str(path))


def test_without_a_file_there_is_a_blank_and_our_own_solution() -> None:
    result = run("4.26")
    assert said(result) == ["blank"]
    assert "weight_delta = ..." in " ".join(row[0] for row in result.tables[0].rows)
    assert all(row[-1] == "right" for row in result.tables[1].rows)
    assert [c.met for c in book.find("4.26").compare(result)] == []


def test_a_right_solution(tmp_path: Path) -> None:
    result = hand_in(tmp_path, RIGHT)
    assert said(result) == ["right"]
    assert result.numbers["right answers"] == len(chapter04_memory.CASES)


@pytest.mark.parametrize(
    ("right", "wrong", "key"),
    [
        ("alpha * weight_delta", "weight_delta", "alpha"),
        ("delta * input", "delta", "input"),
        ("prediction - goal", "goal - prediction", "sign"),
        ("weight - alpha", "weight + alpha", "sign"),
        ("delta * input", "2 * delta * input", "twice"),
        ("    return weight", "        return weight", "once"),
        ("range(steps)", "range(steps + 1)", "one more"),
        ("range(steps)", "range(1, steps)", "one less"),
        ("return weight", "return input * weight", "prediction"),
        ("return weight", "return (input * weight - goal) ** 2", "error"),
        ("        weight = weight", "        new_weight = weight", "unchanged"),
    ],
)
def test_usual_mistakes_are_named(tmp_path: Path, right: str, wrong: str, key: str) -> None:
    assert right in RIGHT
    assert said(hand_in(tmp_path, RIGHT.replace(right, wrong))) == [f"forgot: {key}"]


def test_another_mistake_is_pointed_at(tmp_path: Path) -> None:
    result = hand_in(tmp_path, RIGHT.replace("delta * input", "delta * goal"))
    assert said(result) == ["differs"]
    (note,) = (e for e in result.exhibits if isinstance(e, Note))
    assert note.values["call"] == "learn(0.5, 2.0, 0.8, 0.1, 1)"
    assert note.values["expected"] == pytest.approx(0.46)
    assert note.values["found"] == pytest.approx(0.5 - 0.1 * 0.2 * 0.8)
    assert result.numbers["right answers"] == 1  # no steps, no mistake


@pytest.mark.parametrize(
    ("code", "key", "words"),
    [
        (RIGHT.replace("steps):", "steps)"), "syntax", "line 5"),
        ("x = 1\n", "missing", "def learn"),
        (RIGHT.replace(", steps):", "):"), "arguments", "too many positional arguments"),
        (RIGHT.replace("delta * input", "d * input"), "raised", "line 9"),
        (RIGHT.replace("return weight", "weight"), "nothing", "return weight"),
        (RIGHT.replace("return weight", "return [weight]"), "no number", "list"),
        (RIGHT.replace("return weight", "return 10**400"), "no number", "int"),
        (RIGHT.replace("input * weight", "..."), "raised", "ellipsis"),
        (RIGHT.replace("weight - alpha * weight_delta", "..."), "still blank", "dots"),
        ("import os\nos._exit(3)\n", "ended", "exit()"),
        ("exit()\n", "raised", "SystemExit"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_broken_files_get_a_kind_word(
    tmp_path: Path, code: str, key: str, words: str, language: str
) -> None:
    result = hand_in(tmp_path, code)
    assert said(result) == [key]
    (note,) = (e for e in result.exhibits if isinstance(e, Note))
    sentence = report.Speaker("4.26", language).sentence(note)
    assert language != "en" or words in sentence


def test_a_loop_without_an_end_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("while True:\n    pass\n", encoding="utf-8")
    outcome = exercise.call(str(path), "learn", chapter04_memory.CASES, patience=1.5)
    assert (outcome.trouble, outcome.message) == ("endless", "1.5")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ArgumentError, match=r"there is no file nowhere\.py"):
        run("4.26", code="nowhere.py")


def test_no_two_usual_mistakes_give_the_same_answers() -> None:
    def answers(solution: exercise.Solution) -> list[float]:
        return [solution(*case) for case in chapter04_memory.CASES]

    for name, mistaken in chapter04_memory.MISTAKES.items():
        given = answers(mistaken)
        assert exercise.diagnose(given, chapter04_memory.CASES, chapter04_memory.MISTAKES) == name
    right = answers(chapter04_memory.learn)
    assert exercise.diagnose(right, chapter04_memory.CASES, chapter04_memory.MISTAKES) is None
