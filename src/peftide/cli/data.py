"""`peftide data`."""

from peftide.cli.closing import say_next, say_written
from peftide.cli.streams import say
from peftide.commands.data import IDS, data
from peftide.config import DataConfig
from peftide.config.unread import Names
from peftide.quantities import count_of


def run(config: DataConfig, given: Names) -> None:
    """Write the table, and say its size, what was left out, and what comes next."""
    result = data(config, given=given)
    table, split = result.table, ["peftide", "split", "--input", str(result.path), "--out", "parts"]
    for reason, count in result.left_out.items():
        say(f"left out: {count:,}, {reason}")
    if config.source == "mmcif":
        labels = table["label"].value_counts()
        shown = ", ".join(f"{name} {count:,}" for name, count in labels.items())
        say(f"{count_of(len(table), 'homo-oligomer')}: {shown}")
        say_written(table=result.path)
        say_next(split)
        return
    proteins = len({*table["id_a"], *table["id_b"]})
    negatives = table["label"].tolist().count(0)
    say(f"{count_of(len(table), 'pair')} of {proteins:,} proteins, {negatives:,} do not interact")
    say_written(table=result.path, proteins=config.out / IDS)
    say_next(
        [*split, "--sequences", "proteins.fasta", "--negatives", "sample"],
        hint=f"Fetch the sequences of the proteins in {config.out / IDS} as a FASTA file. `split` "
        "draws pairs that do not interact.",
    )
