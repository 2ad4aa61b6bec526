"""A setting in; the model before its first step, and everything that the loop needs, out."""

import logging
import shutil
from pathlib import Path

import torch
from transformers import PretrainedConfig

from peftide.evaluation.tables import write_history
from peftide.hardware import Hardware
from peftide.pretraining.local_heads import look_locally
from peftide.pretraining.loop import Pretraining, Schedule
from peftide.pretraining.network import PretrainingModel
from peftide.pretraining.perplexity import model_surprise
from peftide.pretraining.setting import Setting
from peftide.run_decisions import decided
from peftide.run_folder import RunFolder

logger = logging.getLogger(__name__)


def build_model(setting: Setting, source: Path | PretrainedConfig) -> PretrainingModel:
    """Return the model, with the weights of a checkpoint or new ones that the seed determines."""
    config = setting.config
    torch.manual_seed(config.seed)
    language_model = setting.architecture.pretrainable()(source)
    if config.local_heads:
        look_locally(language_model)
    return PretrainingModel(
        language_model,
        relatives=config.relatives_weight > 0,
        profiles=config.alignments is not None,
    )


def plan_pretraining(
    setting: Setting,
    model: PretrainingModel,
    hardware: Hardware,
    *,
    folder: RunFolder,
    started: float,
) -> Pretraining:
    """Return everything that the loop needs besides the model.

    Parameters
    ----------
    started
        `time.monotonic()` from which `--hours` count.
    """
    config = setting.config
    quick = setting.held_out(quick=True)
    schedule = Schedule(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps,
        decay_fraction=config.decay_fraction,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        evaluate_every=config.evaluate_every,
        checkpoint_minutes=config.checkpoint_minutes,
        deadline=None if config.hours is None else started + 3600 * config.hours,
    )
    return Pretraining(
        source=setting.source(),
        schedule=schedule,
        hardware=hardware,
        loss_weights=(1.0, config.relatives_weight, config.profiles_weight),
        evaluate=lambda: {"perplexity": model_surprise(model, quick, hardware).perplexity()},
        on_history=lambda history: write_history(history, folder.history),
        checkpoints=folder.checkpoints,
        compile_steps=config.compile
        and decided(folder, "compiled", lambda: can_compile(hardware))
        and can_compile(hardware),
    )


def can_compile(hardware: Hardware) -> bool:
    """Return whether torch can compile here; on a CPU it needs a C++ compiler."""
    if hardware.device.type == "cuda":
        return True
    found = hardware.device.type == "cpu" and shutil.which("g++") is not None
    if not found:
        logger.info("no C++ compiler (g++) found: steps are not compiled and take longer")
    return found
