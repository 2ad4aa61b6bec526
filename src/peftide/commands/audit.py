"""`peftide audit`: the tables of a training in; verdicts on their split out. Nothing is refused."""

import dataclasses

from peftide.auditing import AuditResult, Subject, find_kinship, judge
from peftide.auditing.ids import rename_reused_ids
from peftide.config import AuditConfig, JoinOptions
from peftide.config.unread import NOTHING, Names, choice_of, unread_problems
from peftide.errors import raise_problems
from peftide.files import write_json
from peftide.outputs import check_file
from peftide.sequences import read_dataset
from peftide.sequences.training_tables import data_files, read_training_tables
from peftide.similarity import SimilaritySettings

SIMILARITIES: dict[str, Names] = {
    **dict.fromkeys(("auto", "mmseqs", "pyopal"), frozenset({"identity", "coverage"})),
    "none": NOTHING,
}
"""Value of `--similarity` → the options that it reads."""


def audit(config: AuditConfig, *, given: Names = NOTHING) -> AuditResult:
    """Look for everything in a split that makes scores too good.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If a file cannot be read or an option makes no sense; never for what the split is like.
    """
    check_request(config, given)
    subject = read_subject(config)
    wanted = config.similarity != "none" and bool(subject.later)
    kinship = find_kinship(subject, similarity_settings(config)) if wanted else None
    result = AuditResult(subject, judge(subject, kinship), kinship)
    if config.out is not None:
        write_json(config.out, result.record())
    return result


def check_request(config: AuditConfig, given: Names) -> None:
    """Raise if an option is wrong, a file is absent, or the output may not be written.

    Raises
    ------
    InputError
        Saying which.
    """
    choice = choice_of(f"--similarity {config.similarity}", SIMILARITIES, config.similarity)
    raise_problems(unread_problems(config, [choice], given=given))
    files = data_files(config)
    if config.out is not None:
        check_file(config.out, overwrite=config.overwrite, inputs=files)
    similarity_settings(config)  # asks for MMseqs2 where it is absent: before anything long


def similarity_settings(config: AuditConfig) -> SimilaritySettings:
    """Return when two proteins are similar.

    Raises
    ------
    InputError
        If MMseqs2 is asked for and absent.
    """
    return SimilaritySettings(
        identity_fraction=config.identity,
        coverage_fraction=config.coverage,
        tool="auto" if config.similarity == "none" else config.similarity,
        threads=config.threads,
    )


def read_subject(config: AuditConfig) -> Subject:
    """Read all parts as `peftide train` does, but count what it would refuse."""
    tables = read_training_tables(config)
    parts, renamed = rename_reused_ids(tables.parts)
    lenient = JoinOptions(self_pairs=config.self_pairs, missing="drop")
    # labels of residues may begin or end with a space, which other levels would lose
    level = "pair" if tables.has_pairs else "residue"
    dataset = read_dataset(parts, lenient, level=level, sequences=tables.lookup)
    dataset = dataclasses.replace(dataset, findings=dataset.findings + renamed)
    return Subject(dataset, tables.has_pairs, config.max_length)
