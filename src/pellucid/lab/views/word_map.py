"""Chapter 11: words that fill the same blanks come to lie together; and what a flat map gets wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid import Tensor
from pellucid.book.words import Words as Space
from pellucid.book.words import question
from pellucid.errors import ArgumentError
from pellucid.nn.functional import cross_entropy
from pellucid.optim import Adam

from ..settings import Slider, Words
from ..small_world import FILMS, blanks, mapped, sentences, vocabulary
from ..view import Sentence, View, action

Array = Any

AT_FIRST = 60  # passes
A_STEP = 5
MANY = 5  # neighbours
TOLD = 4  # sentences


class WordMap(View):
    """Vectors of words, learned by filling blanks in a small made-up language, and a flat map of them.

    The map shows two directions of many: it is the shadow of a cloud. Break it: with two numbers for
    each word the map is true, but there is no room for what the words mean; and with a large lr they
    are thrown about.
    """

    name = "word-map"
    chapter = 11
    shared = ("around", "wanted")
    settings = {
        "search": Words("great", 30),
        "sum": Words("king - man + woman", 60),
        "turn": Slider(0, 0, 180, 1),
        "size": Slider(8, 2, 16, 1),
        "window": Slider(4, 1, 4, 1),
        "lr": Slider(0.1, 0.001, 3.0, 0.001, log=True),
    }

    def start(self) -> None:
        asked = self.settings["sum"].start
        if self.value["sum"] == asked:  # in the reader's language
            self.value["sum"] = " ".join(self.word(token) for token in str(asked).split())
        self.begin(AT_FIRST)
        self.did, self.chosen, self.found = "start", "great", True
        if self.read(self.value["search"]) in mapped():
            self.chosen = self.read(self.value["search"])
        self.value["search"] = self.word(self.chosen)

    def begin(self, passes: int) -> None:
        """Random vectors, and so many passes through all blanks."""
        around, wanted = blanks(int(self.value["window"]))
        self.around, self.wanted = Tensor(around), Tensor(wanted)
        shape = (len(vocabulary()), int(self.value["size"]))
        random = np.random.RandomState(self.seed)
        self.vectors = Tensor(0.1 * random.standard_normal(shape), requires_grad=True)
        self.targets = Tensor(np.zeros(shape), requires_grad=True)
        self.adam = Adam([self.vectors, self.targets], lr=self.value["lr"])
        self.losses: list[float] = []
        self.axes = np.zeros((3, shape[1]))
        self.learn(passes)

    def changed(self, name: str) -> None:
        if name in ("size", "window", "lr"):
            self.start()
        else:
            self.did = name
            if name == "search":
                self.found = self.read(self.value["search"]) in mapped()
                self.chosen = self.read(self.value["search"]) if self.found else self.chosen

    # -------------------------------------------------------------------------------------- learning

    def learn(self, passes: int) -> None:
        """Fill all blanks, so many times over."""
        for _ in range(passes):
            middle = self.around @ self.vectors  # the mean of the words around each blank
            loss = cross_entropy(middle @ self.targets.T, self.wanted)
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            self.losses.append(loss.item())
        self.lay_out()
        self.passed: list[tuple[str, str]] = []
        self.pair = self.misleading()

    def step(self) -> None:
        self.learn(A_STEP)
        self.did = "step"

    @action
    def forget(self) -> None:
        """Back to the random vectors that it all began with."""
        self.begin(0)
        self.did = "step"

    @action
    def look(self, word: str) -> None:
        """Look at one word, and who is near."""
        if word in mapped():
            self.chosen, self.did, self.found = word, "search", True
            self.value["search"] = self.word(word)

    @action
    def another(self) -> None:
        """Another pair that the map shows together though it is far apart."""
        self.passed.append(self.pair)
        self.pair, self.did = self.misleading(), "another"

    def read(self, text: str) -> str:
        """The word of the made-up language that was typed, perhaps in translation."""
        own = {self.word(word): word for word in vocabulary().tokens}
        return own.get(text.strip().lower(), text.strip().lower())

    # -------------------------------------------------------------------------- the map, and the truth

    def space(self) -> Space:
        """All vectors; only words that are on the map are named."""
        known = np.isin(vocabulary().tokens, mapped())
        return Space(vocabulary(), self.vectors.numpy(), known)

    def unit(self) -> Array:
        """The vectors of the words on the map, divided by their lengths."""
        return self.space().unit[vocabulary().encode(mapped())]

    def lay_out(self) -> None:
        """The directions in which the words are spread most widely (PCA, by singular values)."""
        unit = self.unit()
        _, sizes, axes = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
        first = np.zeros((3, axes.shape[1]))
        first[: len(axes)] = axes[:3]
        signs = np.where((first * self.axes).sum(axis=1) < 0, -1.0, 1.0)  # as it lay before
        self.axes = first * signs[:, None]
        self.shares = sizes**2 / (sizes**2).sum()

    def side(self) -> int:
        """From which side the map is turned: -1 where the first and the third direction differ in it."""
        unit = self.unit()
        _, _, axes = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
        ours = [float(self.axes[n] @ axes[n]) for n in (0, 2) if n < len(axes)]
        return 1 if np.prod(ours) > 0 else -1

    def plane(self) -> Array:
        """The two directions that the map shows, turned by so many degrees: (2, size)."""
        angle = np.radians(self.value["turn"])
        first, second, third = self.axes
        return np.array([np.cos(angle) * first + np.sin(angle) * third, second])

    def places(self) -> Array:
        """Where the words stand on the map, (words, 2)."""
        unit = self.unit()
        return (unit - unit.mean(axis=0)) @ self.plane().T

    def shown_share(self) -> float:
        """Which share of the spread the map shows; the rest lies in directions it leaves out."""
        angle = np.radians(self.value["turn"])
        first, second, *third = self.shares[:3]
        return float(
            np.cos(angle) ** 2 * first + second + np.sin(angle) ** 2 * (third[0] if third else 0)
        )

    def misleading(self) -> tuple[str, str]:
        """Two words that stand together on the map and are far apart, and were not shown yet."""
        on_map, truly = distances(self.places()), distances(self.unit())
        above = np.triu(np.ones(truly.shape, dtype=bool), 1)
        far = above & (truly >= np.median(truly[above]))
        for pair in self.passed:
            far[tuple(mapped().index(word) for word in pair)] = False
        share = np.where(far, on_map / np.maximum(truly, 1e-12), np.inf)
        a, b = np.unravel_index(int(share.argmin()), share.shape)
        return mapped()[int(a)], mapped()[int(b)]

    def nearest(self) -> tuple[Array, Array]:
        """The words nearest to the chosen one in truth, and those nearest on the map."""
        at = mapped().index(self.chosen)
        truly, on_map = (distances(p)[at].copy() for p in (self.unit(), self.places()))
        truly[at] = on_map[at] = np.inf
        return np.argsort(truly, kind="stable")[:MANY], np.argsort(on_map, kind="stable")[:MANY]

    def solved(self) -> dict[str, Any] | None:
        """The sum of words that was asked for, and which words come nearest to it."""
        tokens = [self.read(token) for token in self.value["sum"].split()]
        try:
            plus, minus = question(" ".join(tokens), vocabulary())
        except ArgumentError:
            return None
        space = self.space()
        names = vocabulary()
        query = sum(space.unit[names[w]] for w in plus) - sum(space.unit[names[w]] for w in minus)
        scores = space.cosines(query)
        return {
            "plus": plus,
            "minus": minus,
            "found": [(w, float(scores[names[w]])) for w in space.solve(plus, minus, MANY)],
            "raw": space.best(scores, 1)[0],
            "at": self.plane() @ (query / np.linalg.norm(query) - self.unit().mean(axis=0)),
        }

    # ---------------------------------------------------------------------------------- what is seen

    def shows(self) -> Mapping[str, Any]:
        places, truly, on_map = self.places(), distances(self.unit()), distances(self.places())
        near, near_on_map = self.nearest()
        at, (a, b) = mapped().index(self.chosen), (mapped().index(w) for w in self.pair)
        return {
            "words": list(mapped()),
            "labels": [self.word(w) for w in mapped()],
            "x": places[:, 0],
            "y": places[:, 1],
            "chosen": at,
            "word": self.word(self.chosen),
            "own": self.chosen,
            "near": [{"n": int(n), "distance": truly[at, n]} for n in near],
            "near_on_map": [
                {"n": int(n), "distance": on_map[at, n], "truly": truly[at, n]} for n in near_on_map
            ],
            "pair": [a, b],
            "pair_names": [self.word(w) for w in self.pair],
            "pair_map": on_map[a, b],
            "pair_truly": truly[a, b],
            "share": 100 * self.shown_share(),
            "sum": self.shows_sum(),
            "sentences": [
                list(s) for s in sentences() if self.chosen in s
            ][:TOLD],
            "count": len(sentences()),
            "losses": self.losses[:: max(1, len(self.losses) // 200)],
            "every": max(1, len(self.losses) // 200),
            "passes": len(self.losses),
            "loss": self.losses[-1] if self.losses else None,
        }  # fmt: skip

    def shows_sum(self) -> dict[str, Any] | None:
        """The sum of words as the page draws it."""
        solved = self.solved()
        if solved is None:
            return None
        numbers = {w: n for n, w in enumerate(mapped())}
        return {
            "plus": [numbers.get(w, -1) for w in solved["plus"]],
            "minus": [numbers.get(w, -1) for w in solved["minus"]],
            "found": [{"n": numbers[w], "cosine": c} for w, c in solved["found"]],
            "at": solved["at"],
        }

    def sentence(self) -> Sentence:
        s = self.shows()
        near = [s["labels"][one["n"]] for one in s["near"]]
        values: dict[str, Any] = {
            "word": s["word"], "first": near[0], "second": near[1],
            "distance": round(float(s["near"][0]["distance"]), 2), "passes": s["passes"],
            "loss": round(s["loss"] or 0.0, 3), "share": round(s["share"], 1),
            "a": s["pair_names"][0], "b": s["pair_names"][1],
            "map": round(float(s["pair_map"]), 2), "truly": round(float(s["pair_truly"]), 2),
            "size": int(self.value["size"]), "count": len(mapped()), "lr": self.value["lr"],
            "turn": int(self.value["turn"]),
        }  # fmt: skip
        if self.did == "search":
            return self.about_word(s, values)
        if self.did == "sum":
            return self.about_sum(values)
        if self.did in ("turn", "another"):
            if s["share"] > 99.9:
                return "true-map", values
            return ("apart" if s["pair_map"] > 0.5 * s["pair_truly"] else "together"), values
        if not self.losses:
            return "random", values
        values |= {"before": round(self.losses[0], 2), "highest": round(max(self.losses), 1)}
        if max(self.losses) > 1.5 * self.losses[0]:
            return "wild", values
        if len(self.losses) >= AT_FIRST and self.losses[-1] > 0.8 * self.losses[0]:
            return "slow", values
        return ("two-numbers" if self.value["size"] == 2 else self.did), values

    def about_word(self, s: Mapping[str, Any], values: dict[str, Any]) -> Sentence:
        """Who is near to the chosen word: opposites too, and strangers on the map."""
        if not self.found:
            return "unknown", {**values, "typed": self.value["search"]}
        truly = [one["n"] for one in s["near"]]
        if self.chosen in FILMS:
            felt = {w: how for w, (how, _) in FILMS.items()}
            near = (mapped()[n] for n in truly)
            other = [w for w in near if w in felt and felt[w] != felt[self.chosen]]
            if other:
                return "opposite", {**values, "other": self.word(other[0])}
        strangers = [one for one in s["near_on_map"] if one["n"] not in truly]
        if not strangers:
            return "near-same", values
        far = strangers[0]
        told = {"map": round(float(far["distance"]), 2), "truly": round(float(far["truly"]), 2)}
        return "near", {**values, **told, "stranger": s["labels"][far["n"]]}

    def about_sum(self, values: dict[str, Any]) -> Sentence:
        """What the sum of words comes to, and whether the question's own words had to be left out."""
        solved = self.solved()
        if solved is None:
            return "no-sum", {**values, "typed": self.value["sum"]}
        (one, cosine), (two, _), *_ = solved["found"]
        names = {"one": self.word(one), "two": self.word(two), "raw": self.word(solved["raw"])}
        own = solved["raw"] in (*solved["plus"], *solved["minus"])
        return ("sum-own" if own else "sum"), {**values, **names, "cosine": round(cosine, 2)}

    def python(self) -> str:
        v = self.value
        return (
            "import numpy as np\n"
            "from pellucid import Tensor\n"
            "from pellucid.lab.small_world import blanks, mapped, vocabulary\n"
            "from pellucid.nn.functional import cross_entropy\n"
            "from pellucid.optim import Adam\n\n"
            "names = vocabulary()\n"
            f"around, wanted = (Tensor(a) for a in blanks(window={v['window']!r}))\n"
            f"random = np.random.RandomState({self.seed})\n"
            f"shape = (len(names), {int(v['size'])})\n"
            "vectors = Tensor(0.1 * random.standard_normal(shape), requires_grad=True)\n"
            "targets = Tensor(np.zeros(shape), requires_grad=True)\n"
            f"adam = Adam([vectors, targets], lr={v['lr']!r})\n\n"
            f"for n in range({len(self.losses)}):\n"
            "    scores = (around @ vectors) @ targets.T    # predict: the mean of the words around\n"
            "    loss = cross_entropy(scores, wanted)       # compare\n"
            "    adam.zero_grad()\n"
            "    loss.backward()                            # learn\n"
            "    adam.step()\n"
            "    if n % 20 == 19:\n"
            "        print(n + 1, loss.item())\n\n"
            "unit = vectors.numpy()[names.encode(mapped())]\n"
            "unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)\n"
            f"a, b = (mapped().index(word) for word in {self.pair!r})\n"
            "centred = unit - unit.mean(axis=0)\n"
            "axes = np.linalg.svd(centred, full_matrices=False)[2]  # PCA\n"
            f"angle = np.radians({v['turn']!r})\n"
            f"third = {self.side()} * axes[2] if len(axes) > 2 else 0 * axes[0]  # turned from this side\n"
            "places = centred @ np.array([np.cos(angle) * axes[0] + np.sin(angle) * third, axes[1]]).T\n"
            'print("on the map", np.linalg.norm(places[a] - places[b]))\n'
            'print("in truth", np.linalg.norm(unit[a] - unit[b]))\n'
            f"distances = np.linalg.norm(unit - unit[mapped().index({self.chosen!r})], axis=1)\n"
            f"print([mapped()[n] for n in np.argsort(distances)[1 : {MANY} + 1]])\n"
        )

    def table(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        at, places = mapped().index(self.chosen), self.places()
        truly, on_map = distances(self.unit())[at], distances(places)[at]
        rows = [(self.word(w), *places[n], on_map[n], truly[n]) for n, w in enumerate(mapped())]
        return ("word", "x", "y", "on the map", "in truth"), rows


def distances(points: Array) -> Array:
    """How far each point lies from each, (points, points)."""
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
