"""AdaLoRA (Zhang et al. 2023, arXiv 2303.10512), by `peft`: important matrices get higher ranks.

An update is P·Λ·Q with a diagonal Λ. It starts with 1.5 times the requested rank. During training,
the least important diagonal entries over all matrices are set to 0, until `lora_r` entries per
matrix are left on average. A loss term keeps P and Q orthogonal.
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
"""Share of the steps before the first pruning, and after the last one."""
CUTS = 100
LEAST_STEPS = 10
"""Minimum steps for pruning; shorter trainings have no time to learn the importances."""


def apply_adalora(backbone: Backbone, options: MethodOptions) -> None:
    """Add updates of the form P·Λ·Q to the named attention matrices; only the updates train.

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
    """AdaLoRA's work in every optimizer step: the orthogonality penalty, and pruning of ranks.

    Parameters
    ----------
    steps
        Number of optimizer steps of the whole training.
    """

    def __init__(self, backbone: Backbone, steps: int) -> None:
        self.model = backbone.model.base_model
        self.config: Any = self.model.peft_config[ADAPTER_NAME]
        self.steps = self.config.total_step = steps
        self.config.tinit = int(WARMUP_SHARE * steps)
        self.config.tfinal = int(FINAL_SHARE * steps)
        self.config.deltaT = max(1, steps // CUTS)

    def penalty(self) -> Tensor:
        """Return the weighted distance of P and Q from orthogonality (Eq. 4, norms not squared)."""
        matrices = [
            p if "lora_A" in name else p.T
            for name, p in self.model.named_parameters()
            if "lora_A" in name or "lora_B" in name
        ]
        distances = [torch.norm(p @ p.T - torch.eye(len(p)).to(p)) for p in matrices]
        return self.config.orth_reg_weight * torch.stack(distances).mean()

    def after_step(self, step: int) -> None:
        """Update the importances, and prune ranks if the step is due."""
        if self.steps >= LEAST_STEPS:
            self.model.update_and_allocate(step)

    def state(self) -> dict[str, Tensor]:
        """Return the running importance of every parameter, and the remaining ranks."""
        allocator = self.model.rankallocator
        kept = {name: torch.tensor(k) for name, k in (self.config.rank_pattern or {}).items()}
        groups = {
            "importance": allocator.exp_avg_ipt,
            "uncertainty": allocator.exp_avg_unc,
            "kept": kept,
        }
        return {f"{key}:{name}": t for key, group in groups.items() for name, t in group.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore tensors that `state` returned."""
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
    """Drop every rank whose diagonal entry is 0; a matrix keeps at least one rank."""
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
    summary="low-rank updates with higher ranks for important matrices",
    apply=apply_adalora,
    learning_rate=3e-3,
    finish=finish_adalora,
    steer=RankSchedule,
    takes_quantised=False,  # peft reads it back with different values
)
