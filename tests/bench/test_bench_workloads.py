"""Every variant of a workload computes the same; one that does not is caught."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import kernels
from pellucid.bench.results import OUR_TOLERANCE
from pellucid.bench.scaling import CURVES
from pellucid.bench.sequences import Letters
from pellucid.bench.words import Blanks
from pellucid.bench.workload import EQUAL_STEPS, Numbers, Timed, Training, difference
from pellucid.bench.workloads import WORKLOADS, chosen, find
from pellucid.errors import ArgumentError

STEPS = [w for w in WORKLOADS if isinstance(w, Training) and not isinstance(w, Letters)]
STEPS.append(Letters(steps=5, width=32))  # as W7, smaller


@pytest.fixture(autouse=True)
def numpy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are tested where they are; compiling them takes longer than all of this."""
    monkeypatch.setenv(kernels.SWITCH, "0")


def numbers(timed: Timed, exact: bool = True) -> Numbers:
    found = timed.numbers(exact)
    assert found is not None
    return found


@pytest.mark.parametrize("workload", STEPS, ids=lambda w: w.id)
def test_compiled_and_eager_are_the_same(workload: Training) -> None:
    eager, compiled = (workload.open(v, 1) for v in ("eager", "compiled"))
    for exact in (True, False) if workload.random else (True,):
        found = numbers(eager, exact)
        assert difference(found, numbers(compiled, exact)) <= OUR_TOLERANCE
        assert len(found) > EQUAL_STEPS
        moved = [length for _, length in found[EQUAL_STEPS:]]
        assert min(moved) > 0, "a weight that does not learn is not compared"


@pytest.mark.parity
@pytest.mark.parametrize("workload", STEPS, ids=lambda w: w.id)
def test_pytorch_learns_the_same(workload: Training) -> None:
    pytest.importorskip("torch")
    ours, theirs = (numbers(workload.open(v, 1)) for v in ("eager", "torch"))
    assert difference(ours, theirs) <= workload.tolerance


@pytest.mark.parity
@pytest.mark.parametrize("workload", [w for w in STEPS if "jax" in w.others], ids=lambda w: w.id)
def test_jax_learns_the_same(workload: Training) -> None:
    if not find_spec("jax"):
        pytest.skip("JAX is not installed")
    ours, theirs = (numbers(workload.open(v, 1)) for v in ("eager", "jax"))
    assert difference(ours, theirs) <= workload.tolerance


@pytest.mark.parametrize("workload", STEPS, ids=lambda w: w.id)
def test_the_bare_step_runs(workload: Training) -> None:
    assert workload.open("bare", 1).turn(0) > 0


def test_a_wrong_variant_is_caught() -> None:
    workload: Any = find("W6")
    right = numbers(workload.open("eager", 1))
    workload = type(workload)()
    workload.lr *= 1.01
    assert difference(right, numbers(workload.open("eager", 1))) > workload.tolerance


def test_so_is_a_weight_that_the_losses_do_not_show() -> None:
    """The losses of different reviews hardly meet in the same words; the moves of the table do."""
    right = [(0.5, 0.5), (3.0, 10.0)]
    assert difference(right, [(0.5, 0.5), (3.1, 10.0)]) == pytest.approx(0.01)
    assert difference(right, [(0.5, 0.5), (float("nan"), 10.0)]) == float("inf")
    assert difference(right, right[:1]) == float("inf")


def test_sums_under_lock_are_the_sums() -> None:
    pytest.importorskip("cryptography")
    work = find("H2b")
    found = [numbers(work.open(v, 1)) for v in ("secure", "bare")]
    assert difference(*found) <= work.tolerance == 1e-9


def test_so_are_paillier_s() -> None:
    work = find("H1")
    packed = numbers(work.open("packed", 1))
    assert difference(packed, numbers(work.open("prepared", 1))) <= work.tolerance
    assert work.open("bare", 1).turn(0) > 0


@pytest.mark.parity
def test_phe_decrypts_the_same() -> None:
    pytest.importorskip("phe")
    work = find("H1")
    found = [numbers(work.open(v, 1)) for v in ("packed", "phe")]
    assert difference(*found) <= work.tolerance


@pytest.mark.parity
def test_gensim_reads_the_same_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("gensim")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    timed: Any = Blanks().open("gensim", 1)
    before = timed.model.wv.vectors.copy()
    assert timed.turn(0) > 0
    assert before.shape == (Blanks.vocabulary, Blanks.width)
    assert not np.array_equal(before, timed.model.wv.vectors)


def test_what_comes_with_it_is_counted() -> None:
    numpy, ours = (find("C2").open(name, 1).turn(0) for name in ("numpy", "pellucid"))
    assert 1e6 < numpy < ours


@pytest.mark.parametrize("id", ["C1", "C1m"])
def test_an_import_has_a_python_of_its_own(id: str) -> None:
    assert find(id).open("numpy", 1).turn(0) > 0


@pytest.mark.parametrize("curve", CURVES, ids=lambda c: c.id)
def test_curves_grow(curve: Any) -> None:
    assert list(curve.sizes) == sorted(set(curve.sizes))
    if "secure" in curve.variants:
        pytest.importorskip("cryptography")
    for variant in curve.variants[:1]:
        timed = find(f"{curve.id}:{curve.sizes[0]}").open(variant, 1)
        assert timed.turn(0) > 0
        assert timed.numbers(True)


def test_who_is_chosen() -> None:
    assert chosen([]) == (WORKLOADS, CURVES)
    workloads, curves = chosen(["w3b", "S1-batch"])
    assert [w.id for w in workloads] == ["W3b"]
    assert [c.id for c in curves] == ["S1-batch"]
    assert chosen(["S1"]) == ([], CURVES)
    with pytest.raises(ArgumentError, match="no workload W99; there are W1, W2"):
        chosen(["W99"])


def test_ids_are_unique() -> None:
    ids = [w.id for w in WORKLOADS] + [c.id for c in CURVES]
    assert len(set(ids)) == len(ids)
