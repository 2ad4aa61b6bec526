"""What numbers too small for a CPU's fast path cost a training: CPU seconds with and without them.

    python benchmarks/engine/denormals.py --threads 1

Forward and backward through the layers that LoRA trains by default, yeast proteins of at most
1,022 residues spread evenly by length. Trained weights attend to few residues, so most weights of
attention are next to nothing; random weights attend to all alike.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from measuring import arguments, begin, conclude, middle, spent
from ours import encoder_of
from proteins import evenly, tokens_of, yeast

from peftide.adapters import ADAPTERS
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.encoding import ModelEncoder
from peftide.hardware import Hardware
from peftide.packing import token_budget_batches
from peftide.process import keep_freed_memory
from peftide.training.token_budget import BudgetTrial


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--proteins", type=int, default=24)
    options = parser.parse_args()
    hardware = begin(options)
    keep_freed_memory()
    texts = yeast()
    chosen = [texts[k] for k in evenly(tokens_of(texts), options.proteins)]
    rows = []
    for name in ("mini", "random:esm2_t6_8M"):
        encoder = adapted(name, hardware)
        trial = BudgetTrial(encoder, chosen, graph=True, cut=0)
        run = passes(trial, hardware.max_tokens)
        found = {}
        for flush in (False, True):
            torch.set_flush_denormal(flush)
            found[flush] = middle([spent(run) for _ in range(options.repeats)]).cpu
        each = 1e3 / trial.tokens.sum()
        kept, zeroed = found[False], found[True]
        rows.append([name, f"{kept * each:.3f}", f"{zeroed * each:.3f}", f"{kept / zeroed:.1f}"])
    columns = ("backbone", "small numbers kept", "treated as zero", "ratio")
    conclude(options, rows, columns=columns)


def adapted(name: str, hardware: Hardware) -> ModelEncoder:
    """Return an encoder whose backbone has LoRA where `peftide train` puts it by default."""
    encoder = encoder_of("esm2_t6_8M", hardware, lora=False)
    backbone = load_backbone(name)
    ADAPTERS["lora"].apply(backbone, MethodOptions())
    encoder.model.backbone = backbone
    return encoder


def passes(trial: BudgetTrial, budget: int) -> Callable[[], None]:
    """Return a forward and backward pass over all proteins, above the frozen layers."""
    encoder, count = trial.encoder, len(token_budget_batches(trial.tokens, budget))
    backbone, batches = encoder.model.backbone, []
    for number in range(count):
        batch = trial.batch(budget, (number + 0.5) / count).to(encoder.hardware.device)
        with torch.no_grad(), encoder.autocast():
            hidden = backbone.hidden_states(batch, backbone.frozen_layers).float()
        batches.append(replace(batch, hidden=hidden, layers_done=backbone.frozen_layers))
    trial.run(batches[0])
    return lambda: [trial.run(batch) for batch in batches][-1]


if __name__ == "__main__":
    main()
