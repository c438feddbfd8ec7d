"""Sums that stay in the processor's registers, written out because no compiler finds this by itself.

A processor multiplies and adds 16 or more numbers in one step, but only from its registers, of which
it has 16 or 32. Fetching a sum and putting it back costs more than adding to it. So a small tile of
results is kept in registers until it is finished (K. Goto and R. van de Geijn, "Anatomy of
high-performance matrix multiplication", 2008). The tiles are spelled in LLVM's language, in which a
register is a vector:

    paint   a tile of results from weights and shifted pieces of an image
    meet    a tile of products: some rows of numbers with some others
    tile    a tile of a product of matrices

What stands here as Python function is only its description; `in_registers` gives Numba the spelling
for the processor at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

Array = Any

MET = 5  # rows that `meet` takes at once


def vector(x: Array) -> int:
    """How many numbers a register holds."""
    return 16


def chunk(x: Array) -> int:
    """How many numbers a narrow tile is long."""
    return 48


def paint(
    rows: int, width: int, y: Array, p: int, room: int, image: Array, offsets: Array, taps: Array,
    at: int, first: Array, o: int,
) -> None:  # fmt: skip
    """A tile of y, `rows` (a literal) high and `width` (a literal) chunks long.

    y[p + r * room + k] = first[o + r] + sum over t of taps[at + t * rows + r] * image[p + offsets[t] + k]
    """


def meet(
    rows: int, sums: Array, at: int, d: Array, begin: int, room: int, image: Array, offsets: Array,
    tap: int, chunks: int,
) -> None:  # fmt: skip
    """Add products of `rows` (a literal) rows of d with MET pieces of image, lane by lane.

    sums[at + (r * MET + m) * vector + lane] += sum over k of
        d[begin + r * room + k * vector + lane] * image[offsets[tap + m] + k * vector + lane]
    """


def tile(
    rows: int, width: int, c: Array, c_at: int, c_row: int, a: Array, a_at: int, a_row: int, a_tap: int,
    b: Array, b_at: int, b_tap: int, taps: int, columns: int, fresh: bool,
) -> None:  # fmt: skip
    """A tile of a product, `rows` (a literal) high and `width` (a literal) registers long.

    c[c_at + r * c_row + k] += sum over t of a[a_at + r * a_row + t * a_tap] * b[b_at + t * b_tap + k]

    for k < columns; fresh: = in place of +=. All arrays are flat.
    """


@cache
def in_registers() -> None:
    """Tell Numba how the functions above are spelled on this processor."""
    extending = import_module("numba.extending")
    machine = _Machine()

    def constant(count: Callable[[int], int]) -> Callable[..., Any]:
        def of(x: Any) -> Any:
            number = count(x.dtype.bitwidth // 8)
            return lambda x: number

        return of

    options: dict[str, Any] = {"strict": False, "prefer_literal": True}
    extending.overload(vector, strict=False)(constant(machine.lanes))
    extending.overload(chunk, strict=False)(constant(lambda n: machine.lanes(n) * machine.each))
    intrinsic = extending.intrinsic(prefer_literal=True)
    painted, met, tiled = (intrinsic(f) for f in (*_spelled(machine), _spelled_tile(machine)))

    # fmt: off
    @extending.overload(paint, **options)  # type: ignore[untyped-decorator]
    def _(
        rows: Any, width: Any, y: Any, p: Any, room: Any, image: Any, offsets: Any, taps: Any,
        at: Any, first: Any, o: Any,
    ) -> Any:
        def here(rows, width, y, p, room, image, offsets, taps, at, first, o):  # type: ignore[no-untyped-def]
            painted(rows, width, y, p, room, image, offsets, taps, at, first, o)

        return here

    @extending.overload(meet, **options)  # type: ignore[untyped-decorator]
    def _(
        rows: Any, sums: Any, at: Any, d: Any, begin: Any, room: Any, image: Any, offsets: Any,
        tap: Any, chunks: Any,
    ) -> Any:
        def here(rows, sums, at, d, begin, room, image, offsets, tap, chunks):  # type: ignore[no-untyped-def]
            met(rows, sums, at, d, begin, room, image, offsets, tap, chunks)

        return here

    @extending.overload(tile, **options)  # type: ignore[untyped-decorator]
    def _(
        rows: Any, width: Any, c: Any, c_at: Any, c_row: Any, a: Any, a_at: Any, a_row: Any,
        a_tap: Any, b: Any, b_at: Any, b_tap: Any, taps: Any, columns: Any, fresh: Any,
    ) -> Any:
        def here(  # type: ignore[no-untyped-def]
            rows, width, c, c_at, c_row, a, a_at, a_row, a_tap, b, b_at, b_tap, taps, columns, fresh
        ):
            tiled(
                rows, width, c, c_at, c_row, a, a_at, a_row, a_tap, b, b_at, b_tap, taps, columns,
                fresh,
            )

        return here
    # fmt: on


class _Machine:
    """What the registers of this processor hold."""

    def __init__(self) -> None:
        features = import_module("llvmlite.binding").get_host_cpu_features()
        self.bytes = 64 if features.get("avx512f") else 32 if features.get("avx") else 16
        many = features.get("avx512f") or "sse2" not in features  # 32 registers; else 16
        self.each = 3 if many else 1  # registers that a chunk takes

    def lanes(self, size: int) -> int:
        """How many numbers of `size` bytes."""
        return self.bytes // size


def _spelled(machine: _Machine) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`paint` and `meet` as Numba's intrinsics: each says its types and how it is generated."""
    types: Any = import_module("numba").types
    whole = types.intp

    def painted(
        typing: Any, rows: Any, width: Any, y: Any, p: Any, room: Any, image: Any, offsets: Any,
        taps: Any, at: Any, first: Any, o: Any,
    ) -> Any:  # fmt: skip
        high, registers = rows.literal_value, width.literal_value * machine.each

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _, _, y, p, room, image, offsets, taps, at, first, o = args
            w = _Writer(machine, context, builder, signature)
            y, image, offsets, taps, first = w.starts(
                (2, y), (5, image), (6, offsets), (7, taps), (9, first)
            )
            sums = [[w.register() for _ in range(registers)] for _ in range(high)]
            for r, row in enumerate(sums):
                begin = w.spread(w.number(first, o, r))
                for register in row:
                    builder.store(begin, register)
            with w.repeated(w.length(signature.args[6], args[6])) as loop:
                start = builder.add(p, w.number(offsets, loop.index))
                pieces = [w.read(image, start, v * w.lanes) for v in range(registers)]
                weights = builder.add(at, builder.mul(loop.index, w.whole(high)))
                for r, row in enumerate(sums):
                    weight = w.spread(w.number(taps, weights, r))
                    for register, piece in zip(row, pieces, strict=True):
                        w.multiply_add(register, weight, piece)
            for r, row in enumerate(sums):
                start = builder.add(p, builder.mul(room, w.whole(r)))
                for v, register in enumerate(row):
                    w.write(builder.load(register), y, start, v * w.lanes)
            return context.get_dummy_value()

        given = (rows, width, y, whole, whole, image, offsets, taps, whole, first, whole)
        return types.void(*given), generate

    def met(
        typing: Any, rows: Any, sums: Any, at: Any, d: Any, begin: Any, room: Any, image: Any,
        offsets: Any, tap: Any, chunks: Any,
    ) -> Any:  # fmt: skip
        high = rows.literal_value

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _, sums, at, d, begin, room, image, offsets, tap, chunks = args
            w = _Writer(machine, context, builder, signature)
            sums, d, image, offsets = w.starts((1, sums), (3, d), (6, image), (7, offsets))
            kept = [w.register() for _ in range(high * MET)]
            for k, register in enumerate(kept):
                builder.store(w.read(sums, at, k * w.lanes), register)
            shifts = [w.number(offsets, tap, m) for m in range(MET)]
            starts = [builder.add(begin, builder.mul(room, w.whole(r))) for r in range(high)]
            with w.repeated(builder.mul(chunks, w.whole(machine.each))) as loop:
                k = builder.mul(loop.index, w.whole(w.lanes))
                blames = [w.read(d, builder.add(start, k)) for start in starts]
                for m, shift in enumerate(shifts):
                    piece = w.read(image, builder.add(shift, k))
                    for r, blame in enumerate(blames):
                        w.multiply_add(kept[r * MET + m], blame, piece)
            for k, register in enumerate(kept):
                w.write(builder.load(register), sums, at, k * w.lanes)
            return context.get_dummy_value()

        given = (rows, sums, whole, d, whole, whole, image, offsets, whole, whole)
        return types.void(*given), generate

    return painted, met


def _spelled_tile(machine: _Machine) -> Callable[..., Any]:
    """`tile` as Numba's intrinsic."""
    types: Any = import_module("numba").types
    i = types.intp

    def tiled(
        typing: Any, rows: Any, width: Any, c: Any, c_at: Any, c_row: Any, a: Any, a_at: Any, a_row: Any,
        a_tap: Any, b: Any, b_at: Any, b_tap: Any, taps: Any, columns: Any, fresh: Any,
    ) -> Any:  # fmt: skip
        high, registers = rows.literal_value, width.literal_value

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _, _, c, c_at, c_row, a, a_at, a_row, a_tap, b, b_at, b_tap, taps, columns, fresh = args
            w = _Writer(machine, context, builder, signature)
            c, a, b = w.starts((2, c), (5, a), (9, b))
            there = [w.lanes_below(columns, v * w.lanes) for v in range(registers)]
            empty = builder.icmp_unsigned("==", fresh, fresh.type(0))
            before = [builder.and_(mask, w.everywhere(empty)) for mask in there]
            begins = [builder.add(c_at, builder.mul(c_row, w.whole(r))) for r in range(high)]
            starts = [builder.add(a_at, builder.mul(a_row, w.whole(r))) for r in range(high)]
            sums = [[w.register() for _ in range(registers)] for _ in range(high)]
            for begin, row in zip(begins, sums, strict=True):
                for v, register in enumerate(row):
                    builder.store(w.read_some(c, begin, v * w.lanes, before[v]), register)
            with w.repeated(taps) as loop:
                start = builder.add(b_at, builder.mul(loop.index, b_tap))
                along = builder.mul(loop.index, a_tap)
                pieces = [w.read_some(b, start, v * w.lanes, there[v]) for v in range(registers)]
                for first, row in zip(starts, sums, strict=True):
                    weight = w.spread(w.number(a, builder.add(first, along)))
                    for register, piece in zip(row, pieces, strict=True):
                        w.multiply_add(register, weight, piece)
            for begin, row in zip(begins, sums, strict=True):
                for v, register in enumerate(row):
                    w.write_some(builder.load(register), c, begin, v * w.lanes, there[v])
            return context.get_dummy_value()

        given = (rows, width, c, i, i, a, i, i, i, b, i, i, i, i, types.boolean)
        return types.void(*given), generate

    return tiled


class _Writer:
    """The few phrases in LLVM's language that both need, for one type of number."""

    def __init__(self, machine: _Machine, context: Any, builder: Any, signature: Any) -> None:
        self.ir: Any = import_module("llvmlite.ir")
        self.tools: Any = import_module("numba.core.cgutils")
        self.context, self.builder, self.signature = context, builder, signature
        kind = next(t.dtype for t in signature.args if hasattr(t, "layout"))
        self.size = kind.bitwidth // 8
        self.lanes = machine.lanes(self.size)
        self.vector = self.ir.VectorType(context.get_value_type(kind), self.lanes)
        self.intp = context.get_value_type(import_module("numba").types.intp)

    def whole(self, n: int) -> Any:
        """A whole number."""
        return self.ir.Constant(self.intp, n)

    def starts(self, *arrays: tuple[int, Any]) -> Sequence[Any]:
        """Where arrays begin, each given with its place among the arguments."""
        make = self.context.make_array
        types = self.signature.args
        return [make(types[i])(self.context, self.builder, array).data for i, array in arrays]

    def length(self, kind: Any, array: Any) -> Any:
        """How many numbers an array has."""
        struct = self.context.make_array(kind)(self.context, self.builder, array)
        return self.builder.extract_value(struct.shape, 0)

    def repeated(self, count: Any) -> Any:
        """A loop, as a `with` block."""
        return self.tools.for_range(self.builder, count)

    def register(self) -> Any:
        """Room for a vector; LLVM keeps it in a register."""
        return self.tools.alloca_once(self.builder, self.vector)

    def place(self, array: Any, start: Any, offset: int = 0) -> Any:
        """The address of an element."""
        return self.builder.gep(array, [self.builder.add(start, self.whole(offset))])

    def number(self, array: Any, start: Any, offset: int = 0) -> Any:
        """An element."""
        return self.builder.load(self.place(array, start, offset))

    def read(self, array: Any, start: Any, offset: int = 0) -> Any:
        """As many elements as a register holds, side by side."""
        place = self.place(array, start, offset)
        vector = self.builder.load(self.builder.bitcast(place, self.vector.as_pointer()))
        vector.align = self.size
        return vector

    def write(self, vector: Any, array: Any, start: Any, offset: int = 0) -> None:
        """A register into an array."""
        place = self.place(array, start, offset)
        stored = self.builder.store(vector, self.builder.bitcast(place, self.vector.as_pointer()))
        stored.align = self.size

    def spread(self, number: Any) -> Any:
        """One number in all lanes."""
        ir, nothing = self.ir, self.ir.Constant(self.vector, self.ir.Undefined)
        one = self.builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, nothing, zeros)

    def multiply_add(self, register: Any, a: Any, b: Any) -> None:
        """register += a * b."""
        function = self.tools.get_or_insert_function(
            self.builder.module,
            self.ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fma.v{self.lanes}f{8 * self.size}",
        )
        total = self.builder.call(function, [a, b, self.builder.load(register)])
        self.builder.store(total, register)

    def everywhere(self, bit: Any) -> Any:
        """A yes or no in all lanes."""
        ir = self.ir
        kind = ir.VectorType(ir.IntType(1), self.lanes)
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(nothing, bit, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, nothing, zeros)

    def lanes_below(self, count: Any, offset: int) -> Any:
        """Which lanes, counted from `offset`, are below `count`."""
        ir, kind = self.ir, self.ir.VectorType(self.intp, self.lanes)
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(nothing, count, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        counts = self.builder.shuffle_vector(one, nothing, zeros)
        numbers = ir.Constant(kind, [offset + k for k in range(self.lanes)])
        return self.builder.icmp_signed("<", numbers, counts)

    def read_some(self, array: Any, start: Any, offset: int, mask: Any) -> Any:
        """As `read`, in the lanes of the mask; 0 in the others."""
        place = self.place(array, start, offset)
        pointer = self.builder.bitcast(place, self.vector.as_pointer())
        kinds = [pointer.type, self.ir.IntType(32), mask.type, self.vector]
        function = self._masked("load", self.ir.FunctionType(self.vector, kinds))
        align = self.ir.Constant(self.ir.IntType(32), self.size)
        return self.builder.call(function, [pointer, align, mask, self.vector(None)])

    def write_some(self, vector: Any, array: Any, start: Any, offset: int, mask: Any) -> None:
        """As `write`, in the lanes of the mask."""
        place = self.place(array, start, offset)
        pointer = self.builder.bitcast(place, self.vector.as_pointer())
        kinds = [self.vector, pointer.type, self.ir.IntType(32), mask.type]
        function = self._masked("store", self.ir.FunctionType(self.ir.VoidType(), kinds))
        align = self.ir.Constant(self.ir.IntType(32), self.size)
        self.builder.call(function, [vector, pointer, align, mask])

    def _masked(self, what: str, kind: Any) -> Any:
        name = f"llvm.masked.{what}.v{self.lanes}f{8 * self.size}.p0"
        return self.tools.get_or_insert_function(self.builder.module, kind, name)
