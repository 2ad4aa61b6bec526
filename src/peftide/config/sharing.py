"""The options of the commands that hand a trained model to other programs and people."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from peftide.config.commands import MOVED_DOC
from peftide.config.options import CheckpointOptions, CommonOptions, option

RUN_DOC = "run folder of `peftide train`"


@dataclass(frozen=True, kw_only=True)
class MergeConfig(CommonOptions, CheckpointOptions):
    """Write the adapted backbone of a run as plain `transformers` opens it."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc=RUN_DOC, positional=True)
    out: Path = option(doc="folder to write", main=True)
    backbone: str | None = option(None, doc=MOVED_DOC)


@dataclass(frozen=True, kw_only=True)
class ExportConfig(CommonOptions, CheckpointOptions):
    """Write the model of a run as ONNX, to predict without PyTorch and peftide."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc=RUN_DOC, positional=True)
    out: Path = option(doc="folder to write", main=True)
    backbone: str | None = option(None, doc=MOVED_DOC)
