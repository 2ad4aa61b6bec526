"""Options of `peftide merge` and `peftide export`."""

from pathlib import Path

import pytest

from peftide.config import ExportConfig, MergeConfig
from peftide.errors import InputError


@pytest.mark.parametrize("config_class", [MergeConfig, ExportConfig])
def test_a_run_and_a_folder_are_enough(config_class: type) -> None:
    config = config_class(run=Path("run"), out=Path("out"))
    assert (config.backbone, config.overwrite, config.allow_bin) == (None, False, False)


@pytest.mark.parametrize("config_class", [MergeConfig, ExportConfig])
def test_no_threads_are_refused(config_class: type) -> None:
    with pytest.raises(InputError, match="--threads"):
        config_class(run=Path("run"), out=Path("out"), threads=0)
