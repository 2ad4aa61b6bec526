"""A trained model → its decisions, its scores and its bundle, written into the run folder."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from peftide.auditing import Subject
from peftide.backbones.names import hub_id_of
from peftide.bundle import Bundle, save_bundle
from peftide.evaluation.beside import NONE, Beside, chosen, fitted_beside, suitable
from peftide.evaluation.decisions import decide, notes_on
from peftide.evaluation.homology import Searches, remembered_searches
from peftide.evaluation.part_scores import Resampling
from peftide.evaluation.record import evaluate_parts
from peftide.evaluation.relatives import with_kinship
from peftide.evaluation.results import Results, part_table, write_results
from peftide.evaluation.strata import reported_parts, trained_by
from peftide.evaluation.tables import write_table
from peftide.hardware import peak_memory_bytes
from peftide.predictor import Predictor
from peftide.progress import working
from peftide.run_folder import RunFolder
from peftide.sequences import sequence_hash
from peftide.sequences.dataset import member_proteins
from peftide.sequences.findings import plain_findings
from peftide.similarity import SimilaritySettings
from peftide.training.loop import FitResult
from peftide.training.setting import Setting, recipe_of
from peftide.types import FloatArray

PROBE_EXAMPLES = 4


def score(
    setting: Setting, folder: RunFolder, *, searches: Searches | None = None
) -> tuple[Predictor, Results]:
    """Calibrate on validation, score every later part and its baselines, and write the tables.

    The baselines are stored too, so that later evaluations can compare with them.

    Parameters
    ----------
    searches
        Searches for similar proteins; None remembers them where the encoded proteins are kept.
    """
    config, problem = setting.config, setting.problem
    logits = {part: setting.logits(part) for part in problem.targets if part != "train"}
    parts = {part: problem.part(part) for part in logits}
    predictor = setting.predictor(
        decide(
            parts["validation"],
            logits["validation"],
            method=config.calibration,
            imbalance=config.imbalance,
        )
    )
    store = config.embedding_cache or folder.checkpoints
    searches = searches or remembered_searches(store, threads=config.threads)
    beside = _baselines(setting, folder, searches)
    others = beside.scored(parts)
    metrics = evaluate_parts(
        parts,
        logits,
        predictor.answering,
        others={"baselines": others},
        resampling=Resampling(config.seed, config.threads),
    )
    notes = notes_on(parts["validation"], logits["validation"], predictor.answering.decisions)
    metrics["notes"] += [*(f"validation: {note}" for note in notes), *beside.notes]
    results = Results(
        metrics,
        {part: parts[part] for part in reported_parts(parts)},
        {part: predictor.answering.columns(logits[part]) for part in reported_parts(parts)},
        replace(trained_by(problem.dataset), similarity=beside.similarity),
        beside,
        others,
    )
    write_results(results, folder)
    if "validation" not in results.parts:
        columns = predictor.answering.columns(logits["validation"])
        write_table(part_table(parts["validation"], columns), folder.validation)
    return predictor, results


def _baselines(setting: Setting, folder: RunFolder, searches: Searches) -> Beside:
    """Fit the chosen baselines, and store them in the run folder."""
    config, problem = setting.config, setting.problem
    beside = fitted_beside(
        {part: problem.part(part) for part in problem.targets},
        chosen(config.baselines, suitable(problem.task)),
        named=config.baselines,
        search=searches.homologues,
        scores=setting.scores,
    )
    beside.store(folder.baselines, problem.part("train"))
    if NONE in config.baselines:
        return beside
    subject = Subject(problem.dataset, problem.task.level == "pair", trained=True)
    settings = SimilaritySettings(threads=config.threads)
    return with_kinship(beside, subject, settings=settings, search=searches.kinship)


def save(setting: Setting, predictor: Predictor, folder: RunFolder) -> None:
    """Save the model bundle, and verify it on a few freshly encoded validation examples."""
    dataset = setting.problem.dataset
    few = dataset.parts["validation"].members[:PROBE_EXAMPLES]
    used, local = np.unique(few, return_inverse=True)
    sequences = [dataset.proteins.sequences[index] for index in used]

    def probe() -> FloatArray:
        return predictor.answer(predictor.encode(sequences), local.reshape(few.shape))

    bundle = Bundle(
        recipe=recipe_of(setting.config, setting.problem),
        model=setting.model,
        answering=predictor.answering,
        trained_on=_hashes(setting, "train"),
        validated_on=_hashes(setting, "validation"),
    )
    with working("saving the model"):
        save_bundle(bundle, folder.model, probe=probe)


def _hashes(setting: Setting, part: str) -> frozenset[str]:
    dataset = setting.problem.dataset
    named, _ = member_proteins(dataset.parts[part], dataset.proteins)
    return frozenset(map(sequence_hash, named.sequences))


def cost_record(setting: Setting, result: FitResult, started: float) -> dict[str, Any]:
    """Return the cost of the run and the findings in its data."""
    dataset = setting.problem.dataset
    residues = setting.encoder.residues(
        [dataset.proteins.sequences[p] for p in dataset.parts["train"].members.ravel()]
    )
    return {
        "backbone": setting.config.backbone,
        "weights_sha256": setting.model.backbone.origin.weights_sha256,
        "backbone_hub_id": hub_id_of(setting.model.backbone.origin.name),
        "weights_licence": setting.model.backbone.origin.licence,
        "hardware": setting.hardware.describe(),
        "examples": {
            part: {"rows": len(examples), "counted": int(examples.counted.sum())}
            for part, examples in dataset.parts.items()
        },
        "proteins": len(dataset.proteins),
        "findings": plain_findings(dataset.findings),
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "steps": result.steps,
        "seconds": {
            "training": round(result.seconds, 1),
            "this_process": round(time.monotonic() - started, 1),
        },
        "training_residues_per_second": round(
            float(residues.sum()) * len(result.history) / max(result.seconds, 1e-9)
        ),
        "peak_memory_bytes": peak_memory_bytes(setting.hardware.device),
    }
