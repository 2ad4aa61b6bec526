"""The raw files of the public benchmarks, made again from the tables of the real data sets."""

import lzma
from pathlib import Path

Row = tuple[str, ...]


def rows_of(path: Path) -> list[Row]:
    """Rows of a table, without its header."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        return [tuple(line.rstrip("\n").split("\t")) for line in stream][1:]


def sequences_of(path: Path) -> list[tuple[str, str]]:
    """Ids and sequences of a FASTA file."""
    records = path.read_text().removeprefix(">").split("\n>")
    return [
        (head, body.replace("\n", "")) for head, _, body in (r.partition("\n") for r in records)
    ]


def pair_files(rows: list[Row], part: str, pattern: str) -> dict[str, bytes]:
    """The two files with the pairs of a part."""
    return {
        pattern.format(kind): "".join(
            f"{row[0]} {row[1]}\n" for row in rows if row[2:] == (label, part)
        ).encode()
        for kind, label in (("pos", "1"), ("neg", "0"))
    }


def yeast_files(data: Path) -> dict[str, bytes]:
    folder = data / "ppi_yeast"
    inside, across = rows_of(folder / "du_0_to_1.tsv"), rows_of(folder / "du_both_to_0.tsv")
    pairs = "algorithms/SPRINT/data/partitions/du_partition_"
    fasta = "".join(
        f">sp|{name}|X_YEAST a protein\n{text}\n"
        for name, text in reversed(sequences_of(folder / "sequences.fasta"))
    )
    return {
        **pair_files(inside, "train", f"{pairs}0_{{}}.txt"),
        **pair_files(inside, "test", f"{pairs}1_{{}}.txt"),
        **pair_files(across, "train", f"{pairs}both_{{}}.txt"),
        "Datasets_PPIs/SwissProt/yeast_swissprot_oneliner.fasta": fasta.encode(),
    }


def gold_files(data: Path) -> dict[str, bytes]:
    folder, found = data / "ppi_gold", {}
    sequences = dict(sequences_of(folder / "sequences.fasta"))
    for part, block in (("train", "Intra1"), ("valid", "Intra0"), ("test", "Intra2")):
        rows = rows_of(folder / f"{part}.tsv")
        found |= pair_files(rows, part, f"data/raw/bernett/{block}_{{}}_rr.txt")
        names = sorted({name for row in rows for name in row[:2]})
        text = "".join(f"{name}\t{sequences[name]}\r\n" for name in names)
        found[f"data/processed/bernett/{block}_dictionary.tsv"] = text.encode()
    return found


def stability_files(data: Path) -> dict[str, bytes]:
    rows = rows_of(data / "tasks/stability/data.tsv.xz")
    return {
        f"protein_benchmarks/stability.{part}.csv": "".join(
            ["seq,label\n", *(f"{row[0]},{row[1]}\n" for row in rows if row[2] == part)]
        ).encode()
        for part in ("train", "valid", "test")
    }


FILES = {"ppi_yeast": yeast_files, "ppi_gold": gold_files, "stability": stability_files}
FOLDERS = {"ppi_yeast": "ppi_yeast", "ppi_gold": "ppi_gold", "stability": "tasks/stability"}
