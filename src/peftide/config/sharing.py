"""The options of the commands that hand a trained model to other programs and people."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from peftide.config.commands import MOVED_DOC
from peftide.config.options import DEBUG_DOC, CheckpointOptions, CommonOptions, Options, option

RUN_DOC = "run folder of `peftide train`"
REPOSITORY_DOC = "repository of the hub: OWNER/NAME"


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


@dataclass(frozen=True, kw_only=True)
class PushConfig(Options):
    """Upload the model of a run to a model hub."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc=RUN_DOC, positional=True)
    repository: str = option(doc=REPOSITORY_DOC, positional=True)
    public: bool = option(
        False, doc="make a new repository public; default: only you can read it", main=True
    )
    overwrite: bool = option(False, doc="replace a model that is in the repository", main=True)
    debug: bool = option(False, doc=DEBUG_DOC)


@dataclass(frozen=True, kw_only=True)
class PullConfig(Options):
    """Download a model that `peftide push` uploaded, and check every file."""

    heading: ClassVar[str] = "options"

    repository: str = option(doc=REPOSITORY_DOC, positional=True)
    out: Path = option(doc="folder to write, which `peftide predict` takes", main=True)
    revision: str | None = option(None, doc="branch, tag or commit; default: the newest", main=True)
    overwrite: bool = option(False, doc="replace an earlier download in --out", main=True)
    debug: bool = option(False, doc=DEBUG_DOC)
