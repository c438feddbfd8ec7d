"""fit: predict, compare, learn. The loop itself; what goes on around it stands in `run.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..io.tensors import PathLike
from ..random import manual_seed
from ..tape import no_grad
from .callbacks import Callback, Checkpoint, LearningRate
from .history import History
from .metrics import Averages, Metrics, named_metrics
from .progress import Progress
from .run import Run, clip_gradients, parts_of

Loss = Callable[[Any, Any], Any]


def fit(
    model: Any,
    data: Iterable[Any],
    loss: Loss,
    optimizer: Any,
    *,
    epochs: int,
    validation: Iterable[Any] | None = None,
    metrics: Metrics = (),
    schedule: Any = None,
    clip: float | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: PathLike | Checkpoint | None = None,
    resume: bool = True,
    seed: int | None = None,
    progress: bool | Progress = True,
    settings: dict[str, Any] | None = None,
    compile: bool = False,
) -> History:
    """Train a network: for each batch predict, compare, learn; pass by pass over the data.

    With a checkpoint, a run that was stopped in whatever way goes on where it was, and ends with
    the same weights, bit for bit, as one that was not stopped. Ctrl-C stops after the current step.

    Args:
        model: the network.
        data: batches `(inputs, targets)`: a DataLoader, or a list of pairs. A batch of more parts
            gives all but the last to the model.
        loss: called as `loss(prediction, targets)`; gives one number.
        optimizer: changes the weights.
        epochs: how many passes over the data, those before a restart included.
        validation: batches to measure the network with after each pass, without learning.
        metrics: what to measure besides the loss: "accuracy", or functions of prediction and
            targets.
        schedule: sets the learning rate after each pass (wrap it in `LearningRate` for each step).
        clip: shorten the gradients to this length where they are longer.
        callbacks: told after each step and each pass.
        checkpoint: where to keep what is needed to go on: a path, or a `Checkpoint`.
        resume: go on from the checkpoint if there is one; False begins anew and replaces it.
        seed: start Pellucid's random numbers here; when resuming, they go on where they were.
        progress: show how it goes; False for silence.
        settings: anything worth remembering about the run, kept in the checkpoint for people.
        compile: run each step as its own program, several times faster for small networks; see
            `pellucid.compile`. The figures are the same up to rounding.

    Returns:
        The figures of each pass. `stopped` says why it ended: "finished", "early", "interrupted".

    Raises:
        AnomalyError: the loss became NaN or infinite.
        ArgumentError: the data give no batches, or batches that are no pairs; or the step cannot be
            compiled.
        CheckpointError: the checkpoint belongs to another network; every difference is listed.

    >>> import pellucid
    >>> from pellucid import nn, optim, train
    >>> _ = pellucid.manual_seed(0)
    >>> model = nn.Linear(1, 1)
    >>> data = [(pellucid.tensor([[1.0], [2.0]]), pellucid.tensor([[2.0], [4.0]]))]
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> history = train.fit(model, data, nn.MSELoss(), sgd, epochs=50, progress=False)
    >>> history["loss"][-1] < 0.1
    True
    """
    if schedule is not None:
        told = schedule if isinstance(schedule, Callback) else LearningRate(schedule)
        callbacks = [told, *callbacks]
    if checkpoint is not None:
        saver = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)
        callbacks = [*callbacks, saver]
    if progress:
        callbacks = [progress if isinstance(progress, Progress) else Progress(), *callbacks]
    if seed is not None:
        manual_seed(seed)
    measures = named_metrics(metrics)
    run = Run(model, data, loss, optimizer, epochs, measures, callbacks, validation, settings)

    def step(*batch: Any) -> tuple[Any, Any]:
        *inputs, targets = batch
        prediction = model(*inputs)  # predict
        error = loss(prediction, targets)  # compare
        optimizer.zero_grad()
        error.backward()  # learn: who is to blame, by how much
        clip_gradients(model, clip)
        optimizer.step()  #        change the weights
        return prediction, error

    learn = compiled(step) if compile else step
    with run.under_way(resume):
        while run.goes_on():
            model.train()
            for batch in run.batches():
                prediction, error = learn(*batch)
                run.after_step(error, prediction, batch[-1])
                if run.stopped:
                    break
            else:
                run.after_epoch(evaluate(model, validation, loss, metrics) if validation else {})
    return run.history


def compiled(step: Any) -> Any:
    """The step as its own program."""
    from ..program import compile as as_program

    return as_program(step)


def evaluate(
    model: Any, data: Iterable[Any], loss: Loss | None = None, metrics: Metrics = ()
) -> dict[str, float]:
    """Measure a network on data, as it is used: no dropout, nothing recorded, nothing learned.

    Args:
        model: the network.
        data: batches `(inputs, targets)`.
        loss: called as `loss(prediction, targets)`; or None.
        metrics: "accuracy", or functions of prediction and targets.

    Returns:
        "loss" and the metrics by name, averaged over all items.

    Raises:
        ArgumentError: the data give no batches.
    """
    measures = named_metrics(metrics)
    averages = Averages()
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            for batch in data:
                *inputs, targets = parts_of(batch)
                prediction = model(*inputs)
                error = None if loss is None else loss(prediction, targets)
                averages.add(error, prediction, targets, measures)
    finally:
        for module, training in modes:
            module.training = training
    return averages.result("evaluate was given no batches")
