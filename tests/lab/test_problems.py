"""What the page says about errors, in the reader's language."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pellucid import Tensor, lab, nn
from pellucid.book import find
from pellucid.errors import MessageError, PellucidError, ShapeError
from pellucid.lab import problems, worker

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def shapes_that_do_not_fit() -> ShapeError:
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 1))(Tensor(np.ones((2, 3))))
    return caught.value


def test_the_frameworks_own_words_are_introduced_in_the_readers_language() -> None:
    error = shapes_that_do_not_fit()
    for language, word in (("en", "shapes do not fit"), ("zh-CN", "形状对不上")):
        told = problems.told(error, language)
        assert word in told["message"]
        assert error.layer in told["message"]
        assert told["original"] == error.message
    assert CHINESE.search(told["message"])


def test_kinds_of_kinds_are_known() -> None:
    class TornError(MessageError):
        pass

    assert "was refused" in problems.told(TornError("torn"), "en")["message"]
    assert problems.told(PellucidError("no"), "zh-CN")["message"] == "这件事做不到。"
    assert problems.told(MemoryError(), "zh-CN")["original"] == ""
    assert problems.told(IndexError(3), "en")["original"] == "IndexError(3)"


@pytest.mark.parametrize("name", lab.every())
def test_what_is_turned_too_far_is_refused_in_chinese(name: str) -> None:
    view = lab.open_view(name, "zh-CN")
    for setting in view.settings:
        with pytest.raises(PellucidError) as caught:
            view.handle({"do": "set", "name": setting, "value": ["nonsense"]})
        told = problems.told(caught.value, "zh-CN")
        assert "original" not in told
        assert CHINESE.search(told["message"])


def test_a_failing_experiment_names_the_settings_that_were_changed() -> None:
    told: list[dict] = []
    worker.run(find("8.7"), {"lr": -1.0, "passes": 1, "hidden": 100}, "zh-CN", told.append)
    assert told[-1]["event"] == "failed"
    assert "学习率（lr）= -1.0" in told[-1]["message"]
    assert "hidden" not in told[-1]["message"]
    assert "lr" in told[-1]["original"]
