"""`peftide audit`: the tables of a training in; verdicts on their split out.

A bad split is reported, never refused.
"""

import dataclasses

from peftide.auditing import AuditResult, Subject, find_kinship, judge
from peftide.auditing.ids import rename_reused_ids
from peftide.config import AuditConfig, JoinOptions
from peftide.config.unread import NOTHING, Names, choice_of, output_choices, unread_problems
from peftide.errors import InputError, raise_problems
from peftide.files import write_json
from peftide.outputs import command_in, making_file
from peftide.sequences import Dataset, read_dataset
from peftide.sequences.label_lists import split_classes
from peftide.sequences.missing import missing_labels
from peftide.sequences.near_misses import similar_classes
from peftide.sequences.records import Finding
from peftide.sequences.training_tables import TrainingTables, data_files, read_training_tables
from peftide.similarity import settings_of
from peftide.similarity.reference import LEAST_IDENTICAL
from peftide.tasks.detecting import detected_task

COMMAND = "audit"
SIMILARITIES: dict[str, Names] = {
    **dict.fromkeys(("auto", "mmseqs", "pyopal"), frozenset({"identity", "coverage"})),
    "none": NOTHING,
}
"""Value of `--similarity` → the options that it reads."""


def audit(config: AuditConfig, *, given: Names = NOTHING) -> AuditResult:
    """Check a split for everything that inflates scores.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If a file cannot be read or an option is wrong; never because of the split itself.
    """
    check_request(config, given)
    if config.out is None:
        return _judged(config)
    with making_file(
        config.out,
        command=COMMAND,
        overwrite=config.overwrite,
        inputs=data_files(config),
        is_ours=lambda path: command_in(path) == COMMAND,
    ) as work:
        result = _judged(config)
        write_json(work.new / work.out.name, {"command": COMMAND} | result.record())
        work.put()
    return result


def _judged(config: AuditConfig) -> AuditResult:
    subject = read_subject(config)
    wanted = config.similarity != "none" and bool(subject.later)
    if config.identity <= LEAST_IDENTICAL and subject.variants is not None:
        wanted = False  # all are similar to all, and `variants` says what that means
    kinship = find_kinship(subject, settings_of(config)) if wanted else None
    return AuditResult(subject, judge(subject, kinship), kinship)


def check_request(config: AuditConfig, given: Names) -> None:
    """Raise if an option is wrong or a file is absent.

    Raises
    ------
    InputError
        Names the option or the file.
    """
    choice = choice_of(f"--similarity {config.similarity}", SIMILARITIES, config.similarity)
    decided = [choice, *output_choices(config, what="an audit")]
    raise_problems(unread_problems(config, decided, given=given))
    data_files(config)
    if config.out is not None and config.out.suffix not in (".json", ""):
        raise InputError(f"received {config.out.name}", expected="FILE.json", where="--out")
    settings_of(config)  # fails now if MMseqs2 is missing, before any long work


def read_subject(config: AuditConfig) -> Subject:
    """Read all parts as `peftide train` does, but count the rows that it would refuse."""
    tables = read_training_tables(config)
    parts, renamed = rename_reused_ids(tables.parts)
    lenient = JoinOptions(self_pairs=config.self_pairs, missing="drop")
    # residue labels may begin or end with a space, which the other levels strip
    level = "pair" if tables.has_pairs else "residue"
    dataset = read_dataset(parts, lenient, level=level, sequences=tables.lookup)
    for part, examples in dataset.parts.items():
        renamed += missing_labels(part, examples)
    found = dataset.findings + renamed + label_findings(tables, dataset)
    dataset = dataclasses.replace(dataset, findings=found)
    return Subject(dataset, tables.has_pairs, config.max_length)


def label_findings(tables: TrainingTables, dataset: Dataset) -> tuple[Finding, ...]:
    """Return why a training would stop at the labels, or which classes differ only in spelling."""
    try:
        task, _ = detected_task(tables)
    except InputError as error:
        decision = f"`peftide train` stops at the labels: {error}"
        return (Finding("train", "doubtful_labels", 1, decision),)
    if not task.endswith(("multiclass", "multilabel")):
        return ()
    names = {
        part: [name for label in examples.labels or () for name in classes_of(label, task)]
        for part, examples in dataset.parts.items()
    }
    known = list(dict.fromkeys(names["train"]))
    return tuple(
        finding for part, named in names.items() for finding in similar_classes(part, named, known)
    )


def classes_of(label: str, task: str) -> list[str]:
    """Return the classes that a label names."""
    return split_classes(label) if task.endswith("multilabel") else [label.strip()]
