"""Layers one by one: how they look, behave in training and in use, change type, and refuse."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Tensor, nn
from pellucid.errors import AnomalyError, ArgumentError, DTypeError, PellucidWarning, ShapeError

# how each looks; and a shape that it takes, where it takes one tensor
LAYERS: dict[str, tuple[str, tuple[int, ...] | None]] = {
    "Linear(2, 3)": ("Linear(2 -> 3)", (4, 2)),
    "Linear(2, 3, bias=False)": ("Linear(2 -> 3, bias=False)", (4, 2)),
    "Bilinear(2, 3, 4)": ("Bilinear(2 x 3 -> 4)", None),
    "Identity()": ("Identity()", (2,)),
    "Flatten()": ("Flatten()", (2, 3, 4)),
    "Flatten(0, 1)": ("Flatten(start_dim=0, end_dim=1)", (2, 3, 4)),
    "Unflatten(1, (2, 3))": ("Unflatten(dim=1, unflattened_size=(2, 3))", (4, 6)),
    "Conv1d(2, 4, 3)": ("Conv1d(2 -> 4, kernel_size=(3,))", (1, 2, 5)),
    "Conv2d(2, 4, (3, 1), stride=2, groups=2, bias=False)": (
        "Conv2d(2 -> 4, kernel_size=(3, 1), stride=(2, 2), groups=2, bias=False)",
        (1, 2, 5, 5),
    ),
    "ConvTranspose1d(2, 4, 3)": ("ConvTranspose1d(2 -> 4, kernel_size=(3,))", (1, 2, 5)),
    "ConvTranspose2d(2, 4, 3, padding=1)": (
        "ConvTranspose2d(2 -> 4, kernel_size=(3, 3), padding=(1, 1))",
        (1, 2, 5, 5),
    ),
    "MaxPool1d(2)": ("MaxPool1d(kernel_size=2)", (1, 2, 5)),
    "MaxPool2d(2, 1)": ("MaxPool2d(kernel_size=2, stride=1)", (1, 2, 5, 5)),
    "AvgPool1d(2)": ("AvgPool1d(kernel_size=2)", (1, 2, 5)),
    "AvgPool2d(2)": ("AvgPool2d(kernel_size=2)", (1, 2, 5, 5)),
    "AdaptiveAvgPool1d(3)": ("AdaptiveAvgPool1d(output_size=3)", (1, 2, 5)),
    "AdaptiveAvgPool2d(2)": ("AdaptiveAvgPool2d(output_size=2)", (1, 2, 5, 5)),
    "AdaptiveMaxPool1d(3)": ("AdaptiveMaxPool1d(output_size=3)", (1, 2, 5)),
    "AdaptiveMaxPool2d(2)": ("AdaptiveMaxPool2d(output_size=2)", (1, 2, 5, 5)),
    "BatchNorm1d(3)": ("BatchNorm1d(3)", (4, 3)),
    "BatchNorm2d(3, momentum=None)": ("BatchNorm2d(3, momentum=None)", (4, 3, 2, 2)),
    "LayerNorm(5)": ("LayerNorm((5,))", (2, 5)),
    "RMSNorm((2, 3), eps=0.1)": ("RMSNorm((2, 3), eps=0.1)", (4, 2, 3)),
    "GroupNorm(2, 4)": ("GroupNorm(2 groups of 4 channels)", (2, 4, 3)),
    "InstanceNorm1d(3)": (
        "InstanceNorm1d(3, affine=False, track_running_stats=False)",
        (2, 3, 4),
    ),
    "InstanceNorm2d(3, affine=True, track_running_stats=True)": ("InstanceNorm2d(3)", (2, 3, 4, 4)),
    "Embedding(7, 3, padding_idx=-1)": ("Embedding(7 x 3, padding_idx=6)", None),
    "EmbeddingBag(7, 3, mode='max')": ("EmbeddingBag(7 x 3, mode=max)", None),
    "RNN(3, 4, nonlinearity='relu')": ("RNN(3 -> 4, nonlinearity=relu)", (5, 2, 3)),
    "GRU(3, 4, 2, bias=False)": ("GRU(3 -> 4, num_layers=2, bias=False)", (5, 2, 3)),
    "LSTM(3, 4, batch_first=True)": ("LSTM(3 -> 4, batch_first=True)", (5, 2, 3)),
    "RNNCell(3, 4)": ("RNNCell(3 -> 4)", (2, 3)),
    "GRUCell(3, 4, bias=False)": ("GRUCell(3 -> 4, bias=False)", (2, 3)),
    "LSTMCell(3, 4)": ("LSTMCell(3 -> 4)", (2, 3)),
    "MultiheadAttention(8, 2)": (
        "MultiheadAttention(\n  8, 2 heads\n  (out_proj): Linear(8 -> 8)\n)",
        None,
    ),
    "TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 3), 1)": (
        "TransformerEncoder(\n  (layers): ModuleList(\n    (0): TransformerEncoderLayer(\n"
        "      (self_attn): MultiheadAttention(\n        4, 2 heads\n"
        "        (out_proj): Linear(4 -> 4)\n      )\n      (linear1): Linear(4 -> 3)\n"
        "      (dropout): Dropout(p=0.1)\n      (linear2): Linear(3 -> 4)\n"
        "      (norm1): LayerNorm((4,))\n      (norm2): LayerNorm((4,))\n"
        "      (dropout1): Dropout(p=0.1)\n      (dropout2): Dropout(p=0.1)\n    )\n  )\n)",
        (5, 2, 4),
    ),
    "Dropout(0.1)": ("Dropout(p=0.1)", (2, 3)),
    "Dropout1d()": ("Dropout1d(p=0.5)", (2, 3, 4)),
    "Dropout2d()": ("Dropout2d(p=0.5)", (2, 3, 4, 4)),
    "AlphaDropout()": ("AlphaDropout(p=0.5)", (2, 3)),
    "PReLU(3)": ("PReLU(num_parameters=3)", (2, 3)),
    "Softmax(1)": ("Softmax(dim=1)", (2, 3)),
    "LogSoftmax(-1)": ("LogSoftmax(dim=-1)", (2, 3)),
    "Softmin(0)": ("Softmin(dim=0)", (2, 3)),
    "ELU(0.5)": ("ELU(alpha=0.5)", (2, 3)),
    "CELU()": ("CELU(alpha=1.0)", (2, 3)),
    "LeakyReLU(0.2)": ("LeakyReLU(negative_slope=0.2)", (2, 3)),
    "Hardtanh()": ("Hardtanh(min_val=-1.0, max_val=1.0)", (2, 3)),
    "Hardshrink()": ("Hardshrink(lambd=0.5)", (2, 3)),
    "Softshrink(0.1)": ("Softshrink(lambd=0.1)", (2, 3)),
    "Softplus()": ("Softplus(beta=1.0, threshold=20.0)", (2, 3)),
    "Threshold(1, 2)": ("Threshold(threshold=1, value=2)", (2, 3)),
    "GELU('tanh')": ("GELU(approximate='tanh')", (2, 3)),
    "GLU()": ("GLU(dim=-1)", (2, 4)),
    **{
        f"{name}()": (f"{name}()", (2, 3))
        for name in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish", "Sigmoid",
                     "LogSigmoid", "Tanh", "Softsign", "Tanhshrink")
    },
    "MSELoss(reduction='sum')": ("MSELoss(reduction='sum')", None),
    "CrossEntropyLoss([1.0, 2.0], label_smoothing=0.1)": (
        "CrossEntropyLoss(weight=(2,), label_smoothing=0.1)",
        None,
    ),
    "HuberLoss(delta=2.0)": ("HuberLoss(delta=2.0)", None),
    "HingeLoss()": ("HingeLoss()", None),
    "ModuleDict({'a': nn.ReLU()})": ("ModuleDict(\n  (a): ReLU()\n)", None),
}  # fmt: skip


def layer(code: str) -> Any:
    return eval(f"nn.{code}", {"nn": nn})


@pytest.mark.parametrize("code", LAYERS)
def test_how_it_looks(code: str) -> None:
    assert repr(layer(code)) == LAYERS[code][0]


TAKERS = {code: shape for code, (_, shape) in LAYERS.items() if shape is not None}


def first(result: Any) -> Tensor:
    return result if isinstance(result, Tensor) else first(result[0])


def sample(shape: tuple[int, ...], dtype: Any = np.float32) -> Tensor:
    return Tensor(np.random.default_rng(1).normal(size=shape).astype(dtype))


@pytest.mark.parametrize("code", TAKERS)
def test_in_either_type_of_number(code: str) -> None:
    made = layer(code)
    for dtype in (np.float64, np.float32):
        assert made.to(dtype) is made
        result = first(made(sample(TAKERS[code], dtype)))
        assert result.dtype == dtype
        assert all(t.dtype == dtype for t in made.parameters())


@pytest.mark.parametrize("code", TAKERS)
def test_a_copy_is_another_layer_with_the_same_answer(code: str) -> None:
    made = layer(code).eval()
    twin = copy.deepcopy(made)
    x = sample(TAKERS[code])
    assert first(made(x)).tolist() == first(twin(x)).tolist()
    assert not {id(p) for p in made.parameters()} & {id(p) for p in twin.parameters()}
    for parameter in twin.parameters():
        parameter.numpy()[...] = 7
    assert all((p.numpy() != 7).any() for p in made.parameters())


@pytest.mark.parametrize("code", TAKERS)
def test_in_use_the_answer_is_always_the_same(code: str) -> None:
    made = layer(code).eval()
    x = sample(TAKERS[code])
    state = {k: v.clone() for k, v in made.state_dict().items()}
    random = pellucid.get_rng_state()["state"]["state"].tolist()
    assert first(made(x)).tolist() == first(made(x)).tolist()
    for key, value in made.state_dict().items():
        assert value.tolist() == state[key].tolist(), f"{key} changed in use"
    assert pellucid.get_rng_state()["state"]["state"].tolist() == random


@pytest.mark.parametrize("code", TAKERS)
def test_hooks_hear_of_every_layer(code: str) -> None:
    made, heard = layer(code), []
    before = made.register_forward_pre_hook(lambda m, x: heard.append("before"))
    after = made.register_forward_hook(lambda m, x, y: heard.append("after"))
    made(sample(TAKERS[code]))
    before.remove(), after.remove()
    made(sample(TAKERS[code]))
    assert heard == ["before", "after"]


def test_first_weights_follow_the_seed() -> None:
    for code in ("Linear(4, 3)", "Conv2d(2, 4, 3)", "LSTM(3, 4)", "MultiheadAttention(8, 2)"):
        made = []
        for seed in (1, 1, 2):
            pellucid.manual_seed(seed)
            made.append([p.tolist() for p in layer(code).parameters()])
        assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Linear(0, 3)", "in_features"),
        ("Linear(3, 2.5)", "out_features"),
        ("Linear(3, True)", "out_features"),
        ("Conv2d(3, 4, 0)", "kernel_size"),
        ("Conv2d(3, 4, (2, 2, 2))", "kernel_size"),
        ("Conv2d(3, 4, 3, groups=2)", "2 groups cannot share 3 channels in and 4 out"),
        ("Conv2d(3, 4, 3, padding='some')", "padding"),
        ("Conv2d(3, 4, 3, padding='same', stride=2)", "same"),
        ("Conv2d(3, 4, 3, padding_mode='mirror')", "padding_mode"),
        ("GroupNorm(3, 4)", "3 groups cannot share 4 channels"),
        ("LayerNorm(0)", "normalized_shape"),
        ("Embedding(0, 3)", "num_embeddings"),
        ("Embedding(7, 3, padding_idx=7)", "padding_idx 7 is none of the 7 rows"),
        ("EmbeddingBag(7, 3, mode='median')", "'median'"),
        ("RNN(3, 4, nonlinearity='sin')", '"tanh" or "relu", not \'sin\''),
        ("LSTM(3, 4, 0)", "num_layers"),
        ("LSTM(3, 4, 2, dropout=1.5)", "dropout is a probability"),
        ("MultiheadAttention(8, 3)", "3 heads cannot share embed_dim 8"),
        ("MultiheadAttention(8, 2, dropout=1.0)", "dropout is from 0 to below 1"),
        ("TransformerEncoderLayer(8, 2, activation='sin')", "'sin'"),
        ("TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 0)", "num_layers"),
        ("Dropout(1.5)", "probability, from 0 to 1, not 1.5"),
        ("Dropout(-0.1)", "probability"),
    ],
)
def test_sizes_and_settings_that_make_no_sense(code: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        layer(code)


# ------------------------------------------------------------------------- in training, and in use


@pytest.mark.parametrize("kind", ["Dropout", "Dropout1d", "Dropout2d"])
def test_dropout_leaves_out_its_share_and_keeps_the_sum(kind: str) -> None:
    pellucid.manual_seed(2)
    x = pellucid.ones(40, 50, *[5] * {"Dropout": 1, "Dropout1d": 1, "Dropout2d": 2}[kind])
    made = getattr(nn, kind)(0.3)
    y = made(x).numpy()
    assert set(np.unique(y)) == {0, np.float32(1 / 0.7)}
    whole = kind != "Dropout"
    units = y.reshape(2000, -1)[:, :1] if whole else y
    assert (units == 0).mean() == pytest.approx(0.3, abs=0.05)
    if whole:  # a channel is left out as a whole
        assert (y.reshape(2000, -1) == y.reshape(2000, -1)[:, :1]).all()
    assert y.mean() == pytest.approx(1, abs=0.05)
    assert made(x).tolist() != y.tolist()
    assert made.eval()(x).tolist() == x.tolist()
    assert nn.Dropout(0.0)(x).tolist() == x.tolist()
    assert not nn.Dropout(1.0)(x).numpy().any()


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    pellucid.manual_seed(2)
    x = pellucid.randn(400, 500)
    y = nn.AlphaDropout(0.2)(x).numpy()
    assert abs(y.mean()) < 0.02
    assert y.std() == pytest.approx(1, abs=0.02)


def test_dropout_takes_the_same_way_back() -> None:
    x = pellucid.ones(100, requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_batch_norm_learns_its_statistics_in_training_only() -> None:
    norm = nn.BatchNorm1d(2)
    x = Tensor(np.array([[1.0, 10.0], [3.0, 30.0]], np.float32))
    y = norm(x).numpy()
    np.testing.assert_allclose(y, [[-1, -1], [1, 1]], atol=1e-4)
    np.testing.assert_allclose(norm.running_mean.numpy(), [0.2, 2.0], rtol=1e-6)
    np.testing.assert_allclose(norm.running_var.numpy(), [0.9 + 0.1 * 2, 0.9 + 0.1 * 200])
    assert norm.num_batches_tracked.item() == 1
    norm.eval()
    used = norm(x).numpy()
    expected = (x.numpy() - [0.2, 2.0]) / np.sqrt([1.1 + 1e-5, 20.9 + 1e-5])
    np.testing.assert_allclose(used, expected, rtol=1e-5)
    assert norm.num_batches_tracked.item() == 1
    norm.reset_running_stats()
    assert norm.running_mean.tolist() == [0, 0]


def test_one_example_has_no_variance() -> None:
    with pytest.raises(ShapeError, match="1"):
        nn.BatchNorm1d(2)(pellucid.ones(1, 2))
    assert nn.BatchNorm1d(2).eval()(pellucid.ones(1, 2)).shape == (1, 2)


def test_recurrent_dropout_between_layers_only_in_training() -> None:
    with pytest.warns(PellucidWarning, match="only one, so nothing is left out"):
        nn.LSTM(3, 4, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        deep = nn.GRU(3, 8, 2, dropout=0.5)
    x = sample((5, 2, 3))
    assert deep(x)[0].tolist() != deep(x)[0].tolist()
    deep.eval()
    assert deep(x)[0].tolist() == deep(x)[0].tolist()


def test_states_of_the_wrong_shape_are_named() -> None:
    with pytest.raises(ShapeError, match=r"h0 is \(layers \* directions, N, hidden_size\)"):
        nn.GRU(3, 4)(pellucid.zeros(5, 2, 3), pellucid.zeros(2, 4))
    with pytest.raises(ShapeError, match=r"the state is a pair \(h0, c0\)"):
        nn.LSTM(3, 4)(pellucid.zeros(5, 2, 3), pellucid.zeros(1, 2, 4))
    with pytest.raises(ShapeError, match=r"takes \(N, T, features\)"):
        nn.RNN(3, 4, batch_first=True)(pellucid.zeros(5, 2, 9))


def test_a_cell_step_by_step_is_the_layer() -> None:
    for whole, cell in (
        (nn.RNN(3, 4), nn.RNNCell(3, 4)),
        (nn.GRU(3, 4), nn.GRUCell(3, 4)),
        (nn.LSTM(3, 4), nn.LSTMCell(3, 4)),
    ):
        cell.load_state_dict({k.removesuffix("_l0"): v for k, v in whole.state_dict().items()})
        x, state = sample((6, 2, 3)), None
        states, _ = whole(x)
        for t in range(6):
            state = cell(x[t], state)
            np.testing.assert_allclose(
                first(state).detach().numpy(), states[t].detach().numpy(), rtol=1e-5, atol=1e-6
            )


def test_embedding_tables_from_elsewhere() -> None:
    table = np.arange(12.0).reshape(4, 3)
    frozen = nn.Embedding.from_pretrained(table)
    assert frozen(Tensor([2, 0])).tolist() == [[6, 7, 8], [0, 1, 2]]
    assert not frozen.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(ShapeError, match="takes a table"):
        nn.Embedding.from_pretrained(np.zeros(3))
    padded = nn.Embedding(5, 2, padding_idx=1)
    assert padded.weight[1].tolist() == [0, 0]
    padded(Tensor([1, 1, 3])).sum().backward()
    assert padded.weight.grad.tolist() == [[0, 0], [0, 0], [0, 0], [1, 1], [0, 0]]


def test_softmax_needs_an_axis() -> None:
    for kind in (nn.Softmax, nn.LogSoftmax, nn.Softmin):
        with pytest.raises(ArgumentError, match=rf"{kind.__name__}\(dim=-1\)"):
            kind()(pellucid.zeros(2, 3))


# -------------------------------------------------------------------------------------- attention


def attention(**settings: Any) -> tuple[nn.MultiheadAttention, Tensor]:
    pellucid.manual_seed(3)
    made = nn.MultiheadAttention(8, 2, batch_first=True, **settings).double()
    return made, sample((3, 5, 8), np.float64)


def test_attention_by_hand() -> None:
    made, x = attention()
    mixed, weights = made(x, x, x, average_attn_weights=False)
    w, b = made.in_proj_weight.numpy(), made.in_proj_bias.numpy()
    q, k, v = (
        (x.numpy() @ w[i : i + 8].T + b[i : i + 8]).reshape(3, 5, 2, 4).transpose(0, 2, 1, 3)
        for i in (0, 8, 16)
    )
    scores = np.exp(q @ k.transpose(0, 1, 3, 2) / math.sqrt(4))
    shares = scores / scores.sum(-1, keepdims=True)
    joined = (shares @ v).transpose(0, 2, 1, 3).reshape(3, 5, 8)
    np.testing.assert_allclose(weights.numpy(), shares, rtol=1e-9)
    expected = joined @ made.out_proj.weight.numpy().T + made.out_proj.bias.numpy()
    np.testing.assert_allclose(mixed.detach().numpy(), expected, rtol=1e-9)


def test_weights_of_attention_are_shares_and_the_fast_way_is_the_same() -> None:
    made, x = attention()
    causal = np.triu(np.ones((5, 5), bool), 1)
    padding = np.zeros((3, 5), bool)
    padding[1, 3:] = True
    for masks in (
        {},
        {"attn_mask": causal},
        {"key_padding_mask": padding},
        {"attn_mask": causal, "key_padding_mask": padding},
        {"is_causal": True},
    ):
        mixed, weights = made(x, x, x, **masks)
        np.testing.assert_allclose(weights.numpy().sum(-1), 1)
        fast, nothing = made(x, x, x, need_weights=False, **masks)
        assert nothing is None
        np.testing.assert_allclose(fast.detach().numpy(), mixed.detach().numpy(), rtol=1e-8)
        if "attn_mask" in masks or "is_causal" in masks:
            assert not weights.numpy()[:, causal].any()
        if "key_padding_mask" in masks:
            assert not weights.numpy()[1, :, 3:].any()


def test_who_may_look_at_nobody_takes_nothing() -> None:
    made, x = attention()
    alone = np.ones((5, 5), bool)
    alone[1:, 0] = False  # position 0 sees nobody
    x = x.detach().requires_grad_()
    for fast in (False, True):
        mixed, weights = made(x, x, x, attn_mask=alone, need_weights=not fast)
        assert np.isfinite(mixed.detach().numpy()).all()
        np.testing.assert_allclose(
            mixed[:, 0].detach().numpy(), np.tile(made.out_proj.bias, (3, 1))
        )
        if weights is not None:
            assert not weights.numpy()[:, 0].any()
        x.grad = None
        mixed.sum().backward()
        assert np.isfinite(x.grad.numpy()).all()


def test_attention_s_dropout_is_for_training() -> None:
    made, x = attention(dropout=0.5)
    assert made(x, x, x)[0].tolist() != made(x, x, x)[0].tolist()
    made.eval()
    assert made(x, x, x)[0].tolist() == made(x, x, x)[0].tolist()


def test_masks_that_do_not_fit() -> None:
    made, x = attention()
    with pytest.raises(ShapeError, match=r"attn_mask is \(L, S\) = \(5, 5\)"):
        made(x, x, x, attn_mask=np.zeros((4, 5), bool))
    with pytest.raises(ShapeError, match=r"key_padding_mask is \(N, S\) = \(3, 5\)"):
        made(x, x, x, key_padding_mask=np.zeros((5, 3), bool))
    with pytest.raises(DTypeError, match="attn_mask is boolean"):
        made(x, x, x, attn_mask=np.zeros((5, 5), int))
    with pytest.raises(ShapeError, match="two axes each"):
        made(x, x[0], x[0])
    with pytest.raises(ShapeError, match="9 is not 8"):
        made(pellucid.zeros(3, 5, 9, dtype=np.float64), x, x)


def test_an_encoder_of_copies() -> None:
    one = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    two = nn.TransformerEncoder(one, 2, nn.LayerNorm(8))
    assert two.layers[0] is not one
    x = sample((3, 5, 8))
    expected = two.norm(one(one(x)))  # all start as copies
    np.testing.assert_allclose(
        two(x).detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    causal = two(x, is_causal=True)
    changed = x.clone()
    changed[:, 4] = 0
    assert (
        causal[:, :4].tolist() == two(changed, is_causal=True)[:, :4].tolist()
    )  # no looking ahead
    gelu = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", norm_first=True)
    own = nn.TransformerEncoderLayer(8, 2, 16, 0.0, pellucid.gelu, norm_first=True)
    own.load_state_dict(gelu.state_dict())
    assert gelu(x).tolist() == own(x).tolist()


# --------------------------------------------------------------------------------------- clipping


def with_gradients(*gradients: Any) -> list[Tensor]:
    found = []
    for g in gradients:
        p = Tensor(np.zeros(np.shape(g)), requires_grad=True)
        p.grad = Tensor(np.array(g, float))
        found.append(p)
    return found


def test_long_gradients_are_shortened_together() -> None:
    a, b = with_gradients([3.0, 0.0], [[4.0]])
    without = pellucid.zeros(2, requires_grad=True)
    assert nn.utils.clip_grad_norm_([a, b, without], 1.0).item() == 5.0
    np.testing.assert_allclose([*a.grad.tolist(), b.grad.item()], [0.6, 0, 0.8], rtol=1e-6)
    assert without.grad is None
    assert nn.utils.clip_grad_norm_(iter([a, b]), 2.0).item() == pytest.approx(1.0)
    np.testing.assert_allclose(a.grad.tolist(), [0.6, 0], rtol=1e-6)  # short ones stay
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0


def test_other_lengths_than_the_usual() -> None:
    for p, length in ((1, 7.0), (2, 5.0), (3, (27 + 64) ** (1 / 3)), (math.inf, 4.0)):
        a, b = with_gradients([3.0, 0.0], [[-4.0]])
        found = nn.utils.clip_grad_norm_([a, b], 1.0, norm_type=p)
        assert found.item() == pytest.approx(length)
        again = nn.utils.clip_grad_norm_([a, b], 9.0, norm_type=p)
        assert again.item() == pytest.approx(1.0, rel=1e-5)


def test_single_numbers_are_cut() -> None:
    a, b = with_gradients([3.0, -0.1], [[-4.0]])
    nn.utils.clip_grad_value_([a, b], 0.5)
    assert (a.grad.tolist(), b.grad.tolist()) == ([0.5, -0.1], [[-0.5]])
    nn.utils.clip_grad_value_(a, 0.25)  # a single tensor will do
    assert a.grad.tolist() == [0.25, -0.1]


def test_clipping_what_cannot_be_clipped() -> None:
    (bad,) = with_gradients([math.inf, 1.0])
    with pytest.raises(AnomalyError, match="length is inf"):
        nn.utils.clip_grad_norm_([bad], 1.0, error_if_nonfinite=True)
    assert bad.grad.tolist() == [math.inf, 1.0]
    for norm in (-1.0, math.nan):
        with pytest.raises(ArgumentError, match="max_norm is 0 or more"):
            nn.utils.clip_grad_norm_([bad], norm)
        with pytest.raises(ArgumentError, match="clip_value is 0 or more"):
            nn.utils.clip_grad_value_([bad], norm)
    for kind in (0, -1, math.nan):
        with pytest.raises(ArgumentError, match="norm_type is above 0"):
            nn.utils.clip_grad_norm_([bad], 1.0, norm_type=kind)


def test_parameters_as_one_vector() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (13,)
    vector.sum().backward()
    assert (net[0].weight.grad.numpy() == 1).all()
    nn.utils.vector_to_parameters(Tensor(np.arange(13.0)), net.parameters())
    assert net[0].weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert net[1].bias.tolist() == [12]
    with pytest.raises(ShapeError, match=r"have 13 numbers, and the vector has shape \(12,\)"):
        nn.utils.vector_to_parameters(Tensor(np.zeros(12)), net.parameters())


def test_the_same_layer_twice_in_a_row_can_be_replaced_once() -> None:
    same = nn.Tanh()
    net = nn.Sequential(same, same)
    net[1] = nn.ReLU()
    assert net[0] is same
    assert isinstance(net[1], nn.ReLU)
