"""A training that does not fit → changes that fit, by arithmetic from the same measurement."""

from collections.abc import Iterator

from peftide.adapters import READS
from peftide.backbones import LayeredBackbone, cut_below_training
from peftide.backbones.names import ALIASES
from peftide.config import TrainConfig
from peftide.hardware import GRAPH_BATCHES
from peftide.planning.sizes import COPIES, Sizes

GB = 1e9
SMALLEST_BUDGET = 256
SAFETY = 0.9
"""Share of the free memory that a training may plan to use."""


def memory_advice(
    sizes: Sizes, config: TrainConfig, whole: LayeredBackbone, *, max_tokens: int, free: float
) -> list[str]:
    """Return option changes with which the training fits into free memory, the mildest first.

    Parameters
    ----------
    whole
        The backbone of the training.
    max_tokens
        The token budget of the training.
    """
    found = [
        f"{change}: {size / GB:.1f} GB"
        for change, size in _changes(sizes, config, whole, max_tokens=max_tokens)
        if size <= SAFETY * free
    ]
    if found:
        return found
    copies, built = (
        COPIES + 2 if config.method == "full" else 1,
        sum(p.nbytes for p in whole.parameters()),
    )
    for name in reversed([name for name, (hub_id, _) in ALIASES.items() if hub_id]):
        settings = ALIASES[name][1]()
        weights = 48 * settings.num_hidden_layers * settings.hidden_size**2
        if "esm2" in name and weights < built and 2 * weights * copies <= SAFETY * free:
            found = [f"a smaller backbone, such as {name}"]
            break
    return [*found, "a machine or GPU with more memory"]


def _changes(
    sizes: Sizes, config: TrainConfig, whole: LayeredBackbone, *, max_tokens: int
) -> Iterator[tuple[str, float]]:
    """Yield option changes with the peak memory of a training that uses them."""
    layers = max(1, whole.layers - cut_below_training(whole))
    fixed = sizes.held + (COPIES + 1) * sizes.trained
    graph = max(0.0, sizes.graph - sizes.trained)  # gradients are as large as the parameters
    budget = max(SMALLEST_BUDGET, max_tokens // 4)
    if graph:
        less = budget / max_tokens
        yield f"--max-tokens {budget}", fixed + less * (graph + sizes.forward)
    if graph and not config.gradient_checkpointing:
        # the activations of one layer at a time, and the hidden states between layers
        kept = graph / layers + GRAPH_BATCHES * max_tokens * whole.width * 4 * layers
        yield "--gradient-checkpointing", fixed + kept + sizes.forward
        less = SMALLEST_BUDGET / max_tokens
        both = f"--gradient-checkpointing --max-tokens {SMALLEST_BUDGET}"
        yield both, fixed + less * (kept + sizes.forward)
    if layers > 1 and "lora_layers" in READS.get(config.method, ()):
        trained = ((COPIES + 1) * sizes.trained + graph) / layers
        yield "--lora-layers last:1", sizes.held + trained + sizes.forward
    if config.method in ("full", "last_k"):
        yield "--method lora", sizes.held + graph
    if config.method != "head":
        yield "--method head", sizes.held + sizes.forward + sizes.rows


def disk_advice(sizes: Sizes) -> list[str]:
    """Return what to do if the hidden states of the frozen layers do not fit on the disk."""
    if sizes.is_kept or not sizes.stored:
        return []
    return [
        f"the hidden states of the frozen layers ({sizes.stored / GB:.1f} GB) exceed the allowed "
        f"space ({sizes.room / GB:.1f} GB), so these layers run in every step: raise "
        "--trunk-gb, lower --max-length, or use a larger disk with --embedding-cache"
    ]
