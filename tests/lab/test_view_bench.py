"""The bench against NumPy: shapes, a walk forwards and back, learning, tables, exports."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import runpy
import zipfile

import numpy as np
import pytest

import pellucid
from pellucid import lab
from pellucid.errors import ArgumentError
from pellucid.lab import own_data, problems, saved, texts
from pellucid.lab.codec import plain
from pellucid.lab.own_examples import example, example_images, example_table
from pellucid.lab.views.bench import MOST_LAYERS, WRITES


def opened(**settings):
    view = lab.open_view("bench")
    for name, value in settings.items():
        view.handle({"do": "set", "name": name, "value": value})
    return view


def weights(view):
    return [np.array(p.data) for p in view.model.parameters()]


def softmax(scores):
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def test_the_walk_is_back_propagation_by_hand() -> None:
    view = opened()
    for _ in range(3):
        view.handle({"do": "step"})
    a, b, c, d = weights(view)
    x, target = view.data.test_inputs[:1], view.data.test_targets[0]
    hidden = np.tanh(x @ a.T + b)
    shares = softmax(hidden @ c.T + d)
    blame_2 = shares - np.eye(2)[target]
    blame_1 = blame_2 @ c
    seen = plain(view.state()["shows"])["walk"]
    np.testing.assert_allclose(seen["shares"], shares[0], rtol=1e-9)
    assert seen["loss"] == pytest.approx(-np.log(shares[0, target]), rel=1e-9)
    np.testing.assert_allclose(seen["layers"][1]["numbers"], hidden[0], rtol=1e-9)
    np.testing.assert_allclose(seen["layers"][2]["blame"], blame_2[0], rtol=1e-9)
    np.testing.assert_allclose(seen["layers"][1]["blame"], blame_1[0], rtol=1e-9)
    np.testing.assert_allclose(
        seen["layers"][0]["blame"], (blame_1 * (1 - hidden**2))[0], rtol=1e-9
    )


def test_a_look_at_an_example_changes_nothing_that_is_learned() -> None:
    one, other = opened(), opened()
    for _ in range(2):
        one.handle({"do": "step"})
        other.handle({"do": "step"})
        one.handle({"do": "follow"})
        one.state()
    for p, q in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(p, q)


def test_a_step_is_ten_batches_of_gradient_descent() -> None:
    view = opened(optimizer="sgd", lr=0.5, batch=16)
    a, b, c, d = (w.copy() for w in weights(view))
    order = np.random.RandomState(1).permutation(len(view.data.inputs))
    for n in range(10):
        chosen = order[16 * n : 16 * n + 16]
        x, target = view.data.inputs[chosen], view.data.targets[chosen]
        hidden = np.tanh(x @ a.T + b)
        delta_2 = (softmax(hidden @ c.T + d) - np.eye(2)[target]) / 16
        delta_1 = (delta_2 @ c) * (1 - hidden**2)
        c, d = c - 0.5 * delta_2.T @ hidden, d - 0.5 * delta_2.sum(axis=0)
        a, b = a - 0.5 * delta_1.T @ x, b - 0.5 * delta_1.sum(axis=0)
    view.handle({"do": "step"})
    for ours, by_hand in zip(weights(view), (a, b, c, d), strict=True):
        np.testing.assert_allclose(ours, by_hand, rtol=1e-9, atol=1e-12)


def test_it_learns_the_rings_and_a_straight_line_does_not() -> None:
    view = opened()
    for _ in range(40):
        view.handle({"do": "step"})
    assert view.state()["said"] == "learned"
    view.handle({"do": "remove", "at": 1})
    for _ in range(20):
        view.handle({"do": "step"})
    assert view.state()["said"] == "straight"


@pytest.mark.parametrize(
    ("task", "kind", "at", "word"),
    [
        ("rings", "conv", 0, "窗口要在图像上滑动"),
        ("rings", "lstm", 0, "一行接一行的序列"),
        ("rings", "embedding", 0, "词嵌入按整数查找"),
        ("letters", "dropout", 0, "字符的编号"),
        ("digits", "linear", 0, "各有一个得分"),
    ],
)
def test_impossible_shapes_are_explained_in_chinese(task, kind, at, word) -> None:
    view = lab.open_view("bench", "zh-CN")
    view.handle({"do": "set", "name": "task", "value": task})
    if kind == "linear":
        view.handle({"do": "remove", "at": len(view.layers) - 1})
    else:
        view.handle({"do": "add", "kind": kind, "at": at})
    shows = view.state()["shows"]
    assert word in shows["message"]
    assert bool(shows["original"]) == (kind != "linear")


def test_shapes_that_do_not_meet_are_explained_by_the_engine() -> None:
    view = opened()
    view.handle({"do": "add", "kind": "conv", "at": 1})
    state = view.state()
    assert state["said"] == "impossible"
    assert "A window slides over images" in state["shows"]["message"]
    assert "conv2d" in state["shows"]["original"]
    assert state["shows"]["layers"][1]["broken"]
    assert not state["can"]["step"]
    view.handle({"do": "remove", "at": 1})
    assert view.state()["can"]["step"]
    view.handle({"do": "set", "name": "fit", "value": False})
    view.handle({"do": "resize", "at": 0, "size": 9})
    assert "8" in view.state()["shows"]["message"]
    view.handle({"do": "set", "name": "fit", "value": True})
    view.handle({"do": "resize", "at": 2, "size": 3})
    assert "2 classes" in view.state()["shows"]["message"]


def test_layers_are_bounded() -> None:
    view = opened()
    for _ in range(MOST_LAYERS - 3):
        view.handle({"do": "add", "kind": "relu", "at": 1})
    with pytest.raises(ArgumentError, match="as many as fit"):
        view.handle({"do": "add", "kind": "relu", "at": 1})
    with pytest.raises(ArgumentError, match="one of linear"):
        view.handle({"do": "add", "kind": "exec", "at": 1})
    view.handle({"do": "resize", "at": 0, "size": 10**9})
    assert view.layers[0]["size"] == 500


def test_digits_are_read_and_drawn() -> None:
    pytest.importorskip("sklearn")
    view = opened(task="digits")
    for _ in range(12):
        view.handle({"do": "step"})
    assert view.test_right[-1] > 0.6
    side = view.shows()["side"]
    view.handle({"do": "draw", "rows": [[0.5] * side] * side})
    walk = view.state()["shows"]["walk"]
    assert walk["target"] == -1
    assert sum(walk["shares"]) == pytest.approx(1)
    with pytest.raises(ArgumentError, match="rows of"):
        view.handle({"do": "draw", "rows": [[1.0]]})


def test_a_table_of_ones_own() -> None:
    view = opened()
    rows = "\n".join(f"{i},{i * i},{'odd' if i % 2 else 'even'}" for i in range(40))
    view.handle({"do": "load", "text": f"a,b,kind\n{rows}"})
    seen = view.state()["shows"]
    assert seen["columns"] == ["a", "b"]
    assert set(seen["classes"]) == {"odd", "even"}
    assert seen["known"] == 30
    np.testing.assert_allclose(view.data.inputs.mean(axis=0), 0, atol=1e-9)
    view.handle({"do": "set", "name": "scaled", "value": False})
    assert view.data.inputs.max() > 100
    view.handle({"do": "step"})
    assert view.state()["said"] in ("unscaled", "diverges", "learning", "by-heart")


TABLES = [
    ("", "table-empty"),
    ("1,2\n", "table-rows"),
    ("a,b,c\n1,2,x\n1,two,x\n" * 30, "table-number"),
    ("1,2,x\n1,2\n", "table-ragged"),
    ("1,2,x\n" * 30, "table-classes"),
    ("\n".join(f"1,2,{i}" for i in range(50)), "table-classes"),
    ("x" * (own_data.CHARACTERS + 1), "table-long"),
    ("1,2,x\n" * 20 + "1,2,y\n" * 6000, "table-rows"),
    ("1,2,y\nnan,2,x\n" * 20, "table-number"),
    ("1,2,y\ninf,2,x\n" * 20, "table-number"),
    (",".join("1" * 300) + "\n", "table-columns"),
    ('1,2,x\n1,2,"' + "y" * 200_000, "table-quote"),
    (f"1,2,{'y' * 41}\n1,2,x\n" * 20, "label"),
    ("1,2,\n1,2,x\n" * 20, "label"),
]
LINES = [
    ("", "lines"),
    ("spam: win\nfriend: lunch\n" * 4, "lines"),
    ("spam: win\nfriend lunch\n" * 10, "line-label"),
    ("spam: win\n: lunch\n" * 10, "line-label"),
    ("spam: win\nfriend:\n" * 10, "line-label"),
    ("spam: win\n" * 20, "lines-classes"),
    ("\n".join(f"{n}: win" for n in range(30)), "lines-classes"),
    ("spam: win\nfriend: " + "lunch " * 200 + "\n", "line-long"),
    ("spam: win\nfriend: lunch\n" * 5000, "text-long"),
    ("a: b\nc: d\n" * 3000, "lines"),
    ("spam: !!!\nfriend: ???\n" * 10, "no-words"),
    (f"spam: win\n{'f' * 41}: lunch\n" * 10, "label"),
]
LETTERS = [
    ("", "letters"),
    ("too short", "letters"),
    ("long " * 3000, "letters"),
    ("a" * 300, "symbols"),
    ("".join(map(chr, range(0x4E00, 0x4E00 + 600))), "symbols"),
]


def pictures(names, counts, side=own_data.SIDE, **changed):
    kinds = [kind for kind, count in enumerate(counts) for _ in range(count)]
    pixels = base64.b64encode(bytes(side * side * len(kinds))).decode()
    return {"names": list(names), "kinds": kinds, "pixels": pixels, **changed}


IMAGES = [
    (pictures([], []), "images-folders"),
    (pictures(["cat"], [9]), "images-one"),
    (pictures(["cat", "dog"], [9, 3]), "images-few"),
    (pictures(["cat", "dog"], [9, 0]), "images-few"),
    (pictures(["cat", "dog"], [500, 500]), "images-many"),
    (pictures(map(str, range(30)), [4] * 30), "images-labels"),
    (pictures(["cat", "d" * 41], [9, 9]), "label"),
    (pictures(["cat", ""], [9, 9]), "label"),
    (pictures(["cat", "cat"], [9, 9]), "images-broken"),
    (pictures(["cat", "dog"], [9, 9], side=20), "images-broken"),
    (pictures(["cat", "dog"], [9, 9], pixels="no base64"), "images-broken"),
    (pictures(["cat", "dog"], [9, 9], pixels="喵"), "images-broken"),
    (pictures(["cat", "dog"], [9, 9], kinds=[0] * 9 + [2] * 9), "images-broken"),
    (pictures(["cat", "dog"], [9, 9], kinds=[0] * 9 + [-1] * 9), "images-broken"),
]
REFUSED = [
    *(("table", {"do": "load", "text": text}, key) for text, key in TABLES),
    *(("lines", {"do": "load_text", "text": text}, key) for text, key in LINES),
    *(("letters", {"do": "load_text", "text": text}, key) for text, key in LETTERS),
    *(("images", {"do": "load_images", **given}, key) for given, key in IMAGES),
]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("task", "message", "key"), REFUSED, ids=[f"{t}-{k}-{n}" for n, (t, _, k) in enumerate(REFUSED)]
)
def test_what_cannot_be_learned_from_is_refused_with_a_reason(task, message, key, language) -> None:
    view = lab.open_view("bench", language)
    view.handle({"do": "set", "name": "task", "value": task})
    before = json.dumps(plain(view.state(), lambda b: b.array.tolist()))
    with pytest.raises(ArgumentError) as told:
        view.handle(message)
    reason = texts.read(language, "own-data")["say"][key]
    said = problems.told(told.value, language)
    assert set(said) == {"message"}
    assert re.fullmatch(re.sub(r"\\{\w+\\}", ".*", re.escape(reason)), said["message"])
    assert json.dumps(plain(view.state(), lambda b: b.array.tolist())) == before


def test_every_refusal_is_met_above_and_said_in_both_languages() -> None:
    english, chinese = (texts.read(language, "own-data") for language in ("en", "zh-CN"))
    assert set(english) == set(chinese)
    assert set(english["say"]) == {key for *_, key in REFUSED} | {"column", "unknown"}
    for key, spoken in english["say"].items():
        gaps = [set(re.findall(r"{(\w+)}", said)) for said in (spoken, chinese["say"][key])]
        assert gaps[0] == gaps[1], key


def test_the_reason_says_where() -> None:
    view = opened()
    with pytest.raises(ArgumentError, match="Line 3, column 2: “two” is not a number"):
        view.handle({"do": "load", "text": "a,b,c\n1,2,x\n1,two,y\n" + "1,2,x\n" * 20})
    with pytest.raises(ArgumentError, match="Images of “dog”: 3"):
        view.handle({"do": "load_images", **pictures(["cat", "dog"], [9, 3])})


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("task", ["table", "images", "lines", "letters"])
def test_there_is_something_to_try_and_it_is_learned(task, language) -> None:
    known = example(task, language)
    view = lab.open_view("bench", language)
    view.handle({"do": "set", "name": "task", "value": task})
    np.testing.assert_array_equal(view.data.targets, known.targets)
    guessed = view.test_right[0]
    for _ in range(30):
        view.handle({"do": "step"})
    assert view.test_right[-1] > guessed + 0.2
    assert view.losses[-1] < view.losses[0] / 2


# --------------------------------------------------------------------------------- images and texts


def test_images_of_ones_own_come_in_as_ink() -> None:
    names, kinds, pixels = example_images()
    view = opened()
    view.handle({"do": "load_images", "names": names, "kinds": kinds, "pixels": pixels})
    grey = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(-1, 28, 28)
    learn, test = own_data.testing(len(kinds))
    np.testing.assert_allclose(view.data.inputs[:, 0], 1 - grey[learn] / 255)
    np.testing.assert_allclose(view.data.test_inputs[:, 0], 1 - grey[test] / 255)
    assert view.data.test_targets.tolist() == [kinds[i] for i in test]
    seen = view.shows()
    assert [row["label"] for row in seen["gallery"]] == ["disc", "ring", "cross"]
    first = view.data.inputs[view.data.targets == 1][0, 0]
    np.testing.assert_array_equal(
        seen["gallery"][1]["images"].array[:, :28], first.astype(np.float32)
    )


def test_the_walk_over_an_image_is_convolution_by_hand() -> None:
    view = opened(task="images")
    view.handle({"do": "step"})
    kernels, bias = weights(view)[:2]
    windows = np.lib.stride_tricks.sliding_window_view(view.data.test_inputs[0, 0], (3, 3))
    maps = np.einsum("ijkl,nkl->nij", windows, kernels[:, 0]) + bias[:, None, None]
    seen = plain(view.state()["shows"])["walk"]
    np.testing.assert_allclose(seen["layers"][0]["numbers"], maps.ravel()[:12], rtol=1e-9)
    pooled = np.maximum(maps, 0).reshape(4, 13, 2, 13, 2).max(axis=(2, 4))
    np.testing.assert_allclose(seen["layers"][2]["numbers"], pooled.ravel()[:12], rtol=1e-9)


def test_lines_become_bags_of_words() -> None:
    view = opened(task="lines")
    text = "\n".join(
        f"{kind}\t{said}" for kind, said in [("a", "red Red: blue!"), ("b", "green, blue")] * 8
    )
    view.handle({"do": "load_text", "text": text})
    known = view.data
    assert known.classes == ("a", "b")
    assert known.vocabulary == ("blue", "green", "red")
    for bag, kind in zip(known.inputs, known.targets, strict=True):
        assert bag.tolist() == [[1, 0, 2], [1, 1, 0]][kind]
    assert own_data.words_of("Ein Würfel, 5 天空!") == ["ein", "würfel", "5", "天", "空"]
    assert opened(task="lines").data.lines == example("lines").lines


def test_a_line_of_ones_own_is_sorted() -> None:
    view = opened(task="lines")
    for _ in range(20):
        view.handle({"do": "step"})
    view.handle({"do": "line", "text": "Free CASH, claim it now"})
    seen = plain(view.state()["shows"])
    assert seen["text"]["typed"] == "Free CASH, claim it now"
    assert dict(map(tuple, seen["text"]["counts"])) == dict.fromkeys(
        ("cash", "claim", "free", "it", "now"), 1
    )
    assert view.data.classes[seen["walk"]["says"]] == "spam"
    assert seen["walk"]["target"] == -1
    with pytest.raises(ArgumentError, match="Nothing of this"):
        view.handle({"do": "line", "text": "xyzzy"})
    view.handle({"do": "pick", "index": 3})
    assert view.shows()["text"]["read"] == view.data.test_lines[3]


def test_letters_are_foretold_from_those_before_them() -> None:
    view = opened(task="letters")
    text = "the cat sat on the mat, and " * 20
    view.handle({"do": "load_text", "text": text})
    known = view.data
    written = text.strip()
    for n in (0, 1, 57):
        read = "".join(known.vocabulary[i] for i in known.inputs[n])
        assert read == written[n : n + 12]
        assert known.vocabulary[known.targets[n]] == written[n + 12]
    assert len(known.inputs) == 3 * (len(written) - 12) // 4
    for _ in range(15):
        view.handle({"do": "step"})
    assert view.test_right[-1] > 0.95
    view.handle({"do": "line", "text": "on the m"})
    seen = view.shows()
    assert seen["text"]["read"].endswith("on␣the␣m")
    assert known.classes[seen["walk"]["says"]] == "a"
    view.handle({"do": "write"})
    assert len(view.wrote) == WRITES
    assert "at, and the cat sat on the mat" in view.wrote
    before = view.wrote
    view.handle({"do": "write"})
    assert view.wrote == before  # by chance, but the same chance
    with pytest.raises(ArgumentError, match="Nothing of this"):
        view.handle({"do": "line", "text": "XYZ"})


def test_the_walk_through_a_recurrent_layer_is_the_recurrence_by_hand() -> None:
    view = opened(task="letters")
    view.handle({"do": "step"})
    table, into, over, bias_in, bias_over, out, bias = weights(view)
    state = np.zeros(32)
    for symbol in view.data.test_inputs[0]:
        state = np.tanh(into @ table[symbol] + bias_in + over @ state + bias_over)
    scores = out @ state + bias
    seen = plain(view.state()["shows"])["walk"]
    np.testing.assert_allclose(seen["layers"][1]["numbers"], state[:12], rtol=1e-9)
    np.testing.assert_allclose(seen["shares"], softmax(scores[None])[0], rtol=1e-9)
    assert seen["shown"] == np.argsort(-scores)[:8].tolist()


def test_a_recurrent_layer_where_no_sequence_comes_in_is_explained() -> None:
    view = opened()
    view.handle({"do": "add", "kind": "lstm", "at": 0})
    assert "reads a sequence" in view.shows()["message"]
    view = opened()
    view.handle({"do": "add", "kind": "embedding", "at": 0})
    assert "whole numbers" in view.shows()["message"]
    view = opened(task="letters")
    view.handle({"do": "add", "kind": "rnn", "at": 2})
    assert "hands on its last state" in view.shows()["message"]


@pytest.mark.parametrize("task", ["images", "lines", "letters"])
def test_what_is_brought_outlives_other_tasks_and_back(task) -> None:
    view = opened(task=task)
    brought = {
        "images": {"do": "load_images", **pictures(["cat", "dog"], [8, 8])},
        "lines": {"do": "load_text", "text": "x: one two\ny: two three\n" * 6},
        "letters": {"do": "load_text", "text": "round and round we go, " * 9},
    }[task]
    example_of = len(view.data.inputs)
    view.handle(brought)
    count = len(view.data.inputs)
    assert count != example_of
    view.handle({"do": "set", "name": "task", "value": "rings"})
    view.handle({"do": "set", "name": "task", "value": task})
    assert len(view.data.inputs) == count
    for _ in range(2):  # both turns of the same setting are one step back
        view.handle({"do": "back"})
    assert len(view.data.inputs) == example_of


@pytest.mark.parametrize("task", ["digits", "images", "lines", "letters"])
def test_its_program_has_the_same_data_and_layers(task) -> None:
    view = opened(task=task)
    found: dict = {}
    before = pellucid.get_default_dtype()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(view.python(), "<bench>", "exec"), found)
    finally:
        pellucid.set_default_dtype(before)
    count = min(len(found["inputs"]), len(view.data.inputs))
    assert count >= 25
    np.testing.assert_allclose(found["inputs"][:count], view.data.inputs[:count], atol=1e-12)
    np.testing.assert_array_equal(found["targets"][:count], view.data.targets[:count])
    assert [p.shape for p in found["model"].parameters()] == [w.shape for w in weights(view)]


@pytest.mark.parametrize("task", ["images", "lines", "letters"])
@pytest.mark.parametrize("kind", ["numpy", "torch", "onnx"])
def test_every_network_can_be_taken_away(task, kind) -> None:
    if kind == "onnx":
        pytest.importorskip("onnx", reason="pip install 'pellucid[onnx]'")
    view = opened(task=task)
    if task == "letters":
        view.handle({"do": "remove", "at": 1})
        view.handle({"do": "add", "kind": "lstm", "at": 1})
    before = weights(view)
    packed = saved.file(view, kind)
    assert len(zipfile.ZipFile(io.BytesIO(base64.b64decode(packed["base64"]))).namelist()) >= 1
    for ours, same in zip(before, weights(view), strict=True):
        np.testing.assert_array_equal(ours, same)


def test_the_table_to_try_is_one() -> None:
    known = own_data.from_csv(example_table())
    assert set(known.classes) == {"leaves", "buys"}
    assert known.columns == ("age", "income")


def test_the_network_is_taken_away_and_predicts_the_same(tmp_path) -> None:
    view = opened()
    for _ in range(3):
        view.handle({"do": "step"})
    packed = saved.file(view, "numpy")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed["base64"]))) as archive:
        assert sorted(archive.namelist()) == ["network.npz", "network.py"]
        archive.extractall(tmp_path)
    predict = runpy.run_path(str(tmp_path / "network.py"))["predict"]
    inputs = view.data.test_inputs
    ours = view.scores(inputs)
    np.testing.assert_allclose(np.asarray(predict(inputs)), ours, rtol=1e-6, atol=1e-9)
    view.handle({"do": "remove", "at": 2})
    with pytest.raises(ArgumentError, match="no network"):
        saved.file(view, "numpy")
