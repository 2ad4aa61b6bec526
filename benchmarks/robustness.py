"""How far do rank, matrices, layers and learning rate of LoRA move the score? Trials of two sweeps.

    cd "$PEFTIDE_DATA/ppi_yeast"
    peftide sweep --config REPO/configs/robustness_yeast.yaml \\
        --space REPO/configs/spaces/lora.yaml --threads 1 --out YEAST
    cd "$PEFTIDE_DATA/symmetry"
    peftide sweep --config REPO/configs/robustness_symmetry.yaml \\
        --space REPO/configs/spaces/lora.yaml --threads 1 --out SYMMETRY
    python benchmarks/robustness.py yeast=YEAST symmetry=SYMMETRY --picture PICTURE.svg

Scores are average precision on validation. A combination that was drawn twice counts once. The mean
of its seed is subtracted from each score before values are compared: "p" is the chance of so
different values if the option had no effect (Kruskal-Wallis test).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from recording import add_record_option, write_record
from scipy.stats import kruskal

OPTIONS = {
    "lora_r": "rank",
    "lora_targets": "matrices",
    "lora_layers": "layers",
    "learning_rate": "learning rate",
    "seed": "seed",
}
COLUMNS = ("Set", "Option", "Value", "Trials", "Mean", "Lowest", "Highest", "p")
PANEL, HIGH, LEFT, GAP = 150, 16, 170, 34
"""Sizes of the picture: width of a panel, height of a row, room for names, room between options."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweeps", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--picture", type=Path, help="SVG file")
    add_record_option(parser)
    options = parser.parse_args()
    found = {name: trials(Path(folder)) for name, folder in (s.split("=") for s in options.sweeps)}
    rows = [row for name, table in found.items() for row in compared(name, table)]
    for row in rows:
        print(" · ".join(row))
    notes = [note(name, table) for name, table in found.items()]
    print("\n".join(notes))
    write_record(options.record, COLUMNS, rows, notes=notes)
    if options.picture is not None:
        options.picture.write_text(drawn(found), encoding="utf-8")


def trials(folder: Path) -> pd.DataFrame:
    """Return the finished trials of a sweep, each combination once, the smallest value first."""
    table = pd.read_csv(folder / "trials.tsv", sep="\t", keep_default_na=False)
    table = table[table["state"] == "complete"].drop_duplicates(list(OPTIONS))
    table["score"] = table["score"].astype(float)
    return table.assign(
        beside_seed=table["score"] - table.groupby("seed")["score"].transform("mean")
    )


def compared(name: str, table: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the rows of a set: each value of each option."""
    for option, words in OPTIONS.items():
        groups = dict(iter(table.groupby(option)))
        column = "score" if option == "seed" else "beside_seed"
        p = kruskal(*(part[column] for part in groups.values())).pvalue
        for number, (value, part) in enumerate(groups.items()):
            scores = part["score"]
            numbers = (f"{x:.3f}" for x in (scores.mean(), scores.min(), scores.max()))
            shown = f"{value:g}" if isinstance(value, float) else str(value).replace(",", ", ")
            said = ("< .001" if p < 0.001 else f"{p:.3f}") if number == 0 else ""
            yield [name, words, shown, str(len(part)), *numbers, said]


def note(name: str, table: pd.DataFrame) -> str:
    """Return the spread of all scores, and what is left of it without the seeds, in words."""
    whole, rest = table["score"].std(), table["beside_seed"].std()
    return (
        f"{name}: {len(table)} combinations; standard deviation of the scores {whole:.4f}, without "
        f"the means of the seeds {rest:.4f}; lowest {table['score'].min():.3f}, highest "
        f"{table['score'].max():.3f}."
    )


def drawn(found: dict[str, pd.DataFrame]) -> str:
    """Return a picture: a point for each trial, a row for each value, a column for each set."""
    marks, y = [], 30
    for option, words in OPTIONS.items():
        marks.append(f'<text x="8" y="{y}" font-weight="bold">{words}</text>')
        values = sorted({value for table in found.values() for value in table[option]})
        for value in values:
            y += HIGH
            marks.append(f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{value}</text>')
            for place, table in enumerate(found.values()):
                low, high = table["score"].min(), table["score"].max()
                start = LEFT + place * (PANEL + GAP)
                marks.append(
                    f'<line x1="{start}" x2="{start + PANEL}" y1="{y - 4}" y2="{y - 4}" '
                    'stroke="#dddddd"/>'
                )
                for score in table.loc[table[option] == value, "score"]:
                    x = start + PANEL * (score - low) / (high - low)
                    marks.append(
                        f'<circle cx="{x:.1f}" cy="{y - 4}" r="3.5" fill="#4477aa" '
                        'fill-opacity="0.5"/>'
                    )
        y += GAP
    for place, (name, table) in enumerate(found.items()):
        start = LEFT + place * (PANEL + GAP)
        ends = (f"{edge:.3f}" for edge in (table["score"].min(), table["score"].max()))
        marks.append(f'<text x="{start}" y="14">{name}: {" to ".join(ends)}</text>')
    width = LEFT + len(found) * (PANEL + GAP)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" '
            'font-family="sans-serif" font-size="11" role="img" '
            'aria-label="Validation scores of all trials by option and value">',
            '<rect width="100%" height="100%" fill="white"/>',
            *marks,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    main()
