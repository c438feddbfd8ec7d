"""`pellucid export`, as a person would call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as framework
from pellucid import nn
from pellucid.train import Checkpoint, fit

Call = Callable[..., Any]

CODE = """
from pellucid import nn

def build():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))

class Net(nn.Module):
    def __init__(self):
        self.one = nn.Linear(3, 4)

    def forward(self, x):
        return self.one(x).relu()

ready = build()
seven = 7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code.py").write_text(CODE)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    framework.save_model(model, "whole.safetensors")
    framework.save(model.state_dict(), "weights.safetensors")
    return tmp_path


def test_a_whole_model_needs_no_code(pellucid: Call, folder: Path) -> None:
    done = pellucid("export", "whole.safetensors", "-o", "net.py")
    assert done.exit_code == 0
    first, second, checked = done.stdout.splitlines()[:3]
    assert first.startswith("net.py  (")
    assert second.startswith("net.npz  (")
    assert checked.startswith("Checked: run by numpy, it predicts the same (largest difference")
    assert "layer_1 = np.tanh(layer_0)" in (folder / "net.py").read_text()
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_targets_by_ending_and_by_name(pellucid: Call, folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    assert "run by onnxruntime" in pellucid("export", "whole.safetensors", "-o", "a.onnx").stdout
    pytest.importorskip("torch")
    pellucid("export", "whole.safetensors", "--to", "torch", "-o", "b.py")
    assert "class Net(nn.Module)" in (folder / "b.py").read_text()


@pytest.mark.parametrize("name", ["build", "ready"])
def test_weights_with_code_of_ones_own(pellucid: Call, folder: Path, name: str) -> None:
    done = pellucid("export", "weights.safetensors", "--code", f"code.py:{name}", "-o", "net.py")
    assert done.exit_code == 0
    saved = np.load(folder / "net.npz")["0.weight"]
    assert saved.tolist() == framework.load("weights.safetensors")["0.weight"].tolist()


def test_a_class_and_a_checkpoint_of_a_run(pellucid: Call, folder: Path) -> None:
    model = nn.Linear(3, 4)
    data = [(framework.ones(2, 3), framework.zeros(2, 4))]
    fit(
        model, data, nn.MSELoss(), framework.optim.SGD(model.parameters(), lr=0.1), epochs=1,
        checkpoint=Checkpoint("run"), progress=False,
    )  # fmt: skip
    (folder / "one.py").write_text("from pellucid import nn\ndef one(): return nn.Linear(3, 4)\n")
    done = pellucid("export", "run.safetensors", "--code", "one.py:one", "-o", "net.py", "--json")
    assert json.loads(done.stdout) == {
        "to": "numpy",
        "files": ["net.py", "net.npz"],
        "checked": True,
        "difference": 0.0,
        "runner": "numpy",
    }
    assert np.load(folder / "net.npz")["weight"].tolist() == model.weight.tolist()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.safetensors", "-o", "net.py"], "there is no file nothing.safetensors"),
        (["weights.safetensors", "-o", "net.py"], "--code FILE.py:NAME"),
        (["whole.safetensors", "-o", "net.txt"], "does not tell which"),
        (
            ["weights.safetensors", "--code", "code.py:bild", "-o", "n.py"],
            "has no bild; it has: nn,",
        ),
        (["weights.safetensors", "--code", "code.py", "-o", "n.py"], "such as net.py:build"),
        (["weights.safetensors", "--code", "no.py:x", "-o", "n.py"], "there is no file no.py"),
        (["weights.safetensors", "--code", "code.py:Net", "-o", "n.py"], "do not fit Net"),
        (["whole.safetensors", "--shape", "wide", "-o", "n.py"], "whole numbers, such as 784"),
        (["whole.safetensors", "--shape", "5", "-o", "n.py"], "did not take\n  (2, 5)"),
        (["code.py", "-o", "n.py"], "no whole safetensors file"),
    ],
)
def test_mistakes_are_answered(pellucid: Call, folder: Path, words: list[str], said: str) -> None:
    before = sorted(p.name for p in folder.iterdir())
    done = pellucid("export", *words)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert [p.name for p in sorted(folder.iterdir()) if p.name != "__pycache__"] == before


def test_without_the_runner_it_says_so(
    pellucid: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.io.exporting import door

    monkeypatch.setattr(door, "find_spec", lambda name: None)
    done = pellucid("export", "whole.safetensors", "--to", "torch", "-o", "net.py")
    assert done.exit_code == 0
    assert "Not checked: torch is not installed here." in done.stdout


def test_the_shape_of_one_example(pellucid: Call, folder: Path) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 9 * 4, 3))
    framework.save_model(model, "odd.safetensors")
    done = pellucid("export", "odd.safetensors", "-o", "net.py", "--shape", "1,11,6")
    assert done.exit_code == 0
    assert "predict(x):  (n, 1, 11, 6) -> (n, 3)" in (folder / "net.py").read_text()
