"""When two proteins count as similar, and what looks for them."""

import os
import shutil
from dataclasses import dataclass
from typing import Literal

from peftide.errors import InputError

PROGRAM = "mmseqs"


@dataclass(frozen=True, kw_only=True)
class SimilaritySettings:
    """When two proteins count as similar.

    Identity is counted over the columns of the local alignment, gaps included; coverage is that
    of whichever of the two is covered more, as a rule the shorter one.

    Attributes
    ----------
    identity_fraction
        Least identity. Clusters at 30 % are the usual ones: below, alignments alone say little
        about kinship.
    coverage_fraction
        Least coverage. Half of the shorter protein is stricter than the usual 80 %: one shared
        domain is enough for a model to recognise a protein by.
    max_evalue
        Largest number of hits of that score expected by chance, as MMseqs2 has it by default.
    max_hits
        Targets that are aligned per query, the most promising ones.
    tool
        "mmseqs" is the program MMseqs2, "pyopal" the library that comes with peftide; "auto"
        takes MMseqs2 where it is installed.
    threads
        CPU threads; None takes all cores.

    Raises
    ------
    InputError
        If a number is out of its range, or MMseqs2 is asked for and absent.
    """

    identity_fraction: float = 0.3
    coverage_fraction: float = 0.5
    max_evalue: float = 1e-3
    max_hits: int = 400
    tool: Literal["auto", "mmseqs", "pyopal"] = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
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
                "mmseqs2), or take `pyopal`, which comes with peftide",
            )

    def program(self) -> str | None:
        """Return the path of MMseqs2, or None where pyopal is to be used."""
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
