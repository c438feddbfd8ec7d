"""Chapter 11, last part: the loss decides what is near; and sums and differences of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

import numpy as np

from pellucid.data import Vocabulary

from . import words
from .chapter11 import CORRECTED, PUBLISHED, divided, same_side, sentiment_words
from .chapter11_blanks import blank_words
from .experiment import Figure, Result, experiment
from .result import Array
from .reviews import Reviews, reviews
from .words import Words

SENTIMENT, BLANKS = "after judging reviews", "after filling blanks"
CHANCE = "by chance"
TEN = 10

Pairs = list[tuple[str, str]]


# --------------------------------------------------------------------- 11.13 meaning and the loss


@experiment("11.13", slow=True)
def meaning(result: Result, *, each: int = 9, seed: int = 1) -> None:
    """The same reviews, the same words, two losses: two worlds.

    Args:
        each: how many positive, negative and other words stand on the maps.
        seed: how the t-SNE map begins.
    """
    data = reviews(result)
    spaces = {
        SENTIMENT: sentiment_words(result, data, CORRECTED),
        BLANKS: blank_words(result, data, CORRECTED),
    }
    show_neighbours(result, data, spaces)
    asked = data.opinion
    sides = {name: same_side(space, asked)[0] for name, space in spaces.items()}
    plural = plurals(data.words, spaces[BLANKS].known)
    forms = {name: partner_near(space, plural) for name, space in spaces.items()}
    same = {name: alike(data, space) for name, space in spaces.items()}
    positive = float((asked[(asked != 0) & spaces[BLANKS].known] > 0).mean())
    rows = [
        ("neighbours that hold the same opinion", sides, positive**2 + (1 - positive) ** 2),
        ("plurals among the ten nearest of their words", forms, TEN / spaces[BLANKS].known.sum()),
        ("nearest review that has the same label", same, 0.5),
    ]
    result.table(
        "what being near means",
        ("", SENTIMENT, BLANKS, CHANCE),
        [
            (what, *(percent(share) for share in shares.values()), percent(chance))
            for what, shares, chance in rows
        ],
    )
    for what, shares, _ in rows:
        for name, share in shares.items():
            result.number(f"{what}, {name}", share)
    result.say("measured", pairs=len(plural), words=int(np.count_nonzero(asked)))
    show_maps(result, data, spaces, each, seed)
    whole = {name: space.vectors.astype(np.float64) for name, space in spaces.items()}
    first = data[0]
    for name, vectors in whole.items():
        counted = np.bincount(first, minlength=len(vectors)) @ vectors / len(first)
        result.agree(f"vector of the first review, {name}", vectors[first].mean(axis=0), counted)


def percent(share: float) -> str:
    """A share as people write it; "-" where there was nothing to count."""
    return "-" if np.isnan(share) else f"{share:.1%}"


def show_neighbours(
    result: Result, data: Reviews, spaces: Mapping[str, Words], many: int = 6
) -> None:
    """The nearest words of a few words, in both worlds side by side."""
    asked = ["terrible", "beautiful", "boring", "actor", "he", "two", "plot"]
    asked = [w for w in asked if w in data.words and spaces[BLANKS].known[data.words[w]]]
    result.table(
        "nearest words",
        ("word", *spaces),
        [(w, *(", ".join(s.nearest(w, many)) for s in spaces.values())) for w in asked],
    )


def alike(data: Reviews, space: Words) -> float:
    """Is the review nearest to a review of the same kind?

    A review's vector is the mean of the vectors of its words. Asked of the reviews kept aside, which
    the sentiment network has not learned from.
    """
    _, kept_aside = divided(data, 1000)
    vectors = np.stack([sentence_vector(space, data[n]) for n in kept_aside])
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    labels = data.labels[kept_aside.start : kept_aside.stop]
    return float((labels[cosines.argmax(axis=1)] == labels).mean())


def sentence_vector(space: Words, ids: Array) -> Array:
    """The mean of the vectors of some words."""
    return space.vectors[ids].astype(np.float64).mean(axis=0)


def show_maps(
    result: Result, data: Reviews, spaces: Mapping[str, Words], each: int, seed: int
) -> None:
    """The clearest words of both sides and some in between, on a plane."""
    if find_spec("sklearn") is None:
        result.say("no-maps")
        return
    groups = landmarks(data, spaces[BLANKS].known, each)
    chosen = np.concatenate([*groups.values()])
    for method, flatten in (("PCA", by_pca), ("t-SNE", by_tsne)):
        for name, space in spaces.items():
            places = iter(flatten(space.unit[chosen].astype(np.float64), seed))
            curves = {}
            for label, ids in groups.items():
                at = np.array([next(places) for _ in ids])
                curves[label] = (at[:, 0], at[:, 1], data.words.decode(ids))
            result.plot(f"{method}, {name}", curves)


def landmarks(data: Reviews, known: Array, each: int) -> dict[str, Array]:
    """Words for a map: those that lean most clearly to either side, and frequent ones that do not."""
    readable = np.array([word.isalpha() and len(word) > 2 for word in data.words.tokens])
    lean = np.where(known & readable, data.lean, np.nan)
    order = np.argsort(lean)[: np.count_nonzero(~np.isnan(lean))]
    between = [n for n in range(len(lean)) if abs(lean[n]) < 1]  # the most frequent first
    return {
        "positive": order[::-1][:each],
        "negative": order[:each],
        "neither": np.array(between[30 : 30 + each] or between[:each], dtype=int),
    }


def by_pca(vectors: Array, seed: int) -> Array:
    """The plane on which the points are spread most widely."""
    from sklearn.decomposition import PCA  # type: ignore[import-untyped, unused-ignore]

    return PCA(2, random_state=seed).fit_transform(vectors)


def by_tsne(vectors: Array, seed: int) -> Array:
    """A plane on which neighbours stay neighbours, whatever becomes of the rest."""
    from sklearn.manifold import TSNE  # type: ignore[import-untyped, unused-ignore]

    few = min(8, (len(vectors) - 1) / 3)  # neighbours that count
    tsne = TSNE(2, perplexity=few, init="pca", method="exact", random_state=seed)
    return tsne.fit_transform(vectors)


# ------------------------------------------------------------------------------ pairs found by rule


def pairs(names: Vocabulary, known: Array, rule: Callable[[str], list[str]]) -> Pairs:
    """All pairs of known words of which a rule makes the second from the first."""
    tokens = [w for w, is_ in zip(names.tokens, known, strict=True) if is_ and w.isalpha()]
    there = set(tokens)
    return [(w, made) for w in tokens if len(w) > 3 for made in rule(w) if made in there]


def plurals(names: Vocabulary, known: Array) -> Pairs:
    """Words and the same with an s."""
    return pairs(names, known, RULES["-s"])


RULES: dict[str, Callable[[str], list[str]]] = {
    "-s": lambda w: [f"{w}s"],
    "-ed": lambda w: [f"{w}d"] if w.endswith("e") else [f"{w}ed"],
    "-ing": lambda w: [f"{w[:-1]}ing"] if w.endswith("e") else [f"{w}ing"],
    "-ly": lambda w: [f"{w}ly"],
    "un-": lambda w: [f"un{w}"],
}


def partner_near(space: Words, found: Pairs) -> float:
    """The share of pairs whose second word is among the ten nearest to the first."""
    if not found:
        return float("nan")
    first, second = _places(space, found)
    scores = space.unit[first] @ _known(space, space.unit).T
    return _within_ten(scores, _column(space, second), [_column(space, first)])


def analogies(space: Words, found: Pairs, asked: int = 1000, seed: int = 1) -> dict[str, float]:
    """The share of analogies between pairs that are solved: the right word is among ten.

    `films - film + actor` should be `actors`: of each two pairs, from one to the other. As published
    (vectors times squared lengths, the closest word wins) and corrected (vectors divided by lengths,
    the nearest direction wins); the question's own words do not count in either.
    """
    if len(found) < 2:
        return {PUBLISHED: float("nan"), CORRECTED: float("nan")}
    random = np.random.RandomState(seed)
    one, other = random.randint(len(found), size=(2, asked))
    one, other = one[one != other], other[one != other]
    first, second = _places(space, found)
    a, b, c, d = first[one], second[one], first[other], second[other]
    but = [_column(space, ids) for ids in (a, b, c)]
    of_unit = space.unit[b] - space.unit[a] + space.unit[c]
    of_multiplied = space.multiplied[b] - space.multiplied[a] + space.multiplied[c]
    table = _known(space, space.vectors)
    closeness = 2 * of_multiplied @ table.T - np.sum(table * table, axis=1)  # -distance**2, but for
    return {  # what is the same for all words
        PUBLISHED: _within_ten(closeness, _column(space, d), but),
        CORRECTED: _within_ten(of_unit @ _known(space, space.unit).T, _column(space, d), but),
    }


def _places(space: Words, found: Pairs) -> tuple[Array, Array]:
    return space.names.encode(a for a, _ in found), space.names.encode(b for _, b in found)


def _known(space: Words, table: Array) -> Array:
    return table[space.known]


def _column(space: Words, ids: Array) -> Array:
    """Where words stand among the known ones."""
    return (np.cumsum(space.known) - 1)[ids]


def _within_ten(scores: Array, right: Array, but: list[Array]) -> float:
    """The share of rows in which fewer than ten words score higher than the right one."""
    rows = np.arange(len(scores))
    wanted = scores[rows, right][:, None].copy()
    for columns in but:
        scores[rows, columns] = -np.inf
    return float(((scores > wanted).sum(axis=1) < TEN).mean())


# --------------------------------------------------------------------------------- 11.14 analogies


LIST = ("terrific", "perfect", "worth")  # the first answers of the published run


@experiment(
    "11.14",
    to="11.15",
    figures=[
        Figure("of terrific, perfect, worth, among the ten", 3, "as published", within=2),
        Figure("negative words among the first five", 0, "as published", within=2),
        Figure("like terrific among the first five", 5, "corrected", within=2),
    ],
    slow=True,
)
def sums_of_words(result: Result, *, question: str = "terrible - bad + good") -> None:
    """King minus man plus woman: directions between words, and what a forgotten root does to them.

    Args:
        question: a sum and difference of words, with blanks between them.
    """
    data = reviews(result)
    if data.truth and question == "terrible - bad + good":  # words that made-up reviews do not have
        question = "terrible - awful + superb"
    asked = words.question(question, data.words)
    spaces = {name: blank_words(result, data, name) for name in (PUBLISHED, CORRECTED)}
    published, corrected = spaces.values()
    solved = published.solve_as_published(*asked)
    right = corrected.solve(*asked)
    result.table(
        f"“{question}”",
        ("", "nearest words"),
        [(PUBLISHED, ", ".join(solved)), (CORRECTED, ", ".join(right))],
    )
    opinion = data.opinion
    judged = opinion[data.words.encode(solved[:5])]
    result.number("of terrific, perfect, worth, among the ten", sum(w in solved for w in LIST))
    result.number("negative words among the first five", int((judged < 0).sum()))
    if "terrific" in data.words:
        like = ["terrific", *corrected.nearest("terrific", 20)]
        result.number("like terrific among the first five", sum(w in like for w in right[:5]))
    else:
        result.number("like terrific among the first five", None)
    if data.truth:
        praise = [data.truth.get(w, 0) > 0 for w in right]
        opinions = [w in data.truth for w in right]
        result.say("truth", opinions=sum(opinions), praise=sum(praise))
    show_king(result, data, corrected)
    show_rules(result, corrected)
    lengths = np.linalg.norm(published.vectors[published.known], axis=1)
    short, long = np.quantile(lengths, [0.1, 0.9])
    result.say("mistake", short=round(float(short), 1), long=round(float(long), 1),
               times=round(float((long / short) ** 3)))  # fmt: skip
    agree_by_hand(result, data, spaces, asked)


def show_king(result: Result, data: Reviews, space: Words) -> None:
    """The famous question, and why film reviews cannot answer it."""
    if any(w not in data.words for w in ("king", "man", "woman", "queen")):
        return
    ids = data.words.encode(["king"])
    (at,) = np.nonzero(data.numbers[:-1] == ids[0])
    before, after = (
        data.words.decode(np.argsort(-np.bincount(data.numbers[p], minlength=len(data.words)))[:12])
        for p in (at[at > 0] - 1, at + 1)
    )
    beside = [w for w in (*before, *after) if w.isalpha() and data.counts[data.words[w]] < 5000]
    query = space.unit[data.words["king"]] - space.unit[data.words["man"]]
    scores = np.where(space.known, space.cosines(query + space.unit[data.words["woman"]]), -np.inf)
    scores[data.words.encode(["king", "man", "woman"])] = -np.inf
    place = int((scores > scores[data.words["queen"]]).sum()) + 1
    result.table(
        "“king - man + woman”",
        ("", "nearest words"),
        [(CORRECTED, ", ".join(space.solve(["king", "woman"], ["man"])))],
    )
    result.say(
        "king",
        place=place,
        of=f"{int(space.known.sum()):,}",
        times=int(data.counts[ids[0]]),
        beside=", ".join(dict.fromkeys(beside)),
    )


def show_rules(result: Result, space: Words) -> None:
    """How good are the vectors? Asked of pairs that a rule finds, not of what pleases."""
    rows = []
    for name, rule in RULES.items():
        found = pairs(space.names, space.known, rule)
        if len(found) < 2:
            continue
        both = analogies(space, found)
        rows.append(
            (
                name,
                ", ".join(max(found, key=lambda pair: min(space.names.counts[w] for w in pair))),
                len(found),
                percent(partner_near(space, found)),
                percent(both[PUBLISHED]),
                percent(both[CORRECTED]),
            )
        )
        result.number(f"analogies of {name} solved, as published", both[PUBLISHED])
        result.number(f"analogies of {name} solved, corrected", both[CORRECTED])
    if rows:
        result.table(
            "pairs found by rule: is the right word among ten?",
            ("rule", "for instance", "pairs", "neighbours", PUBLISHED, CORRECTED),
            rows,
        )
        result.say("chance", share=f"{TEN / space.known.sum():.2%}")
    else:
        result.say("no-pairs")


def agree_by_hand(
    result: Result, data: Reviews, spaces: Mapping[str, Words], asked: tuple[list[str], list[str]]
) -> None:
    """The answers once more, word by word and number by number."""
    space = spaces[CORRECTED]
    query = np.zeros(space.vectors.shape[1])
    for sign, names in zip((1, -1), asked, strict=True):
        for word in names:
            vector = space.vectors[data.words[word]].astype(np.float64)
            query += sign * vector / np.sqrt(vector @ vector)
    some = data.words.encode(space.solve(*asked))
    by_hand = [
        v @ query / np.sqrt((v @ v) * (query @ query))
        for v in space.vectors[some].astype(np.float64)
    ]
    summed = sum(space.unit[data.words[w]] for w in asked[0])
    summed = summed - sum(space.unit[data.words[w]] for w in asked[1])
    result.agree("how nearly the answers point to the sum", space.cosines(summed)[some], by_hand,
                 allowed=1e-5)  # fmt: skip
