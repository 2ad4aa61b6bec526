from pathlib import Path

import pytest

from peftide.commands.pretrain import pretrain
from peftide.errors import InputError
from tests.pretraining.conftest import config_of


def test_a_device_that_is_not_there_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--device"):
        pretrain(config_of(tmp_path, device="cuda:99"))
    assert not (tmp_path / "out").exists()
