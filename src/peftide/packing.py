"""Padding-free batches: several sequences end to end in one row of N tokens.

In: token ids of sequences. Out: packed rows, and the attention that keeps them apart.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from itertools import groupby
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from peftide.hardware import native_half
from peftide.native.attention import Packing, attend_compiled, is_compiled
from peftide.types import IntArray

PACKED_ATTENTION = "peftide_packed"
LONGEST_TO_SHORTEST = 1.25
"""Lengths of sequences that are padded together."""


@dataclass(frozen=True)
class PackedBatch:
    """Sequences end to end, and where each begins and ends.

    Attributes
    ----------
    input_ids
        Token ids, special tokens included.
    position_ids
        Restart at every sequence.
    residue_rows
        Place in the row of every residue (no special tokens), in order.
    residue_owner
        Which sequence of the batch each residue belongs to.
    first_rows
        Place in the row of each sequence's first token (`<cls>` for ESM).
    lengths
        Tokens of each sequence; they sum to N.
    hidden, layers_done
        Hidden states of the tokens after the first `layers_done` layers: those need not run again.
    is_one
        Whether there is one sequence, whose rows are summed without `residue_owner`. Graphs of ONNX
        need that: onnxruntime's scattered sums are wrong now and then in several threads.
    """

    input_ids: Int[Tensor, " N"]
    position_ids: Int[Tensor, " N"]
    residue_rows: Int[Tensor, " R"]
    residue_owner: Int[Tensor, " R"]
    first_rows: Int[Tensor, " P"]
    lengths: tuple[int, ...]
    hidden: Float[Tensor, "N D"] | None = None
    layers_done: int = 0
    is_one: bool = False

    def to(self, device: torch.device) -> "PackedBatch":
        """Return the batch on a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {name: v.to(device) for name, v in values.items() if isinstance(v, Tensor)}
        return replace(self, **tensors)


def pack(
    token_ids: Sequence[IntArray], *, first_position: int, prefix: int, suffix: int
) -> PackedBatch:
    """Put sequences end to end.

    Parameters
    ----------
    token_ids
        One array of shape (T,) per sequence.
    first_position
        Position id of the first token of every sequence (`padding_idx + 1` for ESM).
    prefix, suffix
        Special tokens before and after the residues.

    Examples
    --------
    >>> batch = pack([np.array([0, 5, 6, 2]), np.array([0, 7, 2])],
    ...              first_position=2, prefix=1, suffix=1)
    >>> batch.position_ids.tolist(), batch.residue_rows.tolist(), batch.residue_owner.tolist()
    ([2, 3, 4, 5, 2, 3, 4], [1, 2, 5], [0, 0, 1])
    """
    lengths = [len(ids) for ids in token_ids]
    starts = np.cumsum([0, *lengths[:-1]])
    positions = [np.arange(length) for length in lengths]
    residues = [
        place[prefix : length - suffix] for place, length in zip(positions, lengths, strict=True)
    ]
    rows = [start + inside for start, inside in zip(starts, residues, strict=True)]
    owner = np.repeat(np.arange(len(lengths)), [len(inside) for inside in residues])
    return PackedBatch(
        input_ids=torch.from_numpy(np.concatenate(token_ids)),
        position_ids=torch.from_numpy(np.concatenate(positions) + first_position),
        residue_rows=torch.from_numpy(np.concatenate(rows)),
        residue_owner=torch.from_numpy(owner),
        first_rows=torch.from_numpy(starts),
        lengths=tuple(lengths),
    )


def token_budget_batches(lengths: Sequence[int] | IntArray, max_tokens: int) -> list[IntArray]:
    """Group sequences, sorted by length, into batches of at most `max_tokens` tokens.

    A sequence longer than the budget is alone in its batch. Every index occurs once.

    Examples
    --------
    >>> [batch.tolist() for batch in token_budget_batches([3, 9, 4, 30], max_tokens=16)]
    [[0, 2, 1], [3]]
    """
    order = np.argsort(lengths, kind="stable")
    batches: list[list[int]] = []
    room = 0
    for index in order:
        if not batches or lengths[index] > room:
            batches.append([])
            room = max_tokens
        batches[-1].append(int(index))
        room -= int(lengths[index])
    return [np.array(batch, dtype=np.int64) for batch in batches]


def register_packed_attention() -> None:
    """Make `attn_implementation="peftide_packed"` known to transformers."""
    register_attention(PACKED_ATTENTION, packed_attention)


def register_attention(name: str, attention: Callable[..., Any]) -> None:
    """Make an attention known to transformers that keeps sequences apart without a mask."""
    # seconds to load, and packing itself does not need it
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, _no_mask)


def _no_mask(*_args: Any, **_kwargs: Any) -> None:
    """Return no mask: the call itself says which tokens belong together."""


def packed_attention(
    module: torch.nn.Module,
    query: Float[Tensor, "1 heads N width"],
    key: Float[Tensor, "1 heads N width"],
    value: Float[Tensor, "1 heads N width"],
    attention_mask: None = None,
    **options: Any,
) -> tuple[Float[Tensor, "1 N heads width"], None]:
    """Attend within each sequence of a packed row.

    On a GPU with flash attention, one call takes all sequences in half precision. Other GPUs take
    neighbours of similar length in one call, a CPU sequences of equal length, if the compiled
    attention does not take the row.
    Options as in transformers' attention interface (`dropout`, `scaling`) and `sequence_lengths`.
    Queries and keys that are not turned by their positions yet come with `turns`; only the compiled
    attention takes these.
    """
    dropout = options.get("dropout", 0.0)
    if not dropout and is_compiled(query):
        scale = options.get("scaling") or query.shape[-1] ** -0.5
        packing = Packing(options["sequence_lengths"], scale, options.get("turns"))
        return attend_compiled(query, key, value, packing=packing), None
    assert options.get("turns") is None, "only the compiled attention turns queries and keys"
    if not dropout and takes_all_at_once(query):
        from torch.nn.attention import varlen  # loads torch's compiler, which only a GPU needs

        lengths, longest = options["sequence_lengths"], max(options["sequence_lengths"])
        ends = _ends(lengths, query.device)
        q, k, v = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
        mixed = varlen.varlen_attn(
            *(q, k, v), *(ends, ends), *(longest, longest), scale=options.get("scaling")
        )
        assert isinstance(mixed, Tensor)
        return mixed[None], None
    within = within_sequences if query.device.type == "cpu" else within_padded
    mixed = within(
        partial(attend, dropout_p=dropout, scale=options.get("scaling")),
        (query, key, value),
        options["sequence_lengths"],
    )
    return mixed, None


def within_sequences(
    attention: Callable[..., Float[Tensor, "count heads length width"]],
    rows: Sequence[Float[Tensor, "1 heads N width"]],
    lengths: Sequence[int],
) -> Float[Tensor, "1 N heads width"]:
    """Apply an attention to the sequences of packed rows, neighbours of equal length at once.

    Parameters
    ----------
    attention
        Query, key and value of sequences of one length → the mixed values of each token.
    rows
        Queries, keys and values.
    lengths
        Tokens of each sequence.
    """
    runs = list(equal_length_runs(lengths))
    # one split, not many slices: the gradient of each slice would be as long as the row
    parts = [tensor[0].split([n * length for n, length in runs], dim=1) for tensor in rows]
    attended = []
    for (count, _), *inputs in zip(runs, *parts, strict=True):
        batched = (part.unflatten(1, (count, -1)).transpose(0, 1) for part in inputs)
        attended.append(attention(*batched).transpose(1, 2).flatten(0, 1))
    return torch.cat(attended)[None]


def within_padded(
    attention: Callable[..., Float[Tensor, "count heads length width"]],
    rows: Sequence[Float[Tensor, "1 heads N width"]],
    lengths: Sequence[int],
) -> Float[Tensor, "1 N heads width"]:
    """Apply an attention to the sequences of packed rows, neighbours of similar length at once.

    These are padded to their longest, and the padding is masked: a few large calls instead of one
    for each sequence. Parameters as in `within_sequences`; the attention also takes `attn_mask`.
    """
    attended, start = [], 0
    for group in similar_length_runs(lengths):
        part = slice(start, start + sum(group))
        start = part.stop
        places, inside = padded_places(group, rows[0].device)
        batched = (tensor[0, :, part][:, places].transpose(0, 1) for tensor in rows)
        mask = torch.where(inside, 0.0, -torch.inf)[:, None, None]
        mixed = attention(*batched, attn_mask=mask if len({*group}) > 1 else None)
        attended.append(mixed.transpose(1, 2)[inside])
    return torch.cat(attended)[None]


def similar_length_runs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield groups of neighbours; the longest has at most 1.25 times the length of the shortest.

    Examples
    --------
    >>> list(similar_length_runs([80, 100, 101, 4]))
    [[80, 100], [101], [4]]
    """
    group: list[int] = []
    for length in lengths:
        if group and max(length, *group) > LONGEST_TO_SHORTEST * min(length, *group):
            yield group
            group = []
        group.append(length)
    yield group


def padded_places(
    lengths: Sequence[int], device: torch.device
) -> tuple[Int[Tensor, "count length"], Bool[Tensor, "count length"]]:
    """Return the place of each token of padded sequences, and whether the sequence has it.

    Padding has the place of the last token.

    Examples
    --------
    >>> places, inside = padded_places([1, 3], torch.device("cpu"))
    >>> places.tolist(), inside.tolist()
    ([[0, 0, 0], [1, 2, 3]], [[True, False, False], [True, True, True]])
    """
    sizes = torch.tensor(lengths)[:, None]
    inner = torch.arange(max(lengths))[None]
    starts = sizes.cumsum(0) - sizes
    inside = inner < sizes
    return (starts + torch.minimum(inner, sizes - 1)).to(device), inside.to(device)


def attend(
    query: Float[Tensor, "count heads length width"],
    key: Float[Tensor, "count heads length width"],
    value: Float[Tensor, "count heads length width"],
    *,
    attn_mask: Float[Tensor, "#count #heads #length length"] | None = None,
    **options: Any,
) -> Float[Tensor, "count heads length width"]:
    """Attend within sequences of equal length; options as in torch's own function.

    On a CPU, attention that needs gradients runs in fp32: in bf16 its backward pass takes twice as
    long, with short sequences ten times. On a CPU without units for half precision, all does.
    """
    inputs = (query, key, value)
    mask = None if attn_mask is None else attn_mask.to(query.dtype)
    graph = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    is_half = query.dtype in (torch.bfloat16, torch.float16) and query.device.type == "cpu"
    if not is_half or not (graph or not native_half(query.device, query.dtype)):
        return functional.scaled_dot_product_attention(*inputs, attn_mask=mask, **options)
    with torch.autocast("cpu", enabled=False):
        mixed = functional.scaled_dot_product_attention(
            query.float(),
            key.float(),
            value.float(),
            attn_mask=None if mask is None else mask.float(),
            **options,
        )
    return mixed.to(query.dtype)


def takes_all_at_once(query: Float[Tensor, "1 heads N width"]) -> bool:
    """Return whether one call of a GPU's flash attention can take a whole packed row."""
    return (
        query.device.type == "cuda"
        and query.dtype in (torch.float16, torch.bfloat16)
        and query.shape[-1] % 8 == 0
        and query.shape[-1] <= 256
        and torch.version.hip is None
        and torch.cuda.get_device_capability(query.device) >= (8, 0)
    )


@lru_cache(maxsize=4)  # once per batch, not once per layer
def _ends(lengths: tuple[int, ...], device: torch.device) -> Int[Tensor, " ends"]:
    with torch.inference_mode(mode=False):  # backward passes read it too
        return torch.tensor(np.cumsum([0, *lengths]), dtype=torch.int32, device=device)


def equal_length_runs(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (number of sequences, tokens of each) for neighbours of equal length.

    Examples
    --------
    >>> list(equal_length_runs([5, 5, 7]))
    [(2, 5), (1, 7)]
    """
    return ((len(list(run)), length) for length, run in groupby(lengths))
