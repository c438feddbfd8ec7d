"""From memory: right answers pass, usual mistakes are recognised, and all else is told in words."""

from __future__ import annotations

import ast
import asyncio
import copy
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.book.exercise import Outcome, ask
from pellucid.errors import ArgumentError
from pellucid.lab import contents, exercises, present, texts
from pellucid.lab.codec import plain
from pellucid.lab.exercises import checking

LANGUAGES = ("en", "zh-CN")
EXERCISES = exercises.every()
SOLUTIONS = Path(__file__).with_name("exercise_solutions.py").read_text(encoding="utf-8")
KNOWN = {
    node.name: ast.get_source_segment(SOLUTIONS, node)
    for node in ast.parse(SOLUTIONS).body
    if isinstance(node, ast.FunctionDef)
}
named = pytest.mark.parametrize("name", EXERCISES)


def solution(name: str) -> str:
    return f"import math\n\nimport numpy as np\n\n\n{KNOWN[EXERCISES[name].function]}\n"


def asked(name: str, code: str, folder: Path) -> dict[str, Any]:
    """What is found without a process of its own."""
    e, path = EXERCISES[name], folder / "yours.py"
    path.write_text(code, encoding="utf-8")
    return checking.judge(e, ask(str(path), e.function, copy.deepcopy(e.cases), e.kept))


def checked(name: str, code: str, language: str = "en", seconds: float = 20.0) -> dict[str, Any]:
    """What a reader is told: in a process of its own, and in words."""
    with ThreadPoolExecutor(1) as pool:
        wanted = exercises.check(name, code, language, seconds)
        return pool.submit(lambda: asyncio.run(wanted)).result()


# -------------------------------------------------------------------------------------- each exercise


def test_every_chapter_has_two_or_three_and_all_names_differ() -> None:
    counts = {n: len(exercises.of_chapter(n)) for n in contents.CHAPTERS}
    assert set(counts.values()) == {2, 3}
    assert len(EXERCISES) == sum(counts.values())
    assert len({e.function for e in EXERCISES.values()}) == len(EXERCISES)
    assert set(KNOWN) == {e.function for e in EXERCISES.values()}


@named
def test_the_reference_passes(name: str, tmp_path: Path) -> None:
    found = asked(name, solution(name), tmp_path)
    assert found["say"] == "right", found
    assert found["right"] == [True] * len(EXERCISES[name].cases)


@named
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_blank_does_not(name: str, language: str, tmp_path: Path) -> None:
    blank = exercises.told(EXERCISES[name], language)["blank"]
    assert asked(name, blank, tmp_path)["say"] != "right"
    (function,) = (n for n in ast.parse(blank).body if isinstance(n, ast.FunctionDef))
    assert function.name == EXERCISES[name].function
    assert ast.get_docstring(function)
    assert max(map(len, blank.splitlines())) <= 105


@named
def test_every_usual_mistake_is_recognised(name: str) -> None:
    e = EXERCISES[name]
    for mistake in e.mistakes:
        answers = []
        for answer in map(e.mistaken(mistake), *zip(*e.cases, strict=True)):
            if answer is None:
                break
            answers.append(answer)
        trouble = "" if len(answers) == len(e.cases) else "raised"
        found = checking.judge(e, Outcome(tuple(answers), trouble))
        assert found["mistake"] == mistake, f"{mistake} is taken for {found}"
        for language in LANGUAGES:
            assert exercises.sentence(e, language, found)


@named
def test_a_question_can_be_shown(name: str, tmp_path: Path) -> None:
    e = EXERCISES[name]
    for number, case in enumerate(e.cases):
        wanted = e.right(case)
        told = checking.question(e, number, wanted, tuple(a + 1 for a in wanted))
        json.dumps(told, allow_nan=False)
        assert [a["name"] for a in told["asked"]] == e.arguments
        assert all(part["wrong"] is not None for part in told["yours"])
        assert all(
            part["values"] is not None or 0 in part["shape"]
            for part in (*told["wanted"], *told["yours"])
        )


@named
def test_a_wrong_element_is_found(name: str) -> None:
    e = EXERCISES[name]
    rights = [e.right(case) for case in e.cases]
    wrongs = [tuple(np.array(a) for a in right) for right in rights]
    number = next(n for n, right in enumerate(rights) if right[-1].size)
    wrongs[number][-1].flat[-1] += 0.123
    found = checking.judge(e, Outcome(tuple(wrongs)))
    if not found["mistake"]:
        assert found["say"] == ("slope differs" if e.gradient else "differs")
        assert found["values"]["difference"] == pytest.approx(0.123)
        at = [i - 1 for i in rights[number][-1].shape]
        assert found["values"]["at"].endswith(str(at) if at else found["values"]["part"])


@named
def test_the_texts_are_whole_in_both_languages(name: str) -> None:
    e = EXERCISES[name]
    for language in LANGUAGES:
        text = texts.read(language, "exercises")[name]
        assert set(text) - {"mistakes"} == {"title", "task", "doc", "hints"}
        assert len(text["hints"]) == 3
        assert len(set(text["hints"])) == 3
        assert all(part.count("`") % 2 == 0 for part in (text["task"], *text["hints"]))
        assert e.told_by or set(text["mistakes"]) == set(e.mistakes)


def test_no_text_is_without_an_exercise_and_the_gaps_are_the_same() -> None:
    english, chinese = (texts.read(language, "exercises") for language in LANGUAGES)
    assert set(english) == set(chinese) == {*EXERCISES, "words", "say"}
    assert set(english["words"]) == set(chinese["words"])
    assert set(english["say"]) == set(chinese["say"])
    for key, spoken in english["say"].items():
        gaps = [set(re.findall(r"{(\w+)}", t)) for t in (spoken, chinese["say"][key])]
        assert gaps[0] == gaps[1], key


def test_solutions_stay_here() -> None:
    for number in contents.CHAPTERS:
        told = json.dumps(present.chapter(number, "en")["exercises"])
        for e in exercises.of_chapter(number):
            assert e.name in contents.parts()[number]
            assert "expected" not in told
            assert "mistakes" not in told


# ---------------------------------------------------------------------------- what is told about the rest

TABLES = """import numpy as np


def weight_gradient(weights, inputs, goals):
    delta = weights @ inputs - goals
    return {}
"""
NO_CELL = solution("lstm-cell").replace("return sigmoid(o) * np.tanh(cell), cell", "return cell")


@pytest.mark.parametrize(
    ("name", "code", "say"),
    [
        ("outer-product", TABLES.format("3 * np.outer(delta, inputs)"), "factor"),
        ("outer-product", TABLES.format("0 * weights"), "zeros"),
        ("outer-product", TABLES.format("np.outer(delta, inputs)[:, :1]"), "shape"),
        ("outer-product", TABLES.format("np.outer(delta, inputs) / 0"), "not finite"),
        ("outer-product", TABLES.format("np.outer(delta, inputs) + inputs"), "slope differs"),
        ("outer-product", TABLES.format("'a table'"), "no number"),
        ("outer-product", TABLES.format("..."), "still blank"),
        ("outer-product", TABLES.format("np.outer(delta, ...)"), "still blank"),
        ("outer-product", TABLES.format("np.outer(d, inputs)"), "raised"),
        ("convolve", solution("convolve").replace("return result", "return result.T"), "transposed"),
        ("convolve", solution("convolve").replace("return result", "return -result"), "sign"),
        ("lstm-cell", NO_CELL, "parts"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_wrong_everywhere_or_somewhere_is_told(
    name: str, code: str, say: str, tmp_path: Path
) -> None:
    found = asked(name, code, tmp_path)
    assert found["say"] == say, found
    for language in LANGUAGES:
        sentence = exercises.sentence(EXERCISES[name], language, found)
        assert "{" not in sentence


def test_a_shape_is_told_with_both_shapes(tmp_path: Path) -> None:
    code = "def weighted_sum(inputs, weights):\n    return [inputs @ weights, 1.0]\n"
    e = EXERCISES["weighted-sum"]
    found = asked(e.name, code, tmp_path)
    assert exercises.sentence(e, "en", found) == (
        "The shape is not right yet: weighted_sum should be a single number, and yours is (2,)."
    )


def test_the_slope_that_differs_is_named_with_both_numbers(tmp_path: Path) -> None:
    code = solution("linear-back").replace(
        "delta.sum(axis=0)", "delta.sum(axis=0) * [1, 1, 2][: len(bias)]"
    )
    e = EXERCISES["linear-back"]
    found = asked(e.name, code, tmp_path)
    told = re.fullmatch(
        r"Not yet\. Moved up and down a little, the numbers say (\S+) for the slope d_bias\[2\]; "
        r"yours says (\S+), off by (\S+)\.",
        exercises.sentence(e, "en", found).replace("−", "-"),
    )
    assert told
    bias = e.cases[0][3].sum(axis=0)[2]
    assert [float(n) for n in told.groups()] == pytest.approx([bias, 2 * bias, bias], abs=1e-4)


# ------------------------------------------------------------------------------ in a process of its own


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (KNOWN["weighted_sum"], "right", "All right"),
        (KNOWN["weighted_sum"].replace("weights):", "weights)"), "syntax", "line 1"),
        (KNOWN["weighted_sum"].replace("weighted_sum", "sum_up"), "missing", "def weighted_sum(inputs, weights):"),
        ("def weighted_sum(inputs):\n    return 1\n", "arguments", "inputs, weights"),
        (KNOWN["weighted_sum"].replace("weights[i]", "w[i]"), "raised", "line 4: NameError"),
        ("def weighted_sum(inputs, weights):\n    inputs @ weights\n", "nothing", "return"),
        ("def weighted_sum(inputs, weights):\n    return inputs * weights\n", "mistake", "products"),
        ("import os\nos._exit(0)\n", "ended", "ended before"),
        ("def weighted_sum(inputs, weights):\n    return [0] * 10**10\n", "raised", "MemoryError"),
        ("x = '" + "x" * 120_000 + "'", "long", "too much code"),
        ("\ud800", "ended", "ended before"),
    ],
)  # fmt: skip
def test_a_reader_is_told_in_words(code: str, kind: str, words: str) -> None:
    found = checked("weighted-sum", code)
    assert (found["kind"], found["solved"]) == (kind, kind == "right")
    assert words in found["say"]


@pytest.mark.parametrize(("name", "language"), [("softmax", "en"), ("deep-step", "zh-CN")])
def test_the_untouched_blank_is_told_kindly(name: str, language: str) -> None:
    blank = exercises.told(EXERCISES[name], language)["blank"]
    found = checked(name, blank, language)
    assert found["kind"] == "blank"
    assert found["say"] == texts.read(language, "exercises")["say"]["blank"]


def test_a_loop_without_an_end_is_stopped() -> None:
    code = "def weighted_sum(inputs, weights):\n    while True:\n        pass\n"
    found = checked("weighted-sum", code, seconds=4.0)
    assert found["kind"] == "endless"
    assert "4 seconds" in found["say"]


def test_what_is_printed_comes_back_and_not_too_much_of_it() -> None:
    found = checked("weighted-sum", f"print('x' * 10**6)\n{KNOWN['weighted_sum']}")
    assert found["solved"]
    assert found["output"] == "x" * checking.OUTPUT


@pytest.mark.parametrize("name", ["softmax", "cross-entropy", "temperature"])
def test_large_scores_are_no_trouble_for_those_who_take_the_largest_off(name: str) -> None:
    careless = {
        "softmax": "e = np.exp(scores)\n    return e / e.sum(axis=1, keepdims=True)",
        "cross-entropy": "e = np.exp(scores)\n    p = e / e.sum(axis=1, keepdims=True)\n"
        "    return -np.log(p[np.arange(len(labels)), labels]).mean()",
        "temperature": "e = np.exp(scores / temperature)\n"
        "    return (np.cumsum(e / e.sum()) > u).argmax()",
    }
    head = KNOWN[EXERCISES[name].function].splitlines()[0]
    found = checked(name, f"import numpy as np\n\n\n{head}\n    {careless[name]}\n")
    assert found["say"] == texts.read("en", "exercises")[name]["mistakes"]["overflow"]


def test_parts_may_come_as_one_array(tmp_path: Path) -> None:
    code = solution("lstm-cell").replace("np.tanh(cell), cell", "np.tanh(cell), cell]")
    code = code.replace("return sigmoid", "return np.array([sigmoid").replace("cell]", "cell])")
    assert "np.array([" in code
    assert asked("lstm-cell", code, tmp_path)["say"] == "right"


def test_what_is_no_number_is_told_as_a_person_writes_it(tmp_path: Path) -> None:
    code = "def weighted_sum(inputs, weights):\n    return float('inf')\n"
    e = EXERCISES["weighted-sum"]
    found = plain(asked(e.name, code, tmp_path))
    assert "yours is ∞" in exercises.sentence(e, "en", found)


def test_the_exercise_of_the_book_speaks_with_the_books_words() -> None:
    code = KNOWN["learn"].replace("alpha * weight_delta", "weight_delta")
    assert checked("learn", code)["say"].startswith(
        "Nearly. These are the answers of a loop without alpha"
    )
    assert checked("learn", code, "zh-CN")["say"].startswith("就差一点。这正是漏掉 alpha")


def test_an_exercise_that_is_not_there() -> None:
    with pytest.raises(ArgumentError, match="there is no exercise of mine"):
        exercises.find("of mine")
