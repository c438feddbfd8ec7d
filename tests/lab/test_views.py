"""What holds for every view: its texts, its steps and back, its program, its files."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid import lab
from pellucid.errors import ArgumentError
from pellucid.lab import saved, texts
from pellucid.lab.codec import Binary, encode, plain
from pellucid.lab.settings import Choice, Slider, Switch
from pellucid.lab.view import View

PAGE = Path(lab.__file__).parent / "page" / "views"
NAMES = list(lab.every())
LANGUAGES = ("en", "zh-CN")


def told(view: View) -> str:
    return json.dumps(plain(view.state(), lambda b: b.array.tolist()), sort_keys=True)


def walk(view: View, steps: int = 6) -> None:
    for _ in range(steps):
        view.handle({"do": "step"})


@pytest.mark.parametrize("name", NAMES)
def test_every_view_has_a_module_that_draws_it(name: str) -> None:
    source = (PAGE / f"{name}.js").read_text(encoding="utf-8")
    assert "export default view(" in source
    assert 'style="' not in source, "the page's policy forbids styles as text"


def test_every_module_has_a_view() -> None:
    assert {p.stem for p in PAGE.glob("*.js")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_have_the_same_keys_and_gaps_in_both_languages(name: str) -> None:
    english, chinese = (texts.read(language, name) for language in LANGUAGES)
    assert set(english) == set(chinese) == {"title", "lead", "words", "say"}
    for part in ("words", "say"):
        assert set(english[part]) == set(chinese[part])
    for key, spoken in english["say"].items():
        gaps = [set(re.findall(r"{(\w+)}", t)) for t in (spoken, chinese["say"][key])]
        assert gaps[0] == gaps[1], f"{name}: {key}"


def test_the_pages_texts_have_the_same_keys_in_both_languages() -> None:
    english, chinese = (texts.read(language, "page") for language in LANGUAGES)
    assert {k: set(v) for k, v in english.items()} == {k: set(v) for k, v in chinese.items()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_word_that_the_module_and_the_model_use_is_there(name: str, language: str) -> None:
    known = texts.words(language, name)
    used = set(re.findall(r'\bt\("([^"]+)"\)', (PAGE / f"{name}.js").read_text(encoding="utf-8")))
    view = lab.open_view(name, language)
    used |= set(view.settings)
    used |= {c for s in view.settings.values() if isinstance(s, Choice) for c in s.choices}
    assert used <= set(known), f"no words for {sorted(used - set(known))}"


@pytest.mark.parametrize("name", NAMES)
def test_back_takes_every_step_back(name: str) -> None:
    view = lab.open_view(name)
    states = [told(view)]
    for _ in range(4):
        if not view.can_step():
            break
        view.handle({"do": "step"})
        states.append(told(view))
    while len(states) > 1:
        assert told(view) == states.pop()
        view.handle({"do": "back"})
    assert told(view) == states[0]


@pytest.mark.parametrize("name", NAMES)
def test_reset_begins_anew_and_a_seed_makes_the_same_again(name: str) -> None:
    view, fresh = lab.open_view(name), lab.open_view(name)
    walk(view)
    view.handle({"do": "reset"})
    ours, new = view.state(), fresh.state()
    assert ours["can"].pop("back")
    assert not new["can"].pop("back")
    assert encode(ours) == encode(new)
    if view.seeded:
        other = lab.open_view(name, seed=7)
        view.handle({"do": "seed", "value": 7})
        assert encode(view.state()["shows"]) == encode(other.state()["shows"])


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_bounded(name: str) -> None:
    view = lab.open_view(name)
    for which, s in view.settings.items():
        before = told(view)
        for wrong in (None, [], float("nan"), 1e30, "\0no such"):
            if isinstance(wrong, str) and s.kind == "words":
                continue
            with pytest.raises(ArgumentError):
                view.handle({"do": "set", "name": which, "value": wrong})
        assert told(view) == before


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_broken_and_still_says_what_happens(name: str) -> None:
    for language in LANGUAGES:
        for which, s in lab.every()[name].settings.items():
            extremes = {
                Slider: lambda s: (s.low, s.high),
                Choice: lambda s: s.choices,
                Switch: lambda s: (True, False),
            }.get(type(s), lambda s: (s.start,))(s)
            for value in extremes:
                view = lab.open_view(name, language)
                view.handle({"do": "set", "name": which, "value": value})
                for n in range(40):
                    view.handle({"do": "step"})
                    if n not in (0, 1, 4, 12, 39):
                        continue
                    state = view.state()
                    assert state["say"]
                    assert "{" not in state["say"]
                    encode(state)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_actions_and_arguments_are_refused(name: str) -> None:
    view = lab.open_view(name)
    before = told(view)
    for message in ({"do": "start"}, {"do": "__init__"}, {"do": "state"}, {}, {"do": None}):
        with pytest.raises(ArgumentError):
            view.handle(message)
    assert told(view) == before


@pytest.mark.parametrize("name", NAMES)
def test_its_program_runs(name: str) -> None:
    view = lab.open_view(name)
    walk(view, 8)
    printed = io.StringIO()
    before = pellucid.get_default_dtype()  # a program may choose another: it is one of its own
    try:
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            exec(compile(view.python(), f"<{name}>", "exec"), {"__name__": name})
    finally:
        pellucid.set_default_dtype(before)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_saved_as_csv_with_all_digits(name: str) -> None:
    view = lab.open_view(name)
    walk(view, 24)
    lines = view.csv().splitlines()
    headings, _ = view.table()
    assert len(lines) >= 2
    assert len(headings) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_goes_ahead_and_leaves_the_view_where_it_stands(name: str) -> None:
    view = lab.open_view(name)
    walk(view, 2)
    before = told(view)
    states = saved.recording(view)
    assert told(view) == before
    assert encode(states[0]["shows"]) == encode(view.state()["shows"])
    assert len(states) > 1 or not view.can_step()


def test_unknown_views_are_told() -> None:
    with pytest.raises(ArgumentError, match="there are: dot-product"):
        lab.open_view("nonsense")


def test_arrays_travel_as_float32() -> None:
    frame = encode({"id": 1, "w": Binary(np.array([[1.5, -2.0]]))})
    assert isinstance(frame, bytes)
    length = int.from_bytes(frame[:4], "little")
    header = json.loads(frame[4 : 4 + length])
    assert header == {"id": 1, "w": {"shape": [1, 2], "at": [0, 8]}}
    assert np.frombuffer(frame[4 + length :], "<f4").tolist() == [1.5, -2.0]
