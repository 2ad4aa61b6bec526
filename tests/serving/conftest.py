"""Services of small models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import peftide
from peftide.config import AppConfig
from peftide.serving.service import Service

Serviced = Callable[..., Service]


@pytest.fixture(scope="session")
def serviced(trained: Callable[[str, str], Path]) -> Serviced:
    """Task and limits → a service."""

    def of(task: str, **limits: Any) -> Service:
        run = trained(task, "head")
        predictor = peftide.load(run, device="cpu", precision="fp32", threads=1)
        return Service(predictor, AppConfig(run=run, **limits))

    return of
