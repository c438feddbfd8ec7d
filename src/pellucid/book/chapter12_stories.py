"""Chapter 12, last part: guess the next word of a sentence of any length, and learn from it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import Tensor, no_grad, softmax, stack
from pellucid.data import Vocabulary, datasets
from pellucid.nn import Embedding, Module, Parameter
from pellucid.nn.functional import cross_entropy
from pellucid.optim import SGD

from .digits import Together, agree_by_hand
from .experiment import Figure, Result, experiment
from .result import Array

LINES = 1000  # of the training file
LOOK_EVERY = 1000  # steps; that often the published run printed the perplexity
GO_ON = 3  # times as many steps, to see what becomes of the published run
PUBLISHED, CORRECTED = "as published", "corrected"
FASTER = "corrected, steps ten times as long"


# ----------------------------------------------------------------------------------------- the data


@dataclass(frozen=True)
class Lines:
    """Sentences as numbers of words, each as long as it is."""

    words: Vocabulary
    sentences: list[Array]


def story_lines(result: Result) -> Lines:
    """The first lines of bAbI's first task, cut at blanks, in the words' order of appearance.

    The number at the front of a line is dropped; and, as in the published run, so is the word after
    it, though it stays in the vocabulary. Where bAbI is not to be had, this is announced, and
    made-up stories take its place.
    """
    stories = datasets.babi(1, "train", stand_in=True, quiet=True)
    if stories.stands_in:
        result.stand_in("bAbI", "made-up stories of the same kind")
    cut = [line.lower().split(" ")[1:] for line in stories.lines[:LINES]]
    in_order = dict.fromkeys((word for line in cut for word in line), 1)
    words = Vocabulary(in_order, specials=(), unknown=None)
    return Lines(words, [words.encode(line[1:]) for line in cut])


@dataclass
class Weights:
    """Everything that is learned: a vector per word, and how a state goes on and is read."""

    words: Array  # (vocabulary, size)
    transition: Array  # (size, size)
    start: Array  # (size)
    decoder: Array  # (size, vocabulary)

    @classmethod
    def first(cls, count: int, size: int, seed: int) -> Weights:
        """The published first weights; the transition changes nothing yet."""
        random = np.random.RandomState(seed)
        return cls(
            (random.random_sample((count, size)) - 0.5) * 0.1,
            np.eye(size),
            np.zeros(size),
            (random.random_sample((size, count)) - 0.5) * 0.1,
        )


# ------------------------------------------------------------------------------------------ by hand


def forward(weights: Weights, sentence: Array) -> tuple[list[Array], list[Array], float]:
    """Through a sentence: the state before each word, the guess made from it, and the loss."""
    states, guesses, loss = [weights.start], [], 0.0
    for word in sentence:
        scores = states[-1] @ weights.decoder
        shares = np.exp(scores - scores.max())
        guesses.append(shares / shares.sum())
        loss -= float(np.log(guesses[-1][word]))
        states.append(states[-1] @ weights.transition + weights.words[word])
    return states[:-1], guesses, loss  # the last state would guess what comes after the end


def backward(
    weights: Weights, sentence: Array, guesses: list[Array]
) -> tuple[list[Array], list[Array]]:
    """Back from the end: the blame of each guess, and of each state for all guesses from it on."""
    deltas, blames = [], []
    later = np.zeros_like(weights.start)
    for word, guess in zip(sentence[::-1], guesses[::-1], strict=True):
        delta = guess.copy()
        delta[word] -= 1
        later = delta @ weights.decoder.T + later @ weights.transition.T
        deltas.append(delta)
        blames.append(later)
    return deltas[::-1], blames[::-1]


def update(
    weights: Weights,
    sentence: Array,
    states: list[Array],
    deltas: list[Array],
    blames: list[Array],
    lr: float,
    published: bool,
) -> None:
    """Each weight moves against its blame.

    A word and the transition make the state *after* the word, so it is that state's blame which is
    theirs, and nothing where the sentence ends. The published run gave the transition the blame of
    the state before the word, the word that of the state before that one, and it sent the blame of
    the start through the transition once more.
    """
    nothing = np.zeros_like(weights.start)
    of_start, of_words, of_transition = blames[0], [*blames[1:], nothing], [*blames[1:], nothing]
    if published:
        of_start = blames[0] @ weights.transition.T
        of_words, of_transition = [of_start, *blames[:-1]], blames
    turn = np.zeros_like(weights.transition)
    weights.start = weights.start - lr * of_start
    for t, word in enumerate(sentence):
        weights.decoder -= lr * np.outer(states[t], deltas[t])
        weights.words[word] -= lr * of_words[t]
        turn += np.outer(states[t], of_transition[t])
    weights.transition = weights.transition - lr * turn


def by_hand(
    data: Lines, weights: Weights, lr: float, steps: range, *, published: bool
) -> list[float]:
    """The perplexity every 1,000 steps, in NumPy alone; `weights` learn."""
    seen = []
    for n in steps:
        sentence = data.sentences[n % len(data.sentences)]
        with np.errstate(divide="ignore"):  # a share of 0 has an infinite loss
            states, guesses, loss = forward(weights, sentence)
        deltas, blames = backward(weights, sentence, guesses)
        update(weights, sentence, states, deltas, blames, lr / len(sentence), published)
        if n % LOOK_EVERY == 0:
            seen.append(float(np.exp(loss / len(sentence))))
            if not np.isfinite(seen[-1]):
                break
    return seen


# -------------------------------------------------------------------------------- by the framework


class Recurrence(Module):
    """A state that takes in one word after the other: state @ transition + the word's vector.

    Args:
        weights: what to start from.
    """

    def __init__(self, weights: Weights) -> None:
        self.words = Embedding.from_pretrained(weights.words.copy(), freeze=False)
        self.transition = Parameter(weights.transition.copy())
        self.start = Parameter(weights.start.copy())
        self.decoder = Parameter(weights.decoder.copy())

    def states(self, sentence: Tensor) -> list[Tensor]:
        """The state before each word of a sentence."""
        found = [self.start * 1]
        for vector in self.words(sentence[:-1]):
            found.append(found[-1] @ self.transition + vector)
        return found

    def scores(self, states: list[Tensor]) -> Tensor:
        """For each state, a score for every word that could come next."""
        return stack(states) @ self.decoder

    def forward(self, sentence: Tensor) -> Tensor:
        """Scores for each word of a sentence (words, vocabulary), from the words before it."""
        return self.scores(self.states(sentence))


class Learner:
    """A recurrence on its way through the sentences.

    Args:
        weights: what to start from.
        lr: how far each step goes.
        published: hand the blame to whom the published run handed it.
    """

    def __init__(self, weights: Weights, lr: float, *, published: bool = False) -> None:
        self.network = Recurrence(weights)
        self.optimizer = SGD(self.network.parameters(), lr=lr)
        self.published = published
        self.perplexities: list[float] = []

    def step(self, sentence: Array) -> float:
        """Predict, compare, learn from one sentence. Returns its loss per word."""
        network, ids = self.network, Tensor(sentence)
        states = network.states(ids)
        for state in states if self.published else ():
            state.retain_grad()
        loss = cross_entropy(network.scores(states), ids)  # predict, compare
        self.optimizer.zero_grad()
        loss.backward()  # learn
        if self.published:
            hand_on_as_published(network, sentence, states)
        self.optimizer.step()
        return float(loss.item())

    def state_dict(self) -> dict[str, Any]:
        """Everything that a step changes."""
        return {"network": dict(self.network.state_dict()), "perplexities": self.perplexities}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Stand where the learner stood that `state_dict` came from."""
        self.network.load_state_dict(state_dict["network"])
        self.perplexities = state_dict["perplexities"]


def hand_on_as_published(network: Recurrence, sentence: Array, states: list[Tensor]) -> None:
    """Replace the true gradients by what the published run took for them."""
    before = np.array([state.numpy() for state in states])
    blames = np.array([state.grad.numpy() for state in states])
    of_start = blames[0] @ network.transition.numpy().T
    of_words = np.zeros(network.words.weight.shape)
    np.add.at(of_words, sentence, np.array([of_start, *blames[:-1]]))
    network.start.grad = Tensor(of_start)
    network.words.weight.grad = Tensor(of_words)
    network.transition.grad = Tensor(before.T @ blames)


# --------------------------------------------------------------------------------- the experiment


@experiment(
    "12.11",
    to="12.18",
    figures=[
        Figure("perplexity at step 0", 82.09, "about, as the order of words has it", within=0.3),
        Figure("perplexity at step 29000", 4.1, "4.0 to 4.2, as the order has it", within=0.1),
    ],
    slow=True,
)
def next_word(
    result: Result, *, lr: float = 0.001, steps: int = 30_000, size: int = 10, seed: int = 1
) -> None:
    """Sentence after sentence, guess every next word from the words before: any length will do.

    Args:
        lr: how much of each correction is made (the book's alpha).
        steps: how many sentences are learned from, one at a time.
        size: how many numbers a word and a state have.
        seed: which random weights to start from.
    """
    data = story_lines(result)

    def first() -> Weights:
        return Weights.first(len(data.words), size, seed)

    learners = {
        PUBLISHED: Learner(first(), lr, published=True),
        CORRECTED: Learner(first(), lr),
        FASTER: Learner(first(), 10 * lr),
    }
    tell_one_step(result, learners[CORRECTED], data)
    for n in result.track(range(steps), keep=Together(learners), name="sentences"):
        sentence = data.sentences[n % len(data.sentences)]
        for learner in learners.values():
            loss = learner.step(sentence)
            if n % LOOK_EVERY == 0:
                learner.perplexities.append(float(np.exp(loss)))

    by_numpy = {name: first() for name in (PUBLISHED, CORRECTED)}
    for name, weights in by_numpy.items():
        seen = by_hand(data, weights, lr, range(steps), published=name == PUBLISHED)
        agree_by_hand(result, f"perplexities, {name}", learners[name].perplexities, seen)
    for name, which in ((PUBLISHED, ""), (CORRECTED, ", corrected")):
        at = dict(enumerate(learners[name].perplexities))
        result.number(f"perplexity at step 0{which}", at[0])
        result.number(f"perplexity at step 29000{which}", at.get(29))
    show(result, learners, data, steps)
    tell_mistake(result, learners, data, by_numpy[PUBLISHED], lr, steps)


def show(result: Result, learners: dict[str, Learner], data: Lines, steps: int) -> None:
    """Curves, what the next word might be, and what became of the transition."""
    looks = list(range(0, steps, LOOK_EVERY))
    result.plot(
        "perplexity of the first line",
        {name: (looks, learner.perplexities) for name, learner in learners.items()},
        x="step",
        y="perplexity",
        log=True,
    )
    network = learners[FASTER].network
    lengths = [len(sentence) for sentence in data.sentences]
    rows = []
    for line in (0, int(np.argmax(lengths))):
        sentence = data.sentences[line]
        with no_grad():
            shares = softmax(network(Tensor(sentence)), dim=1).numpy()
        words = [shown(word) for word in data.words.decode(sentence)]
        for t, (word, share) in enumerate(zip(words, shares, strict=True)):
            guess = int(share.argmax())
            begin = " ".join(words[:t]) or "-"
            guessed = shown(data.words.decode([guess])[0])
            surely, right = round(float(share[guess]), 3), round(float(share[sentence[t]]), 3)
            rows.append((begin, word, guessed, surely, right))
    result.table(
        "what comes next",
        ("a line begins", "the next word", "guessed", "how surely", "for the right one"),
        rows,
    )
    result.picture(
        "the transition",
        {
            "at the start": np.eye(len(network.start)),
            **{name: learner.network.transition.numpy() for name, learner in learners.items()},
        },
        signed=True,
    )


def shown(word: str) -> str:
    """A word as one can read it: its tabs as blanks."""
    return " ".join(word.split())


def tell_mistake(
    result: Result,
    learners: dict[str, Learner],
    data: Lines,
    weights: Weights,
    lr: float,
    steps: int,
) -> None:
    """What the mistake does, then and later: the published run goes on, by hand."""
    over_all = {name: over_all_lines(learner.network, data) for name, learner in learners.items()}
    result.table(
        "perplexity over all lines, in the end",
        ("", "perplexity", "largest weight of the transition"),
        [
            (name, round(over_all[name], 3), round(largest(learner.network.transition), 3))
            for name, learner in learners.items()
        ],
    )
    result.number("the least perplexity anyone could have", least_perplexity(data))
    values = {name: round(value, 2) for name, value in over_all.items()}
    result.say(
        "mistake",
        published=values[PUBLISHED],
        corrected=values[CORRECTED],
        faster=values[FASTER],
        least=round(least_perplexity(data), 2),
    )
    if over_all[PUBLISHED] < over_all[CORRECTED]:
        result.say("ahead")
    further = range(steps, GO_ON * steps)
    seen = by_hand(data, weights, lr, further, published=True)
    later = dict(zip((n for n in further if n % LOOK_EVERY == 0), seen, strict=False))
    lost = next((n for n, perplexity in later.items() if not perplexity < len(data.words)), None)
    if lost is None:
        result.say("kept", steps=GO_ON * steps)
    elif over_all[PUBLISHED] < len(data.words):
        result.say("lost", step=lost)


def largest(weights: Tensor) -> float:
    """The largest weight, whatever its sign."""
    return float(np.abs(weights.numpy()).max())


def over_all_lines(network: Recurrence, data: Lines) -> float:
    """The perplexity over all words of all lines."""
    losses, words = 0.0, 0
    with no_grad():
        for sentence in data.sentences:
            ids = Tensor(sentence)
            losses += cross_entropy(network(ids), ids, reduction="sum").item()
            words += len(sentence)
    return float(np.exp(losses / words))


def least_perplexity(data: Lines) -> float:
    """The perplexity of who knows how often each word follows each beginning, and nothing else."""
    followed: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for sentence in data.sentences:
        ids = tuple(sentence.tolist())
        for t, word in enumerate(ids):
            followed[ids[:t]][word] += 1
    loss = 0.0
    for counts in followed.values():
        loss -= sum(n * math.log(n / counts.total()) for n in counts.values())
    return math.exp(loss / sum(map(len, data.sentences)))


def tell_one_step(result: Result, learner: Learner, data: Lines) -> None:
    """All values of the first step that `learner` would make; it is not made."""
    network, sentence = learner.network, data.sentences[0]
    states = network.states(Tensor(sentence))
    for state in states:
        state.retain_grad()
    scores = network.scores(states)
    loss = cross_entropy(scores, Tensor(sentence), reduction="sum")
    loss.backward()
    if result.step("the first line"):
        result.predict("ids", "numbers of the words", sentence)
        for t, state in enumerate(states):
            how = "state @ transition + vector of the word" if t else "start"
            result.predict(f"state before word {t + 1}", how, state.numpy())
        shares = softmax(scores, dim=1).numpy()[range(len(sentence)), sentence]
        result.predict("shares of the right words", "softmax(state @ decoder)", shares)
        result.compare("loss", "-log(shares).sum()", loss)
        for t, state in reversed([*enumerate(states)]):
            blame = f"blame of the state before word {t + 1}"
            how = "delta @ decoder.T + blame of the next state @ transition.T"
            result.learn(blame, how, state.grad.numpy())
        for t, word in enumerate(sentence):
            after = (
                "blame of the state after it" if t + 1 < len(states) else "nothing comes after it"
            )
            result.learn(f"gradient of word {t + 1}", after, network.words.weight.grad[int(word)])
        result.learn(
            "transition.grad", "outer(state, blame of the next), summed", network.transition.grad
        )
    learner.optimizer.zero_grad()
