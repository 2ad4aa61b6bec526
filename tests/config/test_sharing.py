"""Options of the commands that share a model."""

from pathlib import Path

import pytest

from peftide.config import ExportConfig, MergeConfig, PullConfig, PushConfig
from peftide.errors import InputError


@pytest.mark.parametrize("config_class", [MergeConfig, ExportConfig])
def test_a_run_and_a_folder_are_enough(config_class: type) -> None:
    config = config_class(run=Path("run"), out=Path("out"))
    assert (config.backbone, config.overwrite, config.allow_bin) == (None, False, False)


@pytest.mark.parametrize("config_class", [MergeConfig, ExportConfig])
def test_no_threads_are_refused(config_class: type) -> None:
    with pytest.raises(InputError, match="--threads"):
        config_class(run=Path("run"), out=Path("out"), threads=0)


def test_a_new_repository_is_private() -> None:
    assert PushConfig(run=Path("run"), repository="lab/tiny").public is False
    assert PullConfig(repository="lab/tiny", out=Path("out")).revision is None
