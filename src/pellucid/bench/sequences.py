"""Networks that read one word or letter after another: W6, sentences of bAbI; W7, Shakespeare."""

from __future__ import annotations

from typing import Any

import numpy as np

from .digits import layer
from .workload import Arrays, Goal, Step, Training, linear, uniform


class Sentences(Training):
    """Chapter 13's recurrent network as one writes it in PyTorch: with nn.RNN, five words long."""

    id, title = "W6", "RNN 16 on bAbI, nn.RNN, 5 steps, batch 100"
    goals: tuple[Goal, ...] = Goal("eager", floor=3), Goal("compiled", floor=6)
    size, lr, words, width = 100, 0.05, 25, 16

    def arrays(self) -> Arrays:
        """1,000 sentences of six words from 25."""
        r, n = np.random.default_rng(6), self.width
        weights = {
            "embedding.weight": uniform(r, self.words, n),
            **cell(r, "rnn", n, n),
            **linear(r, "output", n, self.words),
        }
        ids = r.integers(0, self.words, (1000, 6))
        return {"inputs": ids[:, :5], "targets": ids[:, 5], "weights": weights}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """The last state says which word comes next."""
        nn, words, n = lib.nn, self.words, self.width
        module: Any = nn.Module

        class Net(module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(words, n)
                self.rnn = nn.RNN(n, n, batch_first=True)
                self.output = nn.Linear(n, words)

            def forward(self, ids: Any) -> Any:
                _, last = self.rnn(self.embedding(ids))
                return self.output(last[0])

        return Net(), nn.CrossEntropyLoss()

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """The last state says which word comes next."""
        from jax.numpy import tanh, zeros

        from .in_jax import cross_entropy

        state, weight = zeros((len(inputs), self.width)), w["rnn.weight_hh_l0"]
        bias = w["rnn.bias_ih_l0"] + w["rnn.bias_hh_l0"]
        heard = w["embedding.weight"][inputs] @ w["rnn.weight_ih_l0"].T + bias
        for t in range(inputs.shape[1]):
            state = tanh(heard[:, t] + state @ weight.T)
        return cross_entropy(state @ w["output.weight"].T + w["output.bias"], targets)

    def bare(self, a: Arrays) -> Step:
        """Five small products forwards, ten back, the inputs' and the output's three each."""
        n = self.width
        x, w = np.ones((100, n), np.float32), np.ones((n, n), np.float32)
        every, last = np.ones((500, n), np.float32), layer(a["weights"]["output.weight"], 100)

        def step() -> Any:
            for _ in range(5):
                np.dot(x, w.T), np.dot(x, w)
            np.dot(every, w.T), np.dot(every, w), np.dot(every.T, every), np.dot(every.T, every)
            return last()

        return step


class ByHand(Sentences):
    """W6h: the same cell as the chapter writes it: two linear layers and a sigmoid, word by word.

    Not a workload with a floor: some forty operations of two microseconds of arithmetic each, it shows
    what an operation costs besides.
    """

    id, title = "W6h", "the same by hand: linear layers and sigmoid"
    goals: tuple[Goal, ...] = ()

    def arrays(self) -> Arrays:
        """As W6, the cell's weights under the names of its layers."""
        a = super().arrays()
        w = a["weights"]
        for name, gate in (("w_ih", "ih"), ("w_hh", "hh")):
            w[f"{name}.weight"] = w.pop(f"rnn.weight_{gate}_l0")
            w[f"{name}.bias"] = w.pop(f"rnn.bias_{gate}_l0")
        return a

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """Word by word."""
        nn, words, n = lib.nn, self.words, self.width
        module: Any = nn.Module

        class Net(module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(words, n)
                self.w_ih, self.w_hh = nn.Linear(n, n), nn.Linear(n, n)
                self.output = nn.Linear(n, words)
                self.activation = nn.Sigmoid()

            def forward(self, ids: Any) -> Any:
                hidden = lib.zeros(len(ids), n)
                for t in range(ids.shape[1]):
                    said = self.w_ih(self.embedding(ids[:, t]))
                    hidden = self.activation(said + self.w_hh(hidden))
                return self.output(hidden)

        return Net(), nn.CrossEntropyLoss()

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """Word by word."""
        from jax.nn import sigmoid
        from jax.numpy import zeros

        from .in_jax import cross_entropy

        hidden = zeros((len(inputs), self.width))
        for t in range(inputs.shape[1]):
            said = w["embedding.weight"][inputs[:, t]] @ w["w_ih.weight"].T + w["w_ih.bias"]
            hidden = sigmoid(said + hidden @ w["w_hh.weight"].T + w["w_hh.bias"])
        return cross_entropy(hidden @ w["output.weight"].T + w["output.bias"], targets)


class Letters(Training):
    """Chapter 14: an LSTM reads letters and says which comes next.

    Args:
        streams: how many streams of letters are read side by side,
        steps: how many letters of each,
        width: how many numbers a letter and a state have, where it is not the chapter's number.
    """

    id, title = "W7", "LSTM 512, 62 letters, 25 steps, batch 16"
    goals = Goal("eager", floor=1.05), Goal("compiled", floor=1.25)
    lr, letters = 1.0, 62

    def __init__(self, streams: int = 16, steps: int = 25, width: int = 512) -> None:
        self.streams, self.size, self.width = streams, steps, width
        if streams != 16:
            self.id, self.title = "W7b", f"the same, batch {streams}"

    def arrays(self) -> Arrays:
        """Streams of letters, and the letters that follow; time goes downwards."""
        r, n = np.random.default_rng(14), self.width
        weights = {
            "embedding.weight": uniform(r, self.letters, n),
            **cell(r, "lstm", 4 * n, n, scale=n**-0.5),
            **linear(r, "output", n, self.letters),
        }
        ids = r.integers(0, self.letters, (4 * self.size + 1, self.streams))
        return {"inputs": ids[:-1], "targets": ids[1:], "weights": weights}

    def network(self, lib: Any, exact: bool) -> tuple[Any, Any]:
        """Each state says which letter comes next."""
        nn, letters, n = lib.nn, self.letters, self.width
        module: Any = nn.Module

        class Net(module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(letters, n)
                self.lstm = nn.LSTM(n, n)
                self.output = nn.Linear(n, letters)

            def forward(self, ids: Any) -> Any:
                states, _ = self.lstm(self.embedding(ids))
                return self.output(states).reshape(-1, letters)

        compare = nn.CrossEntropyLoss()
        return Net(), lambda scores, following: compare(scores, following.reshape(-1))

    def jax_loss(self, w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        """Each state says which letter comes next."""
        from jax.lax import scan
        from jax.nn import sigmoid
        from jax.numpy import split, tanh, zeros

        from .in_jax import cross_entropy

        bias = w["lstm.bias_ih_l0"] + w["lstm.bias_hh_l0"]
        heard = w["embedding.weight"][inputs] @ w["lstm.weight_ih_l0"].T + bias

        def step(before: Any, said: Any) -> Any:
            state, memory = before
            gates = said + state @ w["lstm.weight_hh_l0"].T
            i, f, g, o = split(gates, 4, axis=-1)
            memory = sigmoid(f) * memory + sigmoid(i) * tanh(g)
            state = sigmoid(o) * tanh(memory)
            return (state, memory), state

        first = zeros((self.streams, self.width))
        _, states = scan(step, (first, first), heard)
        scores = states @ w["output.weight"].T + w["output.bias"]
        return cross_entropy(scores.reshape(-1, self.letters), targets.reshape(-1))

    def bare(self, a: Arrays) -> Step:
        """A product with the state for each letter, forwards and back; the other layers' at once.

        What the gates get from a letter is one of 62 rows, so it is the table that is multiplied.
        """
        w, n, rows = a["weights"], self.width, self.size * self.streams
        of_state = w["lstm.weight_hh_l0"]
        state, d = (
            np.ones((n, self.streams), np.float32),
            np.ones((4 * n, self.streams), np.float32),
        )
        states, gates = np.ones((rows, n), np.float32), np.ones((4 * n, rows), np.float32)
        table, last = layer(w["lstm.weight_ih_l0"], self.letters), layer(w["output.weight"], rows)

        def step() -> Any:
            for _ in range(self.size):
                np.dot(of_state, state), np.dot(of_state.T, d)
            return np.dot(gates, states), table(), last()

        return step


def cell(r: np.random.Generator, name: str, height: int, width: int, scale: float = 0.1) -> Arrays:
    """First weights of a recurrent layer, under the names that both libraries have for them."""
    return {
        **{f"{name}.weight_{g}_l0": uniform(r, height, width, scale=scale) for g in ("ih", "hh")},
        **{f"{name}.bias_{g}_l0": uniform(r, height, scale=scale) for g in ("ih", "hh")},
    }
