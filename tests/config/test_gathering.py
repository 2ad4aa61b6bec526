"""Options of `peftide data`."""

from pathlib import Path

import pytest

from peftide.config import DataConfig
from peftide.errors import InputError


def test_binary_physical_interactions_are_the_default() -> None:
    config = DataConfig(source="mitab", input=(Path("intact.txt"),), out=Path("out"))
    assert (config.evidence, config.isoforms, config.self_pairs) == ("physical", "merge", "exclude")


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(InputError, match="biogrid"):
        DataConfig(source="hprd", input=(Path("x"),), out=Path("out"))  # type: ignore[arg-type]
