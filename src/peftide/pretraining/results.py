"""A pretrained model → its held-out perplexity, the perplexity of counting models, and its cost."""

from pathlib import Path
from typing import Any

import pandas as pd

from peftide.files import file_hash, write_json, written_whole
from peftide.hardware import Hardware, peak_memory_bytes
from peftide.outputs import read_record
from peftide.pretraining.loop import Progress
from peftide.pretraining.network import PretrainingModel
from peftide.pretraining.perplexity import Surprise, model_surprise
from peftide.pretraining.references import reference_surprises
from peftide.pretraining.setting import Setting
from peftide.run_folder import RunFolder


def record_start(
    setting: Setting, model: PretrainingModel, hardware: Hardware, *, folder: RunFolder
) -> None:
    """Record the held-out perplexity of the backbone before the first step, unless it is there."""
    record = read_record(folder.record)
    if "start" not in record:
        surprise = model_surprise(model.eval(), setting.held_out(quick=False), hardware)
        write_json(folder.record, record | {"start": perplexities(surprise)})


def record_results(
    setting: Setting,
    model: PretrainingModel,
    hardware: Hardware,
    *,
    progress: Progress,
    folder: RunFolder,
) -> dict[str, Any]:
    """Score all held-out sequences, write their table and the record, and return the record."""
    surprise = model_surprise(model.eval(), setting.held_out(quick=False), hardware)
    write_held_out(folder.path / "held_out.tsv", setting, surprise)
    record = read_record(folder.record)
    scores = {"model": perplexities(surprise)}
    if "start" in record:
        scores["start"] = record["start"]
    if setting.profiles is not None:
        record["profiles"] = setting.profiles.record
    record |= {
        "status": "finished" if progress.step >= setting.config.steps else "stopped",
        "corpus": setting.corpus.record | {"training_sequences": len(setting.parts[0])},
        "steps": progress.step,
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 1),
        "tokens_per_second": round(progress.tokens / max(progress.seconds, 1e-9)),
        "parameters": sum(p.numel() for p in model.language_model.parameters()),
        "peak_memory_bytes": peak_memory_bytes(hardware.device),
        "hardware": hardware.describe(),
        "held_out": scores | reference_perplexities(setting),
        "weights_sha256": file_hash(folder.path / "model.safetensors"),
    }
    write_json(folder.record, record)
    return record


def reference_perplexities(setting: Setting) -> dict[str, dict[str, Any]]:
    """Return the held-out perplexities that counts over the training sequences reach."""
    held_out = setting.held_out(quick=False)
    surprises = reference_surprises(
        setting.corpus,
        training=setting.parts[0],
        held_out=held_out.sequences,
        max_length=held_out.layout.row_tokens - held_out.layout.vocabulary.special_tokens,
    )
    return {name: perplexities(surprise) for name, surprise in surprises.items()}


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
