from dataclasses import replace
from importlib.metadata import version

import pytest
import torch

import peftide
from peftide.commands import doctor as module
from peftide.commands.doctor import Library, hub_state, libraries
from peftide.config import DoctorConfig
from tests.conftest import TINY

QUICK = DoctorConfig(backbone=TINY, device="cpu")


def test_versions_and_speed_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPEED_SECONDS", 0.01)
    health = peftide.doctor(QUICK)
    found = {library.name: library.version for library in health.needed}
    assert found["torch"] == version("torch") == torch.__version__
    assert health.problems == []
    assert health.residues_per_second is not None
    assert health.residues_per_second > 100
    assert 0 < health.free_memory <= health.memory
    assert not health.extras.keys() & {"test", "dev"}


def test_what_does_not_fit_is_a_problem_and_a_missing_extra_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = ["numpy>=1000", "scipy>=1", 'no-such-library>=2; extra == "app"']
    lines.append('colorama; sys_platform == "win32"')
    monkeypatch.setattr(module, "metadata", lambda _: FakeMetadata(lines))
    assert list(libraries("app")) == [Library("no-such-library", None, "no-such-library>=2", False)]
    health = peftide.doctor(replace(QUICK, backbone="no_such"))
    assert [library.name for library in health.needed] == ["numpy", "scipy"]
    assert [text.split()[0] for text in health.problems] == ["numpy>=1000", "--backbone:"]
    assert health.residues_per_second is None


def test_a_hub_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "offline" in hub_state(offline=True)
    monkeypatch.setattr(module.constants, "is_offline_mode", lambda: False)
    monkeypatch.setattr(module.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert hub_state().startswith("not reachable")


class FakeMetadata:
    """The lines of the metadata of a package."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def get_all(self, name: str) -> list[str]:
        return {"Requires-Dist": self.lines, "Provides-Extra": ["app", "test"]}[name]
