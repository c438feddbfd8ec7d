"""FedAvg and FedProx against the same in plain NumPy; sampling, drop-outs, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from pellucid import Tensor, nn, optim
from pellucid.data import ArrayDataset, DataLoader
from pellucid.errors import AnomalyError, ArgumentError, RoundError
from pellucid.federated import Local, Message, Recorder, State, Trainer, fedavg
from pellucid.federated.averaging import sample

Points = Mapping[str, ArrayDataset]


def by_hand(
    line: nn.Linear, points: Points, rounds: int, lr: float, passes: int, mu: float = 0.0
) -> tuple[Any, Any]:
    """Weight and bias after some rounds, all data of a party in one batch; NumPy alone."""
    weight, bias = line.weight.data.copy(), line.bias.data.copy()
    sizes = [len(data) for data in points.values()]
    for _ in range(rounds):
        own = []
        for data in points.values():
            w, b = weight.copy(), bias.copy()
            x, y = data.arrays
            for _ in range(passes):
                delta = 2 * (x @ w.T + b - y) / y.size
                d_w, d_b = delta.T @ x + mu * (w - weight), delta.sum(0) + mu * (b - bias)
                w, b = w - lr * d_w, b - lr * d_b
            own.append((w, b))
        weight, bias = (np.average(part, axis=0, weights=sizes) for part in zip(*own, strict=True))
    return weight, bias


@pytest.mark.parametrize("mu", [0.0, 0.7])
def test_it_is_the_weighted_mean_of_what_each_party_would_do(
    line: nn.Linear, points: Points, trainers: dict[str, Trainer], mu: float
) -> None:
    weight, bias = by_hand(line, points, rounds=4, lr=0.1, passes=3, mu=mu)
    history = fedavg(line, Local(trainers), rounds=4, lr=0.1, passes=3, batch_size=50, mu=mu)
    np.testing.assert_allclose(line.weight.data, weight, rtol=0, atol=1e-12)
    np.testing.assert_allclose(line.bias.data, bias, rtol=0, atol=1e-12)
    assert [row["round"] for row in history] == [1, 2, 3, 4]
    assert {row["examples"] for row in history} == {28.0}
    assert history[-1]["loss"] < history[0]["loss"]


def test_one_pass_in_one_batch_is_one_step_with_all_data(
    line: nn.Linear, points: Points, trainers: dict[str, Trainer]
) -> None:
    x, y = (
        np.concatenate(parts) for parts in zip(*(d.arrays for d in points.values()), strict=True)
    )
    together = nn.Linear(4, 2).double()
    together.load_state_dict(line.state_dict())
    optimizer = optim.SGD(together.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        nn.MSELoss()(together(Tensor(x)), Tensor(y)).backward()
        optimizer.step()
    fedavg(line, Local(trainers), rounds=5, lr=0.1, batch_size=50)
    np.testing.assert_allclose(line.weight.data, together.weight.data, rtol=0, atol=1e-12)


def test_proximal_parties_go_less_far(line: nn.Linear, trainers: dict[str, Trainer]) -> None:
    start = {name: tensor.numpy().copy() for name, tensor in line.state_dict().items()}
    moved = []
    for mu in (0.0, 1.0, 10.0):
        line.load_state_dict(start)
        fedavg(line, Local(trainers), rounds=1, lr=0.05, passes=30, mu=mu)
        moved.append(float(np.linalg.norm(line.weight.data - start["weight"])))
    assert moved[0] > moved[1] > moved[2] > 0


def test_proximal_with_rows_of_a_table() -> None:
    dense, sparse = (nn.Sequential(nn.Embedding(6, 2, sparse=s)).double() for s in (False, True))
    sparse.load_state_dict(dense.state_dict())
    data = ArrayDataset(np.array([1, 2, 2, 5]), np.arange(8.0).reshape(4, 2))
    for model in (dense, sparse):
        engine = Local({"a": Trainer(model, data, nn.MSELoss())})
        fedavg(model, engine, rounds=3, lr=0.3, passes=3, batch_size=2, mu=0.5)
    np.testing.assert_allclose(sparse[0].weight.data, dense[0].weight.data, atol=1e-14)


class Network(nn.Module):
    """With convolution, buffers of both kinds, dropout and weights of float32."""

    def __init__(self) -> None:
        self.convolution = nn.Conv2d(1, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(3 * 4 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.norm(self.convolution(x)).relu().flatten(1)
        return self.output(self.dropout(x))


def test_any_network_and_the_same_seed_gives_the_same(line: nn.Linear) -> None:
    def run(seed: int) -> dict[str, Any]:
        model = Network()
        model.load_state_dict(start)
        engine = Local({f"p{i}": Trainer(model, part, loss, seed=i) for i, part in parts.items()})
        fedavg(model, engine, rounds=2, lr=0.1, batch_size=4, passes=2, seed=seed)
        return {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}

    dice, loss = np.random.Generator(np.random.SFC64(1)), nn.CrossEntropyLoss()
    parts = {
        i: ArrayDataset(dice.normal(size=(10, 1, 6, 6)).astype("f4"), dice.integers(5, size=10))
        for i in range(3)
    }
    start = {name: t.numpy().copy() for name, t in Network().state_dict().items()}
    one, two, other = run(1), run(1), run(2)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["output.weight"], other["output.weight"])
    assert one["output.weight"].dtype == np.float32
    assert not np.array_equal(one["norm.running_mean"], start["norm.running_mean"])


def test_training_leaves_the_random_numbers_of_others_alone(
    line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    import pellucid

    pellucid.manual_seed(9)
    expected = pellucid.rand(3).tolist()
    pellucid.manual_seed(9)
    fedavg(line, Local(trainers), rounds=1, lr=0.1)
    assert pellucid.rand(3).tolist() == expected


def test_a_data_loader_would_have_given_the_same_batches(points: Points) -> None:
    data = points["cleo"]
    together, federated = nn.Linear(4, 2).double(), nn.Linear(4, 2).double()
    federated.load_state_dict(together.state_dict())
    optimizer = optim.Adam(together.parameters(), lr=0.01)
    for x, y in DataLoader(data, 5):
        optimizer.zero_grad()
        nn.MSELoss()(together(x), y).backward()
        optimizer.step()
    trainer = Trainer(federated, data, nn.MSELoss(), optimizer=optim.Adam)
    fedavg(federated, Local({"a": trainer}), rounds=1, lr=0.01, batch_size=5, shuffle=False)
    np.testing.assert_allclose(federated.weight.data, together.weight.data, atol=1e-14)


# ---------------------------------------------------------------------------------- who takes part


def dropping(party: Any, when: Callable[[Message], bool]) -> Any:
    def party_that_drops(state: State, message: Message) -> tuple[Message | None, State]:
        return (None, state) if when(message) else party(state, message)

    return party_that_drops


def test_who_drops_out_is_left_out_of_the_mean(
    line: nn.Linear, points: Points, trainers: dict[str, Trainer]
) -> None:
    there = {name: data for name, data in points.items() if name != "ben"}
    weight, _ = by_hand(line, there, rounds=2, lr=0.1, passes=1)
    engine = Local({**trainers, "ben": dropping(trainers["ben"], lambda message: True)})
    history = fedavg(line, engine, rounds=2, lr=0.1, batch_size=50)
    np.testing.assert_allclose(line.weight.data, weight, atol=1e-12)
    assert history[0]["parties"] == ["anna", "cleo"]
    assert history[0]["missing"] == {"ben": "said nothing"}
    assert history[0]["examples"] == 20


def test_who_comes_back_is_in_again(line: nn.Linear, trainers: dict[str, Trainer]) -> None:
    engine = Local({**trainers, "ben": dropping(trainers["ben"], lambda m: m["round"] == 2)})
    history = fedavg(line, engine, rounds=3, lr=0.1)
    assert ["ben" in row["parties"] for row in history] == [True, False, True]


def test_too_few_end_it_with_reasons_and_leave_the_model_as_it_was(
    line: nn.Linear, trainers: dict[str, Trainer]
) -> None:
    def only_anna(message: Message) -> bool:
        return message["round"] == 2

    engine = Local({n: dropping(t, only_anna) if n != "anna" else t for n, t in trainers.items()})
    after: list[Any] = []

    def look(row: Any) -> None:
        after.append(line.weight.data.copy())

    with pytest.raises(RoundError) as info:
        fedavg(line, engine, rounds=3, lr=0.1, at_least=2, on_round=look)
    assert "round 2: of 3 parties asked, 1 are in the sum, and at least 2" in str(info.value)
    assert "\n  ben: said nothing\n  cleo: said nothing" in str(info.value)
    assert len(after) == 1
    assert np.array_equal(line.weight.data, after[0])


def test_some_are_drawn_each_round(line: nn.Linear, points: Points) -> None:
    parties = {str(i): Trainer(line, points["ben"], nn.MSELoss()) for i in range(10)}
    engine = Recorder(Local(parties))
    history = fedavg(line, engine, rounds=6, lr=0.1, per_round=3, seed=1)
    asked = [row["parties"] for row in history]
    assert {len(some) for some in asked} == {3}
    assert len({tuple(some) for some in asked}) > 1
    assert asked == [sample(tuple(parties), 3, 1, n) for n in range(1, 7)]
    assert {e.party for e in engine.view()} == {name for some in asked for name in some}
    assert sum(row["sent"] for row in history) == engine.sent
    assert sum(row["received"] for row in history) == engine.received


def test_everybody_is_drawn_equally_often() -> None:
    drawn = [name for n in range(3000) for name in sample("abcde", 2, 0, n)]
    assert all(abs(drawn.count(name) - 1200) < 120 for name in "abcde")


def test_a_party_without_data_has_no_say(
    line: nn.Linear, points: Points, trainers: dict[str, Trainer]
) -> None:
    weight, _ = by_hand(line, points, rounds=1, lr=0.1, passes=1)
    nothing = ArrayDataset(np.zeros((0, 4)), np.zeros((0, 2)))
    engine = Local({**trainers, "dora": Trainer(line, nothing, nn.MSELoss())})
    fedavg(line, engine, rounds=1, lr=0.1, batch_size=50)
    np.testing.assert_allclose(line.weight.data, weight, atol=1e-12)
    with pytest.raises(RoundError, match="0 examples together"):
        fedavg(line, Local({"dora": engine._parties["dora"]}), rounds=1, lr=0.1)


# ---------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rounds": 0}, "rounds is at least 1, not 0"),
        ({"passes": 0}, "passes is at least 1"),
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"at_least": 4}, "3 parties are asked in a round, and at_least 4"),
        ({"at_least": 2, "per_round": 1}, "1 parties are asked"),
        ({"lr": -1.0}, "lr is 0 or more"),
        ({"mu": float("nan")}, "mu is 0 or more"),
    ],
)
def test_settings_that_make_no_sense(
    line: nn.Linear, trainers: dict[str, Trainer], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArgumentError, match=words):
        fedavg(line, Local(trainers), **{"rounds": 1, "lr": 0.1, **settings})


def test_steps_that_are_too_long(line: nn.Linear, trainers: dict[str, Trainer]) -> None:
    with pytest.raises((RoundError, AnomalyError), match=r"round \d+: .*") as info:
        fedavg(line, Local(trainers), rounds=50, lr=1e200, passes=5)
    assert "smaller lr may help" in str(info.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"do": "give me your data"}, "asked to train, not to 'give me your data'"),
        ({"lr": None}, "needs to know lr: float, 0 or more; this message has None"),
        ({"lr": float("nan")}, "needs to know lr"),
        ({"passes": 2.5}, "needs to know passes: int"),
        ({"batch_size": True}, "needs to know batch_size: int"),
        ({"round": 2**63}, "needs to know round"),
        ({"weights": [1.0]}, "needs to know the weights: arrays by name"),
        ({"weights": {"weight": np.zeros((2, 4))}}, "missing:     bias"),
        ({"weights": {"weight": np.zeros((4, 2)), "bias": np.zeros(2)}}, "wrong shape: weight"),
    ],
)
def test_a_party_refuses_what_it_cannot_answer(
    trainers: dict[str, Trainer], changed: Message, words: str
) -> None:
    message = {
        "do": "train", "round": 1, "seed": 0, "lr": 0.1, "passes": 1, "batch_size": 4,
        "shuffle": True, "mu": 0.0, "weights": {"weight": np.zeros((2, 4)), "bias": np.zeros(2)},
    }  # fmt: skip
    engine = Local(trainers)
    assert "anna" in engine.ask({"anna": message})
    assert engine.ask({"anna": {**message, **changed}}) == {}
    assert words in engine.missing["anna"]
