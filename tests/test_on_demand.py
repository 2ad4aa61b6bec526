"""Names without an import; values with one."""

import subprocess
import sys

import pytest

from peftide.adapters import ADAPTERS, check_method
from peftide.adapters.adapter import Adapter
from peftide.backbones import BACKBONES, Architecture
from peftide.errors import InputError
from peftide.on_demand import OnDemand


def test_every_place_holds_a_value_of_its_kind() -> None:
    assert all(isinstance(ADAPTERS[name], Adapter) for name in ADAPTERS)
    assert all(isinstance(BACKBONES[name], Architecture) for name in BACKBONES)
    assert len(ADAPTERS) == len(list(ADAPTERS))


def test_unknown_names_are_keys_of_nothing() -> None:
    methods: OnDemand[Adapter] = OnDemand({"head": "head.HEAD"}, package="peftide.adapters")
    assert "lora" not in methods
    with pytest.raises(KeyError):
        methods["lora"]


def test_names_are_checked_without_torch() -> None:
    with pytest.raises(InputError, match="lora"):
        check_method("lorra")
    code = "import sys, peftide.adapters, peftide.backbones; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
