"""The ONNX graphs of a model against the same model in PyTorch, on real proteins.

    python benchmarks/exported_graphs.py SEQUENCES RUN ... [--proteins 100]

RUN is a finished training on pairs or single sequences. Random proteins of the FASTA file
SEQUENCES are encoded by both, in fp32 on one thread, and answered alone or as random pairs.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from recording import add_record_option, write_record

import peftide
from peftide.sequences import read_fasta

PLAIN: dict[str, Any] = {"device": "cpu", "threads": 1, "precision": "fp32"}
LENGTHS = range(30, 1023)
COLUMNS = [
    *("Task", "Backbone", "Proteins", "Residues", "Answers"),
    *("Largest difference of a vector", "Largest number in a vector"),
    *("Largest difference of a score", "Range of the scores", "Largest difference of an answer"),
    *("CPU seconds of PyTorch", "CPU seconds of ONNX"),
]


class Graphs:
    """The graphs of a model, opened by onnxruntime on one thread."""

    def __init__(self, folder: Path) -> None:
        self.model = json.loads((folder / "model.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.encoder, self.head = (
            onnxruntime.InferenceSession(folder / f"{name}.onnx", options)
            for name in ("encoder", "head")
        )

    def encode(self, sequence: str) -> np.ndarray:
        """Return the vector of a protein; code of the README that `peftide export` writes."""
        letters = [self.model["letters"][letter] for letter in sequence]
        ids = np.array(self.model["prefix"] + letters + self.model["suffix"])
        return np.asarray(self.encoder.run(["rows"], {"input_ids": ids})[0])


def proteins_of(path: Path, count: int) -> list[str]:
    """Return random distinct proteins of a FASTA file."""
    proteins, _ = read_fasta(path)
    fitting = sorted({text for text in proteins.sequences if len(text) in LENGTHS})
    return np.random.default_rng(0).permutation(np.array(fitting, dtype=object))[:count].tolist()


def compared(run: Path, proteins: list[str]) -> list[object]:
    """Return the row of one model."""
    predictor = peftide.load(run, **PLAIN)
    task = predictor.answering.task
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "graphs"
        peftide.export(peftide.ExportConfig(run=run, out=out))
        graphs = Graphs(out)
    predictor.embed(proteins[:1])
    started = time.process_time()
    vectors = predictor.embed(proteins)
    of_torch = time.process_time() - started
    started = time.process_time()
    rows = np.concatenate([graphs.encode(text) for text in proteins])
    of_graphs = time.process_time() - started
    other = np.random.default_rng(1).permutation(len(proteins))
    is_pair = task.level == "pair"
    inputs = {"a": rows, "b": rows[other]} if is_pair else {"rows": rows}
    logits, answers = map(np.asarray, graphs.head.run(None, inputs))
    asked: Any = proteins
    if is_pair:
        asked = [(text, proteins[k]) for text, k in zip(proteins, other, strict=True)]
    dataset = predictor.read(asked)
    expected = predictor.logits(dataset)
    columns = predictor.answering.answers(expected)
    name = predictor.encoder.model.backbone.origin.name
    return [
        *(task.question, name, len(proteins), f"{sum(map(len, proteins)):,}", len(answers)),
        *(f"{np.abs(rows - vectors).max():.1e}", f"{np.abs(vectors).max():.2f}"),
        f"{np.abs(logits - expected).max():.1e}",
        f"{expected.min():.2f} to {expected.max():.2f}".replace("-", "−"),
        f"{np.abs(answers - columns).max():.1e}",
        *(f"{of_torch:.1f}", f"{of_graphs:.1f}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sequences", type=Path)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--proteins", type=int, default=100)
    add_record_option(parser)
    options = parser.parse_args()
    proteins = proteins_of(options.sequences, options.proteins)
    rows = [compared(run, proteins) for run in options.runs]
    for row in rows:
        for pair in zip(COLUMNS, row, strict=True):
            print(*pair, sep="\t")
    write_record(options.record, COLUMNS, rows)


if __name__ == "__main__":
    main()
