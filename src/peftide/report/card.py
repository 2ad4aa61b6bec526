"""A run → the README of its model: its use, data, scores and limits.

The head of the file is YAML, as model hubs read it. Nothing depends on time or place, so equal
trainings have equal cards.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from peftide.metrics import difference_verdict, metric_name
from peftide.report import wording
from peftide.report.account import audit_conclusion
from peftide.report.masthead import means, question, title_of
from peftide.report.read import Run
from peftide.tasks import TASKS, VARIANT_TASKS

SERIOUS = ("leak", "warning")
EXAMPLE = '"MKVLAAGIVGLML", "MAAGTRSTNPKPQ"'
"""Two sequences."""
Rows = Sequence[Sequence[str]]


def card(run: Run, *, title: str | None = None) -> str:
    """Return the model card of a training, in Markdown."""
    task, method = run.options["task"], run.options["method"]
    licence, hub_id = run.record.get("weights_licence"), run.record.get("backbone_hub_id")
    given = title_of(run, title)
    lines = [f"# {given or question(run)}", *([question(run)] if given else [])]
    lines.append(f"Model: {', '.join(means(run))}.")
    for heading, blocks in sections(run):
        lines += [f"## {heading}", *blocks]
    head = front_matter("peftide", hub_id=hub_id, licence=licence, tags=[task, method])
    return head + "\n\n".join(lines) + "\n"


def front_matter(library: str, *, hub_id: str | None, licence: str | None, tags: list[str]) -> str:
    """Return the head of a card, which model hubs read.

    Hubs refuse a licence that they do not know, and a backbone that is no hub id.

    Examples
    --------
    >>> print(front_matter("peftide", hub_id=None, licence="CC BY-NC 4.0", tags=["ppi"]))
    ---
    library_name: peftide
    license: cc-by-nc-4.0
    tags:
    - protein
    - protein-language-model
    - ppi
    ---
    <BLANKLINE>
    <BLANKLINE>
    """
    front = {
        "library_name": library,
        **({"base_model": hub_id} if hub_id else {}),
        **({"license": licence.lower().replace(" ", "-")} if licence else {}),
        "tags": ["protein", "protein-language-model", *tags],
    }
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n\n"


def sections(run: Run) -> Iterator[tuple[str, list[str]]]:
    """Yield the heading and the blocks of each section."""
    yield "Use", [use(run)]
    yield "Training data", list(data(run))
    yield "Audit of the data", list(audit(run))
    yield "Scores", list(scores(run))
    yield "Limits", [bullets(limits(run))]
    yield "Origin", [bullets(origin(run))]


def use(run: Run) -> str:
    """Return the code that predicts with the model, from inside its folder."""
    task = run.options["task"]
    if task in VARIANT_TASKS:
        return "```sh\npeftide mutate . --out designs\n```"
    inputs = f"[({EXAMPLE})]" if TASKS[task].level == "pair" else f"[{EXAMPLE}]"
    return "\n".join(
        [
            "```python",
            "import peftide",
            "",
            'predictor = peftide.load(".")  # this folder',
            f"predictor.predict({inputs})",
            "```",
        ]
    )


def data(run: Run) -> Iterator[str]:
    """Yield the files with their hashes, and the rows of each part."""
    files = [[Path(name).name, f"`{digest}`"] for name, digest in run.record["data"].items()]
    yield table(["file", "SHA-256"], files)
    parts = [
        [name, f"{rows['rows']:,}", f"{rows['counted']:,}"]
        for name, rows in run.record.get("examples", {}).items()
    ]
    yield table(["part", "rows", "counted"], parts)


def audit(run: Run) -> Iterator[str]:
    """Yield the conclusion of the audit, and its leaks and warnings."""
    yield audit_conclusion(run)
    serious = [each for each in run.audit.get("verdicts", []) if each["severity"] in SERIOUS]
    if serious:
        yield bullets(f"{each['severity']}, {each['part']}: {each['text']}" for each in serious)


def scores(run: Run) -> Iterator[str]:
    """Yield the scores of each reported part, and the lead over the baselines."""
    for part in run.reported:
        found = run.metrics["splits"][part]
        rows = [
            [metric_name(name), _score(entry)] for name, entry in found.items() if "value" in entry
        ]
        yield table([part, "score, 95 % interval"], rows)
        headline = run.metrics["headline"]
        leads = {
            name: parts[part][headline]
            for name, parts in run.metrics.get("differences", {}).items()
            if part in parts
        }
        if leads:
            rows = [
                [wording.plain(name), _score(lead), difference_verdict(lead)]
                for name, lead in leads.items()
            ]
            yield table([f"lead in {metric_name(headline)} over", "", ""], rows)


def limits(run: Run) -> Iterator[str]:
    """Yield the limits of the model and of its scores."""
    crop = run.options.get("max_length")
    if crop is not None:
        yield f"Longer sequences are cropped to {crop:,} residues."
    if run.reported == ["validation"]:
        yield "There was no test part: the scores are on the rows that chose the epoch."
    calibrated = run.metrics.get("calibration", {}).get("method")
    answers = TASKS[run.options["task"]].outcome.has_prevalence
    if calibrated not in (None, "none") and answers:
        yield (
            "Probabilities are calibrated for the share of positives in validation. For another "
            "share, give `--prevalence`."
        )
    part = "validation" if run.reported == ["validation"] else "test"
    yield f"Scores hold for proteins that resemble the {part} part. The report shows them by group."


def origin(run: Run) -> Iterator[str]:
    """Yield the backbone, its licence, and the versions."""
    record = run.record
    licence = record.get("weights_licence") or "not recorded, see the source of the backbone"
    yield f"Backbone: {record.get('backbone')}, SHA-256 of its weights `{record['weights_sha256']}`"
    yield f"Licence of the backbone: {licence}"
    yield ", ".join(f"{name} {version}" for name, version in record["versions"].items())


def _score(entry: dict[str, Any]) -> str:
    if isinstance(entry["value"], int):
        return f"{entry['value']:,}"
    span = wording.interval(entry.get("low"), entry.get("high"))
    return f"{wording.score(entry['value'])} {span}".strip()


def bullets(lines: Iterator[str]) -> str:
    """Return lines as a list."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Rows) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '∣') for cell in row)} |" for row in lines)
