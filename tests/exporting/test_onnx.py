"""The graphs of a model give its answers, in a process that knows neither torch nor peftide."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import peftide
from peftide.backbones.loading import load_backbone
from peftide.bundle import Bundle, Recipe, build_model, load_bundle
from peftide.errors import InputError
from peftide.evaluation.answering import Answering
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.decisions import Decisions
from peftide.exporting.checkpoint import write_checkpoint
from peftide.exporting.onnx import (
    ACTIVATIONS,
    PairHead,
    RowHead,
    SequenceEncoder,
    check_exportable,
    write_onnx,
)
from peftide.exporting.pages import model_record, onnx_page
from peftide.outcomes import OUTCOMES
from peftide.predictor import load
from peftide.tasks import TASKS, VARIANT_TASKS
from tests.contracts.test_backbones import CARDS

PROTEINS = ["MKTAYIAKQRQISFVKSHFSRQ", "ACDE", "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGK"]
PAIRS = [(PROTEINS[0], PROTEINS[1]), (PROTEINS[2], PROTEINS[0])]
PLAIN: dict[str, Any] = {"device": "cpu", "precision": "fp32", "threads": 1}
EXPORTED = [task for task in TASKS if task not in VARIANT_TASKS]


def outputs(graph: Path, **inputs: np.ndarray) -> list[np.ndarray]:
    """Run a graph."""
    return [np.asarray(each) for each in onnxruntime.InferenceSession(graph).run(None, inputs)]


def model_of(folder: Path, pooling: str) -> Bundle:
    backbone = load_backbone(str(folder))
    recipe = Recipe(
        *("regression", "head", str(folder), pooling, "order_free", "mlp"),
        head_width=8,
        head_dropout=0.0,
        max_length=None,
    )
    labels = peftide.tasks.Labels()
    model = build_model(recipe, labels, backbone)
    with torch.no_grad():
        for parameter in model.pooling.parameters():
            parameter.normal_()
    return Bundle(recipe, model.eval(), Answering(TASKS["regression"], labels))


@pytest.mark.parametrize(
    ("checkpoint", "pooling"),
    [(name, "mean") for name in CARDS]
    + [("esm2_folder", name) for name in ("cls", "attention", "ends", "window")],
)
def test_the_encoder_gives_the_rows_of_the_model(
    checkpoint: str, pooling: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bundle = model_of(request.getfixturevalue(checkpoint), pooling)
    backbone: Any = bundle.model.backbone
    write_checkpoint(backbone, tmp_path)
    encoder = SequenceEncoder(bundle.model, backbone.architecture.load(tmp_path))
    for text in PROTEINS:
        batch = backbone.pack([text], max_length=None)
        with torch.no_grad():
            found, expected = encoder(batch.input_ids), bundle.model.encode(batch)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("task", EXPORTED)
def test_the_head_gives_the_answers_of_predict(
    task: str, trained: Callable[[str, str], Path]
) -> None:
    predictor = load(trained(task, "head"), **PLAIN)
    model, answering = predictor.encoder.model, predictor.answering
    embeddings = predictor.encode(PROTEINS)
    level, rows = answering.task.level, embeddings.rows
    members = np.array([[0, 1], [2, 0]]) if level == "pair" else np.arange(3)[:, None]
    expected = predictor.answer(embeddings, members)
    head = (PairHead if level == "pair" else RowHead)(model, answering)
    with torch.no_grad():
        inputs = (rows[[0, 2]], rows[[1, 0]]) if level == "pair" else (rows,)
        logits, answers = head(*inputs)
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(answers.numpy(), answering.answers(expected), atol=1e-5)


def test_there_is_an_activation_for_every_outcome() -> None:
    assert ACTIVATIONS.keys() == OUTCOMES.keys()


@pytest.mark.parametrize("knots", [(), (-1.0,), (-2.0, -0.5, -0.25, 3.0)])
def test_isotonic_calibration_is_that_of_predict(
    knots: tuple[float, ...], trained: Callable[[str, str], Path]
) -> None:
    levels = tuple(float(k) for k in range(len(knots)))
    method = "isotonic" if knots else "temperature"
    calibration = Calibration(method, temperature=1.7, knots=knots, levels=levels)
    bundle = load_bundle(trained("ppi", "head"))
    answering = Answering(TASKS["ppi"], bundle.answering.labels, Decisions(calibration))
    head = PairHead(bundle.model, answering)
    logits = np.linspace(-4, 4, 33)[:, None]
    found = head.calibrated(torch.from_numpy(logits))
    np.testing.assert_allclose(found.numpy(), calibration.apply(logits), atol=1e-12)


@pytest.mark.parametrize(
    ("task", "method"),
    [("ppi", "lora"), pytest.param("residue", "head", marks=pytest.mark.slow)],
)
def test_the_page_runs_elsewhere_and_answers_as_predict_does(
    task: str, method: str, trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    run = trained(task, method)
    bundle = load_bundle(run)
    write_checkpoint(bundle.model.backbone, tmp_path / "checkpoint")
    write_onnx(bundle, tmp_path / "checkpoint", tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(model_record(bundle)))
    encode = bundle.model.backbone.vocabulary.encode
    rows = [outputs(tmp_path / "encoder.onnx", input_ids=encode(text))[0] for text in PROTEINS]
    # onnxruntime's scattered sums race between threads, in some hundreds of residues
    graph = onnx.load(tmp_path / "encoder.onnx").graph
    assert not [node.op_type for node in graph.node if "Scatter" in node.op_type]
    predictor = load(run, **PLAIN)
    if task == "ppi":
        inputs = {"a": np.concatenate([rows[0], rows[2]]), "b": np.concatenate([rows[1], rows[0]])}
        expected = predictor.predict(PAIRS)["probability"].to_numpy()
    else:
        frame = predictor.predict(PROTEINS)
        expected = frame[[name for name in frame if name.startswith("p_")]].to_numpy()
        inputs = {"rows": np.concatenate(rows)}
    _, found = outputs(tmp_path / "head.onnx", **inputs)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    code = onnx_page(bundle).split("```python\n")[1].split("```")[0]
    alone = "import sys\n" + code + "\nassert not {'torch', 'peftide'} & {*sys.modules}\n"
    done = subprocess.run([sys.executable, "-c", alone], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", CARDS)
def test_every_family_becomes_a_graph(
    checkpoint: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bundle = model_of(request.getfixturevalue(checkpoint), "ends")
    backbone: Any = bundle.model.backbone
    write_checkpoint(backbone, tmp_path / "checkpoint")
    write_onnx(bundle, tmp_path / "checkpoint", tmp_path)
    for text in PROTEINS:
        batch = backbone.pack([text], max_length=None)
        with torch.no_grad():
            expected = bundle.model.encode(batch).numpy()
        (found,) = outputs(tmp_path / "encoder.onnx", input_ids=batch.input_ids.numpy())
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_onnx_cannot_hold_is_refused(trained: Callable[[str, str], Path]) -> None:
    with pytest.raises(InputError, match="compares each sequence with its wild type"):
        check_exportable(load_bundle(trained("variants", "head")))
