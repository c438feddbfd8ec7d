"""Chapter 2: how machines learn. With and without answers, by turning knobs and by counting."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np

from pellucid import Tensor, cdist, no_grad
from pellucid.nn import Linear, MSELoss, ReLU, Sequential
from pellucid.optim import SGD, Adam

from .experiment import Result, experiment
from .result import Array

# ------------------------------------------------------------------- 2.1 deep learning in its place

SWITCHES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
LAMP = np.array([[0], [1], [1], [0]], dtype=float)  # two switches on one stair: either turns it


@experiment("2.1", to="2.2")
def in_its_place(result: Result, *, steps: int = 400, seed: int = 3) -> None:
    """Deep learning is a part of machine learning, which is a part of artificial intelligence.

    Args:
        steps: how often the two networks predict, compare and learn.
        seed: which random weights they start from.
    """
    result.nested(
        "what is a part of what",
        ("artificial intelligence", "machine learning", "deep learning", "your networks"),
    )
    inputs, target = Tensor(SWITCHES), Tensor(LAMP)
    networks = {
        "learned, one layer": Sequential(Linear(2, 1)),
        "learned, with a hidden layer": Sequential(Linear(2, 8), ReLU(), Linear(8, 1)),
    }
    rule = by_rule(SWITCHES)
    rows: list[tuple[object, ...]] = [("written by a person", *rule, right_of(np.array(rule)))]
    for name, network in networks.items():
        optimizer, wrong = Adam(network.parameters(), lr=0.05), MSELoss()
        for _ in result.track(range(steps)):
            prediction = network(inputs)  # predict
            error = wrong(prediction, target)  # compare
            optimizer.zero_grad()
            error.backward()  # learn
            optimizer.step()
        with no_grad():
            light = network(inputs).numpy()[:, 0]
        rows.append((name, *(round(float(p), 2) for p in light), right_of(light)))
        result.number(f"cases right, {name}", right_of(light))
    cases = (f"{int(a)}, {int(b)}" for a, b in SWITCHES)
    result.table("two switches and a lamp, three ways", ("", *cases, "cases right"), rows)
    best, *_ = np.linalg.lstsq(np.c_[SWITCHES, np.ones(4)], LAMP, rcond=None)
    closest = np.c_[SWITCHES, np.ones(4)] @ best
    with no_grad():
        said = networks["learned, one layer"](inputs).numpy()
    result.agree("the best that one layer can say", said, closest, allowed=1e-2)


def right_of(light: Array) -> int:
    """In how many of the four cases on or off is clearly said, and right."""
    return int((np.abs(light - LAMP[:, 0]) < 0.25).sum())


def by_rule(switches: Array) -> list[int]:
    """What a person writes who knows how such switches work: no learning at all."""
    return [int(a != b) for a, b in switches]


# --------------------------------------------------------------------------------- 2.3 with answers

# a stall by a lake: degrees at nine in the morning, and ice creams sold until evening
KNOWN = np.array([[12.0], [15.0], [17.0], [18.0], [21.0], [23.0], [26.0], [28.0]])
WANTED = np.array([[31.0], [52.0], [60.0], [71.0], [86.0], [102.0], [117.0], [133.0]])
TOMORROW = np.array([[14.0], [20.0], [30.0]])


@experiment("2.3")
def with_answers(result: Result, *, lr: float = 0.1, steps: int = 200) -> None:
    """Supervised learning: from what is known to what one wants to know.

    Args:
        lr: how much of each correction is made.
        steps: how often to predict, compare and learn.
    """
    middle, spread = KNOWN.mean(), KNOWN.std()
    inputs, target = Tensor((KNOWN - middle) / spread), Tensor(WANTED)
    model, wrong = Linear(1, 1), MSELoss()
    with no_grad():
        for knob in model.parameters():
            knob.data.fill(0)
    optimizer = SGD(model.parameters(), lr=lr)
    errors = []
    for n in result.track(range(steps)):
        prediction = model(inputs)  # predict
        error = wrong(prediction, target)  # compare
        optimizer.zero_grad()
        error.backward()  # learn
        if result.step(f"step {n + 1}"):
            result.predict("prediction", "weight * known + bias", prediction)
            result.compare("error", "mean of (prediction - wanted) ** 2", error)
            result.learn("slope of the weight", "who is to blame", model.weight.grad)
        optimizer.step()
        errors.append(error.item())
    with no_grad():
        said = model(inputs).numpy()
        new = model(Tensor((TOMORROW - middle) / spread)).numpy()
    rows = zip(KNOWN[:, 0], WANTED[:, 0], said[:, 0].round(1), strict=True)
    headings = ("known: degrees", "wanted: ice creams", "predicted")
    result.table("one dataset becomes another", headings, rows)
    result.table(
        "days nobody has seen", headings[::2], zip(TOMORROW[:, 0], new[:, 0].round(1), strict=True)
    )
    result.plot("error at each step", {"error": errors}, x="step", y="error", log=True)
    result.number("off by, on average", float(np.abs(said - WANTED).mean()))
    by_hand, *_ = np.linalg.lstsq(np.c_[KNOWN, np.ones(len(KNOWN))], WANTED, rcond=None)
    straight = np.c_[KNOWN, np.ones(len(KNOWN))] @ by_hand
    result.agree("predictions, and those of the best straight line", said, straight, 1e-6)


# ------------------------------------------------------------------------------ 2.4 without answers

# fruit on a scale: grams, and how red it is from 0 to 1; the names are hidden while learning
FRUIT = {"plum": ((35, 0.35), (7, 0.06)), "apple": ((160, 0.7), (18, 0.09)),
         "lemon": ((115, 0.08), (14, 0.04))}  # fmt: skip


def fruit(each: int, seed: int) -> tuple[Array, list[str]]:
    """Points (grams / 200, redness) in a random order, and what each is."""
    random = np.random.RandomState(seed)
    points, names = [], []
    for name, (middle, spread) in FRUIT.items():
        points.append(random.normal(middle, spread, (each, 2)) / (200, 1))
        names += [name] * each
    order = random.permutation(len(names))
    return np.concatenate(points)[order], [names[i] for i in order]


@experiment("2.4")
def without_answers(
    result: Result, *, clusters: int = 3, each: int = 30, rounds: int = 10, seed: int = 1
) -> None:
    """Unsupervised learning: k-means finds heaps in points; the heaps get their names afterwards.

    Args:
        clusters: how many heaps to find.
        each: how many fruits of each kind there are.
        rounds: how often points and middles take turns.
        seed: which points, and which of them are the first middles.
    """
    points, names = fruit(each, seed)
    start = far_apart(points, clusters)
    middles, heap, course = k_means(Tensor(points), Tensor(start), rounds)
    result.number("fruits", len(points))
    counted = [
        Counter(n for n, h in zip(names, heap, strict=True) if h == k) for k in range(len(start))
    ]
    labels = [count.most_common(1)[0][0] if count else "nothing" for count in counted]
    rows = [
        (k + 1, *(count[name] for name in FRUIT), label)
        for k, (count, label) in enumerate(zip(counted, labels, strict=True))
    ]
    result.table("heaps, and what is in them", ("heap", *FRUIT, "named afterwards"), rows)
    right = sum(labels[h] == name for h, name in zip(heap, names, strict=True))
    result.number("in the heap of their name", right)
    maps = {f"heap {k + 1}": as_map(points[heap == k]) for k in range(len(start))}
    result.picture("from light to heavy, from pale (below) to red", {"all": as_map(points), **maps})
    result.plot(
        "how far points are from their middle", {"distance": course}, x="round", y="distance"
    )
    by_hand = k_means_by_hand(points, start, rounds)
    result.agree("the middles", middles, by_hand)


def far_apart(points: Array, count: int) -> Array:
    """First middles: a point, and then whichever is farthest from all chosen so far."""
    chosen = [points[0]]
    while len(chosen) < min(count, len(points)):
        gaps = np.min([((points - c) ** 2).sum(axis=1) for c in chosen], axis=0)
        chosen.append(points[gaps.argmax()])
    return np.array(chosen)


def k_means(points: Tensor, middles: Tensor, rounds: int) -> tuple[Array, Array, list[float]]:
    """Each point goes to the nearest middle, each middle to the mean of its points; and again.

    S. Lloyd, "Least squares quantization in PCM", 1982.

    Returns:
        The middles, the heap of each point, and the mean distance at each round.
    """
    course = []
    for _ in range(rounds):
        gaps = cdist(points, middles)
        heap = gaps.argmin(dim=1)
        course.append(float(gaps.min(dim=1).values.mean().item()))
        belongs = (heap.reshape(-1, 1) == Tensor(np.arange(len(middles.numpy())))).to(points.dtype)
        count = belongs.sum(dim=0).reshape(-1, 1)
        means = (belongs.T @ points) / count.clamp(min=1)
        middles = Tensor(np.where(count.numpy() > 0, means.numpy(), middles.numpy()))
    return middles.numpy(), cdist(points, middles).argmin(dim=1).numpy(), course


def k_means_by_hand(points: Array, middles: Array, rounds: int) -> Array:
    """The same with loops."""
    middles = [m.copy() for m in middles]
    for _ in range(rounds):
        heaps: list[list[Array]] = [[] for _ in middles]
        for point in points:
            gaps = [float(np.sqrt(((point - m) ** 2).sum())) for m in middles]
            heaps[gaps.index(min(gaps))].append(point)
        middles = [np.mean(h, axis=0) if h else m for h, m in zip(heaps, middles, strict=True)]
    return np.array(middles)


def as_map(points: Array, side: int = 16) -> Array:
    """How many points there are in each square: light to heavy across, pale to red upwards."""
    across = np.clip((points[:, 0] * side).astype(int), 0, side - 1)
    up = np.clip((points[:, 1] * side).astype(int), 0, side - 1)
    field = np.zeros((side, side))
    np.add.at(field, (side - 1 - up, across), 1)
    return np.minimum(field, 2)


# --------------------------------------------------------------- 2.5 by turning knobs, by counting

LIGHTS = 6


def crossing(count: int, random: np.random.RandomState) -> tuple[Array, Array]:
    """Six lights, on or off, and whether people walk: as the second says, if the fifth is off."""
    lights = random.randint(0, 2, (count, LIGHTS)).astype(float)
    walk = (lights[:, 1] == 1) & (lights[:, 4] == 0)
    return lights, walk.astype(float)


@experiment("2.5", to="2.8")
def knobs_or_counts(result: Result, *, steps: int = 300, lr: float = 0.1, seed: int = 1) -> None:
    """The same task by turning knobs and by counting; one keeps seven numbers, the other grows.

    Args:
        steps: how often the knobs are turned.
        lr: how much of each correction is made.
        seed: which lights are seen.
    """
    fresh, answer = crossing(2000, np.random.RandomState(seed + 1))
    rows, sizes = [], {"turning knobs": [], "counting": []}  # type: ignore[var-annotated]
    amounts = (5, 20, 100, 500)
    for count in result.track(amounts):
        seen, walk = crossing(count, np.random.RandomState(seed))
        model = turn_knobs(seen, walk, steps, lr)
        table = count_patterns(seen, walk)
        with no_grad():
            by_knobs = model(Tensor(fresh)).numpy()[:, 0] > 0.5
        by_counts = np.array([share(table, row) > 0.5 for row in fresh])
        knobs, numbers = sum(p.numel() for p in model.parameters()), 2 * len(table)
        sizes["turning knobs"].append(knobs)
        sizes["counting"].append(numbers)
        rows.append(
            (
                count,
                knobs,
                100 * (by_knobs == answer).mean(),
                numbers,
                100 * (by_counts == answer).mean(),
            )
        )
    result.table(
        "people at a crossing with six lights",
        ("seen", "knobs", "right, in percent", "numbers counted", "right, in percent"),
        rows,
    )
    result.number("knobs", sizes["turning knobs"][-1])
    result.number("numbers counted", sizes["counting"][-1])
    curves = {name: (list(amounts), course) for name, course in sizes.items()}
    result.plot("how many numbers are kept", curves, x="seen", y="numbers", points=True)
    seen, walk = crossing(amounts[-1], np.random.RandomState(seed))
    table = count_patterns(seen, walk)
    by_mean = [
        walk[(seen == p).all(axis=1)].mean()
        for p in product((0.0, 1.0), repeat=LIGHTS)
        if p in table
    ]
    ordered = [share(table, np.array(p)) for p in product((0.0, 1.0), repeat=LIGHTS) if p in table]
    result.agree("the share of walkers at each pattern", ordered, by_mean)
    four_kinds(result, seed)


def turn_knobs(seen: Array, walk: Array, steps: int, lr: float) -> Linear:
    """Six weights and a bias, turned a little after each look at what was seen."""
    model, wrong = Linear(LIGHTS, 1), MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    inputs, target = Tensor(seen), Tensor(walk[:, None])
    for _ in range(steps):
        prediction = model(inputs)  # predict
        error = wrong(prediction, target)  # compare
        optimizer.zero_grad()
        error.backward()  # learn
        optimizer.step()
    return model


def count_patterns(seen: Array, walk: Array) -> dict[tuple[float, ...], list[int]]:
    """For each pattern of lights that was seen: how often, and how often people walked."""
    table: dict[tuple[float, ...], list[int]] = {}
    for row, went in zip(seen, walk, strict=True):
        entry = table.setdefault(tuple(row.tolist()), [0, 0])
        entry[0] += 1
        entry[1] += int(went)
    return table


def share(table: dict[tuple[float, ...], list[int]], row: Array) -> float:
    """How often people walked at this pattern; half, where it was never seen."""
    seen, went = table.get(tuple(row.tolist()), (2, 1))
    return went / seen


def four_kinds(result: Result, seed: int) -> None:
    """Both distinctions together: with answers or without, a fixed count of numbers or not."""
    rows = []
    for each in (5, 100):
        points, names = fruit(each, seed)
        middles, *_ = k_means(Tensor(points), Tensor(far_apart(points, 3)), 5)
        rows.append(
            (
                len(names),
                sum(p.numel() for p in Linear(LIGHTS, 1).parameters()),
                2 * len(count_patterns(*crossing(len(names), np.random.RandomState(seed)))),
                middles.size,
                2 * len(heaps_as_needed(points, 0.08)),
            )
        )
    result.table(
        "numbers kept by four ways to learn",
        (
            "seen",
            "answers, knobs",
            "answers, counts",
            "no answers, 3 middles",
            "no answers, as needed",
        ),
        rows,
    )


def heaps_as_needed(points: Array, reach: float) -> list[Array]:
    """A new heap whenever a point is farther than `reach` from the middle of every heap so far."""
    middles: list[Array] = []
    for point in points:
        if all(float(np.hypot(*(point - m))) > reach for m in middles):
            middles.append(point)
    return middles
