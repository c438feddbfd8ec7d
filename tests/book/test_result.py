"""The notebook an experiment writes into."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pellucid import Tensor
from pellucid.book import Result
from pellucid.errors import ArgumentError


def test_numbers_are_plain_copies() -> None:
    result, array = Result(), np.array([1.0, 2.0])
    result.number("one", Tensor(0.5))
    result.number("many", array)
    result.number("words", ["good", "bad"])
    result.number("none", None)
    array[0] = 9
    assert result.numbers["one"] == 0.5
    assert isinstance(result.numbers["one"], float)
    assert list(result.numbers["many"]) == [1.0, 2.0]
    assert result.numbers["words"] == ["good", "bad"]
    assert result.numbers["none"] is None


def test_the_first_steps_are_kept_and_the_rest_fly_by() -> None:
    result = Result(watch=2)
    for n in range(4):
        opened = result.step(f"step {n}")
        assert opened == (n < 2)
        result.predict("prediction", "input * weight", Tensor([float(n)]))
    assert [s.title for s in result.steps] == ["step 0", "step 1"]
    assert [float(s.values[0].value[0]) for s in result.steps] == [0.0, 1.0]


def test_a_value_before_any_step_is_not_kept() -> None:
    result = Result()
    result.learn("weight", "as it is", 0.5)
    assert result.steps == []


@pytest.mark.parametrize(
    ("ours", "theirs", "ok"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-12], True),
        ([1.0, 2.0], [1.0, 2.1], False),
        ([math.nan], [1.0], False),
        ([math.inf], [1.0], False),
        ([1.0, math.inf, math.nan], [1.0, math.inf, math.nan], True),
        ([1.0, math.inf], [1.1, math.inf], False),
        (0.0, 0.0, True),
        ([], [], True),
    ],
)
def test_two_ways_to_the_same(ours: object, theirs: object, ok: bool) -> None:
    result = Result()
    result.agree("weights", ours, theirs)
    assert result.agrees is ok
    assert result.agreements[0].ok is ok


def test_two_ways_of_different_shape_are_no_two_ways() -> None:
    with pytest.raises(ArgumentError, match="not the same thing twice"):
        Result().agree("weights", [1.0, 2.0], [1.0])


def test_stand_in_data_stop_the_comparing() -> None:
    result = Result()
    result.stand_in("MNIST", "small digits")
    assert result.incomparable == "MNIST is not here; small digits used instead"
    assert result.replaced == {"what": "MNIST", "instead": "small digits"}


def test_everything_as_plain_data() -> None:
    result = Result()
    result.number("error", math.inf)
    result.table("steps", ("step", "error"), [(1, Tensor(0.5)), (2, math.nan)])
    result.plot("errors", {"error": [3.0, 2.0], "other": ([0, 2], [1.0, 1.0])}, x="step", log=True)
    result.picture("weights", {"of a 3": np.eye(2)}, signed=True)
    result.agree("error", 1.0, 1.0)
    if result.step("step 1"):
        result.compare("error", "(p - t) ** 2", Tensor([[0.25]]))
    told = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert told["numbers"] == {"error": "inf"}
    assert told["tables"][0]["rows"] == [[1, 0.5], [2, "nan"]]
    assert told["plots"][0]["curves"][1] == {"label": "other", "x": [0.0, 2.0], "y": [1.0, 1.0]}
    assert told["pictures"][0]["images"][0]["pixels"] == [[1.0, 0.0], [0.0, 1.0]]
    assert told["steps"][0]["values"][0]["value"] == [[0.25]]
    assert told["agreements"] == [{"name": "error", "difference": 0.0, "ok": True}]
