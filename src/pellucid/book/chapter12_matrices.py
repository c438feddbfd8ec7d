"""Chapter 12, the middle: matrices that change nothing, and what they learn when they may."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from pellucid import Tensor, softmax
from pellucid.nn import Embedding, Module, Parameter
from pellucid.nn.functional import cross_entropy
from pellucid.optim import SGD

from .experiment import Result, experiment
from .result import Array

# ---------------------------------------------------------------------------- 12.6 what a sum forgets

PAIRS = (
    ("the dog bites the man", "the man bites the dog"),
    ("not bad , it is good", "not good , it is bad"),
    ("the dog bites the man", "the dog bites the cat"),
)


@experiment("12.6", to="12.7")
def word_order(result: Result, *, size: int = 10, seed: int = 1) -> None:
    """Who bites whom? A sum of word vectors cannot say; a matrix between the words can.

    Args:
        size: how many numbers a word's vector has.
        seed: which random vectors the words get.
    """
    random = np.random.RandomState(seed)
    words = dict.fromkeys(word for pair in PAIRS for text in pair for word in text.split())
    vectors = {word: random.random_sample(size) - 0.5 for word in words}
    turned = np.linalg.qr(random.normal(size=(size, size)))[0]
    transitions = {
        "identity": np.eye(size),
        "0.5 * identity": 0.5 * np.eye(size),
        "turned by one place": np.roll(np.eye(size), 1, axis=1),
        "a random rotation": turned,
        "identity, a little shaken": np.eye(size) + 0.1 * turned,
    }
    rows: list[tuple[object, ...]] = []
    for name, transition in transitions.items():
        ends = [[states(text, vectors, transition)[-1] for text in pair] for pair in PAIRS]
        rows.append((name, *(round(float(np.linalg.norm(a - b)), 6) for a, b in ends)))
    averaged = [
        [np.mean([vectors[w] for w in text.split()], axis=0) for text in pair] for pair in PAIRS
    ]
    apart = [round(float(np.linalg.norm(a - b)), 6) for a, b in averaged]
    result.table(
        "how far apart two sentences end",
        ("between the words", "dog bites man", "not bad, good", "man or cat"),
        [("nothing: the average", *apart), *rows],
    )
    text = PAIRS[0][0]
    by_matrix = states(text, vectors, transitions["identity"])[-1]
    total = np.sum([vectors[word] for word in text.split()], axis=0)
    result.agree("summed by the identity, and just summed", by_matrix, total)
    tell_states(result, text, vectors, transitions)
    how_much_is_left(result, size)
    result.say("forgets", apart=rows[2][1])


def states(text: str, vectors: dict[str, Array], transition: Array) -> list[Array]:
    """The state after each word: the one before, through the matrix, plus the word's vector."""
    state = Tensor(np.zeros(len(transition)))
    found = []
    for word in text.split():
        state = state @ Tensor(transition) + Tensor(vectors[word])
        found.append(state.numpy())
    return found


def tell_states(
    result: Result, text: str, vectors: dict[str, Array], transitions: dict[str, Array]
) -> None:
    """The states of a sentence, word by word, with two matrices."""
    for name in ("identity", "turned by one place"):
        if result.step(f"{name}: the dog bites the man"):
            for n, state in enumerate(states(text, vectors, transitions[name]), start=1):
                result.predict(
                    f"state after word {n}", "state @ matrix + vector of the word", state
                )


def how_much_is_left(result: Result, size: int, words: int = 6) -> None:
    """What is left of the first word, some words later, if the matrix makes everything smaller."""
    curves = {}
    for factor in (1.0, 0.9, 0.5):
        state, left = np.ones(size), [1.0]
        for _ in range(words - 1):
            state = state @ (factor * np.eye(size))
            left.append(float(state[0]))
        curves[f"{factor:g} * identity"] = left
    result.plot("what is left of the first word", curves, x="words later", y="share")


# --------------------------------------------------------------------- 12.8 matrices that may learn

ANIMALS = ("cat", "dog", "fox", "hen")
CHASES = len(ANIMALS)  # the number of the word between the two


class Sentence(Module):
    """A state that is multiplied by a matrix before each word is added, and read at the end.

    Args:
        start: vectors of the words (words, size), the matrix, and the decoder (size, animals).
        learns: whether the matrix may change.
    """

    def __init__(self, start: tuple[Array, Array, Array], *, learns: bool) -> None:
        words, transition, decoder = (part.copy() for part in start)
        self.words = Embedding.from_pretrained(words, freeze=False)
        self.transition = Parameter(transition, requires_grad=learns)
        self.decoder = Parameter(decoder)

    def states(self, ids: Tensor) -> list[Tensor]:
        """The state after each word of sentences (sentences, words)."""
        vectors = self.words(ids)
        found = [vectors[:, 0]]
        for n in range(1, ids.shape[1]):
            found.append(found[-1] @ self.transition + vectors[:, n])
        return found

    def forward(self, ids: Tensor) -> Tensor:
        """For each sentence a score for each animal."""
        return self.states(ids)[-1] @ self.decoder


@experiment("12.8", to="12.10")
def learned_transition(
    result: Result, *, lr: float = 0.5, steps: int = 400, size: int = 6, seed: int = 1
) -> None:
    """The matrix begins as one that changes nothing, and learns to tell first from last.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how often to predict, compare and learn.
        size: how many numbers a word and a state have.
        seed: which random vectors the words start from.
    """
    sentences = [(a, CHASES, b) for a, b in permutations(range(len(ANIMALS)), 2)]
    ids = np.array(sentences)
    random = np.random.RandomState(seed)
    start = (
        (random.random_sample((len(ANIMALS) + 1, size)) - 0.5) * 0.5,
        np.eye(size),
        (random.random_sample((size, len(ANIMALS))) - 0.5) * 0.5,
    )
    changes_nothing(result, start)
    models = {
        "identity": Sentence(start, learns=False),
        "learned matrix": Sentence(start, learns=True),
    }
    losses: dict[str, list[float]] = {name: [] for name in models}
    optimizers = {
        name: SGD([p for p in model.parameters() if p.requires_grad], lr=lr)
        for name, model in models.items()
    }
    target = Tensor(ids[:, -1])
    for n in result.track(range(1, steps + 1)):
        for name, model in models.items():
            scores = model(Tensor(ids))  # predict
            loss = cross_entropy(scores, target)  # compare
            optimizers[name].zero_grad()
            loss.backward()  # learn
            if name == "learned matrix" and result.step(f"step {n}"):
                tell(result, model, ids, scores, loss)
            optimizers[name].step()
            losses[name].append(loss.item())

    for name, model in models.items():
        by_hand, transition = sentences_by_hand(
            ids, start, lr, steps, learns=name == "learned matrix"
        )
        result.agree(f"loss of every step: {name}", losses[name], by_hand, allowed=1e-7)
        result.agree(f"the matrix in the end: {name}", model.transition, transition, allowed=1e-7)
    result.plot("loss of every step", losses, x="step", y="loss", log=True)
    show_guesses(result, models, ids)
    result.picture(
        "the matrix",
        {"at the start": np.eye(size), "learned": models["learned matrix"].transition.numpy()},
        signed=True,
    )


def changes_nothing(result: Result, start: tuple[Array, Array, Array]) -> None:
    """A vector times the identity is the vector; a sum through it is the sum."""
    words, identity, _ = start
    vector = words[0]
    result.agree("a vector times the identity", Tensor(vector) @ Tensor(identity), vector)
    result.table(
        "times a matrix",
        ("", "the first four numbers"),
        [
            ("a vector", vector[:4].round(4)),
            ("times the identity", (vector @ identity)[:4].round(4)),
            ("times 2 * identity", (vector @ (2 * identity))[:4].round(4)),
            (
                "times identity, turned by one place",
                (vector @ np.roll(identity, 1, axis=1))[:4].round(4),
            ),
        ],
    )


def tell(result: Result, model: Sentence, ids: Array, scores: Tensor, loss: Tensor) -> None:
    """All values of one step, for the first sentence."""
    states = [state.numpy()[0] for state in model.states(Tensor(ids[:1]))]
    share = softmax(scores, dim=1).numpy()
    delta = (share - np.eye(len(ANIMALS))[ids[:, -1]]) / len(ids)
    result.predict("ids", "numbers of the first sentence's words", ids[0])
    result.predict("state after word 1", "vector of the word", states[0])
    for n in (2, 3):
        formula = "state @ transition + vector of the word"
        result.predict(f"state after word {n}", formula, states[n - 1])
    result.predict("prediction", "softmax(state @ decoder)", share[0])
    result.compare("target", "number of the animal that is chased", ids[0, -1])
    result.compare("loss", "-log of the share of the right one, mean of all sentences", loss)
    result.learn("delta", "(prediction - target) / sentences", delta[0])
    gradient = model.transition.grad.numpy() + 0.0
    result.learn("transition.grad", "state.T @ blame of the next state, summed", gradient)


def show_guesses(result: Result, models: dict[str, Sentence], ids: Array) -> None:
    """Who is chased, as both networks see it."""
    shares = {name: softmax(model(Tensor(ids)), dim=1).numpy() for name, model in models.items()}
    pair = [(0, CHASES, 1), (1, CHASES, 0)]
    rows = []
    for sentence in pair:
        (at,) = np.nonzero((ids == sentence).all(axis=1))[0]
        rows.append(
            (
                f"{ANIMALS[sentence[0]]} chases {ANIMALS[sentence[2]]}",
                *(share[at, :2].round(4) for share in shares.values()),
            )
        )
    result.table("is it the cat or the dog that is chased?", ("", *models), rows)
    right = {
        name: float((share.argmax(axis=1) == ids[:, -1]).mean()) for name, share in shares.items()
    }
    for name, part in right.items():
        result.number(f"sentences understood: {name}", part)
    result.say(
        "order", identity=f"{right['identity']:.0%}", learned=f"{right['learned matrix']:.0%}"
    )


def sentences_by_hand(
    ids: Array, start: tuple[Array, Array, Array], lr: float, steps: int, *, learns: bool
) -> tuple[list[float], Array]:
    """The loss of every step and the matrix in the end, in NumPy alone."""
    words, transition, decoder = (part.copy() for part in start)
    first, middle, last = ids.T
    losses = []
    for _ in range(steps):
        state_1 = words[first]
        state_2 = state_1 @ transition + words[middle]
        state_3 = state_2 @ transition + words[last]
        scores = state_3 @ decoder
        scores -= scores.max(axis=1, keepdims=True)
        share = np.exp(scores)
        total = share.sum(axis=1, keepdims=True)
        losses.append(float((np.log(total[:, 0]) - scores[np.arange(len(ids)), last]).mean()))
        share /= total
        delta = (share - np.eye(len(ANIMALS))[last]) / len(ids)
        blame_3 = delta @ decoder.T
        blame_2 = blame_3 @ transition.T
        blame_1 = blame_2 @ transition.T
        decoder -= lr * state_3.T @ delta
        if learns:
            transition -= lr * (state_2.T @ blame_3 + state_1.T @ blame_2)
        for which, blame in ((first, blame_1), (middle, blame_2), (last, blame_3)):
            np.add.at(words, which, -lr * blame)
    return losses, transition
