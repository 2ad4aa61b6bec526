"""Options of `peftide mutate`."""

from pathlib import Path

import pytest

from peftide.config import MutateConfig
from peftide.errors import InputError


def test_a_plate_of_mutants_is_the_default() -> None:
    config = MutateConfig(run=Path("run"), out=Path("out"))
    assert (config.top, config.error_rate, config.sites) == (96, 0.1, ())


def test_a_list_without_mutants_is_refused() -> None:
    with pytest.raises(InputError, match="--top"):
        MutateConfig(run=Path("run"), out=Path("out"), top=0)
