"""The limits at which two proteins count as similar, and the search tool."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from peftide.config import AuditConfig, SplitConfig
from peftide.errors import InputError

PROGRAM = "mmseqs"
MORE_HITS = 1000
"""Targets per query if only the best pair matters."""
MOST_CELLS = 2 * 10**11
"""Query residues × target residues that are all aligned: about 25 CPU seconds."""


@dataclass(frozen=True, kw_only=True)
class SimilaritySettings:
    """The limits at which two proteins count as similar.

    Identity is the share of identical columns in the local alignment, including gaps. Coverage is
    the larger coverage of the two proteins, usually of the shorter one.

    Attributes
    ----------
    identity_fraction
        Minimum identity. The usual limit is 30 %; below it, alignments alone say little about
        homology.
    coverage_fraction
        Minimum coverage. Half of the shorter protein is stricter than the usual 80 %, because one
        shared domain is enough for a model to recognise a protein.
    max_evalue
        Maximum E-value; the default is the default of MMseqs2.
    max_hits
        Maximum number of aligned targets per query; the most promising ones are aligned.
    tool
        "mmseqs" is the program MMseqs2, "pyopal" the library that comes with peftide; "auto"
        uses MMseqs2 if it is installed, and pyopal for few sequences (`suited`).
    threads
        CPU threads; None takes all cores.

    Raises
    ------
    InputError
        If a number is out of range, or MMseqs2 is requested but not installed.
    """

    identity_fraction: float = 0.3
    coverage_fraction: float = 0.5
    max_evalue: float = 1e-3
    max_hits: int = 400
    tool: Literal["auto", "mmseqs", "pyopal"] = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        """Raise if a setting is out of range."""
        for name in ("identity_fraction", "coverage_fraction"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise InputError(f"received {value:g}", expected="above 0, at most 1", where=name)
        if not self.max_evalue > 0:
            raise InputError(
                f"received {self.max_evalue:g}", expected="above 0", where="max_evalue"
            )
        for name in ("max_hits", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"received {value}", expected="1 or more", where=name)
        if self.tool == "mmseqs" and shutil.which(PROGRAM) is None:
            raise InputError(
                f"the program {PROGRAM} is not on the PATH",
                where="--similarity",
                fix="Install MMseqs2 (Debian and Ubuntu: apt-get install mmseqs2; conda: bioconda "
                "mmseqs2), or use `pyopal`, which comes with peftide",
            )

    def suited(
        self, queries: Sequence[str], targets: Sequence[str], *, most_pairs: int = 0
    ) -> "SimilaritySettings":
        """Return the settings with the tool that suits these sequences, if the tool is "auto".

        Few sequences are all aligned with each other, by pyopal: this finds every similar pair, in
        less than a CPU minute. Up to `most_pairs` pairs, pyopal aligns the `MORE_HITS` most
        promising targets of each query.

        Examples
        --------
        >>> settings = SimilaritySettings().suited(["MKV"], ["MKV"] * 500)
        >>> settings.tool, settings.max_hits
        ('pyopal', 500)
        """
        if self.tool != "auto" or not (queries and targets):
            return self
        if sum(map(len, queries)) * sum(map(len, targets)) <= MOST_CELLS:
            return replace(self, tool="pyopal", max_hits=max(len(targets), self.max_hits))
        if len(queries) * len(targets) <= most_pairs:
            return replace(self, tool="pyopal", max_hits=max(MORE_HITS, self.max_hits))
        return self

    def accepts(self, identity: float, query_coverage: float, target_coverage: float) -> bool:
        """Return whether a significant alignment makes two proteins similar."""
        covered = max(query_coverage, target_coverage)
        return identity >= self.identity_fraction and covered >= self.coverage_fraction

    def program(self) -> str | None:
        """Return the path of MMseqs2, or None if pyopal is used."""
        return None if self.tool == "pyopal" else shutil.which(PROGRAM)

    def thread_count(self) -> int:
        """Return the number of threads."""
        return self.threads or os.cpu_count() or 1

    def __str__(self) -> str:
        """Return the rule in words, for messages."""
        return (
            f"at least {self.identity_fraction:.0%} identity over at least "
            f"{self.coverage_fraction:.0%} of the shorter protein"
        )


def settings_of(
    options: AuditConfig | SplitConfig, *, max_evalue: float = SimilaritySettings.max_evalue
) -> SimilaritySettings:
    """Return the settings that the options of a command ask for.

    Raises
    ------
    InputError
        If identity or coverage is not a share, or MMseqs2 is requested but not installed.
    """
    return SimilaritySettings(
        identity_fraction=options.identity,
        coverage_fraction=options.coverage,
        max_evalue=max_evalue,
        tool="auto" if options.similarity == "none" else options.similarity,
        threads=options.threads,
    )
