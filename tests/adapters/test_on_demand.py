"""Names without an import; values with one."""

import subprocess
import sys

import pytest

from peftide.adapters import ADAPTERS, check_method
from peftide.adapters.adapter import Adapter
from peftide.adapters.on_demand import OnDemand
from peftide.errors import InputError


def test_every_place_holds_a_method():
    assert all(isinstance(ADAPTERS[name], Adapter) for name in ADAPTERS)
    assert len(ADAPTERS) == len(list(ADAPTERS))


def test_unknown_names_are_keys_of_nothing():
    methods: OnDemand[Adapter] = OnDemand({"head": "head.HEAD"})
    assert "lora" not in methods
    with pytest.raises(KeyError):
        methods["lora"]


def test_names_are_checked_without_torch():
    with pytest.raises(InputError, match="lora"):
        check_method("lorra")
    code = "import sys, peftide.adapters; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
