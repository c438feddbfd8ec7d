"""Fashion-MNIST: clothes in the format of MNIST (Xiao, Rasul and Vollgraf, 2017)."""

from __future__ import annotations

from .pictures import Pictures, from_idx

CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def fashion_mnist(
    train: bool = True, *, limit: int | None = None, download: bool = True, quiet: bool = False
) -> Pictures:
    """Clothes of 28 x 28 pixels in ten classes: 60,000 to learn from, 10,000 to test with.

    Args:
        train: the pictures to learn from, or (False) those to test with.
        limit: only so many, from the front.
        download: fetch it where it is not on this machine.
        quiet: show no progress.

    Raises:
        DownloadError: it is not on this machine and could not be fetched.
        DataError: a file is not what it should be.
    """
    return from_idx("fashion-mnist", CLOTHES, train, limit, download, quiet)
