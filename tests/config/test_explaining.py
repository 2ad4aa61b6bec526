"""Options of `peftide explain`."""

from pathlib import Path
from typing import Any

import pytest

from peftide.config import ExplainConfig
from peftide.errors import InputError

NAMED: dict[str, Any] = {"run": Path("run"), "input": Path("t.tsv"), "out": Path("out")}


def test_both_partners_and_all_substitutions_are_the_default() -> None:
    config = ExplainConfig(**NAMED)
    assert (config.partner, config.substitutions, config.sites) == ("both", True, ())


def test_a_residue_before_the_first_is_refused() -> None:
    with pytest.raises(InputError, match="--position"):
        ExplainConfig(**NAMED, position=0)
