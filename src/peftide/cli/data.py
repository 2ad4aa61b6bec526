"""`peftide data`."""

from peftide.cli.closing import free_path, say_next, say_written
from peftide.cli.streams import say
from peftide.commands.data import DATA, IDS, data
from peftide.config import DataConfig
from peftide.config.unread import Names
from peftide.databases.benchmarks import BENCHMARKS
from peftide.quantities import byte_size, count_of


def run(config: DataConfig, given: Names) -> None:
    """Write the table, and say its size, the rows left out, and the next command."""
    if config.source == "get":
        run_get(config, given)
        return
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


def run_get(config: DataConfig, given: Names) -> None:
    """Download a benchmark, and say its licence and the next command; without a name, list all."""
    if config.name is None:
        for name, one in BENCHMARKS.items():
            say(f"{name}: {one.about}; {byte_size(one.size_bytes)}; licence: {one.licence}")
        say_next(["peftide", DATA, "get", next(iter(BENCHMARKS)), "--out", "benchmark"])
        return
    result = data(config, given=given)
    benchmark = BENCHMARKS[config.name]
    say(f"licence: {benchmark.licence}")
    say(f"source: https://github.com/{benchmark.repository}/tree/{benchmark.commit}", wrap=False)
    say_written(**{path.name: path for path in result.files})
    names = {path.name: str(path) for path in result.files}
    words = [names.get(word, word) for word in benchmark.training]
    say_next(["peftide", "train", *words, "--out", str(free_path("my_run"))])
