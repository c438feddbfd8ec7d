"""What all optimisers share: groups of parameters, one step, state that can be saved.

An optimiser gives one rule, `update`: from a weight, its gradient and what is remembered about it
to the new weight, in place. Everything else stands here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from .. import tape
from ..errors import ArgumentError, CheckpointError, GraphError, warn
from ..kernels import use
from ..nn.module import Module, forget_gradient
from ..sparse import RowSparse
from ..tensor import Tensor
from .rows import Marks

Array = Any
Group = dict[str, Any]  # settings by name, and "params": the list of tensors they hold for
State = dict[str, Any]  # what is remembered about one parameter: arrays and numbers

# Large weights are updated a block at a time: 64 K numbers and what is computed from them stay in
# the processor's cache, while a whole matrix would go to memory and back with every operation.
BLOCK = 1 << 16


class Optimizer:
    """The base of all optimisers.

    Args:
        params: parameters (`model.parameters()`), or dicts `{"params": [...], "lr": ...}`, each
            with settings of its own.
        defaults: the settings of groups that do not say otherwise.

    Raises:
        ArgumentError: no parameters, something that is none, one given twice, or a setting outside
            what makes sense.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, State] = {}
        self.marks = Marks()
        self._scratch: dict[tuple[Any, ...], list[Array]] = {}
        self._used = (f"a gradient that {type(self).__name__}.step has used", ())
        self._last_step = 0  # the tape's clock when the last step was taken
        self._warned = False
        groups = _listed(type(self).__name__, params)
        if not any(isinstance(group, Mapping) for group in groups):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # --------------------------------------------------------------------------------------- groups

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take in more parameters, with settings of their own where given.

        Args:
            param_group: `{"params": ..., and any of the optimiser's settings}`.

        Raises:
            ArgumentError: as for the constructor.
        """
        name = type(self).__name__
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise ArgumentError(
                f"{name}: a group is a dict with 'params' and settings, not {param_group!r}"
            )
        group = {**self.defaults, **param_group}
        surplus = set(group) - set(self.defaults) - {"params", "initial_lr"}
        if surplus:
            raise ArgumentError(f"{name} has no setting {', '.join(sorted(surplus))}")
        group["params"] = _listed(name, param_group["params"])
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for p in group["params"]:
            _check_parameter(name, p, known)
            known.add(id(p))
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: Group) -> None:
        """Refuse settings outside what makes sense.

        Raises:
            ArgumentError: naming the setting.
        """
        at_least_zero(self, group, "lr", "weight_decay")

    # ------------------------------------------------------------------------------------- the step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, before the next backward adds its own.

        Args:
            set_to_none: False to set them to zeros, where there are any.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                else:
                    forget_gradient(p, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Learn: change every parameter that has a gradient.

        Args:
            closure: computes the loss anew, calls backward and returns the loss; called first.

        Returns:
            What the closure returned, or None.

        Raises:
            GraphError: no parameter has a gradient.
        """
        loss = None
        if closure is not None:
            with tape.enable_grad():
                loss = closure()
        if tape.mode.witness is not None:
            tape.mode.witness("step", self)
        changed = []
        used = self._used
        for group in self.param_groups:
            rate = self.plain_rate(group)
            rates = None if rate is None else in_each_type(float(rate))
            for p in group["params"]:
                gradient = p._grad
                if gradient is None:
                    continue
                if gradient.__class__ is RowSparse:
                    self.learn_rows(p, gradient, group)
                else:
                    if gradient._story is used:
                        self._look_for_leftovers(gradient)
                    gradient._story = used
                    weight = p._value
                    if rates is not None and weight.size <= BLOCK:
                        weight -= rates[weight.dtype.char] * gradient._value
                    else:
                        self.learn(p, gradient._value, group)
                changed.append(p._value)
        if not changed:
            raise self._nothing_to_learn_from()
        tape.note_change(*changed)
        self._last_step = tape.tick()
        return loss

    def plain_rate(self, group: Group) -> float | None:
        """Where the rule is weight -= rate * gradient and nothing else: that rate; otherwise None."""
        return None

    def learn(self, p: Tensor, gradient: Array, group: Group) -> None:
        """Change one parameter."""
        state = self.state_of(p, group)
        state["step"] += 1
        weight = p._value
        if use(8 * weight.size) and self.learn_compiled(weight, gradient, state, group):
            return
        if weight.size <= BLOCK or not weight.flags.c_contiguous:
            self.update(weight, gradient, state, group)
            return
        flat, flat_gradient = weight.reshape(-1), gradient.reshape(-1)
        remembered = [(name, state[name].reshape(-1)) for name in self.memories(group)]
        for start in range(0, flat.size, BLOCK):
            block = slice(start, start + BLOCK)
            of_block = {**state, **{name: array[block] for name, array in remembered}}
            self.update(flat[block], flat_gradient[block], of_block, group)

    def learn_rows(self, p: Tensor, gradient: RowSparse, group: Group) -> None:
        """Change a table of which only some rows have a gradient.

        Here as if the gradient were written out with all its zeros, since most rules also move rows
        without a gradient (momentum goes on, weights decay). SGD and Adagrad can do with the rows.
        """
        self.learn(p, gradient.to_dense(), group)

    def update(self, weight: Array, gradient: Array, state: State, group: Group) -> None:
        """The rule: change `weight` in place. `state` has "step", counted from 1, and the "
        "memories."""
        raise ArgumentError(f"{type(self).__name__} has no rule; give it a method update(...)")

    def learn_compiled(self, weight: Array, gradient: Array, state: State, group: Group) -> bool:
        """The same rule for large weights, in one compiled loop; False where there is none."""
        return False

    def memories(self, group: Group) -> tuple[str, ...]:
        """The names of the arrays that are remembered for each weight."""
        return ()

    def state_of(self, p: Tensor, group: Group) -> State:
        """What is remembered about a parameter: its number of steps, and arrays, 0 at first."""
        state = self.state.get(p)
        if state is None:
            state = self.state[p] = {"step": 0}
        for name in self.memories(group):
            if name not in state:  # at first, and where a setting was changed on the way
                state[name] = np.zeros(p._value.shape, p._value.dtype)
        return state

    def direction(
        self, weight: Array, gradient: Array, group: Group, out: Array, decay: bool = True
    ) -> Array:
        """The gradient, turned round to go up instead of down, with the weights' decay added."""
        if group["maximize"]:
            gradient = np.negative(gradient, out=out)
        if decay and group["weight_decay"]:
            (pull,) = self.scratch(weight, 3)[2:]
            np.multiply(weight, group["weight_decay"], out=pull)
            gradient = np.add(gradient, pull, out=out)
        return gradient

    def scratch(self, weight: Array, n: int = 1) -> list[Array]:
        """Room for at least n results of the weight's shape, used again by every step."""
        key = weight.shape, weight.dtype.char
        room = self._scratch.setdefault(key, [])
        while len(room) < n:
            room.append(np.empty_like(weight))
        return room

    # --------------------------------------------------------------------------- words for mistakes

    def _nothing_to_learn_from(self) -> GraphError:
        n = sum(len(group["params"]) for group in self.param_groups)
        return GraphError(
            f"{type(self).__name__}.step found no gradient in any of its {n} parameters: "
            "backward was not called since the last zero_grad, or it did not reach them.\n"
            "The order is: optimizer.zero_grad(); loss = ...; loss.backward(); optimizer.step()"
        )

    def _look_for_leftovers(self, gradient: Tensor) -> None:
        """Warn if backward has added to a gradient that was already used by the step before."""
        changed = tape._changed_at.get(id(tape._owner(gradient._value)), 0)
        if changed > self._last_step and not self._warned:
            self._warned = True
            warn(
                f"{type(self).__name__}.step was given gradients that its last step has used "
                "already: backward has added the new ones to the old, since zero_grad was not "
                "called between.\n"
                "Call optimizer.zero_grad() once in every step, before backward"
            )

    # ----------------------------------------------------------------------------- saved and loaded

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on: plain dicts, lists, numbers and (copied) arrays.

        Parameters are named by their place, counted through all groups:
        `{"state": {0: {"step": 7, ...}}, "param_groups": [{"lr": 0.1, ..., "params": [0, 1]}]}`.
        """
        places = {id(p): i for i, p in enumerate(self._all_parameters())}
        return {
            "state": {places[id(p)]: _copied(state) for p, state in self.state.items()},
            "param_groups": [
                {**group, "params": [places[id(p)] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            CheckpointError: it belongs to other parameters; nothing was changed.
        """
        name = type(self).__name__
        groups, remembered = _parts(name, state_dict)
        given = [len(group["params"]) for group in groups]
        own = [len(group["params"]) for group in self.param_groups]
        if given != own:
            raise CheckpointError(
                f"this state of {name} has groups of {given} parameters, and this optimiser groups "
                f"of {own}"
            )
        for saved in groups:
            _check_settings(self, saved)
        owners = [
            (p, {**group, **saved})
            for group, saved in zip(self.param_groups, groups, strict=True)
            for p in group["params"]
        ]
        states: dict[Tensor, State] = {}
        for place, state in remembered.items():
            if not str(place).isdecimal() or int(place) >= len(owners):
                raise CheckpointError(
                    f"this state has something about parameter {place!r}, and {name} has "
                    f"{len(owners)} parameters, counted from 0"
                )
            p, group = owners[int(place)]
            states[p] = _restored(f"parameter {place}", state, p, self.memories(group))
        self.state = states
        for group, saved in zip(self.param_groups, groups, strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})

    def _all_parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            settings = ", ".join(
                f"{name}={value}" for name, value in group.items() if name != "params"
            )
            lines.append(f"  group {i}: {len(group['params'])} parameters, {settings}\n")
        return f"{type(self).__name__}(\n{''.join(lines)})"


# ------------------------------------------------------------------------------------------ helpers


@lru_cache(maxsize=64)
def in_each_type(number: float) -> dict[str, Array]:
    """A number as an array without axes, by the letter of its type.

    NumPy first has to ask of a Python number what it is; of an array it knows. In a small network
    that question takes longer than the multiplication.
    """
    return {kind: np.asarray(number, kind) for kind in "efdg"}


def running_mean(mean: Array, values: Array, kept: float) -> None:
    """mean = kept * mean + (1 - kept) * values, in place; `values` is used up."""
    np.multiply(mean, kept, out=mean)
    np.multiply(values, 1 - kept, out=values)
    np.add(mean, values, out=mean)


def at_least_zero(optimizer: Optimizer, group: Group, *names: str) -> None:
    """Refuse settings that are negative or no numbers."""
    for name in names:
        value = group[name]
        if not _is_number(value) or not 0 <= float(value) < math.inf:
            raise ArgumentError(f"{type(optimizer).__name__}: {name} is 0 or more, not {value!r}")


def below_one(optimizer: Optimizer, **settings: float) -> None:
    """Refuse settings that are not from 0 up to (and not including) 1."""
    for name, value in settings.items():
        if not _is_number(value) or not 0 <= value < 1:
            raise ArgumentError(
                f"{type(optimizer).__name__}: {name} is at least 0 and less than 1, not {value!r}"
            )


def _is_number(value: Any) -> bool:
    plain = not isinstance(value, (bool, str)) and hasattr(value, "__float__")
    return plain and np.ndim(value) == 0


def _listed(name: str, params: Any) -> list[Any]:
    if isinstance(params, Module):
        raise ArgumentError(
            f"{name} takes parameters, not a module: write {name}(model.parameters(), ...)"
        )
    if isinstance(params, Tensor):
        raise ArgumentError(
            f"{name} takes several parameters: put the one into a list, {name}([w], ...)"
        )
    if not isinstance(params, Iterable):
        raise ArgumentError(f"{name} takes a list of parameters, not {params!r}")
    listed = list(params)
    if not listed:
        raise ArgumentError(
            f"{name} was given no parameters. Has the module any? And model.parameters() can be "
            "gone through only once: to use it twice, make it a list"
        )
    return listed


def _check_parameter(name: str, p: Any, known: set[int]) -> None:
    if not isinstance(p, Tensor):
        raise ArgumentError(f"{name} takes tensors, and {p!r} is none")
    if not p.is_leaf:
        raise ArgumentError(
            f"{name} changes leaves only, and a tensor {p.shape} was made by {p._node.op.name}"  # type: ignore[union-attr]
        )
    if id(p) in known:
        raise ArgumentError(
            f"{name} was given a parameter {p.shape} twice: it would be changed twice a step"
        )


def _parts(name: str, state_dict: Any) -> tuple[list[Group], Mapping[Any, State]]:
    """The two parts of a saved state, if it has their form."""
    try:
        groups, remembered = list(state_dict["param_groups"]), state_dict["state"]
        for group in groups:
            len(group["params"])
        for state in remembered.values():
            state.keys()
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"this is no state of {name}: {error!r}.\nIt needs 'param_groups' and 'state', as "
            "optimizer.state_dict() gives them"
        ) from None
    return groups, remembered


def _check_settings(optimizer: Optimizer, saved: Group) -> None:
    """Refuse a saved group with other settings than the optimiser's, or senseless ones."""
    name = type(optimizer).__name__
    missing = ", ".join(key for key in optimizer.defaults if key not in saved)
    known = {*optimizer.defaults, "params", "initial_lr"}
    surplus = ", ".join(str(key) for key in saved if key not in known)
    if missing or surplus:
        raise CheckpointError(
            f"these settings are not those of {name}\n  missing: {missing or 'none'}\n"
            f"  surplus: {surplus or 'none'}\nWas the state saved by another optimiser?"
        )
    try:
        optimizer.check(saved)
    except ArgumentError as error:
        raise CheckpointError(f"this state cannot be gone on with: {error.message}") from None


def _copied(state: State) -> State:
    return {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in state.items()
    }


def _restored(who: str, saved: Mapping[str, Any], p: Tensor, memories: tuple[str, ...]) -> State:
    """The saved state of one parameter, with memory of its own and in the parameter's type."""
    state: State = {}
    for name in ("step", *memories):
        if name not in saved:
            raise CheckpointError(f"the saved state of {who} has no {name!r}")
        try:
            kept: Any = int(saved[name]) if name == "step" else np.array(saved[name], p.dtype)
        except (TypeError, ValueError):
            raise CheckpointError(
                f"{name!r} of {who} is {saved[name]!r}, which are not the numbers expected"
            ) from None
        state[name] = kept
        if name == "step":
            continue
        if state[name].shape != p.shape:
            raise CheckpointError(
                f"{name!r} of {who} has shape {state[name].shape} in this state, and the "
                f"parameter {p.shape}"
            )
    return state
