"""The options of `peftide app`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from peftide.config.commands import MOVED_DOC
from peftide.config.options import CheckpointOptions, option


@dataclass(frozen=True, kw_only=True)
class AppConfig(CheckpointOptions):
    """Serve a web page on which people ask a trained model."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train`", positional=True)
    port: int = option(7860, doc="port to listen on", limit="0 or more", main=True)
    host: str = option(
        "127.0.0.1",
        doc="address to listen on; the default answers this machine alone, 0.0.0.0 answers all",
        main=True,
    )
    most_rows: int = option(1000, doc="rows of one request at most", limit="1 or more", main=True)
    most_residues: int = option(
        2000, doc="residues of one sequence at most", limit="1 or more", main=True
    )
    most_seconds: float = option(
        600, doc="seconds of one request at most", limit="a number above 0", main=True
    )
    upload_mb: float = option(
        5, doc="size of one request in MB at most", limit="a number above 0", main=True
    )
    device: str = option("auto", doc="auto, cpu, cuda, cuda:1, mps …")
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = option(
        "auto", doc="number format of matrix products"
    )
    threads: int | None = option(
        None, doc="CPU threads; default: all cores of this machine", limit="1 or more"
    )
    backbone: str | None = option(None, doc=MOVED_DOC)
    debug: bool = option(False, doc="show the full trace of an error")
