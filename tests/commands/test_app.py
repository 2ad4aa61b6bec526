import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import peftide
from peftide.config import AppConfig
from peftide.errors import InputError


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("variants", {}, "`peftide mutate .*` scores all substitutions"),
        ("ppi", {"device": "cpux"}, "--device"),
        ("ppi", {"backbone": "no/such"}, "no/such"),
    ],
)
def test_what_cannot_be_served_is_one_error(
    trained: Callable[[str, str], Path], task: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        peftide.app(AppConfig(run=trained(task, "head"), **options))


def test_a_folder_without_a_model_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        peftide.app(AppConfig(run=tmp_path))


def test_without_the_extra_it_names_the_command(
    trained: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(InputError, match=r"gradio is not installed.*pip install 'peftide\[app\]'"):
        peftide.app(AppConfig(run=trained("ppi", "head")))
