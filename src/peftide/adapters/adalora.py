"""AdaLoRA (Zhang et al. 2023, arXiv 2303.10512), by `peft`: ranks go where they matter most.

An update is P·Λ·Q with a diagonal Λ. It starts with half as much rank again as asked for; while
training, the diagonal entries that matter least over all matrices are set to 0, until `lora_r` per
matrix are left on average. A term of the loss keeps P and Q orthogonal.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from peftide.adapters.lora import LORA
from peftide.adapters.peft_form import ADAPTER_NAME, put_on
from peftide.adapters.targets import module_names
from peftide.backbones import Backbone
from peftide.config import MethodOptions

EXTRA_RANK = 1.5
WARMUP_SHARE, FINAL_SHARE = 0.1, 0.3
"""Share of the steps before the first cut, and after the last."""
CUTS = 100
LEAST_STEPS = 10
"""A training of fewer steps than this cuts nothing: there is no time to learn what matters."""


def apply_adalora(backbone: Backbone, options: MethodOptions) -> None:
    """Put updates of the form P·Λ·Q beside the named attention matrices; only these train.

    Raises
    ------
    InputError
        If the targets do not exist.
    """
    from peft import AdaLoraConfig

    config = AdaLoraConfig(
        init_r=max(options.lora_r + 1, round(EXTRA_RANK * options.lora_r)),
        target_r=options.lora_r,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=module_names(
            backbone, targets=options.lora_targets, layers=options.lora_layers
        ),
        total_step=1,  # `RankSchedule` knows how many there are
    )
    put_on(backbone, config)


class RankSchedule:
    """AdaLoRA's part in every step: orthogonality, and the cuts.

    Parameters
    ----------
    steps
        Optimizer steps of the whole training.
    """

    def __init__(self, backbone: Backbone, steps: int) -> None:
        self.model = backbone.model.base_model
        self.config: Any = self.model.peft_config[ADAPTER_NAME]
        self.steps = self.config.total_step = steps
        self.config.tinit = int(WARMUP_SHARE * steps)
        self.config.tfinal = int(FINAL_SHARE * steps)
        self.config.deltaT = max(1, steps // CUTS)

    def penalty(self) -> Tensor:
        """Return how far P and Q are from orthogonal, weighted (Eq. 4, norms not squared)."""
        matrices = [
            p if "lora_A" in name else p.T
            for name, p in self.model.named_parameters()
            if "lora_A" in name or "lora_B" in name
        ]
        distances = [torch.norm(p @ p.T - torch.eye(len(p)).to(p)) for p in matrices]
        return self.config.orth_reg_weight * torch.stack(distances).mean()

    def after_step(self, step: int) -> None:
        """Update what matters, and cut if it is time."""
        if self.steps >= LEAST_STEPS:
            self.model.update_and_allocate(step)

    def state(self) -> dict[str, Tensor]:
        """Return the running importance of every number, and which ranks are left."""
        allocator = self.model.rankallocator
        kept = {name: torch.tensor(k) for name, k in (self.config.rank_pattern or {}).items()}
        groups = {
            "importance": allocator.exp_avg_ipt,
            "uncertainty": allocator.exp_avg_unc,
            "kept": kept,
        }
        return {f"{key}:{name}": t for key, group in groups.items() for name, t in group.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state` returned."""
        allocator = self.model.rankallocator
        places = {name: p.device for name, p in self.model.model.named_parameters()}
        groups: dict[str, dict[str, Tensor]] = {"importance": {}, "uncertainty": {}, "kept": {}}
        for key, tensor in tensors.items():
            group, name = key.split(":", 1)
            groups[group][name] = tensor.to(places[name])
        allocator.exp_avg_ipt, allocator.exp_avg_unc = groups["importance"], groups["uncertainty"]
        allocator.ipt = dict(groups["importance"])  # computed anew before it is read
        self.config.rank_pattern = {n: kept.tolist() for n, kept in groups["kept"].items()} or None


def finish_adalora(backbone: Backbone) -> None:
    """Drop every rank whose diagonal entry is 0, for it adds nothing; one of a matrix may stay."""
    model = backbone.model.base_model
    pattern = {}
    for name, parameter in model.model.named_parameters():
        if "lora_E" in name:
            kept = (parameter != 0).flatten().tolist()
            pattern[name] = kept if any(kept) else [True, *kept[1:]]  # files hold no empty tensor
    model.resize_modules_by_rank_pattern(pattern, ADAPTER_NAME)
    model.peft_config[ADAPTER_NAME].rank_pattern = pattern


ADALORA = replace(
    LORA,
    summary="low-rank updates whose ranks move to the matrices where they matter",
    apply=apply_adalora,
    learning_rate=3e-3,
    finish=finish_adalora,
    steer=RankSchedule,
    takes_quantised=False,  # peft reads it back with other numbers
)
