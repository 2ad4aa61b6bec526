"""`peftide demo`."""

from collections.abc import Mapping
from typing import Any

from peftide.cli.closing import free_path, say_next, say_written
from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.demo import DemoResult, demo, run_path
from peftide.config import DemoConfig
from peftide.config.unread import Names
from peftide.outputs import read_record
from peftide.quantities import count_of
from peftide.report.forms import AuditForm
from peftide.run_folder import RunFolder

RED_BOX = (
    "The reports of ppi have a red box, Data leak: some test proteins are similar to training "
    "proteins with the same planted signals. On your own data, take the box seriously."
)


def run(config: DemoConfig, _given: Names) -> None:
    """Run the demo, then print its table and a suggested next command."""
    result = demo(config)
    say("\nSimulated proteins; no training saw the test proteins.\n")
    say("\n".join(table_lines(result)))
    pairs = result.new_pairs
    right = (pairs["prediction"].to_numpy() == pairs["truth"].to_numpy()).sum()
    say(
        f"\n{result.best} has the best validation score on ppi. It predicts {right} of "
        f"{count_of(len(pairs), 'pair')} of new proteins right; guessing gets about half."
    )
    folder = RunFolder(run_path(config, "ppi", result.best))
    if has_leak(read_record(folder.audit, AuditForm)):
        say(RED_BOX)
    say_written(**{"data,_runs,_tables": result.path, "report": folder.report})
    data = result.path / "data"
    words = ["peftide", "train", "--task", "ppi", "--data", str(data / "pairs.tsv")]
    words += ["--sequences", str(data / "proteins.fasta"), "--out", str(free_path("my_run"))]
    say_next(words)


def has_leak(audit: Mapping[str, Any]) -> bool:
    """Return whether the report of a run with this audit has the red box."""
    return any(verdict["severity"] == "leak" for verdict in audit["verdicts"])


def table_lines(result: DemoResult) -> list[str]:
    """Return the table as text."""
    header = ["task", "method", "score", "composition", "best baseline", "trained", "memory"]
    header.append("time")
    rows = [
        [
            row["task"],
            row["method"],
            f"{row['test']:.3f}",
            f"{row['composition']:.3f}",
            f"{row['best_baseline']} {row['best_baseline_test']:.3f}",
            f"{row['trained_parameters']:,}",
            f"{row['added_memory_mb']:,} MB",
            f"{row['seconds']:.0f} s",
        ]
        for row in result.table.to_dict("records")
    ]
    notes = [
        "scores: average precision (ppi), macro average precision (symmetry), on test",
        "kmer: counts of 3 residues in a row; the planted signals are short, so it finds them too",
        "memory: peak minus the memory in use when the training began",
    ]
    return [*aligned([header, *rows]), *notes]
