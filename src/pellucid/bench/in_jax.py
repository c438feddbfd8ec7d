"""The same steps in JAX, where it is installed: one function, compiled by XLA with its gradient."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .workload import Arrays, Learner, batches

if TYPE_CHECKING:
    from .workload import Training


def learner(workload: Training, a: Arrays, exact: bool) -> Learner:
    """The network, with weights of its own."""
    jax: Any = import_module("jax")
    np: Any = import_module("numpy")
    lr = workload.lr

    def change(w: Any, inputs: Any, targets: Any, key: Any) -> Any:
        key, used = jax.random.split(key)
        loss, slopes = jax.value_and_grad(workload.jax_loss)(
            w, inputs, targets, None if exact else used
        )
        return loss, {name: value - lr * slopes[name] for name, value in w.items()}, key

    compiled = jax.jit(change, donate_argnums=(0, 3))
    state: dict[str, Any] = {"key": jax.random.key(0)}

    def reset() -> None:
        state["w"] = {name: jax.numpy.array(value) for name, value in a["weights"].items()}

    def learn(inputs: Any, targets: Any) -> Any:
        loss, state["w"], state["key"] = compiled(state["w"], inputs, targets, state["key"])
        return jax.block_until_ready(loss)

    def weights() -> Arrays:
        return {name: np.array(value) for name, value in state["w"].items()}

    def data() -> Any:
        return batches(jax.numpy.array, a["inputs"], a["targets"], size=workload.size)

    reset()
    return Learner(learn, weights, reset, data)


def cross_entropy(scores: Any, labels: Any) -> Any:
    """The mean over the rows."""
    jax: Any = import_module("jax")
    chances = jax.nn.log_softmax(scores)
    return -jax.numpy.take_along_axis(chances, labels[:, None], axis=1).mean()


def dropout(x: Any, key: Any) -> Any:
    """Half of the numbers left out, the others doubled."""
    if key is None:
        return x
    jax: Any = import_module("jax")
    return jax.numpy.where(jax.random.bernoulli(key, 0.5, x.shape), 2 * x, 0)


def convolution(x: Any, weight: Any, bias: Any, padding: int = 0) -> Any:
    """Kernels slide over images, (N, C, H, W)."""
    jax: Any = import_module("jax")
    around = [(padding, padding)] * 2
    y = jax.lax.conv_general_dilated(
        x, weight, (1, 1), around, dimension_numbers=("NCHW", "OIHW", "NCHW")
    )
    return y + bias[:, None, None]


def largest_of_four(x: Any) -> Any:
    """The largest number of each square of 2 by 2."""
    jax: Any = import_module("jax")
    window = (1, 1, 2, 2)
    return jax.lax.reduce_window(x, -jax.numpy.inf, jax.lax.max, window, window, "VALID")
