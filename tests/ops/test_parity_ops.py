"""Every operation beside PyTorch's: results, types, shapes, gradients, arguments, edge cases.

A case is code that both libraries understand: `lib` is pellucid or torch, `F` its
`nn.functional`; the other names are the arrays below, as tensors.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import pellucid
import pellucid.nn.functional
from pellucid import Tensor, ops

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.parity,
    # PyTorch's own advice, about variances of one number and odd paddings
    pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom is <= 0:UserWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
]

R = np.random.default_rng(11)


def normal(*shape: int) -> np.ndarray[Any, Any]:
    return R.normal(size=shape)


def near(low: float, high: float, *shape: int) -> np.ndarray[Any, Any]:
    return R.uniform(low, high, shape)


ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "x": normal(3, 4), "y": normal(3, 4), "row": normal(4), "col": normal(3, 1), "s": normal(),
    "p": near(0.3, 2, 3, 4), "q": near(0.3, 2, 3, 4), "u": near(-0.9, 0.9, 3, 4),
    "unit": near(0.05, 0.95, 3, 4), "big": near(-9, 9, 3, 4), "e": normal(0, 4), "e0": normal(2, 0, 3),
    "v": normal(5), "w": normal(5), "m": normal(4, 4), "n": normal(4, 5), "b": normal(2, 3, 4),
    "c": normal(2, 4, 5), "d4": normal(2, 3, 4, 2), "one": normal(1), "tall": normal(1, 3, 1, 2),
    "ties": np.array([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0], [-1.0, 5.0, 5.0, 5.0]]),
    "holes": np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [2.0, 4.0, 5.0]]),
    "odd": np.array([1.0, -2.0, 0.0, np.inf, -np.inf, np.nan]),
    "halves": np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),
    "far": np.array([-1e4, -100.0, -20.0, 0.0, 20.0, 100.0, 1e4]),
    "seq": normal(2, 3, 9), "img": normal(2, 4, 7, 8), "k1": normal(6, 3, 3), "k2": normal(6, 4, 3, 2),
    "kt1": normal(3, 2, 3), "kt2": normal(4, 3, 3, 2), "g2": normal(4, 2, 3, 3), "bias6": normal(6),
    "bias3": normal(3), "four": normal(4), "pos4": near(0.5, 2, 4), "table": normal(7, 4),
    "i": R.integers(-5, 6, (3, 4)), "j": R.integers(1, 5, (3, 4)), "bits": R.integers(0, 16, (3, 4)),
    "ids": np.array([[0, 2, 1, 1], [2, 2, 0, 1], [1, 0, 0, 2]]), "few": np.array([2, 0, 2]),
    "labels": np.array([3, 0, 2]), "b_labels": R.integers(0, 3, (2, 4)),
    "d4_labels": R.integers(0, 3, (2, 4, 2)), "flat": np.array([1, 2, 4, 5, 4, 3, 2, 6]),
    "starts": np.array([0, 3, 3, 6]), "ends": np.array([0, 3, 3, 8]), "signs": np.array([[1.0, -1, 1, -1]] * 3),
    "k": R.random((3, 4)) < 0.5, "l": R.random((3, 4)) < 0.5, "never": np.zeros((3, 4), bool),
    "short": np.array([1, -2, 3], np.int32), "byte": np.array([1, 200, 3], np.uint8),
    "cond": np.array([True, False, True, True]),
}  # fmt: skip
FIXED = {"odd", "signs"}  # with fractions, but nothing is learned through them

CASES = """
    lib.add(x, y); lib.add(x, row); lib.add(x, col, alpha=0.5); lib.add(x, 2); x + s; 2 - x;
    x.add(y, alpha=3); lib.sub(x, row); lib.sub(x, y, alpha=2); lib.subtract(x, 1.5);
    lib.rsub(x, y); lib.rsub(x, 1, alpha=2); lib.mul(x, col); lib.multiply(x, y); x * s; 3 * x;
    e * row; x * e.sum(); lib.div(x, p); lib.divide(x, 2); lib.true_divide(x, p); 1 / p;
    lib.div(x, p, rounding_mode='floor'); lib.div(x, p, rounding_mode='trunc');
    lib.div(i, j, rounding_mode='trunc'); lib.div(i, j, rounding_mode='floor'); i / j;
    lib.floor_divide(x.detach(), p.detach()); x.detach() // 0.4; i // j; i // 2;
    lib.remainder(x, p); x % 0.7; i % j; i % -3; 5 % j; lib.fmod(x, p); lib.fmod(x, 0.7);
    lib.fmod(i, j); lib.neg(x); lib.negative(i); -x; lib.positive(x); +x; lib.reciprocal(p);
    lib.reciprocal(j); lib.addcmul(x, y, p, value=0.5); lib.addcdiv(x, y, p, value=2);
    lib.lerp(x, y, 0.3); lib.lerp(x, y, p); x.lerp(y, unit); lib.pow(p, x); lib.pow(p, 2); p ** 0.5;
    p ** -2; x ** 3; x ** 2; x ** 0; 2 ** x; i ** 2; j ** j; lib.pow(2, i + 5); p ** s;
    lib.square(x); lib.square(i); lib.sqrt(p); lib.rsqrt(p); lib.exp(x); lib.exp2(x); lib.expm1(x);
    lib.log(p); lib.log2(p); lib.log10(p); lib.log1p(p); lib.exp(i); lib.sqrt(j); lib.log(j);
    lib.logaddexp(x, row); lib.logaddexp2(x, y); lib.logaddexp(far, far); lib.logaddexp(far, -far);
    lib.sin(x); lib.cos(x); lib.tan(x); lib.asin(u); lib.acos(u); lib.atan(x); lib.atan2(x, y);
    lib.hypot(x, row); lib.sinh(x); lib.cosh(x); lib.tanh(x); lib.asinh(x); lib.acosh(p + 1);
    lib.atanh(u); lib.sinc(x); lib.sin(i); lib.tanh(k); lib.arcsin(u); lib.arccos(u); lib.arctan(x);
    lib.arctan2(x, y); lib.arcsinh(x); lib.arccosh(p + 1); lib.arctanh(u); lib.deg2rad(x);
    lib.rad2deg(x); lib.deg2rad(i); lib.erf(x); lib.erf(big); lib.erfc(big); lib.erfinv(u);
    lib.erf(i); lib.logit(unit); lib.logit(unit, eps=0.2); lib.xlogy(x, p);
    lib.xlogy(holes, holes + 1); lib.erfc(far); lib.tanh(far); lib.abs(x); lib.absolute(i); abs(x);
    lib.sign(x); lib.sgn(x.detach()); lib.sign(odd); lib.sign(i); lib.abs(holes); lib.signbit(x);
    lib.floor(x); lib.ceil(x); lib.trunc(x); lib.fix(x); lib.round(halves);
    lib.round(x, decimals=1); lib.frac(x); lib.floor(i); lib.copysign(x, y); lib.copysign(x, -1.0);
    lib.nan_to_num(odd); lib.nan_to_num(odd, nan=1.0, posinf=2.0, neginf=3.0);
    lib.clamp(x, -0.5, 0.5); lib.clamp(x, min=0); lib.clamp(x, max=0.2); lib.clip(x, -1, 1);
    lib.clamp_min(x, 0.1); lib.clamp_max(x, 0.1); lib.clamp(x, y, p); lib.clamp(i, -2, 2);
    x.clamp(min=row); lib.clamp(x, 0.5, -0.5); x.clip(0); lib.maximum(x, row); lib.minimum(x, col);
    lib.fmax(x, y); lib.fmin(x, y); lib.maximum(ties, ties); lib.maximum(i, j);
    lib.fmax(odd, odd.flip(0)); lib.fmin(odd, odd.flip(0)); lib.maximum(odd, odd.flip(0));
    lib.fmax(ties, ties); lib.eq(x, x); lib.ne(x, y); lib.lt(x, y); lib.le(x, row); lib.gt(x, 0);
    lib.ge(i, j); x == y; x != 0; i < 1; 0 < x; lib.not_equal(x, y); lib.less(x, y);
    lib.less_equal(x, y); lib.greater(x, y); lib.greater_equal(x, y); i == 1.0; k == l;
    lib.equal(x, x); lib.equal(x, y); lib.equal(x, row); lib.isclose(x, x + 1e-9);
    lib.isclose(odd, odd, equal_nan=True); lib.isclose(odd, odd); lib.allclose(x, x + 1e-9);
    lib.allclose(x, y); lib.isclose(x, y, rtol=0.5, atol=0.1); lib.isnan(odd); lib.isinf(odd);
    lib.isfinite(odd); lib.isposinf(odd); lib.isneginf(odd); lib.isnan(i); lib.isfinite(i);
    lib.logical_and(x, k); lib.logical_or(i, k); lib.logical_xor(k, l); lib.logical_not(i);
    lib.logical_not(x); lib.bitwise_and(bits, j); lib.bitwise_or(bits, j); lib.bitwise_xor(bits, j);
    lib.bitwise_not(bits); ~k; k & l; k | l; k ^ l; lib.bitwise_left_shift(bits, j);
    lib.bitwise_right_shift(bits, j); bits << 1; bits >> j; lib.bitwise_and(k, l); bits & 3;
    lib.where(k, x, y); lib.where(k, x, 0.0); lib.where(k, 1, x); lib.where(cond, x, row);
    x.where(k, y); lib.where(k, i, j); lib.masked_fill(x, k, 0.5); x.masked_fill(cond, -1e9);
    lib.masked_fill(x, k, s); lib.masked_fill(i, k, 3);

    lib.sum(x); lib.sum(x, 0); lib.sum(x, dim=(0, 1)); lib.sum(x, -1, keepdim=True); lib.sum(i);
    lib.sum(k); lib.sum(e); lib.sum(e, 0); lib.sum(s); lib.sum(s, 0); lib.sum(x, dtype=lib.float64);
    lib.sum(short); lib.sum(byte); b.sum((0, -1)); lib.sum(k, 1); x.sum(dim=[1]); lib.mean(x);
    lib.mean(x, 1); lib.mean(b, (0, 2), keepdim=True); lib.mean(e); lib.mean(e, 0);
    lib.mean(i, dtype=lib.float64); s.mean(-1); lib.prod(x); lib.prod(x, 0);
    lib.prod(x, -1, keepdim=True); lib.prod(holes); lib.prod(holes, 0); lib.prod(holes, 1);
    lib.prod(e, 0); lib.prod(i); lib.var(x); lib.var(x, 0); lib.var(b, (0, 1), unbiased=False);
    lib.var(x, dim=1, correction=0, keepdim=True); x.var(1, True); lib.var(x, dim=1, correction=3);
    lib.std(x); lib.std(x, 1); lib.std(x, dim=0, correction=0); x.std(0, False); lib.var(x, False);
    lib.std(x, False); lib.var_mean(x, 1); lib.std_mean(x, 0); lib.var_mean(x);
    lib.std_mean(x, dim=1, keepdim=True); lib.var(one); lib.std(e, 0); lib.max(x); lib.max(x, 1);
    lib.max(x, dim=0, keepdim=True); lib.max(x, y); x.max(-1); lib.max(i); lib.max(i, 1);
    lib.max(e, 1); lib.min(x); lib.min(x, 1); lib.min(x, y); x.min(0); lib.max(ties); lib.min(ties);
    lib.max(ties, 1); lib.max(s, 0); lib.max(k, 1).values; lib.amax(x); lib.amax(x, 1);
    lib.amax(b, (0, 2)); lib.amin(x, -1, keepdim=True); lib.amax(ties, 1); lib.amin(ties, (0, 1));
    lib.amax(s, 0); lib.aminmax(x); lib.aminmax(x, dim=1, keepdim=True); lib.argmax(x);
    lib.argmax(x, 1); lib.argmax(x, dim=0, keepdim=True); lib.argmin(x, -1); lib.argmax(s);
    lib.argmin(i, 0); lib.any(k); lib.any(k, 0); lib.all(k, 1, keepdim=True); lib.any(x);
    lib.all(i); lib.any(b, (0, 2)); lib.all(e); lib.cumsum(x, 0); lib.cumsum(x, dim=-1);
    lib.cumsum(i, 1); lib.cumsum(k, 0); lib.cumsum(e, 0); lib.cumsum(x, 0, dtype=lib.float64);
    lib.cumsum(s, 0); lib.cumprod(x, 0); lib.cumprod(holes, 1); lib.cumprod(holes, 0);
    lib.cumprod(i, 1); lib.cumprod(s, -1); lib.count_nonzero(i); lib.count_nonzero(k, 1);
    lib.logsumexp(x, 1); lib.logsumexp(b, (0, 2), keepdim=True); lib.logsumexp(far, 0);
    lib.logsumexp(-far, 0); lib.logsumexp(x * 1e4, 1); lib.logsumexp(i, 0); lib.norm(x);
    lib.norm(x, dim=1); lib.norm(x, 1, 0); lib.norm(x, p=3, dim=1, keepdim=True);
    lib.norm(x, float('inf'), 1); x.norm(2, 1); x.norm(); lib.norm(x, 0, 1);
    lib.norm(x, float('-inf'), 1); lib.norm(holes, 2, 1); lib.norm(holes * 0);
    lib.norm(x * 1e-12, 2, 1) * 1e12; lib.norm(b, dim=(0, 2)); lib.median(x); lib.median(x, 1);
    lib.median(v); x.median(0, keepdim=True); lib.median(i, 1).values; lib.kthvalue(x, 2);
    lib.kthvalue(x, 3, 0, True); lib.sort(x); lib.sort(x, 0); lib.sort(x, descending=True);
    lib.sort(x, dim=1, descending=True, stable=True); lib.msort(x); lib.sort(i, stable=True);
    lib.sort(s); lib.argsort(x); lib.argsort(x, dim=0, descending=True); x.sort(1, True);
    lib.sort(ties, dim=1, stable=True); lib.argsort(ties, dim=1, stable=True); lib.sort(e);
    lib.topk(x, 2); lib.topk(x, 3, 0); lib.topk(x, 2, largest=False);
    lib.topk(x, 4, -1, True, True); x.topk(1); lib.topk(i, 1, 0).values; lib.topk(s, 1);

    lib.reshape(x, (2, 6)); lib.reshape(x, (-1,)); x.reshape(2, -1); x.reshape((6, 2));
    x.view(4, 3); x.view(-1); x.view((2, 6)); x.view_as(x.view(4, 3)); x.reshape_as(x.T);
    lib.reshape(e, (0, 2, 2)); s.reshape(1, 1); lib.flatten(b); lib.flatten(b, 1);
    lib.flatten(d4, 1, 2); b.flatten(0, -2); lib.flatten(s); lib.unflatten(x, 1, (2, 2));
    lib.unflatten(x, -1, (2, -1)); x.unflatten(0, (3, 1)); lib.ravel(b); x.T.ravel();
    lib.permute(b, (2, 0, 1)); b.permute(-1, 0, 1); b.permute((1, 0, 2)); lib.transpose(b, 0, -1);
    b.transpose(1, 2); b.mT; x.T; x.t(); lib.t(v); lib.t(x); lib.swapaxes(b, 0, 1);
    lib.swapdims(b, -1, 0); lib.movedim(b, 0, -1); lib.moveaxis(b, (0, 1), (1, 2));
    d4.movedim((0, -1), (-1, 1)); lib.squeeze(tall); lib.squeeze(tall, 0); lib.squeeze(tall, 1);
    lib.squeeze(tall, (0, -2)); tall.squeeze(-2); lib.unsqueeze(x, 0); x.unsqueeze(-1);
    s.unsqueeze(0); s.squeeze(0); col.expand(3, 5); col.expand(2, -1, 4); row.expand(3, 4);
    col.expand_as(x); s.expand(2, 3); lib.broadcast_to(row, (3, 4)); row.broadcast_to((2, 4));
    lib.broadcast_tensors(row, col); x.repeat(2, 1); v.repeat(3); x.repeat(2, 1, 3);
    lib.tile(x, (2,)); lib.tile(x, (1, 2, 1)); x.tile(2, 2); x.tile((2,)); s.repeat(3);
    lib.repeat_interleave(x, 2); lib.repeat_interleave(x, 3, 1);
    lib.repeat_interleave(x, few, dim=0); v.repeat_interleave(2); lib.repeat_interleave(x, few, 0);
    lib.roll(x, 1); lib.roll(x, 1, 0); lib.roll(x, (1, -2), (0, 1)); x.roll(-1, -1);
    lib.flip(x, (0,)); lib.flip(b, (0, -1)); b.flip(1, 2); b.flip((1,)); lib.fliplr(x);
    lib.flipud(x); lib.cat([x, y]); lib.cat((x, y), 1); lib.cat([x, col], dim=-1);
    lib.concat([x, e]); lib.concatenate([v, w]); lib.cat([x, lib.zeros(0)]); lib.cat([i, x]);
    lib.cat([k, i]); lib.stack([x, y]); lib.stack((x, y), 1); lib.stack([x, y], dim=-1);
    lib.hstack([x, y]); lib.hstack([v, w]); lib.vstack([v, w]); lib.vstack([x, row]);
    lib.stack([s, s]); lib.split(x, 2); lib.split(x, [1, 3], 1); lib.split(v, 2);
    x.split(1, dim=-1); lib.chunk(v, 2); lib.chunk(x, 3, 1); v.chunk(4); lib.unbind(x);
    lib.unbind(b, -1); x.unbind(1); lib.tensor_split(v, 3); lib.tensor_split(x, (1, 3), 1);
    v.tensor_split(2); lib.split(e, 2); lib.chunk(e, 2, 1); F.pad(x, (1, 2));
    F.pad(x, (1, 0, 2, 1), value=3.0); F.pad(x, (-1, 1)); F.pad(seq, (2, 1), mode='reflect');
    F.pad(seq, (2, 1), 'replicate'); F.pad(seq, (2, 1), 'circular');
    F.pad(img, (1, 2, 2, 1), mode='reflect'); F.pad(img, (1, 1, 0, 2), mode='replicate');
    F.pad(i, (1, 1)); F.pad(k, (1, 0)); lib.tril(m); lib.tril(n, -1); lib.triu(m, 1);
    lib.triu(b, diagonal=-1); n.tril(2); lib.diagonal(n); lib.diagonal(n, 1);
    lib.diagonal(b, -1, 1, 2); b.diagonal(offset=0, dim1=-1, dim2=0); lib.diag(v); lib.diag(n);
    lib.diag(v, 1); lib.diag(n, -2); lib.diag_embed(x); lib.diag_embed(x, 1, 0, 2); lib.trace(m);
    lib.trace(n); lib.tril(i); m.trace(); lib.atleast_1d(s); lib.atleast_2d(v); lib.atleast_2d(b);
    lib.clone(x); x.contiguous(); x.T.contiguous();

    lib.gather(x, 1, ids); lib.gather(x, 0, ids); x.gather(-1, ids[:, :2]);
    lib.gather(x, 1, ids[:2]); lib.take_along_dim(x, ids, 1); lib.take_along_dim(x, ids[:1], dim=0);
    lib.take_along_dim(x, flat % 3); lib.scatter(x, 1, ids, y); lib.scatter(x, 0, ids[:1], y[:1]);
    lib.scatter(x, 0, ids[:1], y.detach()); x.scatter(1, ids[:, :1], 2.0);
    lib.scatter_add(x, 1, ids, y); x.scatter_add(0, ids[:2, :3], y[:2, :3]);
    x.scatter_add(0, ids[:2, :3], y.detach()); lib.scatter_add(i, 0, ids, j);
    lib.index_select(x, 0, few); x.index_select(-1, few); lib.index_add(x, 0, few, y);
    x.index_add(1, few, y[:, :3], alpha=0.5); lib.index_copy(x, 0, few[:2], y[:2]);
    lib.index_fill(x, 1, few, 0.5); x.index_fill(0, few[:1], 2);
    x.index_put((few[:2], few[:2]), v[:2]); x.index_put((few,), y[:3], accumulate=True);
    lib.index_put(x, (few[:2],), row); lib.take(x, flat); x.take(ids); lib.masked_select(x, k);
    lib.masked_select(x, cond); lib.masked_select(x, never); lib.nonzero(k); lib.nonzero(i);
    k.nonzero(as_tuple=True); lib.argwhere(i); lib.nonzero(s > 9); lib.narrow(x, 1, 1, 2);
    x.narrow(0, -2, 1); lib.select(x, 1, 2); x.select(0, -1); x[0]; x[:, 1]; x[..., -1:]; x[x > 0];
    x[few]; x[few, ids[0, :3]]; x[None, 1:, ::2]; x[:, few]; x[k]; x[cond[:3]];
    lib.searchsorted(v.sort().values, x); lib.searchsorted(v.sort().values, x, right=True);
    lib.bucketize(x, v.sort().values); lib.bucketize(x, v.sort().values, right=True);
    F.one_hot(ids); F.one_hot(few, 4);

    lib.matmul(x, n); lib.matmul(v, v); lib.matmul(x, row); lib.matmul(row, n); lib.matmul(b, c);
    lib.matmul(b, n); lib.matmul(x, c); lib.matmul(row, c); lib.matmul(b, row); x @ n; e @ n;
    i @ i.T; lib.matmul(x.T, y); lib.mm(x, n); lib.mv(x, row); lib.dot(v, w); v.dot(w);
    lib.outer(v, row); lib.inner(v, w); lib.inner(x, y); lib.bmm(b, c); b.bmm(c);
    lib.addmm(y @ n, x, n, beta=0.5, alpha=2); lib.addmm(s, x, n); v.inner(w);
    lib.einsum('ij,jk->ik', x, n); lib.einsum('ij,ij', x, y); lib.einsum('bij,bjk->bk', b, c);
    lib.einsum('ii->i', m); lib.einsum('...i,...i->...', x, y); lib.einsum('i,j->ij', v, w);
    lib.einsum('ij->j', x); lib.einsum('ij,jk,kl', x, m, n); lib.einsum('ij->ji', [x]);
    lib.einsum('bij->b', b); lib.einsum('ii', m); lib.einsum('b...j,jk->b...k', b, n);
    lib.tensordot(b, c, ([2], [1])); lib.tensordot(x, n, 1); lib.tensordot(x, y, dims=2);
    lib.cosine_similarity(x, y); lib.cosine_similarity(x, row[None], dim=1);
    F.cosine_similarity(b, b[:1], dim=-1, eps=1e-6); lib.cdist(x, y); lib.cdist(b, c.mT);
    lib.bilinear(x, y, m[None] * col[..., None], bias3); F.bilinear(x, y, m[None], None);

    lib.relu(x); F.relu(x); x.relu(); F.relu6(big); F.leaky_relu(x); F.leaky_relu(x, 0.3); F.elu(x);
    F.elu(x, alpha=0.5); lib.celu(x, alpha=0.7); lib.selu(x); F.selu(x); F.gelu(x);
    F.gelu(x, approximate='tanh'); F.silu(x); F.mish(x); F.softplus(x); F.softplus(big, 2, 5);
    F.softsign(x); F.hardtanh(x); F.hardtanh(x, -0.3, 0.4); F.hardsigmoid(big); F.hardswish(big);
    lib.sigmoid(x); x.sigmoid(); F.logsigmoid(x); F.threshold(x, 0.1, 5.0);
    lib.threshold(x, 0.1, 5.0); lib.hardshrink(x); F.hardshrink(x, 0.3); F.softshrink(x, 0.2);
    F.tanhshrink(x); F.glu(x); F.glu(x, 1); lib.prelu(x, four); lib.prelu(x, one);
    lib.softmax(x, 1); x.softmax(-1); lib.softmax(b, dim=0); F.softmax(x, dim=1, dtype=lib.float64);
    lib.log_softmax(x, 0); x.log_softmax(dim=1); F.softmin(x, 1); lib.softmax(s, 0);
    lib.softmax(e, 0); lib.softmax(e0, 1); lib.relu(holes); F.relu6(holes * 6 - 12);
    F.hardtanh(holes - 1); F.leaky_relu(holes); F.elu(holes); lib.relu(i); lib.abs(k * 1);
    lib.sigmoid(far); F.logsigmoid(far); F.softplus(far); F.silu(far); F.mish(far); F.gelu(far);
    F.gelu(far, approximate='tanh'); F.elu(far); F.selu(far); lib.celu(far); F.softsign(far);
    lib.softmax(far, 0); lib.log_softmax(far, 0); lib.softmax(-far * 1e3, 0); F.tanhshrink(far);
    F.hardswish(far); lib.expm1(far.clamp(max=80)); lib.log1p(p * 1e-12); lib.atanh(u * 1e-12);
    lib.asinh(far); lib.logit(unit * 1e-5);

    F.linear(x, m); F.linear(x, n.T, four[0].expand(5)); F.linear(b, m, four);
    F.linear(row, m, four); F.linear(e, m); F.linear(e0, m[:2, :3]); F.linear(x, m[:1], one);
    lib.conv1d(seq, k1); F.conv1d(seq, k1, bias6, 2, 1);
    F.conv1d(seq, k1, padding='same', dilation=2); F.conv1d(seq[0], k1, bias6);
    F.conv1d(seq, k1[:, :1], groups=3, stride=3, padding=4); lib.conv2d(img, k2, bias6);
    F.conv2d(img, k2, None, (2, 1), (1, 0)); F.conv2d(img, g2, stride=2, padding=1, groups=2);
    F.conv2d(img, k2, padding='same'); F.conv2d(img, k2, dilation=(2, 3)); F.conv2d(img[0], k2);
    F.conv2d(img, k2[..., :1, :1]); F.conv2d(img, k2, padding='valid', stride=3);
    F.conv2d(img[:0], k2, bias6); F.conv2d(img, k2[:4, :1], groups=4);
    lib.conv_transpose1d(seq, kt1); F.conv_transpose1d(seq, kt1, None, 2, 1, 1);
    F.conv_transpose2d(img, kt2, bias3, 2);
    lib.conv_transpose2d(img, kt2, None, (2, 1), (1, 1), (1, 0));
    F.conv_transpose2d(img, kt2, dilation=2);
    F.conv_transpose2d(img, g2, groups=2, stride=2, output_padding=1); F.max_pool1d(seq, 2);
    lib.max_pool1d(seq, 3, 2, 1); F.max_pool1d(seq, 3, 1, 0, 2);
    F.max_pool1d(seq, 2, 2, 0, 1, True); F.max_pool1d(seq, 3, 2, return_indices=True);
    F.max_pool1d_with_indices(seq, 3, 2); F.max_pool1d(seq[0], 2); F.max_pool2d(img, 2);
    F.max_pool2d(img, (3, 2), (2, 1), (1, 1)); lib.max_pool2d(img, 2, ceil_mode=True);
    F.max_pool2d(img, 2, 1, 0, 2); F.max_pool2d_with_indices(img, 3, 2, 1); F.max_pool2d(img[0], 3);
    F.max_pool2d(img.round(), 3, 1, 1); lib.avg_pool1d(seq, 2); F.avg_pool1d(seq, 3, 2, 1);
    F.avg_pool1d(seq, 3, 2, 1, False, False); F.avg_pool2d(img, 2);
    F.avg_pool2d(img, (3, 2), 2, (1, 0));
    F.avg_pool2d(img, 3, 2, 1, ceil_mode=True, count_include_pad=False);
    F.avg_pool2d(img, 2, divisor_override=3); lib.adaptive_avg_pool1d(seq, 4);
    F.adaptive_avg_pool1d(seq, 1); F.adaptive_avg_pool2d(img, (3, 5));
    F.adaptive_avg_pool2d(img, 1); F.adaptive_avg_pool2d(img, (None, 2));
    F.adaptive_max_pool1d(seq, 4); F.adaptive_max_pool1d(seq, 2);
    F.adaptive_max_pool2d(img, (3, 5)); F.adaptive_max_pool2d(img, (None, 1));
    F.adaptive_avg_pool2d(img[0], 3); F.dropout(x, 0.5, False); lib.dropout(x, 0.0, True);
    lib.dropout(x, 1.0, True); F.dropout1d(seq, 0.5, False); F.dropout2d(img, 0.5, False);
    F.alpha_dropout(x, 0.5, False); lib.alpha_dropout(x, 0.3, False);
    lib.feature_dropout(seq, 0.5, False);
    F.batch_norm(x, four.detach(), pos4.detach(), training=False);
    F.batch_norm(x, None, None, four, pos4, True);
    F.batch_norm(img, four.clone().detach(), pos4.clone().detach(), pos4, four, True, 0.2, 1e-3);
    F.batch_norm(seq, None, None, training=True); F.layer_norm(x, (4,));
    F.layer_norm(b, (3, 4), None, None, 1e-3); F.layer_norm(x, (4,), four, pos4);
    F.layer_norm(e, (4,), four); F.group_norm(img, 2); F.group_norm(img, 4, four, pos4, 1e-3);
    F.group_norm(x, 1); F.instance_norm(img); F.instance_norm(seq, weight=bias3, bias=bias3);
    F.rms_norm(x, (4,)); F.rms_norm(b, (3, 4), None, 1e-3); F.rms_norm(x, (4,), four);
    F.rms_norm(far[None] * 1e-4, (7,)); F.embedding(ids, table);
    F.embedding(ids, table, padding_idx=1); F.embedding(flat[:0], table);
    F.embedding(flat[0], table); F.embedding_bag(ids, table); F.embedding_bag(flat, table, starts);
    F.embedding_bag(flat, table, starts, mode='sum');
    F.embedding_bag(flat, table, starts, mode='max');
    F.embedding_bag(ids, table, mode='sum', per_sample_weights=p);
    F.embedding_bag(flat, table, starts, padding_idx=4);
    F.embedding_bag(flat, table, ends, include_last_offset=True);
    F.scaled_dot_product_attention(b, b * 2, b + 1);
    F.scaled_dot_product_attention(b, b, b, is_causal=True);
    F.scaled_dot_product_attention(b, c.mT, c.mT, scale=0.3);
    F.scaled_dot_product_attention(b, b, b, k[:, :3]); F.scaled_dot_product_attention(x, y, p);
    F.scaled_dot_product_attention(b, b, b, m[:3, :3]);
    F.scaled_dot_product_attention(b, b, b, never[:, :3]);

    F.mse_loss(x, y); F.mse_loss(x, y, reduction='sum'); F.l1_loss(x, y, reduction='none');
    F.l1_loss(holes, holes); F.smooth_l1_loss(x, y, beta=0.5);
    F.huber_loss(x, y, reduction='sum', delta=0.5); F.smooth_l1_loss(x, y, beta=0.0);
    F.binary_cross_entropy(unit, unit.flip(0));
    F.binary_cross_entropy(unit, unit.round().detach(), row.abs().detach());
    F.binary_cross_entropy_with_logits(x, unit);
    F.binary_cross_entropy_with_logits(x, unit, pos_weight=pos4.detach(), reduction='none');
    F.binary_cross_entropy_with_logits(far, far.sign().clamp(0, 1), reduction='none');
    F.kl_div(x, unit, reduction='batchmean');
    F.kl_div(x, unit.log(), reduction='sum', log_target=True); F.soft_margin_loss(x, signs);
    F.hinge_embedding_loss(x, signs, 0.5); F.margin_ranking_loss(x, y, signs, 0.2);
    F.multi_margin_loss(x, labels, 2, 0.5); F.soft_margin_loss(x, signs, reduction='none');
    F.cross_entropy(x, labels); F.cross_entropy(x, labels, pos4.detach(), reduction='sum');
    F.cross_entropy(x, labels, ignore_index=0, reduction='none');
    F.cross_entropy(x, labels, label_smoothing=0.2); F.cross_entropy(x, unit);
    F.cross_entropy(b, b_labels, label_smoothing=0.1);
    F.cross_entropy(x * 1e4, labels, reduction='none'); F.cross_entropy(x * 1e4, labels);
    F.nll_loss(x, labels); F.nll_loss(x, labels, pos4.detach(), reduction='none');
    F.cross_entropy(d4, d4_labels);
    F.cross_entropy(d4, d4_labels, bias3.abs().detach(), reduction='none');
    F.cross_entropy(row, labels[0]);
"""


def cases() -> list[str]:
    return [case.strip() for case in re.split(r";\s", CASES) if case.strip()]


# PyTorch computes these with constants of float32
LOOSE = ("lib.celu(x, alpha=0.7)", "F.hardsigmoid(big)")


class Inputs(dict[str, Any]):
    """The arrays, each made a tensor when a case asks for it."""

    def __init__(self, lib: Any, kind: str) -> None:
        super().__init__(lib=lib, F=lib.nn.functional, float=float)
        self.kind = kind
        self.leaves: dict[str, Any] = {}

    def __missing__(self, name: str) -> Any:
        if name not in ARRAYS:
            raise KeyError(name)
        array = ARRAYS[name].copy()
        learns = array.dtype.kind == "f" and name not in FIXED
        if array.dtype.kind == "f":
            array = array.astype(self.kind)
        made = torch.tensor(array) if self["lib"] is torch else Tensor(array)
        if learns:
            made.requires_grad_()
            self.leaves[name] = made
        self[name] = made
        return made


def parts(value: Any) -> list[Any]:
    """The results, in order: of pairs and lists each one."""
    if isinstance(value, (tuple, list)):
        return [part for each in value for part in parts(each)]
    return [value]


def weights(shape: tuple[int, ...]) -> Any:
    """How much each element counts: unevenly, so that none can hide."""
    return np.random.default_rng(5).uniform(0.5, 1.5, shape)


def score(results: list[Any], lib: Any) -> Any:
    """One number that every element of every result has a different say in."""
    total = 0
    for y in results:
        if getattr(y, "requires_grad", False):
            w = weights(tuple(y.shape))
            total = (
                total
                + (y * (torch.tensor(w).to(y.dtype) if lib is torch else w.astype(y.dtype))).sum()
            )
    return total


def run(code: str, lib: Any, kind: str) -> tuple[list[Any], dict[str, Any]]:
    """The results of a case, and the gradient of each leaf that took part."""
    inputs = Inputs(lib, kind)
    results = parts(eval(code, {}, inputs))
    total = score(results, lib)
    if getattr(total, "requires_grad", False):
        total.backward()
    return results, {name: leaf.grad for name, leaf in inputs.leaves.items()}


def close(found: Any, expected: Any, exact: bool, what: str) -> None:
    rtol, atol = (1e-9, 1e-11) if exact else (2e-4, 2e-5)
    np.testing.assert_allclose(found, expected, rtol, atol, err_msg=what)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("code", cases())
def test_as_pytorch(code: str, kind: str) -> None:
    expected, their_slopes = run(code, torch, kind)
    found, our_slopes = run(code, pellucid, kind)
    exact = kind == "float64" and code not in LOOSE
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        if not isinstance(theirs, torch.Tensor):
            assert ours == theirs
            continue
        assert isinstance(ours, Tensor)
        assert ours.shape == tuple(theirs.shape)
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        if theirs.requires_grad:
            assert ours.requires_grad
        close(ours.detach().numpy(), theirs.detach().numpy(), exact, "result")
    for name, theirs in their_slopes.items():
        ours = our_slopes[name]
        if theirs is None or ours is None:
            assert theirs is None or not np.any(theirs.numpy()), f"no gradient for {name}"
            assert ours is None or not np.any(ours.numpy()), f"an unexpected gradient for {name}"
            continue
        assert ours.dtype == kind
        close(ours.numpy(), theirs.numpy(), exact, f"gradient of {name}")


# ------------------------------------------------------------------------------- nothing left out

# what PyTorch has under the same name, but calls otherwise or only inside: see test_parity_nn
ELSEWHERE = {"gru_cell", "lstm_cell"}


def test_every_operation_that_pytorch_has_is_compared() -> None:
    named = set(re.findall(r"\.(\w+)", CASES))
    both = {
        name
        for name in ops.__all__
        if any(hasattr(lib, name) for lib in (torch, torch.nn.functional, torch.Tensor))
    }
    assert both - named - ELSEWHERE == set()


PROMISED = re.findall(
    r"\w+",
    """
    add sub mul div floor_divide remainder fmod neg reciprocal pow square sqrt rsqrt
    eq ne lt le gt ge isclose allclose equal
    exp exp2 expm1 log log2 log10 log1p logaddexp
    sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf erfc erfinv
    clamp clip where masked_fill maximum minimum abs sign floor ceil round trunc
    sum mean prod var std max min amax amin argmax argmin any all cumsum cumprod logsumexp norm
    sort argsort topk
    reshape view flatten unflatten permute transpose mT squeeze unsqueeze expand repeat tile roll
    flip cat stack split chunk unbind pad tril triu diagonal
    gather scatter_add index_select take_along_dim
    matmul dot outer bmm einsum
    relu leaky_relu elu selu gelu silu mish softplus softsign hardtanh relu6 sigmoid logsigmoid
    softmax log_softmax linear conv1d conv2d conv_transpose2d
    max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_max_pool1d adaptive_max_pool2d dropout batch_norm layer_norm group_norm rms_norm
    embedding embedding_bag scaled_dot_product_attention cross_entropy
    """,
)


@pytest.mark.parametrize("name", PROMISED)
def test_it_has_pytorchs_name_as_function_and_as_method(name: str) -> None:
    functions = [lib for lib in (torch, torch.nn.functional) if hasattr(lib, name)]
    assert functions or hasattr(torch.Tensor, name), "the name is PyTorch's"
    if functions:
        assert callable(getattr(pellucid, name))
    if hasattr(torch.nn.functional, name) and not hasattr(torch, name):
        assert callable(getattr(pellucid.nn.functional, name))
    if hasattr(torch.Tensor, name):
        assert hasattr(Tensor, name)


def test_layers_over_sequences_have_pytorchs_names() -> None:
    for name in ("RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell"):
        assert isinstance(getattr(pellucid.nn, name), type)


def test_methods_of_operations_are_methods_here_too() -> None:
    """A function that PyTorch also has as a method is a method here."""
    ours = {name for name in ops.__all__ if callable(getattr(ops, name))}
    lacking = {n for n in ours if hasattr(torch.Tensor, n) and not hasattr(Tensor, n)}
    assert lacking == set()
