from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.backbones import TransformerBackbone
from peftide.errors import InputError
from peftide.hardware import choose_hardware
from peftide.model import trained_parameters
from peftide.run_folder import RunFolder
from peftide.tasks.detecting import find_task
from peftide.tasks.request import read_request
from peftide.training.problem import read_problem
from peftide.training.setting import (
    Setting,
    build_setting,
    find_adapter,
    prepare,
    recipe_of,
    trains_below_head,
)
from tests.conftest import small_config


def built(folder: Path, task: str, method: str, **changes: object) -> Setting:
    config = small_config(folder, task, method, **changes)
    problem, backbone = prepare(config, find_task(task))
    hardware = choose_hardware(config)
    return build_setting(
        config, problem, backbone, hardware=hardware, folder=RunFolder(folder / "run")
    )


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(InputError, match="--task: received 'PPI'. Did you mean ppi?"):
        find_task("PPI")
    with pytest.raises(InputError, match="--method: received 'lorra'. Did you mean lora?"):
        find_adapter("lorra")


@pytest.mark.parametrize(
    ("method", "pooling", "expected"),
    [
        ("head", "mean", False),
        ("head", "attention", True),
        ("lora", "mean", True),
        ("full", "mean", True),
    ],
)
def test_rows_are_embedded_once_where_nothing_below_the_head_trains(
    tmp_path: Path, method: str, pooling: str, expected: bool
) -> None:
    setting = built(tmp_path, "ppi", method, pooling=pooling)
    assert trains_below_head(setting.model) is expected
    assert (setting.embeddings is None) is expected


def test_another_run_reads_the_embeddings_of_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    cache = tmp_path / "cache"
    first = built(tmp_path / "a", "ppi", "head", embedding_cache=cache, seed=0).embeddings
    monkeypatch.setattr(TransformerBackbone, "forward", lambda *_: pytest.fail("computed again"))
    second = built(tmp_path / "b", "ppi", "head", embedding_cache=cache, seed=1).embeddings
    assert first is not None
    assert second is not None
    assert torch.equal(first.rows, second.rows)


def test_cached_rows_give_the_logits_of_the_backbone(tmp_path: Path) -> None:
    """`head` trains on rows computed before; encoding anew must say the same."""
    setting = built(tmp_path, "ppi", "head")
    cached = setting.logits("test")
    anew = Setting(setting.config, setting.problem, setting.encoder, embeddings=None)
    np.testing.assert_allclose(anew.logits("test"), cached, atol=1e-5)


@pytest.mark.parametrize("method", ["head", "lora"])
def test_the_scaling_is_that_of_the_training_proteins(tmp_path: Path, method: str) -> None:
    setting = built(tmp_path, "ppi", method)
    dataset = setting.problem.dataset
    train = np.unique(dataset.parts["train"].members)
    rows = setting.encoder.embed([dataset.proteins.sequences[p] for p in train]).rows.double()
    scaling = setting.model.scaling
    torch.testing.assert_close(scaling.mean, rows.mean(dim=0).float())
    torch.testing.assert_close(scaling.deviation, rows.std(dim=0, correction=0).float())


def test_the_seed_decides_every_starting_weight(tmp_path: Path) -> None:
    found = [
        torch.cat(
            [
                p.detach().reshape(-1)
                for p in trained_parameters(
                    built(tmp_path, "ppi", "lora", seed=seed).model
                ).values()
            ]
        )
        for seed in (1, 1, 2)
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_random_weights_are_said_plainly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    prepare(small_config(tmp_path, "ppi", "head"), find_task("ppi"))
    assert "RANDOM" in caplog.text


def test_the_recipe_holds_what_builds_the_model(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head", max_length=None, head="linear")
    _, task, tables = read_request(config)
    recipe = recipe_of(config, read_problem(config, task, tables))
    assert (recipe.task, recipe.method, recipe.head) == ("ppi", "head", "linear")
    assert recipe.max_length is None
