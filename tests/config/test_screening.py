from pathlib import Path

import pytest

from peftide.config import ScreenConfig
from peftide.errors import InputError


@pytest.mark.parametrize("wrong", [{"top_k": 0}, {"threshold": 1.0}, {"prevalence": 0.0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        ScreenConfig(run=Path("r"), sequences=Path("s"), out=Path("o"), **wrong)  # type: ignore[arg-type]
