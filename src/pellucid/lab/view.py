"""What a view of the lab is: a model in Python, and a module in JavaScript that draws it.

The model holds the numbers and computes them with the engine; the module computes none. A model is one
class in a file of its own in `views/`:

    class Dot(View):
        name = "dot-product"                        # page/views/dot-product.js draws it
        chapter = 3
        settings = {"wins": Slider(0.65, 0, 1)}     # what a reader may turn

        def start(self):                            # at first, and after reset
            self.weights = Tensor([0.1, 0.2, 0.0])

        @action
        def edit(self, index: int, value: float):   # what a reader may do besides
            ...

        def step(self): ...                         # one step further
        def shows(self): return {"products": ...}   # every number that the page shows
        def sentence(self): return "sum", {"total": self.total}
        def python(self): return "import numpy as np\n..."
        def table(self): return ("input", "product"), rows

Back, reset, seed, settings and saving are the same for all views and are done here: before an action
everything the model holds is put aside, and `back` takes it out again.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, TypeVar, get_type_hints

import numpy as np

import pellucid

from ..book.refusal import Refusal
from ..errors import ArgumentError
from . import texts
from .codec import plain
from .settings import Setting

__all__ = ["View", "action", "every", "open_view"]

LARGEST_SEED = 2**32 - 1

Method = TypeVar("Method", bound=Callable[..., None])
Sentence = tuple[str, Mapping[str, Any]]


def action(method: Method) -> Method:
    """Decorator: something the reader may do. Its arguments are checked against their types.

    They are bool, int, float or str, or lists of float (`list[float]`, `list[list[float]]`).
    """
    method.__action__ = True  # type: ignore[attr-defined]
    return method


class View(ABC):
    """The model of a view.

    Args:
        language: "en" or "zh-CN".
        seed: of its random numbers.

    Attributes:
        name: of its file of texts and of the module that draws it.
        chapter: the chapter it belongs to; 0 for views of any chapter.
        order: its place among the views of the chapter.
        settings: what a reader may turn, by name; `self.value` has what it is turned to.
        seeded: whether it draws random numbers, so that another seed means something.
        shared: names of attributes that never change once they are made (data, mostly), so that stepping
            back need not copy them.
        backs: how many steps back one can go.
        files: what it can be saved as, besides CSV and HTML; `file` makes them.
    """

    name: ClassVar[str]
    chapter: ClassVar[int]
    order: ClassVar[int] = 0
    settings: ClassVar[Mapping[str, Setting]] = {}
    seeded: ClassVar[bool] = True
    shared: ClassVar[tuple[str, ...]] = ()
    backs: ClassVar[int] = 200
    files: ClassVar[tuple[str, ...]] = ()

    def __init__(self, language: str = "en", seed: int = 1) -> None:
        self.language, self.seed = language, seed
        self.value: dict[str, Any] = {name: s.start for name, s in self.settings.items()}
        self._past: list[tuple[str, dict[str, Any]]] = []
        self._begin()

    # -------------------------------------------------------------------- what each view says itself

    @abstractmethod
    def start(self) -> None:
        """Make everything anew, from `self.value` and `self.seed`."""

    @abstractmethod
    def step(self) -> None:
        """One step further."""

    @abstractmethod
    def shows(self) -> Mapping[str, Any]:
        """Every number that the page shows: tensors, arrays, numbers, texts, dicts and lists of these."""

    @abstractmethod
    def sentence(self) -> Sentence:
        """What just happened: the key of a sentence of the view's texts, and the numbers in it."""

    @abstractmethod
    def python(self) -> str:
        """A program that computes what is seen: it needs NumPy or Pellucid, and runs as it stands."""

    @abstractmethod
    def table(self) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """Headings and rows of what is seen, to be saved as CSV."""

    def can_step(self) -> bool:
        """Whether there is a step further."""
        return True

    def file(self, kind: str) -> tuple[str, bytes]:
        """One of `files`: its name and what stands in it."""
        raise ArgumentError(f"{self.name} is not saved as {kind!r}")

    def changed(self, name: str) -> None:
        """A setting was turned: start anew, unless the view knows better."""
        self.start()

    # ------------------------------------------------------------------------- what all views can do

    def handle(self, message: Mapping[str, Any]) -> None:
        """Do what the page asks: `{"do": "step"}`, `{"do": "edit", "index": 0, "value": 1.5}`.

        Raises:
            ArgumentError: there is no such action, or its arguments are of the wrong kind. Nothing has
                changed then.
        """
        wanted = dict(message)
        name = wanted.pop("do", None)
        if name == "back":
            self._back()
            return
        if name == "step" and not self.can_step():
            return
        before = self._aside()
        try:
            with double_precision():
                self._do(str(name), wanted)
        except Exception:
            self._restore(before)
            raise
        mark = f"set {wanted.get('name')}" if name == "set" else str(name)
        if mark.startswith("set ") and self._past and self._past[-1][0] == mark:
            return  # a slider that is dragged is one step back, not a hundred
        self._past.append((mark, before))
        del self._past[: -self.backs]

    def state(self) -> dict[str, Any]:
        """Everything the page needs to draw the view, with its words in the view's language."""
        about = texts.read(self.language, self.name)
        with double_precision():
            key, values = self.sentence()
            return {
                "view": self.name,
                "language": self.language,
                "title": about["title"],
                "lead": about["lead"],
                "words": texts.words(self.language, self.name),
                "settings": [self._setting(n, s) for n, s in self.settings.items()],
                "seed": self.seed if self.seeded else None,
                "can": {"back": bool(self._past), "step": self.can_step()},
                "say": texts.sentence(self.language, self.name, key, values),
                "said": key,
                "python": self.python(),
                "shows": plain(self.shows()),
            }

    def csv(self) -> str:
        """What is seen, as CSV with all digits."""
        with double_precision():
            headings, rows = self.table()
        lines = [",".join(_cell(self.word(h)) for h in headings)]
        lines += [",".join(_cell(cell) for cell in row) for row in plain(list(rows))]
        return "\n".join(lines) + "\n"

    def word(self, text: str) -> str:
        """What a label of the view is called in its language; as it is where nobody named it."""
        return texts.words(self.language, self.name).get(text, text)

    # ---------------------------------------------------------------------------------------- inside

    def _begin(self) -> None:
        with double_precision():
            self.start()

    def _do(self, name: str, given: dict[str, Any]) -> None:
        match name:
            case "step":
                self.step()
            case "reset":
                self.value = {n: s.start for n, s in self.settings.items()}
                self.start()
            case "again":
                self.start()
            case "seed":
                seed = given.get("value")
                if isinstance(seed, bool) or not isinstance(seed, int):
                    raise Refusal("seed number", value=repr(seed))
                if not 0 <= seed <= LARGEST_SEED:
                    raise Refusal("seed bounds", most=LARGEST_SEED, value=seed)
                self.seed = seed
                self.start()
            case "set":
                which = given.get("name")
                if not isinstance(which, str) or which not in self.settings:
                    listed = ", ".join(self.settings) or "none"
                    raise ArgumentError(f"{self.name} has no setting {which!r}; it has: {listed}")
                setting, whose = self.settings[which], self.word(which)
                self.value[which] = setting.accept(given.get("value"), whose)
                self.changed(which)
            case _:
                method = getattr(type(self), name, None)
                if not getattr(method, "__action__", False):
                    raise ArgumentError(f"{self.name} cannot do {name!r}")
                getattr(self, name)(**_checked(method, given))

    def _aside(self) -> dict[str, Any]:
        kept = {k: v for k, v in vars(self).items() if k != "_past"}
        same = {id(kept[name]): kept[name] for name in self.shared if name in kept}
        return copy.deepcopy(kept, same)

    def _restore(self, before: dict[str, Any]) -> None:
        past = self._past
        vars(self).clear()
        vars(self).update(before, _past=past)

    def _back(self) -> None:
        if self._past:
            language = self.language
            self._restore(self._past.pop()[1])
            self.language = language

    def _setting(self, name: str, s: Setting) -> dict[str, Any]:
        told = {**vars(s), "name": name, "label": self.word(name), "kind": s.kind}
        if "choices" in told:
            told["choices"] = [{"value": c, "label": self.word(c)} for c in told["choices"]]
        return {**told, "value": self.value[name]}


# --------------------------------------------------------------------------------------- finding them


@cache
def every() -> dict[str, type[View]]:
    """All views by name, in the order of the book. A file in `views/` is found by itself."""
    from . import views

    for module in pkgutil.iter_modules(views.__path__):
        importlib.import_module(f"{views.__name__}.{module.name}")
    found = sorted(_below(), key=lambda v: (v.chapter or 99, v.order, v.name))
    return {v.name: v for v in found}


def open_view(name: str, language: str = "en", seed: int = 1) -> View:
    """A view, ready to be stepped.

    Raises:
        ArgumentError: there is none of this name.
    """
    found = every()
    if name not in found:
        raise ArgumentError(f"there is no view {name!r}; there are: {', '.join(found)}")
    return found[name](language, seed)


def _below(kind: Any = View) -> Iterator[type[View]]:
    for one in kind.__subclasses__():
        if not inspect.isabstract(one):
            yield one
        yield from _below(one)


# ------------------------------------------------------------------------------------- small helpers


def _checked(method: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an action, each of the type it is declared with.

    Raises:
        ArgumentError: one is missing, unknown, or of another type.
    """
    hints = get_type_hints(method)
    wanted = [n for n in inspect.signature(method).parameters if n != "self"]
    if set(given) != set(wanted):
        raise ArgumentError(f"{method.__name__} takes {', '.join(wanted) or 'nothing'}")
    return {n: _typed(given[n], hints[n], f"{n} of {method.__name__}") for n in wanted}


def _typed(value: Any, kind: Any, whose: str) -> Any:
    inner = getattr(kind, "__args__", None)
    if inner:
        if not isinstance(value, list):
            raise Refusal("list", whose=whose, value=repr(value))
        return [_typed(part, inner[0], whose) for part in value]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind or (kind is float and not np.isfinite(value)):
        raise Refusal("typed", whose=whose, kind=kind.__name__, value=repr(value))
    return value


def _cell(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


@contextmanager
def double_precision() -> Iterator[None]:
    """Float64 for everything made inside, as in the book's runs; overflow is part of what is shown."""
    before = pellucid.get_default_dtype()
    pellucid.set_default_dtype(np.float64)
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            yield
    finally:
        pellucid.set_default_dtype(before)
