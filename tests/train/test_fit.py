"""fit: it is the loop by hand, goes on exactly where it stopped, and says what is wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn, optim, schedules
from pellucid.data import ArrayDataset, DataLoader
from pellucid.errors import AnomalyError, ArgumentError, CheckpointError, DataError
from pellucid.train import (
    Callback,
    Checkpoint,
    EarlyStopping,
    History,
    LearningRate,
    callbacks,
    evaluate,
    fit,
)

INPUTS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
TARGETS = np.stack([INPUTS[:, 0] * INPUTS[:, 1], INPUTS[:, 2]], axis=1)
CLASSES = (INPUTS[:, 0] > 0).astype(np.int64)


def squared(prediction: Tensor, targets: Tensor) -> Tensor:
    return ((prediction - targets) ** 2).mean()


def network(seed: int = 1, hidden: int = 8) -> nn.Sequential:
    pellucid.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Dropout(0.2), nn.Linear(hidden, 2))


def batches(shuffle: bool = True, size: int = 10) -> DataLoader:
    return DataLoader(ArrayDataset(INPUTS, TARGETS), batch_size=size, shuffle=shuffle)


def weights(model: Any) -> list[Any]:
    return [t.data.tolist() for t in model.state_dict().values()]


def run(
    model: Any = None, data: Any = None, epochs: int = 3, **settings: Any
) -> tuple[Any, History]:
    model = model or network()
    optimizer = settings.pop("optimizer", None) or optim.Adam(model.parameters(), lr=0.02)
    data = batches() if data is None else data
    return model, fit(model, data, squared, optimizer, epochs=epochs, progress=False, **settings)


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, run: Any) -> None:
        if run.step == self.step:
            run.stop("interrupted")


# ----------------------------------------------------------------------------------- what it does


def test_it_is_the_loop_by_hand() -> None:
    by_hand = network()
    optimizer = optim.Adam(by_hand.parameters(), lr=0.02)
    for _ in range(3):
        for inputs, targets in batches():
            optimizer.zero_grad()
            squared(by_hand(inputs), targets).backward()
            optimizer.step()
    fitted, _ = run()
    assert weights(fitted) == weights(by_hand)


def test_the_same_seed_gives_the_same_numbers() -> None:
    model, history = run(network(1), seed=5)
    again, same = run(network(1), seed=5)
    other, _ = run(network(1), seed=6)
    assert weights(model) == weights(again) != weights(other)
    assert history["loss"] == same["loss"]


def test_history_has_a_row_for_each_pass() -> None:
    _, history = run(validation=batches(shuffle=False), epochs=4)
    assert history.names() == ["epoch", "loss", "validation_loss", "lr", "seconds"]
    assert history["epoch"] == [1, 2, 3, 4]
    assert history["lr"] == [0.02] * 4
    assert history["loss"][-1] < history["loss"][0]
    assert history.stopped == "finished"
    assert history.best is not None
    assert history.best["validation_loss"] == min(history["validation_loss"])


def test_the_loss_is_averaged_over_items_not_batches() -> None:
    model = network().eval()
    data = [
        (Tensor(INPUTS[:30]), Tensor(TARGETS[:30])),
        (Tensor(INPUTS[30:]), Tensor(TARGETS[30:])),
    ]
    whole = squared(model(Tensor(INPUTS)), Tensor(TARGETS)).item()
    assert evaluate(model, data, squared)["loss"] == pytest.approx(whole, rel=1e-6)


def test_metrics_by_name_and_by_function() -> None:
    def error_of_the_first(prediction: Tensor, targets: Tensor) -> float:
        return float(abs(prediction.data[:, 0] - targets.data[:, 0]).mean())

    _, history = run(metrics=[error_of_the_first], validation=batches())
    assert "validation_error_of_the_first" in history.names()
    figures = evaluate(network(), [(Tensor(INPUTS), Tensor(CLASSES))], metrics="accuracy")
    assert list(figures) == ["accuracy"]
    assert 0 <= figures["accuracy"] <= 1
    with pytest.raises(ArgumentError, match="no metric 'acuracy'; there is accuracy"):
        run(metrics=["acuracy"])


def test_evaluate_leaves_the_network_as_it_was() -> None:
    model = network()
    model[0].training = False  # somebody wants this layer to stay as it is
    before = weights(model)
    evaluate(model, batches(), squared)
    assert [m.training for m in model.modules()] == [True, False, True, True, True]
    assert weights(model) == before
    assert all(p.grad is None for p in model.parameters())


def test_evaluate_is_without_dropout() -> None:
    model = network()
    data = batches(shuffle=False)
    assert evaluate(model, data, squared) == evaluate(model, data, squared)


def test_several_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(3, 2)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return self.layer(a + b)  # type: ignore[no-any-return]

    triples = [(Tensor(INPUTS), Tensor(INPUTS), Tensor(TARGETS))]
    _, history = run(Two(), triples)
    assert history["loss"][-1] < history["loss"][0]


def test_gradients_are_clipped() -> None:
    model = network()
    before = [p.data.copy() for p in model.parameters()]
    sgd = optim.SGD(model.parameters(), lr=1.0)
    run(model, [(Tensor(INPUTS), Tensor(TARGETS * 100))], epochs=1, clip=0.5, optimizer=sgd)
    moved = sum(((p.data - b) ** 2).sum() for p, b in zip(model.parameters(), before, strict=True))
    assert float(moved) ** 0.5 == pytest.approx(0.5, rel=1e-4)


def test_schedules_move_once_per_pass_or_per_step() -> None:
    model = network()
    sgd = optim.SGD(model.parameters(), lr=1e-3)
    _, history = run(model, optimizer=sgd, schedule=schedules.StepLR(sgd, 1, gamma=0.5))
    assert history["lr"] == [1e-3, 5e-4, 2.5e-4]
    sgd = optim.SGD(model.parameters(), lr=1e-3)
    every_step = LearningRate(schedules.StepLR(sgd, 4, gamma=0.5), every="step")
    _, history = run(model, optimizer=sgd, schedule=every_step)
    assert history["lr"] == [5e-4, 2.5e-4, 1.25e-4]


def test_a_plateau_is_told_the_figure_that_decides() -> None:
    model = network()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    plateau = schedules.ReduceLROnPlateau(sgd, patience=0, threshold=1e9, threshold_mode="abs")
    _, history = run(model, optimizer=sgd, schedule=plateau, validation=batches())
    assert history["lr"] == [0.1, 0.1, pytest.approx(0.01)]
    assert plateau.best == history["validation_loss"][0]
    with pytest.raises(ArgumentError, match="figures of a pass"):
        LearningRate(plateau, every="step")


# ---------------------------------------------------------------------------------- early stopping


def test_early_stopping_goes_back_to_the_best_weights() -> None:
    model = network()
    seen: list[Any] = []

    class Look(Callback):
        def on_epoch(self, run: Any) -> None:
            seen.append(weights(run.model))

    sgd = optim.SGD(model.parameters(), lr=1.9)  # too much: it gets worse sooner or later
    _, history = run(
        model, optimizer=sgd, epochs=60, validation=batches(),
        callbacks=[Look(), EarlyStopping(patience=3)],
    )  # fmt: skip
    assert history.stopped == "early"
    losses = history["validation_loss"]
    best = losses.index(min(losses))
    assert len(losses) == best + 1 + 3
    assert history.best is not None
    assert history.best["epoch"] == best + 1
    assert weights(model) == seen[best] != seen[-1]


def test_early_stopping_by_another_figure() -> None:
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=1e-9)
    classes = DataLoader(ArrayDataset(INPUTS, CLASSES), batch_size=40)
    history = fit(
        model, classes, lambda p, t: (p**2).mean(), optimizer, epochs=9, metrics=["accuracy"],
        validation=classes, callbacks=[EarlyStopping(2, monitor="validation_accuracy")],
        progress=False,
    )  # fmt: skip
    assert len(history) == 3
    assert history.stopped == "early"


def test_small_gains_do_not_count() -> None:
    _, history = run(epochs=20, callbacks=[EarlyStopping(patience=2, min_delta=1e6)])
    assert len(history) == 3


def test_a_run_that_stopped_early_stays_stopped(tmp_path: Path) -> None:
    def stopped_early() -> tuple[Any, History]:
        return run(
            epochs=20, callbacks=[EarlyStopping(2, min_delta=1e6)], checkpoint=tmp_path / "run"
        )

    model, history = stopped_early()
    again, same = stopped_early()
    assert (len(same), same.stopped) == (3, "early")
    assert weights(again) == weights(model)
    assert same["loss"] == history["loss"]


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="patience is at least 1"):
        EarlyStopping(patience=0)
    with pytest.raises(ArgumentError, match="mode is 'up'; it can be"):
        run(callbacks=[EarlyStopping(mode="up")])
    with pytest.raises(ArgumentError, match="watch different figures"):
        run(callbacks=[EarlyStopping(monitor="loss"), EarlyStopping(monitor="accuracy")])
    with pytest.raises(ArgumentError, match="'f1' is to be watched, but there are epoch, loss"):
        run(callbacks=[EarlyStopping(monitor="f1")])
    with pytest.raises(ArgumentError, match="at least 1"):
        Checkpoint("run", every_steps=0)


# ------------------------------------------------------------------------------------- going on


RECIPES: dict[str, Any] = {
    "Adam, cosine": (
        lambda p: optim.Adam(p, lr=0.02, amsgrad=True),
        lambda o: schedules.CosineAnnealingLR(o, T_max=3),
    ),
    "SGD, momentum, steps": (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
        lambda o: LearningRate(schedules.StepLR(o, 5, gamma=0.5), every="step"),
    ),
    "RMSprop, plateau": (
        lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
        lambda o: schedules.ReduceLROnPlateau(o, patience=0, factor=0.5),
    ),
    "AdamW, warm-up": (
        lambda p: optim.AdamW(p, lr=0.02),
        lambda o: LearningRate(schedules.LinearWarmup(o, 6), every="step"),
    ),
    "Adagrad": (lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.01), lambda o: None),
}


@pytest.mark.parametrize("kind", ["loader", "list"])
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("step", [1, 3, 4, 5, 11])
def test_stopped_at_any_step_it_ends_the_same(
    step: int, recipe: str, kind: str, tmp_path: Path
) -> None:
    def data() -> Any:
        return batches() if kind == "loader" else list(batches(shuffle=False))

    def fresh(**settings: Any) -> tuple[Any, History]:
        model = network()
        make, schedule = RECIPES[recipe]
        optimizer = make(model.parameters())
        return run(
            model,
            data(),
            optimizer=optimizer,
            schedule=schedule(optimizer),
            validation=batches(),
            **settings,
        )

    expected, whole = fresh()
    _, part = fresh(callbacks=[StopAt(step)], checkpoint=tmp_path / "run")
    assert part.stopped == "interrupted"
    assert len(part) == (step - 1) // 4
    model, history = fresh(checkpoint=tmp_path / "run")
    assert history.resumed_at == step
    assert weights(model) == weights(expected)
    for name in ("epoch", "loss", "validation_loss", "lr"):
        assert history[name] == whole[name]


def test_the_checkpoint_says_why_the_run_ended(tmp_path: Path) -> None:
    class SaveFirst(Checkpoint):
        """Ctrl-C at the worst moment: the checkpoint of this step is already written."""

        def on_step(self, run: Any) -> None:
            super().on_step(run)
            if run.step == 2:
                run.stop("interrupted")

    run(checkpoint=SaveFirst(tmp_path / "run", every_steps=1))
    assert pellucid.io.load_checkpoint(tmp_path / "run")["stopped"] == "interrupted"
    run(checkpoint=tmp_path / "run")
    path = tmp_path / "run.safetensors"
    assert pellucid.io.load_checkpoint(path)["stopped"] == "finished"
    written = path.stat().st_mtime_ns
    run(checkpoint=tmp_path / "run")
    assert path.stat().st_mtime_ns == written  # nothing new, nothing written


def test_more_passes_can_be_added(tmp_path: Path) -> None:
    expected, _ = run(epochs=5)
    run(epochs=2, checkpoint=tmp_path / "run")
    model, history = run(epochs=5, checkpoint=tmp_path / "run")
    assert len(history) == 5
    assert weights(model) == weights(expected)


def test_beginning_anew_replaces_the_checkpoint(tmp_path: Path) -> None:
    run(epochs=2, checkpoint=tmp_path / "run")
    _, history = run(epochs=1, checkpoint=tmp_path / "run", resume=False)
    assert (len(history), history.resumed_at) == (1, 0)
    _, history = run(epochs=1, checkpoint=tmp_path / "run")
    assert history.resumed_at == 4


def test_the_best_weights_have_a_file_of_their_own(tmp_path: Path) -> None:
    model, history = run(
        validation=batches(), checkpoint=tmp_path / "run", callbacks=[EarlyStopping(patience=99)]
    )
    best = pellucid.load(tmp_path / "run.best.safetensors")
    assert weights(model) == [best[name].tolist() for name in model.state_dict()]
    files = {p.name for p in tmp_path.iterdir()}
    assert files == {"run.safetensors", "run.json", "run.best.safetensors"}
    assert history.best is not None


def test_ctrl_c_stops_after_the_step(tmp_path: Path) -> None:
    class Interrupt(Callback):
        def on_step(self, run: Any) -> None:
            if run.step == 6:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    _, history = run(callbacks=[Interrupt()], checkpoint=tmp_path / "run")
    assert history.stopped == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before
    expected, _ = run()
    model, history = run(checkpoint=tmp_path / "run")
    assert history.resumed_at == 6
    assert weights(model) == weights(expected)


def test_ctrl_c_while_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, interrupted = callbacks.save_checkpoint, []

    def save(state: Any, path: Any) -> None:
        whole(state, path)
        if state["step"] == 6 and not interrupted:
            interrupted.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(callbacks, "save_checkpoint", save)
    _, history = run(checkpoint=Checkpoint(tmp_path / "run", every_steps=3))
    assert history.stopped == "interrupted"
    state = pellucid.io.load_checkpoint(tmp_path / "run")
    assert (state["stopped"], state["step"]) == ("interrupted", 6)


def test_ctrl_c_after_the_last_pass_leaves_nothing_to_do(tmp_path: Path) -> None:
    class AtTheEnd(Callback):
        def on_epoch(self, run: Any) -> None:
            if run.epoch == run.epochs:
                run.stop("interrupted")

    model, history = run(callbacks=[AtTheEnd()], checkpoint=tmp_path / "run")
    assert (history.stopped, len(history)) == ("interrupted", 3)
    again, history = run(checkpoint=tmp_path / "run")
    assert (history.stopped, len(history), history.resumed_at) == ("finished", 3, 12)
    assert weights(again) == weights(model)
    assert pellucid.io.load_checkpoint(tmp_path / "run")["stopped"] == "finished"


def test_killed_between_the_two_files_the_best_weights_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    whole = callbacks.save_checkpoint

    def save(state: Any, path: Any) -> None:
        whole(state, path)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(callbacks, "save_checkpoint", save)
        with pytest.raises(Killed):
            run(checkpoint=Checkpoint(tmp_path / "run", every_epochs=9))
    assert pellucid.load(tmp_path / "run.best.safetensors").keys() == network().state_dict().keys()


def test_a_second_ctrl_c_stops_at_once() -> None:
    class Twice(Callback):
        def on_step(self, run: Any) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(callbacks=[Twice()])


# --------------------------------------------------------------------------- what does not fit


def test_a_checkpoint_of_another_network_lists_every_difference(tmp_path: Path) -> None:
    run(epochs=1, checkpoint=tmp_path / "run")

    class Other(nn.Module):
        def __init__(self) -> None:
            self.layers = nn.Sequential(nn.Linear(3, 2))

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(x)  # type: ignore[no-any-return]

    with pytest.raises(CheckpointError) as caught:
        run(Other(), epochs=1, checkpoint=tmp_path / "run")
    told = caught.value.message
    for key in ("layers.0.weight", "layers.0.bias", "0.weight", "0.bias", "3.weight", "3.bias"):
        assert key in told
    assert "run.safetensors cannot be gone on with" in told
    assert "resume=False" in told

    with pytest.raises(CheckpointError) as caught:
        run(network(hidden=9), epochs=1, checkpoint=tmp_path / "run")
    for words in ("0.weight: (8, 3) given, (9, 3) needed", "3.weight: (2, 8) given, (2, 9) needed"):
        assert words in caught.value.message


def test_a_checkpoint_of_another_optimiser(tmp_path: Path) -> None:
    run(epochs=1, checkpoint=tmp_path / "run")
    model = network()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(CheckpointError, match="made with Adam, and cannot go on with SGD"):
        run(model, optimizer=sgd, checkpoint=tmp_path / "run")


def test_a_checkpoint_in_the_middle_of_other_data(tmp_path: Path) -> None:
    run(callbacks=[StopAt(2)], checkpoint=tmp_path / "run")
    with pytest.raises(CheckpointError, match="batch_size was 10 and is 7 now"):
        run(data=batches(size=7), checkpoint=tmp_path / "run")


def test_files_that_are_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    pellucid.io.save_checkpoint({"my own": 1}, path)
    with pytest.raises(CheckpointError, match="but not of a run of fit"):
        run(checkpoint=path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="no whole safetensors file"):
        run(checkpoint=path)


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    model = network()
    sgd = optim.SGD(model.parameters(), lr=1e30)
    data = [(Tensor(INPUTS), Tensor(TARGETS))]
    with (
        np.errstate(all="ignore"),
        pytest.raises(AnomalyError, match=r"became (nan|inf) in pass \d+, step 1 of it.\nUsually"),
    ):
        run(model, data, epochs=9, optimizer=sgd, checkpoint=tmp_path / "run")
    for name, array in pellucid.io.load_checkpoint(tmp_path / "run")["averages"]["sums"].items():
        assert np.isfinite(array), name


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            [Tensor(INPUTS)],
            r"the data gave a Tensor\.\nDataLoader\(ArrayDataset\(inputs, targets\)",
        ),
        ([(Tensor(INPUTS),)], "the data gave a tuple of 1"),
        ([], "no batches in pass 1"),
    ],
)
def test_data_that_are_no_pairs(data: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        run(data=data)


def test_a_generator_is_used_up_after_one_pass() -> None:
    pairs = ((Tensor(INPUTS), Tensor(TARGETS)) for _ in range(2))
    with pytest.raises(ArgumentError, match=r"no batches in pass 2\.\nA generator"):
        run(data=pairs)
    with pytest.raises(ArgumentError, match="evaluate was given no batches"):
        evaluate(network(), [], squared)
