import json
from pathlib import Path

import pytest

from peftide.commands.train import train
from peftide.errors import InputError
from tests.conftest import small_config, write_rows


def test_a_finished_run_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small_config(tmp_path, "regression", "head", epochs=1)
    first = train(config)
    monkeypatch.setattr(
        "peftide.commands.train.read_request", lambda *_: pytest.fail("tables were read")
    )
    from dataclasses import replace

    assert train(replace(config, resume=True)).metrics == first.metrics


def test_the_run_settles_precision_and_budget(tmp_path: Path) -> None:
    result = train(small_config(tmp_path, "regression", "head", epochs=1, precision="auto"))
    record = json.loads((result.path / "run.json").read_text())
    text = (result.path / "config.yaml").read_text()
    assert f"precision: {record['hardware']['precision']}\n" in text
    assert f"max_tokens: {record['hardware']['max_tokens']}\n" in text


def test_how_to_hold_out_is_refused_where_the_table_has_validation_rows(tmp_path: Path) -> None:
    rows = [
        (f"MKV{'A' * k}", k, part) for k, part in enumerate(["train", "validation", "test"] * 8)
    ]
    table = write_rows(tmp_path / "all.tsv", "sequence label split", rows)
    config = small_config(
        tmp_path,
        "regression",
        "head",
        train=None,
        validation=None,
        test=(),
        data=table,
        validation_fraction=0.3,
    )
    with pytest.raises(InputError, match="--validation-fraction: .*validation rows"):
        train(config)
