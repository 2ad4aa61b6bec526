"""What would fit where a training does not: from the same measurement, by arithmetic."""

from collections.abc import Iterator

from peftide.backbones.loading import ALIASES
from peftide.config import TrainConfig
from peftide.planning.forecast import COPIES
from peftide.planning.measuring import Measurement
from peftide.training.setting import find_adapter

GB = 1e9
SMALLEST_BUDGET = 256
WHOLE = ("full", "last_k")
SAFETY = 0.9
"""Share of the free memory that a training may plan to use."""


def memory_advice(
    measured: Measurement, config: TrainConfig, *, max_tokens: int, free: float
) -> list[str]:
    """Return changes of the options that would fit into the memory that is free."""
    found = [
        f"{change}: {size / GB:.1f} GB"
        for change, size in _changes(measured, config, max_tokens)
        if size <= SAFETY * free
    ]
    if found:
        return found
    return [*_smaller_backbones(measured, config, free), "a machine or GPU with more memory"]


def _changes(
    measured: Measurement, config: TrainConfig, max_tokens: int
) -> Iterator[tuple[str, float]]:
    """Yield changes and the peak memory of training with them, the mildest first."""
    sizes = measured.sizes
    fixed = sizes.held + (COPIES + 1) * sizes.trained
    graph = max(0.0, sizes.graph - sizes.trained)  # its gradients are as large as what trains
    budget = max(SMALLEST_BUDGET, max_tokens // 4)
    if graph:
        yield f"--max-tokens {budget}", fixed + _shrunk(graph, sizes.forward, budget / max_tokens)
    if graph and not config.gradient_checkpointing:
        # one layer's activations at a time, and the hidden states between layers
        between = measured.piece_tokens * measured.width * 4 * measured.graph_layers
        kept = graph / measured.graph_layers + between
        yield "--gradient-checkpointing", fixed + kept + sizes.forward
        share = SMALLEST_BUDGET / max_tokens
        yield (
            f"--gradient-checkpointing --max-tokens {SMALLEST_BUDGET}",
            fixed + _shrunk(kept, sizes.forward, share),
        )
    if measured.graph_layers > 1 and "lora_layers" in find_adapter(config.method).reads:
        trained = ((COPIES + 1) * sizes.trained + graph) / measured.graph_layers
        yield "--lora-layers last:1", sizes.held + trained + sizes.forward
    if config.method in WHOLE:
        yield "--method lora", sizes.held + graph
    if config.method != "head":
        yield "--method head", sizes.held + sizes.forward + measured.once.row_bytes


def _shrunk(graph: float, forward: float, share: float) -> float:
    """Return the activations under a budget that is a share of what was measured."""
    return share * (graph + forward)


def _smaller_backbones(measured: Measurement, config: TrainConfig, free: float) -> Iterator[str]:
    """Yield published ESM-2 whose weights, gradients and moments fit."""
    copies = COPIES + 2 if config.method == "full" else 1
    for name in reversed(
        [name for name, (hub_id, _) in ALIASES.items() if hub_id and "esm2" in name]
    ):
        settings = ALIASES[name][1]()
        weights = 12 * settings.num_hidden_layers * settings.hidden_size**2 * 4
        if 2 * weights * copies <= SAFETY * free and weights < measured.weight_bytes:
            yield f"a smaller backbone, such as {name}"
            return


def disk_advice(measured: Measurement) -> list[str]:
    """Say what it means if hidden states do not fit on the disk."""
    storage = measured.storage
    if storage.kind != "hidden states" or storage.is_kept:
        return []
    return [
        f"hidden states of the frozen layers ({storage.size_bytes / GB:.1f} GB) are larger than "
        f"the {storage.room_bytes / GB:.1f} GB they may take, so those layers run in every step: "
        "raise --trunk-gb, lower --max-length, or name a larger disk with --embedding-cache"
    ]
