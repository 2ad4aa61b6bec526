"""`run.json` → the scores of every layer, if the run chose one (`--layer auto`)."""

from peftide.metrics import metric_name
from peftide.report import wording
from peftide.report.markup import element
from peftide.report.read import Run
from peftide.report.tables import Section, section, table


def layers(run: Run) -> Section | None:
    """Return the validation score of a head on each layer, and the chosen layer."""
    found = run.record.get("layers")
    if not found:
        return None
    rows = [
        [
            str(entry["layer"]),
            wording.score(entry["value"]),
            wording.interval(entry.get("low"), entry.get("high")),
            "chosen" if entry["layer"] == found["chosen"] else "",
        ]
        for entry in found["scores"]
    ]
    header = ["layer", metric_name(found["metric"]), "95 % interval", ""]
    return section(
        "Layers",
        element("p", f"{wording.capitalised(found['said'])}."),
        table(header, rows, label="Scores of the layers on validation", class_="numbers"),
        intro="The validation score of a head on each frozen layer. peftide cut the backbone after "
        "the chosen layer.",
    )
