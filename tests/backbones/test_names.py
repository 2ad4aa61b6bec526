"""Names of backbones are checked without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from peftide.backbones.names import ALIASES, BUNDLED, check_backbone
from peftide.errors import BackboneError


@pytest.mark.parametrize(
    "name",
    [
        *BUNDLED,
        *(f"random:{name}" for name in ALIASES),
        "lab/model",
        "unirep_64",
        "random:unirep_64",
    ],
)
def test_names_of_backbones_pass(name: str) -> None:
    check_backbone(name)


def test_folders_pass_whatever_is_in_them(tmp_path: Path) -> None:
    check_backbone(str(tmp_path))
    with pytest.raises(BackboneError, match="no folder, alias or hub id"):
        check_backbone(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("esm2_t6_8m", "esm2_t6_8M"),
        ("random:esm2_t6_8m", "esm2_t6_8M"),
        ("mimi", "mini"),
        ("esm2_tiny", "random:esm2_tiny"),  # has no trained weights
        ("a/b/c", ""),
        ("./lab", ""),
        ("random:mini", ""),
        ("random:lab/model", ""),
        ("", ""),
    ],
)
def test_other_names_are_refused_with_the_closest_name(name: str, suggested: str) -> None:
    with pytest.raises(BackboneError) as caught:
        check_backbone(name)
    assert suggested in str(caught.value)
    assert caught.value.where == "--backbone"


def test_no_name_is_the_default() -> None:
    check_backbone(None)


def test_names_are_known_without_torch() -> None:
    code = "import sys, peftide.backbones.names; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_of_random_weights_do_not_hide_the_others() -> None:
    with pytest.raises(BackboneError) as caught:
        check_backbone("esm2")
    assert "esm2_t12_35M" in str(caught.value)
    assert "random:" not in str(caught.value)
