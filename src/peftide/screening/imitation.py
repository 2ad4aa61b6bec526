"""A trained pair head that is slow on many pairs → a dot head that ranks pairs almost as it does.

The dot head learns the scores of random pairs of the proteins to be screened. How well it finds the
best pairs of the trained head: `benchmarks/shortlist.py`.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from peftide.files import written_whole
from peftide.heads import DotHead
from peftide.progress import meter
from peftide.saved import tensor_errors
from peftide.screening.pair_head import Dot, PairScorer, dot_scorer

WIDTH = 256
GROUP = 1_024
"""Proteins of either group; the trained head scores all pairs between two groups."""
STEPS, PROTEINS_PER_STEP, RATE = 400, 256, 3e-3
EMPHASIS = 10.0
"""How much more the error at high scores counts than at low ones: only the best pairs matter."""


def imitate(scorer: PairScorer, scaled: Float[Tensor, "P D"], *, path: Path, key: str) -> Dot:
    """Return a dot head that imitates a scorer, up to a shift and a factor.

    Parameters
    ----------
    scaled
        Scaled vectors of all proteins. Shape (P, D).
    path
        Where the head is saved; one with the same key is read, so that an interrupted screen goes
        on with the same head.
    key
        Identifies model, proteins and options.
    """
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = DotHead(2 * scaled.shape[1], 1, width=WIDTH, dropout=0.0).to(scaled.device)
    if not _is_saved(path, key):
        _learn(head, scorer, scaled)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            save_file(dict(head.state_dict()), partial, metadata={"key": key})
    with tensor_errors(path, fix=f"Remove {path}"):
        head.load_state_dict(load_file(path))
    with torch.no_grad():
        return dot_scorer(head.eval(), scaled)


def _is_saved(path: Path, key: str) -> bool:
    if not path.is_file():
        return False
    with tensor_errors(path, fix=f"Remove {path}"), safe_open(path, "pt") as file:
        return (file.metadata() or {}).get("key") == key


def _learn(head: DotHead, scorer: PairScorer, scaled: Float[Tensor, "P D"]) -> None:
    """Train a dot head on all scores between two random groups of proteins."""
    generator = torch.Generator().manual_seed(0)
    first, second = _group(len(scaled), generator), _group(len(scaled), generator)
    target = scorer.scores(first, second)
    target = (target - target.mean()) / target.std().clamp_min(1e-6)
    with torch.inference_mode(False), torch.enable_grad():
        # tensors made in inference mode take no part in a backward pass
        target, a, b = target.clone(), scaled[first].clone(), scaled[second].clone()
        optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=STEPS)
        with meter("learning to rank", total=STEPS, unit="steps") as progress:
            for _ in range(STEPS):
                some = torch.randperm(len(a), generator=generator)[:PROTEINS_PER_STEP]
                others = torch.randperm(len(b), generator=generator)[:PROTEINS_PER_STEP]
                wanted = target[some][:, others]
                found = dot_scorer(head, torch.cat([a[some], b[others]]))
                error = found.scores(slice(0, len(some)), slice(len(some), None)) - wanted
                weight = 1 + EMPHASIS * torch.sigmoid(2 * wanted)
                loss = (weight * error.square()).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                progress.advance(1)


def _group(count: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=generator)[:GROUP]
