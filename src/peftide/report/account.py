"""run.json, config.yaml, history.csv → rows, findings, audit, training, cost and settings."""

import math
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import yaml

from peftide.auditing import UNSEARCHED
from peftide.metrics import metric_name, thinned
from peftide.quantities import byte_size, count_of, count_of_kind, duration
from peftide.report import wording
from peftide.report.axes import Whole
from peftide.report.curves import figure
from peftide.report.figures import MOST_POINTS, Frame, chart, dots, line, rule, spanning
from peftide.report.markup import Markup, element, prose
from peftide.report.read import Run
from peftide.report.tables import Section, facts, section, table
from peftide.tasks import VARIANT_TASKS

PATHS = {"out", "run"}
IN_MEMORY = re.compile(r"^\w+ of [\d,]+ rows$")


def counted(run: Run) -> Section | None:
    """Return the rows of each part, and the findings made while reading them."""
    parts = [
        [name, f"{rows['rows']:,}", f"{rows['counted']:,}"]
        for name, rows in run.record.get("examples", {}).items()
    ]
    found = [
        [
            _kind(finding),
            finding["part"],
            [prose(finding["decision"]), _examples(finding.get("examples", ()))],
        ]
        for finding in run.record.get("findings", [])
    ]
    return section(
        "Rows and findings",
        table(["part", "rows", "counted"], parts, label="Parts", class_="numbers")
        if parts
        else None,
        table(["found", "part", "decision"], found, label="Findings", class_="prose")
        if found
        else None,
        intro="Counted rows enter training or scores; peftide only predicts the others.",
    )


def _kind(finding: Mapping[str, Any]) -> list[Any]:
    count, _, kind = count_of_kind(finding["count"], finding["kind"]).partition(" ")
    return [element("b", count), " ", kind]


def _examples(places: Any) -> Markup | None:
    return element("span", ", ".join(places), class_="quiet under") if places else None


def audited(run: Run) -> Section | None:
    """Return the findings of the audit, if the folder has one."""
    audit = run.audit
    verdicts = audit.get("verdicts", [])
    rows = [
        [verdict["severity"], verdict["part"], [verdict["text"], _advice(verdict.get("advice"))]]
        for verdict in verdicts
        if verdict["severity"] != "ok"
    ]
    found = audit_conclusion(run)
    return section(
        "Audit",
        element(
            "p",
            element("b", found),
            _fine(len(verdicts) - len(rows), others=bool(rows)),
        )
        if verdicts
        else None,
        table(["severity", "part", "finding"], rows, label="Audit findings", class_="prose")
        if rows
        else None,
        intro="Properties of the data that could make these scores too good. "
        + ("`peftide audit` also searches for similar proteins." if UNSEARCHED in found else ""),
    )


def audit_conclusion(run: Run) -> str:
    """Return the conclusion of the audit of a run, as it was recorded, as a sentence."""
    return f"{wording.capitalised(run.audit.get('conclusion') or 'the data were not audited')}."


def _fine(count: int, *, others: bool) -> str:
    if not count:
        return ""
    checks = f"{'other ' if others else ''}{'checks are' if count > 1 else 'check is'}"
    return f" {count} {checks} fine."


def _advice(text: str | None) -> Markup | None:
    return element("span", prose(text), class_="quiet under") if text else None


def learning(run: Run) -> Section | None:
    """Return loss and validation score over the epochs."""
    history, headline = run.history, run.metrics["headline"]
    several = [name for name in ("head", "seed") if name in history]
    if several:  # the curve is that of the first head
        history = history[(history[several] == history[several].iloc[0]).all(axis=1)]
        run = replace(run, history=history)
    if history.empty or "epoch" not in history:
        return None
    if run.record.get("steps") == 0:
        return section(
            "Training", element("p", "Ridge regression is solved in one step: there are no epochs.")
        )
    best, epochs = run.record.get("best_epoch"), run.record.get("epochs")
    asked = run.options.get("epochs")
    if isinstance(epochs, int) and isinstance(asked, int) and epochs < asked:
        epochs = f"{epochs} of {asked}: stopped early, as the validation score no longer rose"
    drawn = {
        "train_loss": "Training loss. ",
        headline: "Validation. ",
    }
    figures = [
        _over_epochs(run, column, name=name, best=best)
        for column, name in drawn.items()
        if len(set(history["epoch"])) > 1  # one epoch has no curve
        and column in history
        and np.isfinite(np.asarray(history[column], dtype=np.float64)).any()
    ]
    return section(
        "Training",
        element("div", figures, class_="figures") if figures else None,
        facts(
            [
                ("epochs", epochs),
                ("best epoch (its weights are kept)", best),
                ("optimizer steps", _thousands(run.record.get("steps"))),
            ],
            label="Length of the training",
        ),
        intro="Training loss, and validation score before calibration, of each epoch. peftide "
        "keeps the weights of the best epoch.",
    )


def _over_epochs(run: Run, column: str, *, name: str, best: int | None) -> Markup:
    epochs = run.history["epoch"].to_numpy(dtype=np.float64)
    values = run.history[column].to_numpy(dtype=np.float64)
    keep = thinned(len(epochs), MOST_POINTS)
    epochs, values = epochs[keep], values[keep]
    known = np.isfinite(values)
    across = Whole("epoch", 0.5, float(epochs.max()) + 0.5)
    frame = Frame(across, spanning(metric_name(column), values, margin=0.1))
    marks = [line(frame, epochs[known], values[known], class_="model")]
    if len(epochs) <= 50:
        marks += dots(frame, epochs[known], values[known], class_="model", radius=2.5)
    said = "A falling loss shows that the model fits its training rows."
    if column != "train_loss":
        said = "This score decides which epoch is the best."
    if best is not None:
        marks.append(rule(frame, (best, frame.y.low), (best, frame.y.high)))
        said += f" Dashed: epoch {best}."
    drawing = chart(frame, *marks, label=f"{metric_name(column)} over the epochs")
    return figure(drawing, element("b", name), said)


def cost(run: Run) -> Section | None:
    """Return parameters, memory, time, and the machine."""
    record, hardware = run.record, run.record.get("hardware", {})
    parameters, seconds = record.get("parameters", {}), record.get("seconds", {})
    rate = record.get("training_residues_per_second")
    return section(
        "Cost",
        facts(
            [
                ("trained parameters", _share(parameters.get("trained"), parameters.get("total"))),
                ("peak memory", _memory(record)),
                ("total time", _text(seconds.get("this_process"), duration)),
                ("training time", _text(seconds.get("training"), duration)),
                # a frozen backbone reads no residues while its head trains
                ("training speed", _text(rate, _speed) if _reads_residues(run) else ""),
                ("machine", _machine(hardware)),
                ("arithmetic", hardware.get("precision")),
            ],
            label="Cost on this machine",
        ),
        intro="Parameters, memory and time of this run. `peftide plan` forecasts them for other "
        "options.",
    )


def _reads_residues(run: Run) -> bool:
    return run.record.get("steps") != 0 and run.options.get("method") != "head"


def _speed(rate: float) -> str:
    return f"{rate:,} residues per second"


def _text(value: Any, form: Any) -> str:
    return "" if value is None else form(value)


def _thousands(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _share(trained: int | None, total: int | None) -> str:
    if trained is None or not total:
        return ""
    percent = 100 * trained / total
    digits = max(0, 1 - math.floor(math.log10(percent))) if percent else 0
    return f"{trained:,} of {total:,} ({percent:.{digits}f} %)"


def _memory(record: dict[str, Any]) -> str:
    peak, before = record.get("peak_memory_bytes"), record.get("memory_before_bytes")
    if peak is None:
        return ""
    if before is None:
        return byte_size(peak)
    return f"{byte_size(peak)}, including {byte_size(before)} before the start"


def _machine(hardware: dict[str, Any]) -> str:
    names = [hardware.get("device_name"), hardware.get("device")]
    threads = hardware.get("threads")
    names += [count_of(threads, "thread")] if threads else []
    return ", ".join(str(name) for name in names if name)


def next_steps(run: Run) -> Section | None:
    """Return the commands that use the model, and the command that trains it again."""
    trained = run.record.get("command") == "train"
    model = str(run.folder.path) if trained else run.record.get("model")
    if not model:
        return None
    folder = shlex.quote(model)
    pairs = any("id_a" in part.rows for part in run.parts)
    variants = (run.options.get("task") or run.record.get("task")) in VARIANT_TASKS
    table_of = wording.new_input(pairs=pairs, variants=variants)
    labelled = "--input labelled_pairs.tsv --sequences proteins.fasta"
    labelled = labelled if pairs else "--input labelled.tsv"
    commands = [
        ("Predict", f"peftide predict {folder} {table_of} --out answers.tsv"),
        ("Score on another table", f"peftide evaluate {folder} {labelled} --out scores"),
    ]
    if variants:
        commands.insert(1, ("Score all substitutions", f"peftide mutate {folder} --out designs"))
    if trained and not _in_memory(run):
        again = shlex.quote(str(run.folder.config))
        commands.append(("The same run again", f"peftide train --config {again} --out again"))
    return section(
        "What next",
        [[element("p", name, class_="before"), element("pre", text)] for name, text in commands],
        intro="Commands that use this model. Replace the names of the tables with your own.",
    )


def _in_memory(run: Run) -> bool:
    """Return whether a table was given as data, so that `config.yaml` cannot name it."""
    return any(IN_MEMORY.search(str(value)) for value in run.options.values())


def settings(run: Run) -> Section | None:
    """Return the options that the user gave, every option, and the software."""
    chosen = [
        (wording.plain(name), _option(run.options[name]))
        for name in run.record.get("chosen", ())
        if name in run.options and name not in PATHS
    ]
    everything = yaml.safe_dump(run.options, sort_keys=False, allow_unicode=True)
    return section(
        "Settings",
        facts(chosen, label="Options that were given"),
        _folded("Every option", element("pre", everything)) if run.options else None,
        _folded("Software and data", facts(_environment(run), label="Software and data")),
        intro="You gave these options; peftide chose the others." if chosen else "",
    )


def _option(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _folded(title: str, content: Markup | None) -> Markup | None:
    return element("details", element("summary", title), content) if content else None


def _environment(run: Run) -> Iterator[tuple[str, str]]:
    record = run.record
    yield from record.get("versions", {}).items()
    yield "seed", str(record.get("seed", ""))
    yield "platform", record.get("hardware", {}).get("platform", "")
    yield "backbone weights (SHA-256)", record.get("weights_sha256") or ""
    if record.get("weights_licence"):
        yield "licence of the backbone weights", record["weights_licence"]
    yield from record.get("data", {}).items()
