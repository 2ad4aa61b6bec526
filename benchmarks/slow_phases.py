"""CPU time of phases that grow with the number of similar proteins or of classes.

    python benchmarks/slow_phases.py [--only split audit variants scoring]

All data are simulated. `split` and `audit` run on 50 families of 100 proteins with 300 residues,
whose members differ from their ancestor at 40 % of the places; `variants` audits random splits of
single and double mutants of one protein; `scoring` trains heads on 5,000 short proteins of 50 and
of 200 classes with the default baselines and intervals. Similarities are found by pyopal.
"""

import argparse
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from recording import add_record_option, write_record

from peftide import AuditConfig, SplitConfig, TrainConfig, audit, split, train

Row = tuple[str, str, str]
RESIDUES = np.array(list("ACDEFGHIKLMNPQRSTVWY"))
ONE_THREAD = 1
CLASSES = (50, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    add_record_option(parser)
    given = parser.parse_args()
    rows = []
    for name in given.only:
        with tempfile.TemporaryDirectory() as folder:
            for row in CASES[name](Path(folder)):
                rows.append(row)
                print(" | ".join(row), flush=True)
    write_record(given.record, ["Command", "Data", "CPU seconds"], rows)


def split_families(folder: Path) -> Iterator[Row]:
    table = families(folder)
    spent = seconds(lambda: split(split_config(table, folder)))
    yield "`split`", FAMILIES, spent


def audit_families(folder: Path) -> Iterator[Row]:
    split(split_config(families(folder), folder))
    config = AuditConfig(data=folder / "parts" / "split.tsv", similarity="pyopal", threads=1)
    yield "`audit` of that split", FAMILIES, seconds(lambda: audit(config))


def audit_variants(folder: Path) -> Iterator[Row]:
    for count in (5_000, 20_000):
        config = AuditConfig(data=variants(folder, count), similarity="pyopal", threads=1)
        spent = seconds(lambda config=config: audit(config))
        yield "`audit`", f"{count:,} variants of one protein of 264 residues", spent


def score_classes(folder: Path) -> Iterator[Row]:
    """Time all that follows the training loop: calibration, baselines, intervals, tables."""
    from peftide.training import running

    inner, spent = running.score, []

    def timed(*arguments: object) -> object:
        started = cpu_seconds()
        try:
            return inner(*arguments)
        finally:
            spent.append(cpu_seconds() - started)

    running.score = timed
    for count in CLASSES:
        config = TrainConfig(
            data=classes(folder, count),
            out=folder / f"run{count}",
            method="head",
            epochs=1,
            threads=ONE_THREAD,
        )
        whole = seconds(lambda config=config: train(config))
        yield "`train --method head --epochs 1`", f"5,000 proteins of {count} classes", whole
        yield "of that: scoring", f"5,000 proteins of {count} classes", f"{spent.pop():.1f}"


CASES: dict[str, Callable[[Path], Iterator[Row]]] = {
    "split": split_families,
    "audit": audit_families,
    "variants": audit_variants,
    "scoring": score_classes,
}
FAMILIES = "50 families of 100 proteins of 300 residues"


def split_config(table: Path, folder: Path) -> SplitConfig:
    return SplitConfig(input=(str(table),), out=folder / "parts", similarity="pyopal", threads=1)


def families(folder: Path) -> Path:
    random = np.random.default_rng(0)
    ancestors = random.integers(20, size=(50, 1, 300)).repeat(100, axis=1).reshape(5_000, 300)
    changed = random.random(ancestors.shape) < 0.4
    members = np.where(changed, random.integers(20, size=ancestors.shape), ancestors)
    labels = [f"{value:.4f}" for value in random.normal(size=len(members))]
    return table_of(folder / "families.tsv", members, labels)


def variants(folder: Path, count: int) -> Path:
    random = np.random.default_rng(1)
    members = np.tile(random.integers(20, size=264), (count, 1))
    for _ in range(2):
        members[np.arange(count), random.integers(264, size=count)] = random.integers(
            20, size=count
        )
    labels = [f"{value:.4f}" for value in random.normal(size=count)]
    return table_of(folder / f"variants{count}.tsv", members, labels)


def classes(folder: Path, count: int) -> Path:
    random = np.random.default_rng(2)
    kinds = random.integers(count, size=5_000)
    motifs = random.integers(20, size=(count, 40))
    members = np.where(
        random.random((5_000, 40)) < 0.5, motifs[kinds], random.integers(20, size=(5_000, 40))
    )
    return table_of(folder / f"classes{count}.tsv", members, [f"class {kind}" for kind in kinds])


def table_of(path: Path, members: np.ndarray, labels: list[str]) -> Path:
    """Write a table whose rows are split at random, 8 : 1 : 1."""
    parts = ["train"] * 8 + ["validation", "test"]
    texts = ["".join(letters) for letters in RESIDUES[members]]
    rows = [
        f"P{number}\t{text}\t{label}\t{parts[number % 10]}\n"
        for number, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    path.write_text("id\tsequence\tlabel\tsplit\n" + "".join(rows))
    return path


def seconds(work: Callable[[], object]) -> str:
    started = cpu_seconds()
    work()
    return f"{cpu_seconds() - started:.1f}"


def cpu_seconds() -> float:
    """User and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
