"""One layer of ESM on a CPU: the numbers of `transformers`, in far fewer passes over memory.

::

    hidden ─> norm ─> query, key ─> turned by position ┐
      │            └> value ───────────────────────────┴> attention ─> dense ─> + ─> norm ─> …
      └─────────────────────────────────────────────────────────────────────────┘

Matrix products are fast there: most of the time went into the steps between them.
"""

from functools import cache
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn
from torch.nn import functional

from peftide.backbones.int8_products import Int8Linear, round_once
from peftide.hardware import native_half
from peftide.native import passes
from peftide.native.attention import is_compiled
from peftide.native.int8 import Int8Rows
from peftide.packing import packed_attention


def use_few_passes(model: Any) -> None:
    """Let the layers of an ESM compute as here when their input is on a CPU."""
    for layer in model.encoder.layer:
        layer.__class__ = few_passes_class()


@cache
def few_passes_class() -> type[nn.Module]:
    """Return the class of these layers.

    It is a subclass, so that hooks, gradient checkpointing and sharding act as on any layer.
    """
    from transformers.models.esm.modeling_esm import EsmLayer

    class FewPassesEsmLayer(EsmLayer):
        def forward(self, hidden_states: Tensor, *inputs: Any, **options: Any) -> Tensor:
            if hidden_states.device.type != "cpu":
                return super().forward(hidden_states, *inputs, **options)
            return forward(self, hidden_states, **options)

    return FewPassesEsmLayer


def forward(
    layer: Any,
    hidden_states: Float[Tensor, "1 N D"],
    *,
    position_embeddings: tuple[Tensor, Tensor] | None = None,
    **options: Any,
) -> Float[Tensor, "1 N D"]:
    """Return the hidden states after a layer.

    It calls every module of the layer as a module, so adapters act as they do in `transformers`.
    """
    attention, hidden = layer.attention, hidden_states[0]
    normed = _normed(attention.LayerNorm, hidden)
    mixed = _attend(attention.self, normed, positions=position_embeddings, options=options)
    mixed = attention.output.dropout(_product(attention.output.dense, mixed))
    if few := passes.takes(layer.LayerNorm, hidden) and mixed.dtype is torch.bfloat16:
        hidden, normed = passes.added_and_normed(layer.LayerNorm, hidden, mixed)
    else:
        hidden = hidden + mixed
        normed = _normed(layer.LayerNorm, hidden)
    inner = _product(layer.intermediate.dense, normed, gelu=True)
    outer = layer.output.dropout(_product(layer.output.dense, inner))
    if few and outer.dtype is torch.bfloat16:
        passes.add_to(hidden, outer)  # nothing else has seen these states
        return hidden[None]
    return (hidden + outer)[None]


def _normed(norm: Any, hidden: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Return normed states in the type of the matrix products that read them."""
    if passes.takes(norm, hidden):
        return passes.normed(norm, hidden)
    normed = norm(hidden)
    if torch.is_autocast_enabled("cpu"):
        return normed.to(torch.get_autocast_dtype("cpu"))
    return normed


def _product(
    dense: nn.Module, normed: Float[Tensor, "N D"] | Int8Rows, *, gelu: bool = False
) -> Float[Tensor, "N out"]:
    """Return a product, or GELU of it.

    Bias and GELU come in the same pass, before it is rounded, where nothing else needs the product.
    """
    rows = normed if isinstance(normed, Int8Rows) else round_once([dense], normed)
    if isinstance(rows, Int8Rows):
        assert isinstance(dense, Int8Linear)
        return dense.multiply(rows, gelu=gelu)
    if _is_plain(dense, rows):
        return _in_one_pass(dense, rows, "gelu" if gelu else "none")
    return functional.gelu(dense(rows)) if gelu else dense(rows)


def _is_plain(dense: nn.Module, normed: Float[Tensor, "N D"]) -> bool:
    """Return whether a layer is linear, in bf16 on a CPU that multiplies it, no graph."""
    needs_graph = torch.is_grad_enabled() and (
        normed.requires_grad or any(p.requires_grad for p in dense.parameters())
    )
    is_linear = type(dense) in (nn.Linear, Int8Linear) and normed.dtype is torch.bfloat16
    is_native = native_half(normed.device, normed.dtype) and torch.backends.mkldnn.is_available()
    return is_linear and is_native and not needs_graph


def _in_one_pass(dense: Any, normed: Float[Tensor, "N D"], then: str) -> Float[Tensor, "N out"]:
    weight, bias = dense.weight.to(normed.dtype), dense.bias.to(normed.dtype)
    return torch.ops.mkldnn._linear_pointwise(normed, weight, bias, then, [], "none")


def _attend(
    attention: Any,
    normed: Float[Tensor, "N D"],
    *,
    positions: tuple[Tensor, Tensor] | None,
    options: dict[str, Any],
) -> Float[Tensor, "N D"]:
    width = attention.attention_head_size
    projections = (attention.query, attention.key, attention.value)
    rows = round_once(projections, normed)
    query, key, value = (
        _product(project, rows).unflatten(-1, (-1, width)) for project in projections
    )
    dropout = attention.dropout if attention.training else 0.0
    if positions is not None and (dropout or not is_compiled(query)):
        turns = _turns(*positions)
        query, key, positions = turned(query, turns), turned(key, turns), None
    by_head = [x.transpose(0, 1)[None] for x in (query, key, value)]
    mixed, _ = packed_attention(
        attention,
        by_head[0],
        by_head[1],
        by_head[2],
        dropout=dropout,
        scaling=width**-0.5,
        turns=positions,
        **options,
    )
    return mixed[0].flatten(1)


def _turns(
    cosine: Float[Tensor, "1 N width"], sine: Float[Tensor, "1 N width"]
) -> Complex[Tensor, "N 1 half"]:
    half = cosine.shape[-1] // 2
    return torch.complex(cosine[0, :, :half], sine[0, :, :half])[:, None]


def turned(
    vectors: Float[Tensor, "N heads width"], turns: Complex[Tensor, "N 1 half"]
) -> Float[Tensor, "N heads width"]:
    """Return vectors whose planes are turned by position.

    Plane k is spanned by the numbers k and k + width/2 of a vector; in the answer they are
    neighbours. Scalar products, for which alone queries and keys are there, stay the same.
    """
    half = vectors.shape[-1] // 2
    wide = vectors.to(turns.real.dtype)
    planes = torch.complex(wide[..., :half], wide[..., half:])
    return torch.view_as_real(planes * turns).flatten(-2).to(vectors.dtype)
