"""`peftide demo`."""

from peftide.cli.closing import free_path, say_next, say_written
from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.demo import BEST_METHOD, DemoResult, demo, run_path
from peftide.config import DemoConfig
from peftide.config.unread import Names
from peftide.quantities import count_of
from peftide.run_folder import RunFolder


def run(config: DemoConfig, _given: Names) -> None:
    """Run the demo, then print its table and a suggested next command."""
    result = demo(config)
    say("\nSimulated proteins; no training saw the test proteins.\n")
    say("\n".join(table_lines(result)))
    pairs = result.new_pairs
    right = (pairs["prediction"].to_numpy() == pairs["truth"].to_numpy()).sum()
    say(f"\nnew proteins: {right} of {count_of(len(pairs), 'pair')} predicted correctly")
    report = RunFolder(run_path(config, "ppi", BEST_METHOD)).report
    say_written(**{"data,_runs,_tables": result.path, "report": report})
    data = result.path / "data"
    words = ["peftide", "train", "--task", "ppi", "--data", str(data / "pairs.tsv")]
    words += ["--sequences", str(data / "proteins.fasta"), "--out", str(free_path("my_run"))]
    say_next(words)


def table_lines(result: DemoResult) -> list[str]:
    """Return the table as text."""
    header = ["task", "method", "score", "composition", "trained", "memory", "time"]
    rows = [
        [
            row["task"],
            row["method"],
            f"{row['test']:.3f}",
            f"{row['composition']:.3f}",
            f"{row['trained_parameters']:,}",
            f"{row['added_memory_mb']:,} MB",
            f"{row['seconds']:.0f} s",
        ]
        for row in result.table.to_dict("records")
    ]
    notes = [
        "score, composition: average precision (ppi), macro average precision (symmetry), on test",
        "memory: peak minus the memory in use when the training began",
    ]
    return [*aligned([header, *rows]), *notes]
