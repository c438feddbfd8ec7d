"""Chapter 12: one matrix reads a sentence word by word, and blame goes back the way the words came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pellucid import Tensor, relu, softmax, tanh
from pellucid.nn.functional import cross_entropy

from ..settings import Choice, Slider, Words
from ..view import Sentence, View, action

SIZE = 4  # numbers in a state
BENDS: dict[str, Callable[[Tensor], Tensor]] = {"none": lambda z: z + 0, "tanh": tanh, "relu": relu}
LOST = 1e12


class UnrolledRnn(View):
    """state = bend(state @ matrix + word): the same matrix at every word, and its gradient is a sum.

    Break it: a matrix that stretches makes blame explode on a long way back, one that shrinks makes
    it vanish, and tanh is flat where states are large.
    """

    name = "unrolled-rnn"
    chapter = 12
    settings = {
        "text": Words("mary moved to the bathroom", 160),
        "length": Slider(4, 1, 16, 1),
        "scale": Slider(1.0, 0.2, 1.8, 0.05),
        "matrix": Choice("identity", ("identity", "turning")),
        "bend": Choice("none", ("none", "tanh", "relu")),
        "lr": Slider(0.1, 0.0, 1.0, 0.01),
    }

    def start(self) -> None:
        said = self.value["text"].lower().split() or ["hm"]
        length = int(self.value["length"])
        self.words = [
            said[i % len(said)][:14] for i in range(length)
        ]  # too short a text goes round
        self.target = said[length % len(said)][:14]
        self.known = list(dict.fromkeys([*(word[:14] for word in said)]))
        random = np.random.RandomState(self.seed)
        turned, _ = np.linalg.qr(random.randn(SIZE, SIZE))
        first = np.eye(SIZE) if self.value["matrix"] == "identity" else turned
        self.matrix = Tensor(self.value["scale"] * first, requires_grad=True)
        self.vectors = random.randn(len(self.known), SIZE) / 2
        self.decoder = random.randn(SIZE, len(self.known)) / 2
        self.passes, self.at, self.chosen = 0, 0, 0
        self.losses: list[float] = []
        self.look()

    def changed(self, name: str) -> None:
        if name != "lr":
            self.start()

    # ------------------------------------------------------------------------ one pass, and its blame

    def look(self) -> None:
        """The whole pass with the matrix as it is now, from the tape.

        Each step gets a copy of the matrix, so that its share of the gradient can be seen apart.
        """
        self.matrix.grad = None
        bend = BENDS[self.value["bend"]]
        state, copies, sums, states = Tensor(np.zeros(SIZE)), [], [], []
        for word in self.words:
            copies.append(self.matrix.clone())
            sums.append(state @ copies[-1] + self.vectors[self.known.index(word)])
            state = bend(sums[-1])
            states.append(state)
        scores = (state @ self.decoder)[None]
        loss = cross_entropy(scores, Tensor(np.array([self.known.index(self.target)])))
        for part in (*copies, *sums, *states):
            part.retain_grad()
        loss.backward()
        blame = np.array([s.grad.numpy() for s in states])
        through = np.array([s.grad.numpy() for s in sums])
        shares = np.array([c.grad.numpy() for c in copies])
        self.seen = {
            "states": np.array([s.numpy() for s in states]),
            "blame": blame,
            "sizes": np.sqrt((blame**2).sum(axis=1)),
            "state_sizes": np.sqrt((np.array([s.numpy() for s in states]) ** 2).sum(axis=1)),
            "share_sizes": np.sqrt((shares**2).sum(axis=(1, 2))),
            "passes_on": np.divide(through, blame, out=np.ones_like(blame), where=blame != 0),
            "loss": loss.item(),
            "chances": softmax(scores, dim=1).numpy()[0].copy(),
            "matrix": self.matrix.numpy().copy(),
        }
        self.shares, self.gradient = shares, np.array(self.matrix.grad)

    # ------------------------------------------------------------------------------------- the steps

    @property
    def phase(self) -> str:
        """Where the pass stands: words are read, the end is compared, blame goes back, the matrix learns."""
        n = len(self.words)
        if self.at <= n:
            return "read" if self.at else "start"
        return "compare" if self.at == n + 1 else "return" if self.at <= 2 * n + 1 else "learn"

    def back_at(self) -> int:
        """The step that blame has come back to; the number of steps before it sets out."""
        n = len(self.words)
        return max(0, 2 * n + 1 - self.at) if self.at > n + 1 else n

    def can_step(self) -> bool:
        return bool(np.isfinite(self.seen["loss"])) and self.seen["sizes"].max() < LOST

    def step(self) -> None:
        if self.phase == "learn":
            self.at = 0
            self.look()
        self.at += 1
        n = len(self.words)
        if self.phase == "read":
            self.chosen = self.at - 1
        elif self.phase == "return":
            self.chosen = self.back_at()
        elif self.phase == "learn":
            self.losses.append(self.seen["loss"])
            self.passes += 1
            self.matrix = Tensor(
                self.matrix.numpy() - self.value["lr"] * self.gradient, requires_grad=True
            )
        else:
            self.chosen = n - 1

    @action
    def whole_pass(self) -> None:
        """Read, compare, go back and learn, all at once."""
        self.step()
        while self.phase != "learn" and self.can_step():
            self.step()

    @action
    def choose(self, index: int) -> None:
        """Look at one step more closely."""
        self.chosen = max(0, min(len(self.words) - 1, index))

    # ---------------------------------------------------------------------------------- what is seen

    def collected(self) -> Any:
        """The shares of the matrix's gradient that have arrived so far."""
        return self.shares[self.back_at() :].sum(axis=0)

    def closer(self) -> list[Any]:
        """The chosen step: the state before it, its word, the state after, and the blame once it is back."""
        before = self.seen["states"][self.chosen - 1] if self.chosen else np.zeros(SIZE)
        rows = [before, self.vectors[self.known.index(self.words[self.chosen])]]
        rows.append(self.seen["states"][self.chosen])
        if self.phase in ("return", "learn") and self.chosen >= self.back_at():
            rows.append(self.seen["blame"][self.chosen])
        return rows

    def shows(self) -> Mapping[str, Any]:
        s, best = self.seen, np.argsort(-self.seen["chances"])[:4]
        return {
            **s,
            "words": self.words,
            "target": self.target,
            "phase": self.phase,
            "read": min(self.at, len(self.words)),
            "back": self.back_at(),
            "chosen": self.chosen,
            "word": self.words[self.chosen],
            "closer": self.closer(),
            "collected": self.collected(),
            "moved": self.matrix.numpy(),
            "guesses": [{"word": self.known[i], "chance": s["chances"][i]} for i in best],
            "losses": self.losses,
            "pass": self.passes + (self.phase != "learn"),
        }

    def sentence(self) -> Sentence:
        s, n, i = self.seen, len(self.words), self.chosen
        last = s["sizes"][-1]
        values: dict[str, Any] = {
            "words": n, "n": i + 1, "word": self.words[i], "state": s["state_sizes"][i],
            "last": self.words[-1], "target": self.target, "loss": s["loss"],
            "chance": s["chances"][self.known.index(self.target)], "size": s["sizes"][i],
            "times": s["sizes"][i] / last if last else 0.0, "steps": n - 1 - i,
            "slope": float(np.mean(np.abs(s["passes_on"][i:]))), "lr": self.value["lr"],
            "share": float(np.sqrt((self.gradient**2).sum())), "pass": self.passes,
        }  # fmt: skip
        if not self.can_step():
            return "lost", values
        if self.phase == "read":
            return ("read-large" if values["state"] > 20 else "read"), values
        if self.phase != "return" or i < self.back_at():
            return ("ahead" if self.phase == "return" else self.phase), values
        if values["slope"] < 0.2 and self.value["bend"] == "tanh":
            return "back-flat", values
        if values["times"] > 10:
            return "back-explodes", values
        if values["times"] < 0.1:
            return "back-vanishes", values
        if i == n - 1:
            return "back-first", values
        return ("back-same" if abs(values["times"] - 1) < 0.005 else "back"), values

    def python(self) -> str:
        slope = {
            "none": ("z", "1"),
            "tanh": ("np.tanh(z)", "(1 - after**2)"),
            "relu": ("np.maximum(z, 0)", "(after > 0)"),
        }
        bend, bent = slope[self.value["bend"]]
        kind = "np.eye(4)" if self.value["matrix"] == "identity" else "turned"
        return (
            "import numpy as np\n\n"
            f"words, known = {self.words!r}, {self.known!r}\n"
            f"target = known.index({self.target!r})\n"
            f"random = np.random.RandomState({self.seed})\n"
            "turned, _ = np.linalg.qr(random.randn(4, 4))\n"
            f"matrix = {self.value['scale']!r} * {kind}\n"
            "vectors = random.randn(len(known), 4) / 2\n"
            "decoder = random.randn(4, len(known)) / 2\n\n"
            f"for n in range({self.passes + 1}):\n"
            "    states = [np.zeros(4)]\n"
            "    for word in words:                            # predict: the same matrix each time\n"
            "        z = states[-1] @ matrix + vectors[known.index(word)]\n"
            f"        states.append({bend})\n"
            "    scores = states[-1] @ decoder\n"
            "    chances = np.exp(scores - scores.max())\n"
            "    chances /= chances.sum()\n"
            "    loss = -np.log(chances[target])               # compare\n"
            "    chances[target] -= 1\n"
            "    blame, sizes = decoder @ chances, []\n"
            "    d_matrix = np.zeros((4, 4))\n"
            "    for before, after in zip(states[-2::-1], states[:0:-1]):  # back through the words\n"
            "        sizes.append(np.sqrt((blame**2).sum()))\n"
            f"        blame = blame * {bent}\n"
            "        d_matrix += np.outer(before, blame)       # every step has its share\n"
            "        blame = blame @ matrix.T\n"
            "    print(n + 1, loss, sizes[::-1])\n"
            f"    matrix = matrix - {self.value['lr']!r} * d_matrix          # learn\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        s = self.seen
        rows = zip(self.words, s["state_sizes"], s["sizes"], s["share_sizes"], strict=True)
        return ("place", "word", "state", "blame", "share"), [
            (n + 1, *row) for n, row in enumerate(rows)
        ]
