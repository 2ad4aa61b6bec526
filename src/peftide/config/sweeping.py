"""The options of a sweep: the options of a training, and the space to search."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from peftide.config.commands import TrainConfig
from peftide.config.options import option

Search = Literal["tpe", "random", "grid"]


@dataclass(frozen=True, kw_only=True)
class SweepConfig(TrainConfig):
    """Search a space of training options by the score on validation; never touch the test part."""

    heading: ClassVar[str] = "options"

    space: Path = option(
        doc="YAML file: for each option a list of values, or `low`, `high` and maybe `log`",
        main=True,
    )
    trials: int = option(
        20, doc="trainings of the whole study, all workers together", limit="1 or more", main=True
    )
    search: Search = option(
        "tpe",
        doc="how values are drawn: tpe (learns from earlier trials), random, or grid (every "
        "combination of lists)",
        main=True,
    )
    prune: bool = option(
        False,
        doc="stop a training whose validation score is below the median of the others at that "
        "epoch",
        main=True,
    )
    storage: str | None = option(
        None,
        doc="database of the study, which many workers may share, such as sqlite:////path/study.db "
        "or postgresql+psycopg://user@host/name; default: study.db in --out",
    )
    study: str = option("peftide", doc="name of the study in the database")
    out: Path = option(doc="folder to write; each worker has its own", main=True)
    resume: bool = option(False, doc="go on with an interrupted sweep in --out", main=True)
