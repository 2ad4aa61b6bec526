"""Public benchmarks: where their files are, and how these files become peftide's tables."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from peftide.errors import HubError
from peftide.sequences.accessions import accession
from peftide.sequences.fasta import parse_fasta

Row = tuple[str, ...]
Tables = dict[str, list[Row]]
"""Name of a file → its rows; a table begins with its header, a FASTA file has none."""
GITHUB = "https://raw.githubusercontent.com"
FASTA = ".fasta"
PAIR_COLUMNS = ("id_a", "id_b", "label", "split")
LABELS = {"pos": "1", "neg": "0"}
YEAST_PAIRS = "algorithms/SPRINT/data/partitions/du_partition_{}_{}.txt"
YEAST_SEQUENCES = "Datasets_PPIs/SwissProt/yeast_swissprot_oneliner.fasta"
YEAST_BLOCKS = ("0", "1", "both")
YEAST_SPLITS = (("0", "1"), ("both", "0"), ("both", "1"))
"""Block to train on, block to test on."""
GOLD_PAIRS = "data/raw/bernett/{}_{}_rr.txt"
GOLD_SEQUENCES = "data/processed/bernett/{}_dictionary.tsv"
GOLD_BLOCKS = {"train": "Intra1", "valid": "Intra0", "test": "Intra2"}
STABILITY = "protein_benchmarks/stability.{}.csv"
STABILITY_COLUMNS = ("seq", "label")
SHOWN = 60
"""Characters of a wrong line in a message."""
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Benchmark:
    """A public benchmark.

    Attributes
    ----------
    about
        Its content, in a few words.
    licence
        As the source states it.
    repository
        `OWNER/NAME` on GitHub.
    commit
        Full hash of the commit to download.
    size_bytes
        Size of all its files, roughly.
    paths
        Its files in the repository.
    build
        Path → text of the file in; the tables out.
    digests
        Each built file → the digest of its rows.
    training
        Options of a training on it; names of built files are among them.
    """

    about: str
    licence: str
    repository: str
    commit: str
    size_bytes: int
    paths: tuple[str, ...]
    build: Callable[[Mapping[str, str]], Tables]
    digests: Mapping[str, str]
    training: tuple[str, ...]

    def url(self, path: str, mirror: str | None = None) -> str:
        """Return the address of a file, or of its copy under another address."""
        return f"{(mirror or GITHUB).rstrip('/')}/{self.repository}/{self.commit}/{path}"


def build_yeast(texts: Mapping[str, str]) -> Tables:
    """Return the three splits of the yeast interactions, and the sequences of their proteins."""
    tables = {
        f"du_{train}_to_{test}.tsv": [
            PAIR_COLUMNS,
            *labelled_pairs(texts, YEAST_PAIRS, train, part="train"),
            *labelled_pairs(texts, YEAST_PAIRS, test, part="test"),
        ]
        for train, test in YEAST_SPLITS
    }
    proteins = parse_fasta(Path(YEAST_SEQUENCES), texts[YEAST_SEQUENCES]).proteins
    by_id = dict(zip(map(accession, proteins.ids), proteins.sequences, strict=True))
    used = {name for rows in tables.values() for row in rows[1:] for name in row[:2]}
    return tables | {f"sequences{FASTA}": [(name, by_id.get(name, "")) for name in sorted(used)]}


def build_gold(texts: Mapping[str, str]) -> Tables:
    """Return train, validation and test pairs of human proteins, and their sequences."""
    tables = {
        f"{part}.tsv": [PAIR_COLUMNS, *labelled_pairs(texts, GOLD_PAIRS, block, part=part)]
        for part, block in GOLD_BLOCKS.items()
    }
    paths = [GOLD_SEQUENCES.format(block) for block in GOLD_BLOCKS.values()]
    sequences = {row for path in paths for row in cells(texts, path, count=2)}
    return tables | {f"sequences{FASTA}": sorted(sequences)}


def build_stability(texts: Mapping[str, str]) -> Tables:
    """Return one table of designed mini-proteins with their stability; labels stay as text."""
    rows: list[Row] = [("sequence", "target", "split")]
    for part in PARTS:
        path = STABILITY.format(part)
        header, *found = cells(texts, path, separator=",", count=2)
        if header != STABILITY_COLUMNS:
            refuse(f"{path}:1", repr(",".join(header)), expected=",".join(STABILITY_COLUMNS))
        rows += [(*row, part) for row in found]
    return {"data.tsv.xz": rows}


def labelled_pairs(
    texts: Mapping[str, str], pattern: str, block: str, *, part: str
) -> Iterator[Row]:
    """Yield the pairs of a block in the order of the files: first the ones that interact."""
    for kind, label in LABELS.items():
        for pair in cells(texts, pattern.format(block, kind), count=2):
            yield (*pair, label, part)


def cells(
    texts: Mapping[str, str], path: str, *, separator: str | None = None, count: int
) -> Iterator[Row]:
    """Yield the cells of each line of a file; `None` separates them at blanks and tabs.

    Raises
    ------
    HubError
        If a line has another number of cells.
    """
    for number, line in enumerate(texts[path].splitlines(), start=1):
        found = tuple(line.strip().split(separator))
        if len(found) != count:
            refuse(f"{path}:{number}", repr(line[:SHOWN]), expected=f"{count} cells")
        yield found


def refuse(where: str, received: str, *, expected: str) -> NoReturn:
    """Raise because a source has other content than the recipe of the benchmark needs.

    Raises
    ------
    HubError
        In any case.
    """
    raise HubError(
        f"{where}: received {received}; expected {expected}. The source has changed, or the "
        "download is damaged; nothing of it was kept",
        fix="Run the command again; if the error stays, tell the authors of peftide",
    )


def rows_digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 of sorted rows: the same for every order and format of a file.

    Examples
    --------
    >>> rows_digest([("b", "MK"), ("a", "MV")]) == rows_digest([("a", "MV"), ("b", "MK")])
    True
    """
    lines = sorted("\t".join(row) for row in rows)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def checked_tables(benchmark: Benchmark, texts: Mapping[str, str]) -> Tables:
    """Return the tables of a benchmark whose rows are the expected ones.

    Raises
    ------
    HubError
        If the files have other content.
    """
    tables = benchmark.build(texts)
    for name, digest in benchmark.digests.items():
        found = rows_digest(tables[name] if name.endswith(FASTA) else tables[name][1:])
        if found != digest:
            refuse(name, f"rows with the SHA-256 {found}", expected=digest)
    return tables


BENCHMARKS: dict[str, Benchmark] = {
    "ppi_yeast": Benchmark(
        about="yeast protein interactions, three splits (Bernett et al. 2024)",
        licence="GPL-3.0 (repository); sequences of UniProt, CC BY 4.0",
        repository="biomedbigdata/data-leakage-ppi-prediction",
        commit="227ea4cbb1c50fca5fa322e15c526da57a77bf2d",
        size_bytes=3_700_000,
        paths=(
            *(YEAST_PAIRS.format(block, kind) for block in YEAST_BLOCKS for kind in LABELS),
            YEAST_SEQUENCES,
        ),
        build=build_yeast,
        digests={
            "du_0_to_1.tsv": "55a654e0daee31b998c738efade830488f9193ad47916233828c946559b124d0",
            "du_both_to_0.tsv": "2dc78195d8837195625127af1e5bc505baf9ee7744e19951dc3c2e358448d24e",
            "du_both_to_1.tsv": "a3ca7b4bde08a1fca550e6b27ae6844c0499bf28c6ae438215887ac85a65a04d",
            "sequences.fasta": "16c32976c3e64fee580ba31a9805dd32ad2110860196b642fedb79454f0e9f8e",
        },
        training=("--task", "ppi", "--data", "du_0_to_1.tsv", "--sequences", "sequences.fasta"),
    ),
    "ppi_gold": Benchmark(
        about="human protein interactions, no protein or similarity shared (Bernett et al. 2024)",
        licence="MIT (repository); the licence of the original figshare record was not checked",
        repository="Wang-lab-UCSD/TUnA",
        commit="8cd8b079cae26ae6f431adaf9dcae591ba401d1a",
        size_bytes=10_900_000,
        paths=(
            *(GOLD_PAIRS.format(name, kind) for name in GOLD_BLOCKS.values() for kind in LABELS),
            *(GOLD_SEQUENCES.format(name) for name in GOLD_BLOCKS.values()),
        ),
        build=build_gold,
        digests={
            "train.tsv": "6606bfbfe7c2bf58828797a14ac0acc1466dbce79d975696d2e135b4be386238",
            "valid.tsv": "c2c19bf58247cb61c978e97c9704e0551b820278859a8b2b3e1ce99208939b00",
            "test.tsv": "a3f4401df2ec881488514740968e0d9e2c77dacf0083b5d7bf39adb25adeb574",
            "sequences.fasta": "7e6d22795c2d7f13357e4256f14e80883d1317c70ea135bad724295c18da9033",
        },
        training=("--task", "ppi", "--train", "train.tsv", "--validation", "valid.tsv")
        + ("--test", "test.tsv", "--sequences", "sequences.fasta"),
    ),
    "stability": Benchmark(
        about="stability of designed mini-proteins (TAPE)",
        licence="none stated",
        repository="nadavbra/protein_bert",
        commit="2090b78f09e70f0b960d7b591bf80d3d411c9d3f",
        size_bytes=4_400_000,
        paths=tuple(STABILITY.format(part) for part in PARTS),
        build=build_stability,
        digests={"data.tsv.xz": "e585bfa4590ffe8dbfe8ac475f11fdd41413f0cd4a200af7b086243e6b07b552"},
        training=("--task", "regression", "--data", "data.tsv.xz", "--label-column", "target"),
    ),
}
"""Name → benchmark."""
