"""`peftide doctor`: nothing in; libraries, hardware and speed of this machine out."""

import os
import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import constants
from huggingface_hub.utils import get_session
from packaging.requirements import Requirement

from peftide.config import DoctorConfig, EmbedConfig
from peftide.errors import PeftideError
from peftide.files import free_bytes
from peftide.hardware import choose_hardware
from peftide.native import attention, int8
from peftide.predictor.embedding import build_encoder
from peftide.sequences.mutants import LETTERS
from peftide.similarity.settings import PROGRAM
from peftide.training.usage import machine_memory

FOR_DEVELOPERS = {"dev", "docs", "lint", "test"}
HUB_SECONDS = 5
"""Seconds to wait for the model hub."""
SPEED_SECONDS = 2
"""Seconds for which the speed is measured at least."""
LENGTHS = (50, 500)


@dataclass(frozen=True)
class Library:
    """A library that peftide or one of its extras uses.

    Attributes
    ----------
    version
        The installed version; None if it is missing.
    requirement
        What peftide asks for, such as `torch<2.14,>=2.11`.
    is_met
        Whether the installed version is in this range.
    """

    name: str
    version: str | None
    requirement: str
    is_met: bool


@dataclass(frozen=True)
class Health:
    """Findings of `peftide doctor`.

    Attributes
    ----------
    needed
        The libraries that peftide cannot work without.
    extras
        Extra → its libraries.
    hardware
        Device, precision and threads of a run.
    attention
        Whether attention on a CPU is compiled, or what it lacks.
    int8
        Whether `--precision int8` works, or what it lacks.
    memory, free_memory, free_disk
        Bytes: of the machine or GPU, and on the disk of the current folder.
    hub
        "reachable", or why the model hub is not.
    mmseqs
        Path of MMseqs2; None if it is not installed.
    residues_per_second
        Speed of an embedding with `backbone`; None if it failed.
    failure
        Why nothing could be embedded; empty if it went well.
    """

    needed: list[Library]
    extras: dict[str, list[Library]]
    hardware: dict[str, Any]
    attention: str
    int8: str
    cores: int
    memory: int
    free_memory: int
    free_disk: int
    hub: str
    mmseqs: str | None
    backbone: str
    residues_per_second: float | None
    failure: str

    @property
    def problems(self) -> list[str]:
        """Reasons why peftide cannot work here; a missing extra is none."""
        wrong = [f"{each.requirement} is needed" for each in self.needed if not each.is_met]
        return wrong + ([self.failure] if self.failure else [])


def doctor(config: DoctorConfig) -> Health:
    """Look at this machine, and embed some random proteins.

    Raises
    ------
    InputError
        If the device does not exist.
    """
    options = EmbedConfig(
        backbone=config.backbone,
        out=Path(os.devnull),
        device=config.device,
        offline=config.offline,
        allow_bin=config.allow_bin,
    )
    hardware = choose_hardware(options)
    memory, free = machine_memory(hardware.device)
    rate, failure = embedding_rate(options)
    return Health(
        needed=list(libraries()),
        extras={
            extra: list(libraries(extra))
            for extra in metadata("peftide").get_all("Provides-Extra") or []
            if extra not in FOR_DEVELOPERS
        },
        hardware={"python": platform.python_version()} | hardware.describe(),
        attention=attention.state(),
        int8=int8.state(),
        cores=os.cpu_count() or 1,
        memory=memory,
        free_memory=free,
        free_disk=free_bytes(Path.cwd()),
        hub=hub_state(offline=config.offline),
        mmseqs=shutil.which(PROGRAM),
        backbone=config.backbone,
        residues_per_second=rate,
        failure=failure,
    )


def libraries(extra: str = "") -> Iterator[Library]:
    """Yield the libraries of an extra, or without a name the libraries that peftide needs."""
    for text in metadata("peftide").get_all("Requires-Dist") or []:
        requirement = Requirement(text)
        marker = requirement.marker
        wanted = marker is None or marker.evaluate({"extra": extra})
        always = marker is None or marker.evaluate({"extra": ""})
        if not wanted or (extra and always):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            found = None
        yield Library(
            name=requirement.name,
            version=found,
            requirement=f"{requirement.name}{requirement.specifier}",
            is_met=found is not None and requirement.specifier.contains(found, prereleases=True),
        )


def hub_state(*, offline: bool = False) -> str:
    """Return "reachable", or why the model hub is not reachable."""
    if offline or constants.is_offline_mode():
        return "not asked: offline"
    try:
        get_session().head(constants.ENDPOINT, timeout=HUB_SECONDS)
    except Exception as error:  # noqa: BLE001 — the libraries below have an error class each
        return f"not reachable ({type(error).__name__}): load backbones from local folders"
    return "reachable"


def embedding_rate(options: EmbedConfig) -> tuple[float | None, str]:
    """Return the residues per second of a backbone, or None and why it failed."""
    random = np.random.default_rng(0)
    sequences = [
        "".join(random.choice(list(LETTERS), n)) for n in random.integers(*LENGTHS, size=16)
    ]
    try:
        encoder = build_encoder(options)
        with encoder.hardware.computing():
            encoder.embed(sequences[:2])
            passes, start = 0, time.perf_counter()
            while time.perf_counter() - start < SPEED_SECONDS:
                encoder.embed(sequences)
                passes += 1
            seconds = time.perf_counter() - start
    except PeftideError as error:
        return None, str(error)
    return passes * sum(map(len, sequences)) / seconds, ""
