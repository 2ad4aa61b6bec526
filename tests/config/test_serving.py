"""Options of `peftide app`."""

from pathlib import Path
from typing import Any

import pytest

from peftide.config import AppConfig
from peftide.errors import InputError


def test_only_this_machine_may_ask_by_default() -> None:
    assert AppConfig(run=Path("run")).host == "127.0.0.1"


@pytest.mark.parametrize("name", ["most_rows", "most_residues", "most_seconds", "upload_mb"])
def test_a_limit_of_zero_is_refused(name: str) -> None:
    options: dict[str, Any] = {"run": Path("run"), name: 0}
    with pytest.raises(InputError, match=name.replace("_", "-")):
        AppConfig(**options)
