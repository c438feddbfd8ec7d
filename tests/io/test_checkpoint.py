"""Checkpoints: one file, whole or not there, and words for one that does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid
from pellucid.errors import CheckpointError, DataError
from pellucid.io import load_checkpoint, save_checkpoint
from pellucid.io.tensors import write

STATE = {
    "epoch": 3,
    "model": {"weight": pellucid.ones(2, 2)},
    "optimizer": {"state": {0: {"step": 5, "mean": np.zeros(2)}}, "betas": (0.9, 0.999)},
    "figure": float("nan"),
}


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    save_checkpoint(STATE, tmp_path / "run")
    state = load_checkpoint(tmp_path / "run")
    assert state["epoch"] == 3
    assert state["model"]["weight"].tolist() == [[1, 1], [1, 1]]
    assert state["optimizer"]["state"][0]["mean"].tolist() == [0, 0]
    assert state["optimizer"]["betas"] == (0.9, 0.999)
    assert state["figure"] != state["figure"]
    assert {p.name for p in tmp_path.iterdir()} == {"run.safetensors", "run.json"}


def test_the_random_state_comes_back(tmp_path: Path) -> None:
    pellucid.manual_seed(4)
    pellucid.random.generator().integers(9, size=3, dtype=np.uint32)  # leaves half a word behind
    save_checkpoint({"random": pellucid.get_rng_state()}, tmp_path / "run")
    expected = pellucid.random.generator().random(3).tolist()
    pellucid.manual_seed(5)
    pellucid.set_rng_state(load_checkpoint(tmp_path / "run")["random"])
    assert pellucid.random.generator().random(3).tolist() == expected


def test_people_can_read_it(tmp_path: Path) -> None:
    save_checkpoint(STATE, tmp_path / "run.safetensors")
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["versions"]["numpy"] == np.__version__
    assert told["state"]["model"]["weight"] == "tensor (2, 2) float32"
    assert told["state"]["optimizer"]["betas"] == [0.9, 0.999]
    assert told["state"]["figure"] == "nan"


def test_only_the_one_file_counts(tmp_path: Path) -> None:
    save_checkpoint(STATE, tmp_path / "run")
    (tmp_path / "run.json").write_text("nonsense")
    assert load_checkpoint(tmp_path / "run")["epoch"] == 3


def test_weights_alone_are_no_checkpoint(tmp_path: Path) -> None:
    pellucid.save({"weight": pellucid.ones(2)}, tmp_path / "run.safetensors")
    with pytest.raises(
        CheckpointError, match=r"no checkpoint of a run.\nWeights alone are read with"
    ):
        load_checkpoint(tmp_path / "run")


def test_a_later_format_is_named(tmp_path: Path) -> None:
    told = {
        "kind": "pellucid checkpoint",
        "format": 9,
        "versions": {"pellucid": "7.0"},
        "state": {},
    }
    write({}, tmp_path / "run.safetensors", {"pellucid": json.dumps(told)})
    with pytest.raises(CheckpointError, match=r"format 9, .* reads format 1\. .*7\.0"):
        load_checkpoint(tmp_path / "run")


def test_a_cut_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(STATE, tmp_path / "run")
    path = tmp_path / "run.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match=r"run\.safetensors is no whole safetensors file"):
        load_checkpoint(path)


parts = st.recursive(
    st.none() | st.integers() | st.floats() | st.sampled_from(["pellucid checkpoint", "tensor"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$", "kind", "format", "state", "name"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | parts.map(json.dumps))
def test_no_json_at_all_breaks_the_reader(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    write({}, path, {"pellucid": text})
    try:
        state = load_checkpoint(path)
    except (DataError, CheckpointError):
        return
    assert isinstance(state, dict)
