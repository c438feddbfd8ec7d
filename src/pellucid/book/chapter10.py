"""Chapter 10: convolution. A few weights, used again at every place of an image."""

from __future__ import annotations

import numpy as np

from pellucid import Tensor, conv2d, no_grad
from pellucid.nn import Conv2d
from pellucid.optim import SGD

from .digits import Digits, digits
from .experiment import Result, experiment
from .result import Array

SIDE = 3  # of a kernel
LOOKS_FOR = {
    "upright edges": np.array([[-1.0, 0.0, 1.0]] * SIDE),
    "level edges": np.array([[-1.0, 0.0, 1.0]] * SIDE).T,
    "thin lines": np.array([[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]]) / 4,
    "anything, blurred": np.ones((SIDE, SIDE)) / SIDE**2,
}


# ------------------------------------------------------------------- 10.1 the same weights everywhere


@experiment("10.1", to="10.2")
def weights_used_again(
    result: Result, *, kernels: int = 16, lr: float = 0.002, steps: int = 200, seed: int = 1
) -> None:
    """Nine weights are slid over the whole image: what they find, they find everywhere.

    Args:
        kernels: how many kernels, when weights are counted.
        lr: how much of each correction is made (the book's alpha).
        steps: how often the kernel that is learned is corrected.
        seed: which random weights it starts from.
    """
    data = digits(result)
    image = data.images[0].reshape(data.shape)
    weight = np.array(list(LOOKS_FOR.values()))
    maps = scores_everywhere(image, weight)
    result.picture("the image", {f"a {data.labels[0]}": image})
    result.picture(
        "what four kernels of nine weights make of it",
        dict(zip(LOOKS_FOR, maps, strict=True)),
        signed=True,
    )
    slid = np.array([slide(image, kernel) for kernel in weight])
    result.agree("scores of four kernels at every place", maps, slid)
    places = maps.shape[1:]
    as_product = (patches(image[None], places)[0] @ weight.reshape(len(weight), -1).T).T
    result.agree("the same as one product of matrices", maps, as_product.reshape(maps.shape))
    as_one_dense_layer(result)
    moved_aside(result, image)
    count_weights(result, data, kernels)
    learn_a_kernel(result, image, lr, steps, seed)


def scores_everywhere(image: Array, weight: Array) -> Array:
    """How well kernels (count, 3, 3) fit at each place of an image (rows, columns)."""
    return conv2d(Tensor(image[None]), Tensor(weight[:, None])).numpy()


def slide(image: Array, kernel: Array) -> Array:
    """The same by hand: at each place, the nine pixels under the kernel times its nine weights."""
    rows, columns = (n - SIDE + 1 for n in image.shape)
    scores = np.empty((rows, columns))
    for row in range(rows):
        for column in range(columns):
            scores[row, column] = (image[row : row + SIDE, column : column + SIDE] * kernel).sum()
    return scores


def patches(images: Array, places: tuple[int, int]) -> Array:
    """What a kernel sees of images (count, rows, columns) at each place: (count, places, 9)."""
    seen = np.lib.stride_tricks.sliding_window_view(images, (SIDE, SIDE), axis=(1, 2))
    return seen[:, : places[0], : places[1]].reshape(len(images), -1, SIDE**2)


def as_one_dense_layer(result: Result, size: int = 6) -> None:
    """A convolution is a dense layer with most weights 0, and the others in it again and again."""
    kernel = LOOKS_FOR["upright edges"]
    single_pixels = np.eye(size**2).reshape(-1, 1, size, size)
    with no_grad():
        columns = conv2d(Tensor(single_pixels), Tensor(kernel[None, None])).numpy()
    dense = columns.reshape(size**2, -1).T
    image = np.random.RandomState(0).random_sample((size, size))
    result.agree(
        "one dense layer for a small image", dense @ image.ravel(), slide(image, kernel).ravel()
    )
    result.picture(
        f"upright edges in an image of {size} by {size}, as a dense layer: a row for each place",
        {f"{np.count_nonzero(dense)} of {dense.size} weights are not 0": dense},
        signed=True,
    )


def moved_aside(result: Result, image: Array, most: int = 4) -> None:
    """Push the image aside: the kernel's scores move along, a dense unit no longer knows it."""
    canvas = np.pad(image, most)
    unit = canvas / np.linalg.norm(canvas)  # a dense unit that knows this very image
    kernel = LOOKS_FOR["upright edges"][None]
    before = scores_everywhere(canvas, kernel)[0]
    rows = []
    for by in range(most + 1):
        moved = np.roll(canvas, by, axis=1)
        scores = scores_everywhere(moved, kernel)[0]
        kept = (unit * moved).sum() / (unit * canvas).sum()
        rows.append((by, round(float(kept), 3), round(float(scores.max() / before.max()), 3)))
    result.agree(
        "a moved image gives the same scores, moved",
        scores[:, most:],
        before[:, : before.shape[1] - most],
    )
    result.table(
        "the image is pushed aside",
        ("by pixels", "score of a dense unit", "best score of a kernel"),
        rows,
    )


def count_weights(result: Result, data: Digits, kernels: int) -> None:
    """Weights of a convolution, and of a dense layer with equally many hidden units."""
    convolution = Conv2d(1, kernels, SIDE, bias=False)
    places = int(np.prod([n - SIDE + 1 for n in data.shape]))
    shared, dense = convolution.weight.numel(), data.pixels * places * kernels
    result.table(
        f"the way to {places * kernels} hidden units",
        ("layer", "weights", "each used, per image"),
        [("dense", dense, 1), (f"{kernels} kernels", shared, places)],
    )
    result.number("weights of a dense layer, for each of the kernels'", dense / shared)


def learn_a_kernel(result: Result, image: Array, lr: float, steps: int, seed: int) -> None:
    """From the scores alone, find the kernel that made them: every place corrects the same nine."""
    wanted = scores_everywhere(image, LOOKS_FOR["upright edges"][None])
    start = np.random.RandomState(seed).random_sample((SIDE, SIDE)) - 0.5
    kernel = Tensor(start[None, None].copy(), requires_grad=True)
    optimizer = SGD([kernel], lr=lr)
    x, target = Tensor(image[None]), Tensor(wanted)
    errors = []
    for n in result.track(range(1, steps + 1)):
        scores = conv2d(x, kernel)  # predict
        error = ((scores - target) ** 2).sum()  # compare
        optimizer.zero_grad()
        (error / 2).backward()  # learn
        if result.step(f"step {n}"):
            tell_a_place(result, image, kernel, scores, target, error)
        optimizer.step()
        errors.append(error.item())
    by_hand, learned = kernel_by_hand(image, wanted[0], start, lr, steps)
    result.agree("error of each step", errors, by_hand)
    result.agree("the kernel that was learned", kernel.detach()[0, 0], learned)
    result.plot(
        "a kernel learned from its scores", {"error": errors}, x="step", y="error", log=True
    )
    result.picture(
        "the kernel",
        {
            "at the start": start,
            "learned": kernel.detach().numpy()[0, 0],
            "the one wanted": LOOKS_FOR["upright edges"],
        },
        signed=True,
    )


def tell_a_place(
    result: Result, image: Array, kernel: Tensor, scores: Tensor, target: Tensor, error: Tensor
) -> None:
    """All values of one step at the place in the middle, and what all places say together."""
    row, column = (n // 2 - 1 for n in image.shape)
    patch = image[row : row + SIDE, column : column + SIDE]
    delta = (scores - target).detach().numpy()[0]
    result.predict("patch", "nine pixels in the middle of the image", patch)
    result.predict("kernel", "the same nine weights at every place", kernel.detach().numpy()[0, 0])
    result.predict("score", "(patch * kernel).sum()", scores.detach().numpy()[0, row, column])
    result.compare("target", "what the wanted kernel says there", target.numpy()[0, row, column])
    result.compare("error", "((scores - target) ** 2).sum(), over all places", error)
    result.learn("delta", "score - target, in the middle", delta[row, column])
    result.learn("from this place", "delta * patch", delta[row, column] * patch + 0.0)
    result.learn("kernel.grad", "delta * patch, summed over all places", kernel.grad.numpy()[0, 0])


def kernel_by_hand(
    image: Array, wanted: Array, start: Array, lr: float, steps: int
) -> tuple[list[float], Array]:
    """Errors and the learned kernel, in NumPy alone."""
    seen, target = patches(image[None], wanted.shape)[0], wanted.ravel()
    kernel, errors = start.ravel().copy(), []
    for _ in range(steps):
        delta = seen @ kernel - target
        errors.append(float(delta @ delta))
        kernel -= lr * seen.T @ delta
    return errors, kernel.reshape(start.shape)
