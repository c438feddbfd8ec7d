"""Chapter 15, first part: spam, learned in one place, and by parties that keep their mails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid import Tensor, no_grad, sigmoid
from pellucid.data import PADDING, ArrayDataset, DataLoader, Subset, Vocabulary, datasets, pad
from pellucid.federated import Local, Recorder, Trainer, by_size, fedavg, plain_sum, trimmed_mean
from pellucid.federated.summing import Summing
from pellucid.nn import EmbeddingBag, Module
from pellucid.nn.functional import mse_loss
from pellucid.optim import SGD

from .experiment import Figure, Result, experiment
from .result import Array

LENGTH = 500  # places for words in a mail; mails with so many different words or more are left out
BATCH = 500
SPAM = 1
NAMES = ("Anna", "Ben", "Cleo")
SIZES = (1000, 1000, None)  # what they hold; the last has the rest


# --------------------------------------------------------------------------------------- the mails


@dataclass(frozen=True)
class Mails:
    """Mails as sets of words: (mails, 500) numbers of words, filled up with 0, which is no word."""

    words: Vocabulary
    ids: Array
    labels: Array
    test_ids: Array
    test_labels: Array
    truth: Mapping[str, int]

    @property
    def training(self) -> ArrayDataset:
        """The mails to learn from, with what they are: 1 for spam."""
        return ArrayDataset(self.ids, self.labels)

    def words_of(self, ids: Array) -> set[str]:
        """The different words of some mails."""
        return set(self.words.decode(np.setdiff1d(ids, 0)))


def mails(result: Result, seed: int, test: int) -> Mails:
    """Enron-Spam, mixed, then spam and ham in turn, as many of each; the last of both for testing.

    They are mixed because the archive has one person's mailbox after the other. Where it is not to
    be had, this is announced, and made-up mails take its place.
    """
    found = datasets.enron(stand_in=True, quiet=True)
    if found.stands_in:
        result.stand_in("Enron-Spam", "made-up mails")
    different = [list(dict.fromkeys(words)) for words in found.words]
    order: Array = np.arange(len(found))
    if seed:
        order = np.random.RandomState(seed).permutation(len(found))
    short = [i for i in order.tolist() if len(different[i]) < LENGTH]
    spam, ham = ([i for i in short if found.labels[i] == label] for label in (SPAM, 1 - SPAM))
    rows = [i for pair in zip(spam, ham, strict=False) for i in pair]
    words = Vocabulary((w for i in rows for w in different[i]), specials=(PADDING,), unknown=None)
    numbers = [np.array([words.number[w] for w in different[i]], np.int32) for i in rows]
    ids, labels = pad(numbers, LENGTH), found.labels[rows].astype(np.float64)
    cut = len(rows) - test
    return Mails(words, ids[:cut], labels[:cut], ids[cut:], labels[cut:], found.truth)


# --------------------------------------------------------------------------------------- the model


class SpamFilter(Module):
    """A number for each word, above 0 where it speaks for spam. Their sum decides.

    Args:
        words: how many words there are, the padding among them. All begin at 0.
    """

    def __init__(self, words: int) -> None:
        self.table = EmbeddingBag(words, 1, mode="sum", sparse=True, padding_idx=0)
        self.table.weight.data[:] = 0

    def forward(self, ids: Tensor) -> Tensor:
        """How likely each mail is spam, (mails), from its words, (mails, 500)."""
        return sigmoid(self.table(ids))[:, 0]

    def accuracy(self, data: Mails) -> float:
        """The share of the test mails that are judged right."""
        with no_grad():
            says = self(Tensor(data.test_ids)).numpy() > 0.5
        return float((says == data.test_labels).mean())


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared differences, added up over the mails of the batch."""
    return mse_loss(prediction, target, reduction="sum")


def train_by_hand(weights: Array, ids: Array, labels: Array, lr: float, passes: int = 1) -> Array:
    """The same in NumPy alone: new numbers for the words, from numbers for the words."""
    weights = weights.copy()
    for _ in range(passes):
        for start in range(0, len(ids), BATCH):
            part, target = ids[start : start + BATCH], labels[start : start + BATCH]
            prediction = 1 / (1 + np.exp(-weights[part].sum(axis=1)))
            delta = 2 * (prediction - target) * prediction * (1 - prediction)
            mail, place = np.nonzero(part)  # where there is a word and no padding
            np.subtract.at(weights, part[mail, place], lr * delta[mail])
    return weights


# ------------------------------------------------------------------------- 15.1 the ordinary way


@experiment(
    "15.1",
    to="15.3",
    figures=[Figure("accuracy on test mails", 0.98, "above 0.98", at_least=True)],
)
def spam(
    result: Result, *, lr: float = 0.01, passes: int = 5, test: int = 2000, seed: int = 1
) -> None:
    """A number for each word tells spam from ham: learned with all mails in one place.

    Args:
        lr: how much of each correction is made (the book's alpha).
        passes: how often the mails are gone through.
        test: how many mails are kept for testing.
        seed: how the mails are mixed; 0 leaves them in the order of the archive.
    """
    data = mails(result, seed, test)
    model = SpamFilter(len(data.words))
    optimizer = SGD(model.parameters(), lr=lr)
    rows = []
    for n in result.track(range(1, passes + 1)):
        error, right = 0.0, 0
        for ids, target in DataLoader(data.training, BATCH):
            prediction = model(ids)  # predict
            loss = squared_error(prediction, target)  # compare
            optimizer.zero_grad()
            loss.backward()  # learn
            if result.step(f"batch {len(result.steps) + 1}"):
                tell(result, model, ids, target, prediction, loss)
            optimizer.step()
            error += loss.item()
            right += int(((prediction.numpy() > 0.5) == target.numpy()).sum())
        count = len(data.labels)
        rows.append((n, error / count, right / count, model.accuracy(data)))
    by_hand = train_by_hand(np.zeros(len(data.words)), data.ids, data.labels, lr)
    once = SpamFilter(len(data.words))
    fedavg(once, one_party(once, data.training), rounds=1, lr=lr, batch_size=BATCH, shuffle=False)
    result.agree("numbers of the words after one pass", once.table.weight.data[:, 0], by_hand)

    result.number("accuracy on test mails", rows[-1][-1])
    result.number("mails to learn from", len(data.labels))
    result.number("different words", len(data.words) - 1)
    headings = ("pass", "error per mail", "right while learning", "right on test mails")
    result.table("learning with all mails in one place", headings, rows)
    most, least = strongest(model, data)
    result.say("words", spam=", ".join(most), ham=", ".join(least))
    if data.truth:
        result.number("words that count, with the right sign", signs_right(model, data))


def one_party(model: SpamFilter, dataset: ArrayDataset) -> Local:
    """All data with one party: learning in one place, as a federation of one."""
    return Local({"everybody": Trainer(model, dataset, squared_error)})


def tell(
    result: Result, model: SpamFilter, ids: Tensor, target: Tensor, prediction: Tensor, loss: Tensor
) -> None:
    """All values of one batch, in full for its first mail."""
    first = ids.numpy()[0]
    words = first[first > 0]
    numbers = model.table.weight.data[words, 0]
    result.predict("words", "numbers of the first mail's words", words)
    result.predict("what they weigh", "table[words]", numbers)
    result.predict("sum", "table[words].sum()", numbers.sum())
    result.predict("prediction", "sigmoid(sum)", prediction.numpy()[0])
    result.compare("target", "1 for spam", target.numpy()[0])
    result.compare("loss", "((prediction - target) ** 2).sum() of the batch", loss)
    gradient = model.table.weight.grad.coalesce()
    places = np.searchsorted(gradient.rows, words)
    result.learn("gradient of these words", "all mails of the batch", gradient.values[places, 0])


def strongest(model: SpamFilter, data: Mails, many: int = 8) -> tuple[list[str], list[str]]:
    """The words that speak loudest for spam, and for ham."""
    order = np.argsort(model.table.weight.data[:, 0])
    words = [word for word in data.words.decode(order) if word[0].isalpha()]
    return words[: -many - 1 : -1], words[:many]


def signs_right(model: SpamFilter, data: Mails) -> float:
    """Of the words whose truth is known, the share that the network weighs with the right sign."""
    known = [(data.words[word], sign) for word, sign in data.truth.items() if word in data.words]
    numbers, signs = np.array(known).T
    return float((np.sign(model.table.weight.data[numbers, 0]) == signs).mean())


# ------------------------------------------------------------------------------- 15.4 three parties


@dataclass(frozen=True)
class Way:
    """A way to make one model of three: how contributions are added up, and passes per round."""

    summing: Summing
    passes: int


@experiment(
    "15.4",
    figures=[
        Figure("accuracy after round 1", 0.8405, "at least as published", at_least=True),
        Figure("accuracy after round 2", 0.9225, "at least as published", at_least=True),
        Figure("accuracy after round 3", 0.98, "published: 0.988, on other mails", at_least=True),
    ],
)
def three_parties(
    result: Result,
    *,
    lr: float = 0.01,
    rounds: int = 3,
    passes: int = 3,
    test: int = 2000,
    seed: int = 1,
) -> None:
    """Three parties keep their mails, and learn one spam filter together.

    Args:
        lr: how much of each correction is made (the book's alpha).
        rounds: how often the models are brought together.
        passes: how often each party goes through its mails in a round.
        test: how many mails are kept for testing.
        seed: how the mails are mixed; 0 leaves them in the order of the archive.
    """
    data = mails(result, seed, test)
    parts = dict(zip(NAMES, by_size(len(data.labels), SIZES), strict=True))
    ways = {
        "as published": Way(trimmed_mean(cut=0), 1),  # the mean of the models, whoever has how many
        "weighted by mails": Way(plain_sum, 1),
        "weighted, more passes": Way(plain_sum, passes),
    }
    ticks = iter(result.track(range(len(ways) * rounds)))
    accuracy: dict[str, list[float]] = {}
    for name, way in ways.items():
        model, seen = SpamFilter(len(data.words)), list[float]()
        engine = Recorder(Local(trainers(data, parts)))

        def after(
            row: dict[str, object], model: SpamFilter = model, seen: list[float] = seen
        ) -> None:
            seen.append(model.accuracy(data))
            next(ticks, None)

        fedavg(
            model,
            engine,
            rounds=rounds,
            lr=lr,
            passes=way.passes,
            batch_size=BATCH,
            shuffle=False,
            summing=way.summing,
            on_round=after,
        )
        accuracy[name] = seen

    for n, reached in enumerate(accuracy["weighted, more passes"], start=1):
        result.number(f"accuracy after round {n}", reached)
    result.table(
        "right on test mails",
        ("round", *ways),
        [(n, *row) for n, row in enumerate(zip(*accuracy.values(), strict=True), start=1)],
    )
    tell_round(result, engine, parts)
    show_parties(result, data, parts, engine, lr, rounds * passes)
    by_hand = parties_by_hand(data, parts, lr, rounds, passes)
    result.agree("numbers of the words after all rounds", model.table.weight.data[:, 0], by_hand)
    first = [reached[0] for reached in accuracy.values()]
    result.say("weighed", published=first[0], weighted=first[1], passes=passes, more=first[2])


def trainers(data: Mails, parts: Mapping[str, Array]) -> dict[str, Trainer]:
    """A party for each part of the mails."""
    bench = SpamFilter(len(data.words))
    return {
        name: Trainer(bench, Subset(data.training, rows), squared_error)
        for name, rows in parts.items()
    }


def parties_by_hand(
    data: Mails, parts: Mapping[str, Array], lr: float, rounds: int, passes: int
) -> Array:
    """The numbers of the words after all rounds, in NumPy alone."""
    weights = np.zeros(len(data.words))
    sizes = [len(rows) for rows in parts.values()]
    for _ in range(rounds):
        own = [
            train_by_hand(weights, data.ids[rows], data.labels[rows], lr, passes)
            for rows in parts.values()
        ]
        weights = np.average(own, axis=0, weights=sizes)
    return weights


def tell_round(result: Result, engine: Recorder, parts: Mapping[str, Array]) -> None:
    """The values of the first round, as the coordinator sees them."""
    if not result.step("round 1"):
        return
    before: Array = 0.0
    for name in parts:
        seen = engine.view(name)[0]
        assert seen.reply is not None
        before = seen.message["weights"]["table.weight"][:, 0]
        found = seen.reply["sum"]
        result.predict(f"{name}: mails", "what it says it learned from", found["examples"])
        result.compare(f"{name}: loss", "mean over its batches", found["loss"] / found["examples"])
        update = found["update.table.weight"][:, 0]
        result.learn(f"{name}: update", "mails * (weights after - weights before)", update)
    totals = [engine.view(name)[0].reply["sum"] for name in parts]  # type: ignore[index]
    mean = sum(t["update.table.weight"][:, 0] for t in totals) / sum(t["examples"] for t in totals)
    result.learn("weights", "weights + sum of updates / sum of mails", before + mean)


def show_parties(
    result: Result,
    data: Mails,
    parts: Mapping[str, Array],
    engine: Recorder,
    lr: float,
    passes: int,
) -> None:
    """What each party holds, how far it comes alone, and what travels."""
    holds, travels = [], []
    for name, rows in parts.items():
        alone = SpamFilter(len(data.words))
        alone.table.weight.data[:, 0] = train_by_hand(
            np.zeros(len(data.words)), data.ids[rows], data.labels[rows], lr, passes
        )
        words = len(data.words_of(data.ids[rows]))
        holds.append((name, len(rows), words, alone.accuracy(data)))
        sent, received = ([getattr(e, s) for e in engine.view(name)] for s in ("sent", "received"))
        travels.append((name, sent[0], received[0], sum(sent) + sum(received)))
    headings: tuple[str, ...] = ("party", "mails", "different words", "right if it learns alone")
    result.table("what each party holds", headings, holds)
    headings = ("party", "to it, round 1", "from it, round 1", "all rounds")
    result.table("what travels, in bytes", headings, travels)


# --------------------------------------------------------------------------------------- 15.5 the leak

SECRET = ("my", "computer", "password", "is", "pizza")


@experiment(
    "15.5",
    figures=[
        Figure(
            "words read back from the weights",
            "computer, is, my, password, pizza",
            "a party with one mail",
        )
    ],
)
def leak(
    result: Result, *, lr: float = 0.01, singles: int = 100, test: int = 2000, seed: int = 1
) -> None:
    """A party with one mail sends its weights, and has sent its mail.

    Args:
        lr: how much of each correction is made (the book's alpha).
        singles: how many parties with one real mail each are overheard.
        test: how many mails are kept for testing.
        seed: how the mails are mixed; 0 leaves them in the order of the archive.
    """
    data = mails(result, seed, test)
    words = Vocabulary([*data.words.tokens[1:], *SECRET], specials=(PADDING,), unknown=None)
    mail = ArrayDataset(pad([words.encode(SECRET)], LENGTH), np.zeros(1))
    update = overheard({"Ben": mail}, len(words), lr)["Ben"]
    found = words.decode(np.flatnonzero(update))
    result.number("words read back from the weights", ", ".join(sorted(found)))
    result.say("secret", found=", ".join(sorted(found)), of=f"{len(words) - 1:,}")
    moved = update[np.flatnonzero(update)]
    result.step("a mail of five words")
    result.predict("prediction", "sigmoid(0)", 0.5)
    result.compare("target", "0 for ham", 0)
    result.learn("what moved", "-lr * 2 * (prediction - target) * slope of sigmoid", moved)
    by_hand = -lr * 2 * (0.5 - 0) * 0.5 * (1 - 0.5)
    result.agree("how far each word was moved", moved, np.full(len(SECRET), by_hand))

    shares, labels = [], []
    for i in result.track(range(min(singles, len(data.labels)))):
        update = overheard({"Ben": Subset(data.training, [i])}, len(data.words), lr)["Ben"]
        held, read = data.words_of(data.ids[i]), set(data.words.decode(np.flatnonzero(update)))
        shares.append(len(held & read) / len(held))
        labels.append((update.sum() > 0) == data.labels[i])
    result.number("share of the words read back", float(np.mean(shares)))
    result.number("spam or not, guessed right", float(np.mean(labels)))
    result.say("singles", count=len(shares), words=percent(shares), labels=percent(labels))
    show_crowd(result, data, lr)


def percent(shares: list[float]) -> str:
    """The mean of shares, as it is said."""
    return f"{np.mean(shares):.1%}"


def overheard(datasets: Mapping[str, object], words: int, lr: float) -> dict[str, Array]:
    """What a coordinator that looks sees of each party in one round: how far each word was moved."""
    model = SpamFilter(words)
    parties = {name: Trainer(model, data, squared_error) for name, data in datasets.items()}
    engine = Recorder(Local(parties))
    fedavg(model, engine, rounds=1, lr=lr, batch_size=BATCH, shuffle=False)
    contributions = {seen.party: seen.reply["sum"] for seen in engine.view() if seen.reply}
    return {
        name: c["update.table.weight"][:, 0] / c["examples"] for name, c in contributions.items()
    }


def show_crowd(result: Result, data: Mails, lr: float) -> None:
    """With more mails, and in the sum with two others: how many of the words can be told?"""
    ends = [n for n in (1, 10, 100, 1000) if n <= len(data.labels) // 4]
    others = np.array_split(np.arange(len(data.labels))[-2 * ends[-1] :], 2)
    rows = []
    for count in ends:
        parties = {"Ben": np.arange(count), "Anna": others[0], "Cleo": others[1]}
        updates = overheard(
            {name: Subset(data.training, part) for name, part in parties.items()},
            len(data.words),
            lr,
        )
        held = data.words_of(data.ids[:count])
        read = set(data.words.decode(np.flatnonzero(updates["Ben"])))
        total = sum(len(parties[name]) * update for name, update in updates.items())
        in_sum = set(data.words.decode(np.flatnonzero(total)))
        his = len(held & in_sum) / len(in_sum)
        back = round(len(held & read) / len(held), 3)
        rows.append((count, len(held), back, len(in_sum), round(his, 3)))
    result.table(
        "what can be read from the weights",
        ("Ben's mails", "his words", "share read back", "words in the sum", "share that is his"),
        rows,
    )
    result.say("crowd", words=rows[0][1], sum=rows[0][3], share=f"{rows[0][4]:.1%}")
