"""The options of the commands that help to start: options in a file, this machine, completion."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from peftide.config.groups import BACKBONES_DOC, DEFAULT_BACKBONE
from peftide.config.options import LoadingOptions, Options, option


@dataclass(frozen=True, kw_only=True)
class InitConfig(Options):
    """Write a commented YAML file with the options of a training, for `train --config`."""

    heading: ClassVar[str] = "options"

    task: str = option("auto", doc="task, such as ppi or regression; auto: options of all tasks")
    method: str = option("lora", doc="how the backbone is adapted, such as head, lora or full")
    backbone: str = option(DEFAULT_BACKBONE, doc=BACKBONES_DOC)
    data: Path | None = option(None, doc="one table for all parts, with a split column")
    sequences: Path | None = option(
        None, doc="FASTA file with the sequences of the ids in the table (.gz and .xz are read)"
    )
    out: Path = option(Path("train.yaml"), doc="file to write")
    overwrite: bool = option(False, doc="replace an earlier file of this command")
    debug: bool = option(False, doc="show the full trace of an error")

    def __post_init__(self) -> None:
        """Read names of tasks with `_` as with `-`, beside the checks of all options."""
        super().__post_init__()
        object.__setattr__(self, "task", self.task.replace("_", "-"))


@dataclass(frozen=True, kw_only=True)
class DoctorConfig(LoadingOptions):
    """Check this machine: versions, device, memory, disk, extras, and the speed of a backbone."""

    heading: ClassVar[str] = "options"

    backbone: str = option(DEFAULT_BACKBONE, doc=BACKBONES_DOC, main=True)
    device: str = option("auto", doc="auto, cpu, cuda, cuda:1, mps …", main=True)
    json: bool = option(False, doc="print the result as JSON", main=True)
    debug: bool = option(False, doc="show the full trace of an error")


@dataclass(frozen=True, kw_only=True)
class CompletionConfig(Options):
    """Print a script with which a shell completes commands and options at the Tab key."""

    heading: ClassVar[str] = "options"

    shell: Literal["bash", "zsh", "fish"] = option(doc="bash, zsh or fish", positional=True)
    debug: bool = option(False, doc="show the full trace of an error")
