"""Attributions put to the deletion test, and the speed of all substitutions of a protein.

    python benchmarks/explain.py faithful RUN=TABLE[=SEQUENCES] ... [--rows 20] [--residues 60-250]
    python benchmarks/explain.py speed [--backbone random:esm2_t6_8M] [--residues 300]

RUN is a finished training; rows of the part `test` of TABLE are explained. Measures CPU seconds on
one thread, so that other work on the machine matters little.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recording import add_record_option, write_record

import peftide
from peftide.explaining.attribution import integrated, occlusion, path_gradients
from peftide.explaining.deletion import delete
from peftide.explaining.faithful import faithfulness
from peftide.explaining.scoring import scores
from peftide.explaining.subjects import Subject, read_subjects
from peftide.explaining.substitutions import substitution_table
from peftide.predictor import Predictor
from peftide.sequences import read_fasta

LETTERS = list("ACDEFGHIKLMNPQRSTVWY")
PLAIN: dict[str, Any] = {"device": "cpu", "threads": 1}


def substitutions(predictor: Predictor, subject: Subject) -> np.ndarray:
    """Return the mean fall of the score over the substitutions of each residue."""
    count = len(subject.sequence)
    table = substitution_table(predictor, subject, set(range(1, count + 1)))
    means = table.groupby("position")["change"].mean()
    return -means.reindex(range(1, count + 1), fill_value=0.0).to_numpy()


METHODS: dict[str, Callable[[Predictor, Subject], np.ndarray]] = {
    "integrated gradients": integrated,
    "occlusion": occlusion,
    "gradient × input": lambda *of: path_gradients(*of, np.ones(1)),
    "mean substitution": substitutions,
    "random": lambda _predictor, of: np.random.default_rng(1).normal(size=len(of.sequence)),
}


def faithful(options: argparse.Namespace) -> None:
    columns = ["Task", "Proteins", "Attribution", "Fall of the score", "Random orders"]
    columns += ["Difference", "Ahead of all random orders", "CPU seconds per protein"]
    rows = []
    for word in options.runs:
        run, table, *sequences = word.split("=")
        predictor = peftide.load(run, **PLAIN)
        subjects = chosen(predictor, table, sequences, options)
        for name, method in METHODS.items():
            if name == "mean substitution" and len(subjects[0].sequence) > options.longest:
                continue
            started = time.process_time()
            found = [method(predictor, one) for one in subjects]
            seconds = (time.process_time() - started) / len(subjects)
            tested = [tested_by(predictor, *pair) for pair in zip(subjects, found, strict=True)]
            result = faithfulness(subjects, tested)
            interval = "" if result.low is None else f" [{result.low:.2f}, {result.high:.2f}]"
            row = [task_of(predictor), len(subjects), name, f"{result.area:.2f}"]
            row += [f"{result.random_area:.2f}", f"{result.lead:.2f}{interval}"]
            row += [f"{result.ahead} of {result.count}", f"{seconds:.1f}"]
            print(*row, sep="\t", flush=True)
            rows.append(row)
    write_record(options.record, columns, rows)


def tested_by(predictor: Predictor, subject: Subject, attribution: np.ndarray) -> Any:
    return delete(subject.sequence, attribution, lambda texts: scores(predictor, subject, texts))


def task_of(predictor: Predictor) -> str:
    return predictor.answering.task.question


def chosen(
    predictor: Predictor, table: str, sequences: list[str], options: argparse.Namespace
) -> list[Subject]:
    """Return random test proteins of a table with the wanted length."""
    rows = pd.read_csv(table, sep="\t").query("split == 'test'")
    low, high = map(int, options.residues.split("-"))
    if sequences:
        proteins, _ = read_fasta(Path(sequences[0]))
        known = dict(zip(proteins.ids, proteins.sequences, strict=True))
        rows = rows.loc[rows["id_a"] != rows["id_b"], ["id_a", "id_b"]]
        fits = rows.map(lambda name: low <= len(known[name]) <= high).all(axis=1)
        drawn = rows[fits].sample(options.rows, random_state=0)
        dataset = predictor.read(drawn, Path(sequences[0]))
    else:
        rows = rows.loc[rows["sequence"].str.len().between(low, high), ["sequence"]]
        dataset = predictor.read(rows.sample(options.rows, random_state=0))
    return read_subjects(predictor, dataset, partner="a")


def speed(options: argparse.Namespace) -> None:
    generator = np.random.default_rng(0)
    texts = ["".join(generator.choice(LETTERS, options.residues)) for _ in range(40)]
    with tempfile.TemporaryDirectory() as folder:
        labelled = pd.DataFrame({"sequence": texts, "label": range(40)})
        config = peftide.TrainConfig(
            task="regression",
            train=labelled.iloc[:30],
            validation=labelled.iloc[30:],
            backbone=options.backbone,
            method="head",
            epochs=1,
            baselines=("none",),
            out=Path(folder) / "run",
            **PLAIN,
        )
        predictor = peftide.load(peftide.train(config).path, **PLAIN)
    (subject,) = read_subjects(predictor, predictor.read(texts[:1]))
    plain = texts[:40]
    predictor.encode(plain[:1])
    tokens = options.residues + predictor.encoder.model.backbone.vocabulary.special_tokens
    started = time.process_time()
    predictor.encode(plain)
    rate = len(plain) * options.residues / (time.process_time() - started)
    started = time.process_time()
    table = substitution_table(predictor, subject, set(range(1, options.residues + 1)))
    seconds = time.process_time() - started
    of_substitutions = len(table) * options.residues / seconds
    row = [options.backbone, options.residues, f"{len(table):,}", f"{seconds:.0f}"]
    row += [f"{of_substitutions:,.0f}", f"{rate:,.0f}", f"{of_substitutions / rate:.2f}"]
    columns = ["Backbone", "Residues", "Substitutions", "CPU seconds", "Residues/s"]
    columns += ["Residues/s of plain embedding, same run", "Ratio"]
    print(*row, f"tokens each {tokens}, {predictor.encoder.hardware.precision}", sep="\t")
    write_record(options.record, columns, [row])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("faithful")
    one.add_argument("runs", nargs="+", metavar="RUN=TABLE[=SEQUENCES]")
    one.add_argument("--rows", type=int, default=20)
    one.add_argument("--residues", default="30-250")
    one.add_argument("--longest", type=int, default=100, help="for mean substitution")
    one.set_defaults(run=faithful)
    two = commands.add_parser("speed")
    two.add_argument("--backbone", default="random:esm2_t6_8M")
    two.add_argument("--residues", type=int, default=300)
    two.set_defaults(run=speed)
    for each in (one, two):
        add_record_option(each)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
