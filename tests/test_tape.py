"""The tape: what is recorded, the walk back, and when it is refused."""

from __future__ import annotations

import gc
import math
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, tape
from pellucid.errors import AnomalyError, GraphError
from pellucid.ops.base import Op


def leaf(*values: float) -> Tensor:
    return Tensor(np.array(values), requires_grad=True)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-12)


class Counted:
    """Multiplication that counts how often each of its slopes is called. Not in the registry."""

    def __init__(self) -> None:
        self.calls: list[str] = []

        def product(a: Any, b: Any) -> Any:
            """The product."""
            return a * b

        self.op = Op(product, "(...), (...) -> (...)")

        @self.op.slope("a")
        def _(d: Any, b: Any) -> Any:
            self.calls.append("a")
            return d * b

        @self.op.slope("b")
        def _(d: Any, a: Any) -> Any:
            self.calls.append("b")
            return d * a

    def __call__(self, a: Any, b: Any) -> Tensor:
        return self.op(a, b)


# ------------------------------------------------------------------------------------ far and wide


@pytest.mark.parametrize("steps", [1_000, 50_000])
def test_a_long_chain_needs_no_recursion(steps: int) -> None:
    x = leaf(2.0)
    factor = 2.0 ** (1 / steps)
    y, limit = x, sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        for _ in range(steps):
            y = y * factor
        y.backward()
        del y  # nor does letting go of it
    finally:
        sys.setrecursionlimit(limit)
    np.testing.assert_allclose(x.grad.numpy(), [2.0], rtol=1e-9)


def test_a_tensor_used_ten_thousand_times() -> None:
    x = leaf(3.0)
    total = x * 0
    for i in range(10_000):
        total = total + x * i
    total.sum().backward()
    close(x.grad, [sum(range(10_000))])


def test_doubling_meets_every_node_once() -> None:
    """2^200 paths lead back to x, along 200 nodes."""
    counted = Counted()
    x = leaf(1.0)
    y = x
    for _ in range(200):
        y = counted(y, 0.5) + y * 0.5
    y.backward(np.ones(1))
    close(x.grad, [1.0])
    assert counted.calls == ["a"] * 200


def test_nodes_are_met_in_the_order_of_their_making() -> None:
    x = leaf(0.3)
    early = x.tanh()
    late = (x * 2).exp()  # made later, but used by the product with the early one
    y = early * late
    order = tape.newest_first([y._node])
    assert [node.op.name for node in order] == ["mul", "exp", "mul", "tanh"]
    assert [node.number for node in order] == sorted((n.number for n in order), reverse=True)
    y.sum().backward()
    e, t = math.exp(0.6), math.tanh(0.3)
    close(x.grad, [(1 - t * t) * e + 2 * t * e])


# ---------------------------------------------------------------------------- gradients that add up


def test_gradients_of_several_walks_add_up() -> None:
    x = leaf(1.0, 2.0)
    for count in (1, 2, 3):
        (x * x).sum().backward()
        close(x.grad, count * 2 * x.numpy())
    x.grad = None
    (x * 3).sum().backward()
    close(x.grad, [3.0, 3.0])


def test_a_gradient_belongs_to_its_leaf_alone() -> None:
    """Not the caller's array, not another leaf's: adding to it changes nothing else."""
    a, b, given = leaf(1.0, 2.0), leaf(3.0, 4.0), np.ones(2)
    a.backward(given)
    a.backward(given)
    close(given, [1.0, 1.0])
    close(a.grad, [2.0, 2.0])
    for create_graph in (False, True):
        a.grad = b.grad = None
        (a + b).sum().backward(create_graph=create_graph)
        assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())
        a.sum().backward()
        close(a.grad, [2.0, 2.0])
        close(b.grad, [1.0, 1.0])


def test_a_single_number_as_a_leaf_has_a_gradient_of_its_own() -> None:
    for _ in range(2):
        x = pellucid.tensor(2.0, requires_grad=True)
        x.backward()
        x.grad.mul_(5)
        assert x.grad.item() == 5


def test_backward_with_a_given_gradient() -> None:
    x = leaf(1.0, 2.0)
    for gradient in ([1.0, 10.0], np.array([1.0, 10.0]), pellucid.tensor([1.0, 10.0])):
        x.grad = None
        (x * x).backward(gradient)
        close(x.grad, [2.0, 40.0])
    with pytest.raises(GraphError, match=r"the gradient has shape \(3,\), the tensor \(2,\)"):
        (x * x).backward([1.0, 2.0, 3.0])


def test_one_number_in_any_shape_needs_no_gradient() -> None:
    x = leaf(3.0)
    (x * x).reshape(1, 1, 1).backward()
    close(x.grad, [6.0])


def test_only_floats_get_gradients() -> None:
    x = leaf(1.0, 2.0)
    index = x.argmax()
    assert not index.requires_grad
    assert not (x > 1).requires_grad
    assert not x.long().requires_grad


# ---------------------------------------------------------------------------- walking a second time


def test_a_second_walk_is_refused_unless_the_first_kept_its_values() -> None:
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    close(x.grad, [12.0])
    with pytest.raises(GraphError) as info:
        y.backward()
    assert "backward reached mul a second time" in str(info.value)
    assert "backward(retain_graph=True)" in str(info.value)
    assert "x.detach()" in str(info.value)


def test_a_second_walk_over_a_shared_part_is_refused_too() -> None:
    x = leaf(3.0)
    shared = x.exp()
    (shared * 2).sum().backward()
    with pytest.raises(GraphError, match="backward reached exp a second time"):
        (shared * 3).sum().backward()


def test_what_keeps_no_values_can_be_walked_again() -> None:
    x = leaf(3.0, 4.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    close(x.grad, [2.0, 2.0])


def test_grad_keeps_what_it_is_told_to_keep() -> None:
    x = leaf(3.0)
    y = (x * x).sum()
    pellucid.grad(y, x, retain_graph=True)
    pellucid.grad(y, x)
    with pytest.raises(GraphError, match="a second time"):
        pellucid.grad(y, x)


# ----------------------------------------------------------------------- derivatives of derivatives


def test_second_and_third_derivatives_through_the_same_slopes() -> None:
    x = leaf(0.4, -1.2)
    (first,) = pellucid.grad(x.sin().sum(), x, create_graph=True)
    (second,) = pellucid.grad(first.sum(), x, create_graph=True)
    (third,) = pellucid.grad(second.sum(), x)
    v = x.numpy()
    close(first.detach(), np.cos(v))
    close(second.detach(), -np.sin(v))
    close(third, -np.cos(v))
    assert not third.requires_grad


@pytest.mark.parametrize("order", [2, 3, 4])
def test_powers_down_to_a_constant(order: int) -> None:
    x = leaf(1.5)
    y = x**4
    for _ in range(order):
        (y,) = pellucid.grad(y.sum(), x, create_graph=True)
    close(y.detach(), [math.perm(4, order) * 1.5 ** (4 - order)])


def test_a_matrix_of_second_derivatives() -> None:
    """The Hessian of exp(x0) x1^2 x2, row by row, equals the one worked out by hand."""
    x = leaf(0.5, 2.0, -1.0)
    (slope,) = pellucid.grad(x[0].exp() * x[1] ** 2 * x[2], x, create_graph=True)
    rows = [pellucid.grad(slope[i], x, retain_graph=True)[0].numpy() for i in range(3)]
    e, b, c = math.exp(0.5), 2.0, -1.0
    close(
        rows,
        [
            [e * b * b * c, 2 * e * b * c, e * b * b],
            [2 * e * b * c, 2 * e * c, 2 * e * b],
            [e * b * b, 2 * e * b, 0],
        ],
    )


def test_backward_with_create_graph_leaves_a_gradient_with_a_past() -> None:
    x = leaf(2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.grad = None
    (first * first).sum().backward()  # (3x²)² has the slope 36x³
    close(x.grad, [36 * 8.0])


def test_create_graph_keeps_the_graph() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    pellucid.grad(y, x, create_graph=True)
    pellucid.grad(y, x)


def test_create_graph_records_even_within_no_grad() -> None:
    x = leaf(2.0)
    y = (x**3).sum()
    with pellucid.no_grad():
        (slope,) = pellucid.grad(y, x, create_graph=True)
        y.backward(create_graph=True)
    assert slope.requires_grad
    assert x.grad.requires_grad


def test_a_penalty_on_the_gradient() -> None:
    """Loss and the size of its own slope, minimised together: a walk through a walk."""
    w = leaf(0.7, -0.3)
    (slope,) = pellucid.grad((w * w * w).sum(), w, create_graph=True)
    ((slope * slope).sum() + w.sum()).backward()
    close(w.grad, 36 * w.numpy() ** 3 + 1)


def test_the_given_gradient_has_a_derivative_too() -> None:
    x, v = leaf(0.5, 1.5), leaf(2.0, 3.0)
    (product,) = pellucid.grad(x.exp(), x, v, create_graph=True)
    product.sum().backward()
    close(v.grad, np.exp(x.numpy()))
    close(x.grad, v.numpy() * np.exp(x.numpy()))


# ------------------------------------------------------------------------------------------ grad()


def test_grad_touches_nobodys_grad() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gx, gw = pellucid.grad((x * w).sum(), [x, w])
    close(gx, w)
    close(gw, x)
    assert x.grad is None
    assert w.grad is None


def test_grad_stops_at_tensors_on_the_way() -> None:
    x = leaf(2.0)
    middle = x * x
    y = middle.exp()
    by_middle, by_x = pellucid.grad(y.sum(), [middle, x], retain_graph=True)
    close(by_middle, y.detach())
    close(by_x, 4 * y.detach().numpy())
    counted = Counted()
    far = counted(counted(x, 3.0), 5.0)
    counted.calls.clear()
    near = counted(far, 7.0)
    (slope,) = pellucid.grad(near.sum(), far)
    close(slope, [7.0])
    assert counted.calls == ["a"], "nothing before the target is walked"


def test_grad_of_an_output_that_is_an_input() -> None:
    x = leaf(1.0, 2.0)
    weights = np.array([5.0, 6.0])
    close(pellucid.grad(x, x, weights)[0], weights)
    y = x * 2
    by_y, by_x = pellucid.grad(y, [y, x], weights)
    close(by_y, [5.0, 6.0])
    close(by_x, [10.0, 12.0])


def test_grad_of_several_outputs_adds_them_up() -> None:
    x = leaf(1.0, 2.0)
    outputs = [(x * x).sum(), (3 * x), x.exp().sum()]
    (slope,) = pellucid.grad(outputs, x, [None, [1.0, 10.0], None])
    close(slope, 2 * x.numpy() + [3.0, 30.0] + np.exp(x.numpy()))


def test_grad_names_an_input_that_plays_no_part() -> None:
    x, other = leaf(1.0), leaf(1.0, 2.0)
    y = (x * x).sum()
    with pytest.raises(GraphError, match=r"input 1 \(2,\) is not part .*allow_unused=True"):
        pellucid.grad(y, [x, other], retain_graph=True)
    assert pellucid.grad(y, [x, other], allow_unused=True)[1] is None


def test_grad_asks_for_inputs_that_are_recorded() -> None:
    x = leaf(1.0)
    with pytest.raises(GraphError, match="requires_grad=True"):
        pellucid.grad((x * x).sum(), Tensor([1.0]))


# ------------------------------------------------------------------------------------------- hooks


def test_a_hook_on_a_leaf_sees_the_whole_gradient_once_a_walk() -> None:
    x, seen = leaf(1.0, 2.0), []
    x.register_hook(lambda d: seen.append(d.numpy().copy()))
    (x * x + 3 * x).sum().backward()
    close(seen, [2 * x.numpy() + 3])
    (x * 1).sum().backward()
    close(seen[1], [1.0, 1.0])


def test_a_hook_on_the_way_sees_the_whole_gradient_once() -> None:
    x, seen = leaf(2.0), []
    y = x * x
    y.register_hook(lambda d: seen.append(d.numpy().copy()))
    (y * 3 + y.exp()).sum().backward()
    close(seen, [[3 + math.exp(4)]])


def test_hooks_run_in_order_and_what_one_returns_the_next_one_gets() -> None:
    for make in (lambda x: x, lambda x: x * 1):
        x, seen = leaf(1.0), []
        y = make(x)
        y.register_hook(lambda d, s=seen: s.append(("first", d.item())) or d * 10)
        y.register_hook(lambda d, s=seen: s.append(("second", d.item())))
        y.register_hook(lambda d, s=seen: s.append(("third", d.item())) or d + 1)
        (y * 2).sum().backward()
        assert seen == [("first", 2.0), ("second", 20.0), ("third", 20.0)]
        close(x.grad, [21.0])


def test_a_hook_can_be_taken_away() -> None:
    x, seen = leaf(1.0), []
    first = x.register_hook(lambda d: seen.append(1))
    x.register_hook(lambda d: seen.append(2))
    (x * 1).sum().backward()
    first.remove()
    first.remove()
    (x * 1).sum().backward()
    assert seen == [1, 2, 2]


def test_a_hook_that_takes_itself_away() -> None:
    x, seen = leaf(1.0), []
    handles: list[Any] = []
    handles.append(x.register_hook(lambda d: seen.append(1) or handles[0].remove()))
    x.register_hook(lambda d: seen.append(2))
    (x * 1).sum().backward()
    (x * 1).sum().backward()
    assert seen == [1, 2, 2]


def test_what_a_hook_gives_stays_the_hooks_own() -> None:
    x, own = leaf(1.0), Tensor(np.array([4.0]))
    x.register_hook(lambda d: own)
    for _ in range(2):
        (x * 1).sum().backward()
    close(own, [4.0])
    close(x.grad, [8.0])


def test_hooks_take_part_in_grad_and_in_second_derivatives() -> None:
    x = leaf(3.0)
    x.register_hook(lambda d: d * 10)
    close(pellucid.grad((x * 2).sum(), x)[0], [20.0])
    y = x * x
    y.register_hook(lambda d: d * d)
    (y * 3).sum().backward(create_graph=True)  # 10 · 9 · 2x
    close(x.grad.detach(), [540.0])


def test_a_hook_needs_a_gradient_to_come() -> None:
    with pytest.raises(GraphError, match="without requires_grad=True"):
        Tensor([1.0]).register_hook(print)
    with pytest.raises(GraphError, match="without requires_grad=True"):
        Tensor([1.0]).retain_grad()


def test_retain_grad_keeps_what_the_hooks_leave() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda d: d * 5)
    loss = (y * 3).sum()
    loss.backward(retain_graph=True)
    close(y.grad, [15.0])
    loss.backward()
    close(y.grad, [30.0])
    x.retain_grad()  # a leaf keeps its gradient anyway


# --------------------------------------------------------------------------------- with and without


def test_detach_shares_numbers_but_no_past() -> None:
    x = leaf(2.0)
    y = x * 3
    cut = y.detach()
    assert not cut.requires_grad
    assert cut.is_leaf
    assert np.shares_memory(cut.numpy(), y.numpy())
    (y * cut).sum().backward()
    close(x.grad, [3 * 6.0])


def test_detach_in_place() -> None:
    x = leaf(2.0)
    y = x * 3
    assert y.detach_() is y
    assert y.is_leaf
    assert not y.requires_grad


def test_no_grad_and_enable_grad() -> None:
    x = leaf(1.0)
    assert pellucid.is_grad_enabled()
    with pellucid.no_grad():
        assert not pellucid.is_grad_enabled()
        assert not (x * 2).requires_grad
        with pellucid.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_set_grad_enabled_holds_from_now_on_or_for_a_block() -> None:
    x = leaf(1.0)
    with pellucid.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert pellucid.is_grad_enabled()
    pellucid.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
        with pellucid.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not pellucid.is_grad_enabled()
    finally:
        pellucid.set_grad_enabled(True)


@pytest.mark.parametrize("switch", [pellucid.no_grad, lambda: pellucid.set_grad_enabled(False)])
def test_as_a_decorator(switch: Any) -> None:
    @switch()
    def double(x: Tensor) -> Tensor:
        """Twice."""
        return x * 2

    x = leaf(1.0)
    assert pellucid.is_grad_enabled()
    assert not double(x).requires_grad
    assert pellucid.is_grad_enabled()
    assert (double.__name__, double.__doc__) == ("double", "Twice.")


def test_the_switch_goes_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), pellucid.no_grad():
        raise ZeroDivisionError
    assert pellucid.is_grad_enabled()


def test_each_thread_has_its_own_switch() -> None:
    x, found = leaf(1.0), []

    def elsewhere() -> None:
        found.append(pellucid.is_grad_enabled())
        found.append((x * 2).requires_grad)

    with pellucid.no_grad():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert not pellucid.is_grad_enabled()
    assert found == [True, True]


def test_threads_record_and_walk_beside_each_other() -> None:
    """Sixteen threads walk back to one weight with `grad`: each gets its own answer."""
    w, found = leaf(2.0), {}

    def work(k: int) -> None:
        y = w
        for _ in range(100):
            y = y + w * k
        found[k] = pellucid.grad(y.sum(), w)[0].item()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: 1 + 100.0 * k for k in range(16)}


# ----------------------------------------------------------------------------- changed in between


@pytest.fixture
def memory() -> Iterator[tuple[str, Tensor]]:
    """Tensors whose memory is their own, a NumPy array's, or some other object's."""
    return [
        ("its own", Tensor(np.ones(4))),
        ("an array's", pellucid.from_numpy(np.ones(6)[1:5])),
        ("a buffer's", pellucid.from_numpy(np.frombuffer(bytearray(np.ones(4).tobytes())))),
    ]


def test_a_change_is_seen_whichever_view_it_came_through(memory: list[tuple[str, Tensor]]) -> None:
    for whose, factor in memory:
        for reads in (factor, factor[1:3], factor.reshape(2, 2)):
            for change in (factor, factor[0:], factor.detach().reshape(2, 2), factor[::-1]):
                x = Tensor(np.ones(reads.shape), requires_grad=True)
                y = (x * reads).sum()
                change.mul_(1.0)
                with pytest.raises(GraphError, match="changed in place"):
                    y.backward()
                assert x.grad is None, whose


def test_changes_before_the_reading_or_of_others_are_fine() -> None:
    x, factor, other = leaf(1.0, 2.0), Tensor(np.ones(2)), Tensor(np.ones(2))
    factor.mul_(3)
    y = (x * factor).sum()
    other.mul_(2)
    y.backward()
    close(x.grad, [3.0, 3.0])


def test_a_value_that_no_slope_reads_may_change() -> None:
    x, plus = leaf(1.0, 2.0), Tensor(np.ones(2))
    y = (x + plus).sum()
    plus.mul_(7)
    y.backward()
    close(x.grad, [1.0, 1.0])


def test_what_is_written_to_data_counts_where_it_is_replaced() -> None:
    x, factor = leaf(1.0, 2.0), Tensor(np.ones(2))
    y = (x * factor).sum()
    factor.data = np.zeros(2)
    with pytest.raises(GraphError, match="'b'"):
        y.backward()


# --------------------------------------------------------------------------------- looking for NaN


def test_the_birth_of_nan_forwards() -> None:
    x = leaf(1.0, -4.0)
    with pellucid.detect_anomaly(), pytest.raises(AnomalyError) as info:
        x.sqrt()
    text = str(info.value)
    assert "the first NaN was born in sqrt, at index (1,) of its result (2,), from x = -4" in text
    assert "test_tape.py line" in text
    assert text.endswith("x.sqrt()")


def test_the_birth_of_infinity_forwards() -> None:
    a, b = leaf(1.0, 3.0), Tensor(np.array([2.0, 0.0]))
    with pellucid.detect_anomaly(), pytest.raises(AnomalyError) as info:
        a / b
    assert "the first infinity was born in div, at index (1,)" in str(info.value)
    assert "a = 3, b = 0" in str(info.value)


def test_what_came_in_bad_was_not_born_here() -> None:
    with pellucid.detect_anomaly():
        assert np.isnan((Tensor([np.nan]) * 2).item())


def test_the_birth_of_nan_on_the_way_back() -> None:
    x = leaf(0.0)
    with pellucid.detect_anomaly():
        y = (x * x).sqrt()  # the line that is to be named
        with pytest.raises(AnomalyError) as info:
            y.sum().backward()
    text = str(info.value)
    assert "on the way back was born in the slope of sqrt" in text
    assert "y = (x * x).sqrt()  # the line that is to be named" in text


def test_without_it_nothing_is_said() -> None:
    x = leaf(-1.0)
    y = x.sqrt().sum()
    y.backward()
    assert np.isnan(x.grad.item())


def test_it_is_over_after_the_block_and_only_in_this_thread() -> None:
    with pytest.raises(AnomalyError), pellucid.detect_anomaly():
        leaf(-1.0).log()
    assert np.isnan(leaf(-1.0).log().item())
    found = []
    with pellucid.detect_anomaly():
        thread = threading.Thread(target=lambda: found.append(leaf(-1.0).log().item()))
        thread.start()
        thread.join()
    assert np.isnan(found[0])


# ---------------------------------------------------------------------------------------- listening


def test_a_listener_hears_of_every_operation() -> None:
    x, heard = leaf(1.0, 2.0), []
    with tape.listening(lambda op, inputs, settings, result: heard.append((op, inputs, settings))):
        (x * 2).sum(dim=0, keepdim=True)
        with pellucid.no_grad():
            x.exp()
    x.log()
    assert [op.name for op, _, _ in heard] == ["mul", "sum", "exp"]
    assert heard[0][1][0] is x
    assert heard[1][2]["keepdim"] is True


def test_listeners_nest() -> None:
    outer, inner, x = [], [], leaf(1.0)
    with tape.listening(lambda op, *_: outer.append(op.name)):
        x.exp()
        with tape.listening(lambda op, *_: inner.append(op.name)):
            x.sin()
        x.cos()
    assert (outer, inner) == (["exp", "cos"], ["sin"])


# ----------------------------------------------------------------- what nobody needs, costs nothing


def test_slopes_nobody_needs_are_not_called() -> None:
    counted, x, constant = Counted(), leaf(2.0), Tensor(np.array([3.0]))
    counted(x, constant).sum().backward()
    assert counted.calls == ["a"]
    counted.calls.clear()
    counted(constant, x).sum().backward()
    assert counted.calls == ["b"]
    counted.calls.clear()
    y = counted(x, x)
    y.sum().backward()
    assert counted.calls == ["a", "b"]


def test_grad_walks_only_the_paths_to_its_targets() -> None:
    counted, x, w = Counted(), leaf(2.0), leaf(3.0)
    y = counted(counted(x, 5.0), counted(w, 7.0))
    (slope,) = pellucid.grad(y.sum(), w)
    close(slope, [2 * 5 * 7.0])
    assert counted.calls == ["b", "a"], "the branch of x is not walked"


def test_a_branch_that_does_not_reach_the_loss_is_not_walked() -> None:
    counted, x = Counted(), leaf(2.0)
    counted(x, 2.0)
    (x * 3).sum().backward()
    assert counted.calls == []


def test_nothing_is_recorded_where_no_gradient_is_asked_for() -> None:
    x = Tensor([1.0, 2.0])
    assert (x * 2).grad_fn is None
    with pellucid.no_grad():
        assert (leaf(1.0) * 2).grad_fn is None
    assert (leaf(1.0) * 2).grad_fn.op.name == "mul"


# ------------------------------------------------------------------------------------------- memory


def test_values_are_let_go_after_the_walk_though_the_loss_lives_on() -> None:
    x = Tensor(np.ones(1000), requires_grad=True)
    y = x.exp()
    big = weakref.ref(y._value)
    loss = y.sum()
    del y
    assert big() is not None, "the slope of exp will want its result"
    loss.backward(retain_graph=True)
    assert big() is not None
    loss.backward()
    assert big() is None
    assert loss.requires_grad


def test_nodes_are_freed_with_their_result_without_the_help_of_gc() -> None:
    gc.collect()
    gc.disable()
    try:
        x = Tensor(np.ones(10), requires_grad=True)
        y = (x.exp() * x).sum()
        nodes = [weakref.ref(node) for node in tape.newest_first([y._node])]
        assert len(nodes) == 3
        y.backward()
        del y
        assert [node() for node in nodes] == [None, None, None]
    finally:
        gc.enable()


def test_what_was_never_walked_is_freed_as_well() -> None:
    gc.collect()
    gc.disable()
    try:
        x = Tensor(np.ones(10), requires_grad=True)
        y = x.tanh()
        y.retain_grad()
        node, value = weakref.ref(y._node), weakref.ref(y._value)
        del y
        assert node() is None
        assert value() is None
    finally:
        gc.enable()


KEPT: dict[str, tuple[Any, list[str]]] = {
    "add": (lambda x, w: x + w, []),
    "sum": (lambda x, w: x.sum(0), []),
    "mul": (lambda x, w: x * w, ["x", "w"]),
    "div": (lambda x, w: x / w, ["w", "y"]),
    "relu": (lambda x, w: x.relu(), ["y"]),
    "exp": (lambda x, w: x.exp(), ["y"]),
    "log": (lambda x, w: x.log(), ["x"]),
    "linear": (lambda x, w: pellucid.linear(x, w, w[0]), ["x", "w"]),
}


@pytest.mark.parametrize("name", KEPT)
def test_only_what_a_slope_names_is_kept(name: str) -> None:
    function, expected = KEPT[name]
    x, w = (Tensor(np.full((3, 3), n), requires_grad=True) * 1 for n in (2.0, 3.0))
    y = function(x, w)
    loss = y + 1
    arrays = {"x": weakref.ref(x._value), "w": weakref.ref(w._value), "y": weakref.ref(y._value)}
    del x, w, y
    loss = loss.sum()
    assert [key for key, array in arrays.items() if array() is not None] == expected
    loss.backward()
    assert all(array() is None for array in arrays.values())


def test_a_thousand_steps_of_learning_hold_no_more_memory_than_ten() -> None:
    w = Tensor(np.ones(100), requires_grad=True)

    def steps(n: int) -> int:
        for _ in range(n):
            w.grad = None
            (w * w).sum().backward()
            with pellucid.no_grad():
                w.sub_(w.grad * 0.01)
        gc.collect()
        return sum(type(o) in (tape.Node, Tensor) for o in gc.get_objects())

    assert steps(10) == steps(1000)
