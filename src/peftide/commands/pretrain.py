"""`peftide pretrain`: FASTA files in; a backbone folder that `transformers` opens out."""

import logging
import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import PreTrainedTokenizerBase

from peftide.config import PretrainConfig, RunOptions
from peftide.config.unread import NOTHING, Names
from peftide.evaluation.tables import write_history
from peftide.files import file_hash, remove, write_json, written_whole
from peftide.hardware import (
    Hardware,
    choose_hardware,
    keep_freed_memory,
    peak_memory_bytes,
)
from peftide.outputs import read_record
from peftide.pretraining.local_heads import look_locally
from peftide.pretraining.loop import Pretraining, Progress, Schedule, pretrain_model
from peftide.pretraining.network import PretrainingModel
from peftide.pretraining.perplexity import Surprise, model_surprise
from peftide.pretraining.references import reference_surprises
from peftide.pretraining.setting import (
    Setting,
    backbone_source,
    build_setting,
    check_options,
    input_paths,
)
from peftide.run_folder import RunFolder, open_run

logger = logging.getLogger(__name__)

WEIGHTS_DTYPE = {"fp32": torch.float32, "bf16": torch.bfloat16}


def pretrain(config: PretrainConfig, *, given: Names = NOTHING) -> dict[str, Any]:
    """Train a masked language model and write it as a backbone.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Returns
    -------
    The run record: corpus, tokens seen, held-out perplexity beside what counting reaches, cost.

    Raises
    ------
    InputError
        If options, files or backbone do not fit together.
    TrainingError
        If the loss is not a finite number.
    StorageError
        If a file cannot be written; the run can be resumed.
    """
    started = time.monotonic()
    files = check_options(config, given=given)
    source = backbone_source(config)
    hardware = choose_hardware(
        RunOptions(device=config.device, precision=config.precision, threads=config.threads)
    )
    keep_freed_memory()
    with open_run(config, input_paths(config, files)) as folder:
        if folder.is_finished():
            logger.info("%s is finished", folder.path)
            return read_record(folder.record)
        setting = build_setting(config, source, files, folder=folder)
        torch.manual_seed(config.seed)
        language_model = setting.architecture.pretrainable()(source)
        if config.local_heads:
            look_locally(language_model)
        model = PretrainingModel(
            language_model,
            relatives=config.relatives_weight > 0,
            profiles=config.alignments is not None,
        )
        model = model.to(hardware.device)
        if config.backbone is not None:
            note_start(setting, model, folder=folder, hardware=hardware)
        plan = training_plan(setting, model, hardware, folder=folder, started=started)
        progress = pretrain_model(model, plan)
        save_backbone(model, setting.tokenizer, folder, dtype=config.weights_dtype)
        return finish(setting, model, progress, folder=folder, hardware=hardware)


def note_start(
    setting: Setting, model: PretrainingModel, *, folder: RunFolder, hardware: Hardware
) -> None:
    """Record, before the first step, how well the backbone already knows the held-out sequences."""
    record = read_record(folder.record)
    if "start" not in record:
        surprise = model_surprise(model.eval(), setting.held_out(quick=False), hardware)
        write_json(folder.record, record | {"start": perplexities(surprise)})


def training_plan(
    setting: Setting,
    model: PretrainingModel,
    hardware: Hardware,
    *,
    folder: RunFolder,
    started: float,
) -> Pretraining:
    """Return what the loop needs."""
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
        compile_steps=config.compile and can_compile(hardware),
    )


def can_compile(hardware: Hardware) -> bool:
    """Return whether torch can compile here; on a CPU it needs a C++ compiler."""
    if hardware.device.type == "cuda":
        return True
    found = hardware.device.type == "cpu" and shutil.which("g++") is not None
    if not found:
        logger.info("no C++ compiler (g++) here: steps are not compiled and take longer")
    return found


def save_backbone(
    model: PretrainingModel, tokenizer: PreTrainedTokenizerBase, folder: RunFolder, *, dtype: str
) -> None:
    """Write the backbone's files into the run folder, each whole."""
    with written_whole(folder.path / "checkpoints" / "backbone") as partial:
        trained = model.language_model.model
        state = trained.state_dict(keep_vars=True)
        # by identity: a weight of two names stays one, and is written once
        copies = {id(v): v.detach().to("cpu", WEIGHTS_DTYPE[dtype]) for v in state.values()}
        tensors = {name: copies[id(value)] for name, value in state.items()}
        trained.save_pretrained(partial, state_dict=tensors)
        tokenizer.save_pretrained(partial)
    for file in sorted((folder.path / "checkpoints" / "backbone").iterdir()):
        file.replace(folder.path / file.name)
    remove(folder.path / "checkpoints" / "backbone")


def finish(
    setting: Setting,
    model: PretrainingModel,
    progress: Progress,
    *,
    folder: RunFolder,
    hardware: Hardware,
) -> dict[str, Any]:
    """Measure perplexity on all held-out sequences, write the record, tidy up when done."""
    held_out = setting.held_out(quick=False)
    surprise = model_surprise(model.eval(), held_out, hardware)
    references = reference_surprises(
        setting.corpus,
        training=setting.parts[0],
        held_out=held_out.sequences,
        max_length=held_out.layout.row_tokens - held_out.layout.vocabulary.special_tokens,
    )
    write_held_out(folder.path / "held_out.tsv", setting, surprise)
    done = progress.step >= setting.config.steps
    record = read_record(folder.record)
    start = {"start": record["start"]} if "start" in record else {}
    if setting.profiles is not None:
        record["profiles"] = setting.profiles.record
    record |= {
        "status": "finished" if done else "stopped",
        "corpus": setting.corpus.record | {"training_sequences": len(setting.parts[0])},
        "steps": progress.step,
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 1),
        "tokens_per_second": round(progress.tokens / max(progress.seconds, 1e-9)),
        "parameters": sum(p.numel() for p in model.language_model.parameters()),
        "peak_memory_bytes": peak_memory_bytes(hardware.device),
        "hardware": hardware.describe(),
        "held_out": {"model": perplexities(surprise)}
        | start
        | {name: perplexities(value) for name, value in references.items()},
        "weights_sha256": file_hash(folder.path / "model.safetensors"),
    }
    write_json(folder.record, record)
    if done:
        remove(folder.checkpoints)
    return record


def perplexities(surprise: Surprise) -> dict[str, Any]:
    """Return perplexity over residues and over sequences, with their numbers."""
    return {
        "perplexity": surprise.perplexity(),
        "perplexity_by_sequence": surprise.mean_over_sequences(),
        "sequences": len(surprise.residues),
        "residues": int(surprise.residues.sum()),
    }


def write_held_out(path: Path, setting: Setting, surprise: Surprise) -> None:
    """Write one row per held-out sequence."""
    table = pd.DataFrame(
        {
            "id": [setting.corpus.ids[index] for index in setting.parts[1]],
            "residues": surprise.residues,
            "perplexity": surprise.by_sequence(),
        }
    )
    with written_whole(path) as partial:
        table.to_csv(partial, sep="\t", index=False)
