"""Chapter 14: the gates of an LSTM over the letters of a text, and how far blame gets on each road."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, chunk, nn, sigmoid, softmax, stack, tanh
from pellucid.nn.functional import cross_entropy
from pellucid.optim import Adam

from ..settings import Slider, Words
from ..view import Sentence, View, action

UNITS = 12
WRITTEN = 60  # letters
ROWS = ("input", "forget", "new", "output", "cell", "state")


class LstmGates(View):
    """An LSTM and a plain recurrent network learn the same text by heart; every gate can be looked at.

    Break it: a large lr throws both back; at a low temperature it repeats itself, at a high one it
    stammers; and without gates the blame of the last letter hardly reaches the first.
    """

    name = "lstm-gates"
    chapter = 14
    settings = {
        "text": Words("to be, or not to be: that is the question", 56),
        "temperature": Slider(0.5, 0.05, 4.0, 0.05, log=True),
        "lr": Slider(0.02, 0.001, 1.0, 0.001, log=True),
        "bias": Slider(2.0, -2.0, 5.0, 0.1),
    }

    def start(self) -> None:
        text = self.value["text"]
        self.text = text if len(text) > 1 else (text + "··")[:2]
        self.known = sorted(set(self.text))
        self.ids = np.array([self.known.index(letter) for letter in self.text])
        n, random = len(self.known), np.random.RandomState(self.seed)
        self.lstm, self.plain = nn.LSTM(n, UNITS), nn.RNN(n, UNITS)
        self.ends = nn.ModuleList([nn.Linear(UNITS, n), nn.Linear(UNITS, n)])
        everything = [*self.lstm.parameters(), *self.plain.parameters(), *self.ends.parameters()]
        for parameter in everything:
            parameter.data[...] = random.uniform(-1, 1, parameter.shape) / np.sqrt(UNITS)
        for name, bias in self.lstm.named_parameters():
            if name == "bias_hh_l0":  # gates lie in the order input, forget, new, output
                bias.data[UNITS : 2 * UNITS] = self.value["bias"]
        self.optimizer = Adam(everything, lr=self.value["lr"])
        self.passes, self.unit = 0, 0
        self.losses: list[list[float]] = [[], []]
        self.told = "start"
        self.look()

    def changed(self, name: str) -> None:
        if name in ("text", "bias"):
            self.start()
        elif name == "lr":
            self.optimizer.param_groups[0]["lr"] = self.value["lr"]
            self.told = "lr"
        else:
            self.told = "temperature"
            self.written = self.write()

    # ---------------------------------------------------------------------------------- what it learns

    def letters(self) -> Tensor:
        """All letters but the last, one-hot: (letters, 1, kinds)."""
        return Tensor(np.eye(len(self.known))[self.ids[:-1]][:, None])

    def step(self) -> None:
        for _ in range(3):
            self.pass_once()
        self.told = "learn"
        self.look()

    @action
    def many(self) -> None:
        """Fifty passes."""
        for _ in range(50):
            self.pass_once()
        self.told = "learn"
        self.look()

    def pass_once(self) -> None:
        """Predict the next letter at every place, compare, learn: both networks."""
        x, wanted = self.letters(), Tensor(self.ids[1:])
        self.optimizer.zero_grad()
        total = Tensor(0.0)
        for net, end, losses in zip((self.lstm, self.plain), self.ends, self.losses, strict=True):
            states, _ = net(x)  # predict
            loss = cross_entropy(end(states[:, 0]), wanted)  # compare
            losses.append(loss.item())
            total = total + loss
        total.backward()  # learn
        self.optimizer.step()
        self.passes += 1

    def can_step(self) -> bool:
        return bool(np.isfinite(self.seen["loss"]))

    @action
    def choose(self, unit: int) -> None:
        """Look at another unit."""
        self.unit = max(0, min(UNITS - 1, unit))
        self.told = "unit"

    # ------------------------------------------------------------------------------- looking inside

    def look(self) -> None:
        """Every gate at every letter, and what the last letter's loss sends back, from the tape."""
        gates, cells, states = self.through_gates()
        scores = self.ends[0](stack(states))
        chances = softmax(scores, dim=1).numpy()
        right = chances[np.arange(len(states)), self.ids[1:]]
        guesses = chances.argmax(axis=1)
        rows = np.array([[g.numpy() for g in row] for row in (*gates, cells, states)])
        self.seen = {
            "rows": rows,  # (six, letters, units)
            "right": right.copy(),
            "guesses": [self.known[i] for i in guesses],
            "correct": int((guesses == self.ids[1:]).sum()),
            "loss": float(-np.log(np.maximum(right, 1e-300)).mean()),
            "blame_lstm": self.sent_back(self.ends[0], cells, states[-1]),
            "blame_rnn": self.through_plain(),
        }
        self.written = self.write()

    def through_gates(self) -> tuple[list[list[Tensor]], list[Tensor], list[Tensor]]:
        """The LSTM written out, letter by letter: gates in the order input, forget, new, output."""
        w_ih, w_hh, b_ih, b_hh = self.lstm.weights(0)
        assert w_ih is not None
        assert w_hh is not None
        gates: list[list[Tensor]] = [[], [], [], []]
        cells, states = [], []
        h, c = Tensor(np.zeros((1, UNITS))), Tensor(np.zeros((1, UNITS)))
        for x in self.letters():
            total = x @ w_ih.T + h @ w_hh.T + b_ih + b_hh
            let_in, keep, new, show = chunk(total, 4, dim=1)
            for row, gate in zip(
                gates, (sigmoid(let_in), sigmoid(keep), tanh(new), sigmoid(show)), strict=True
            ):
                row.append(gate)
            c = gates[1][-1] * c + gates[0][-1] * gates[2][-1]
            h = gates[3][-1] * tanh(c)
            cells.append(c)
            states.append(h)
        flat = [[gate[0] for gate in row] for row in gates]
        self._roads = cells
        return flat, [c[0] for c in cells], [h[0] for h in states]

    def through_plain(self) -> Any:
        """The plain network written out, and what arrives at each of its states."""
        w_ih, w_hh, b_ih, b_hh = self.plain.weights(0)
        assert w_ih is not None
        assert w_hh is not None
        h, states = Tensor(np.zeros((1, UNITS))), []
        for x in self.letters():
            h = tanh(x @ w_ih.T + h @ w_hh.T + b_ih + b_hh)
            states.append(h)
        self._roads = states
        return self.sent_back(self.ends[1], states, states[-1][0])

    def sent_back(self, end: Any, road: list[Tensor], last: Tensor) -> Any:
        """How large the blame for the last letter is at each place of the road back."""
        for place in self._roads:
            place.retain_grad()
        cross_entropy(end(last[None]), Tensor(self.ids[-1:])).backward(retain_graph=True)
        sizes = [float(np.sqrt((place.grad.numpy() ** 2).sum())) for place in self._roads]
        self._roads = []
        return np.array(sizes)

    def write(self) -> str:
        """It writes on from the first letter, at the temperature it is set to."""
        random, made = np.random.RandomState(self.seed + self.passes), [int(self.ids[0])]
        state = None
        for _ in range(WRITTEN):
            x = Tensor(np.eye(len(self.known))[made[-1]][None, None])
            y, state = self.lstm(x, state)
            chances = softmax(self.ends[0](y[0]) / self.value["temperature"], dim=1).numpy()[0]
            made.append(
                int(min((chances.cumsum() < random.random_sample()).sum(), len(chances) - 1))
            )
        return "".join(self.known[i] for i in made)

    # ---------------------------------------------------------------------------------- what is seen

    def kept(self) -> float:
        """How much of what is in the unit's cell is left ten letters later, on average."""
        return float(self.seen["rows"][1, :, self.unit].mean() ** 10)

    def shows(self) -> Mapping[str, Any]:
        s = self.seen
        return {
            "letters": list(self.text[:-1]),
            "wanted": list(self.text[1:]),
            "unit": self.unit,
            "units": UNITS,
            "gates": {row: s["rows"][i, :, self.unit] for i, row in enumerate(ROWS)},
            "cells": s["rows"][4].T,
            "right": s["right"],
            "guesses": s["guesses"],
            "correct": s["correct"],
            "of": len(self.text) - 1,
            "loss": s["loss"],
            "forget": s["rows"][1, :, self.unit].mean(),
            "kept": self.kept(),
            "blame": {"lstm": s["blame_lstm"], "rnn": s["blame_rnn"]},
            "reach": {
                "lstm": s["blame_lstm"][0] / s["blame_lstm"][-1],
                "rnn": s["blame_rnn"][0] / s["blame_rnn"][-1],
            },
            "losses": {"lstm": self.losses[0], "rnn": self.losses[1]},
            "passes": self.passes,
            "written": self.written,
        }

    def sentence(self) -> Sentence:
        s, losses = self.seen, self.losses[0]
        values: dict[str, Any] = {
            "letters": len(self.text) - 1, "kinds": len(self.known), "passes": self.passes,
            "correct": s["correct"], "loss": s["loss"], "lr": self.value["lr"],
            "unit": self.unit + 1, "forget": s["rows"][1, :, self.unit].mean(), "kept": self.kept(),
            "temperature": self.value["temperature"], "loss_rnn": (self.losses[1] or [0.0])[-1],
            "best": min(losses, default=0.0), "bias": self.value["bias"],
            "all_forget": s["rows"][1].mean(), "reach": s["blame_lstm"][0] / s["blame_lstm"][-1],
            "reach_rnn": s["blame_rnn"][0] / s["blame_rnn"][-1],
        }  # fmt: skip
        if not self.can_step():
            return "lost", values
        if self.told == "learn" and s["loss"] > 1.5 * values["best"] + 0.3:
            return "thrown", values
        if self.told == "temperature":
            cold, hot = values["temperature"] < 0.2, values["temperature"] > 1.5
            return ("cold" if cold else "hot" if hot else "warm"), values
        if self.told == "learn" and s["correct"] == values["letters"]:
            return "by-heart", values
        return self.told, values

    def python(self) -> str:
        return (
            "import numpy as np\n"
            "import pellucid\n"
            "from pellucid import nn\n\n"
            f"text = {self.text!r}\n"
            "known = sorted(set(text))\n"
            "ids = np.array([known.index(letter) for letter in text])\n"
            f"random = np.random.RandomState({self.seed})\n"
            f"lstm = nn.LSTM(len(known), {UNITS}, dtype=float)\n"
            f"plain = nn.RNN(len(known), {UNITS}, dtype=float)\n"
            f"end, end_of_plain = (nn.Linear({UNITS}, len(known), dtype=float) for _ in range(2))\n"
            "everything = [p for part in (lstm, plain, end, end_of_plain) for p in part.parameters()]\n"
            "for p in everything:\n"
            f"    p.data[...] = random.uniform(-1, 1, p.shape) / np.sqrt({UNITS})\n"
            f"lstm.bias_hh_l0.data[{UNITS} : {2 * UNITS}] = {self.value['bias']!r}  # forget gates\n"
            f"optimizer = pellucid.optim.Adam(everything, lr={self.value['lr']!r})\n"
            "x = pellucid.tensor(np.eye(len(known))[ids[:-1]][:, None])\n"
            "wanted = pellucid.tensor(ids[1:])\n"
            "criterion = nn.CrossEntropyLoss()\n\n"
            f"for n in range({self.passes}):\n"
            "    optimizer.zero_grad()\n"
            "    states, _ = lstm(x)                              # predict\n"
            "    loss = criterion(end(states[:, 0]), wanted)      # compare\n"
            "    states, _ = plain(x)\n"
            "    of_plain = criterion(end_of_plain(states[:, 0]), wanted)\n"
            "    (loss + of_plain).backward()                     # learn\n"
            "    optimizer.step()\n"
            "    print(n + 1, loss.item(), of_plain.item())\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = self.seen["rows"][:, :, self.unit]
        return ("letter", *ROWS, "right"), [
            (letter, *rows[:, t], self.seen["right"][t]) for t, letter in enumerate(self.text[:-1])
        ]
