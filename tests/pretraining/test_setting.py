"""Everything that is wrong with a request is said before a model is built."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BertConfig

from peftide.errors import BackboneError, InputError
from peftide.pretraining.setting import (
    Setting,
    backbone_source,
    check_options,
)
from tests.conftest import random_sequences, write_proteins, write_rows
from tests.pretraining.conftest import COUNT, config_of, setting_of


def clusters_of(folder: Path, size: int = 4) -> Path:
    """Clusters of the same size, the first one as large as two."""
    representative = [f"p{max(size, k // size * size)}" for k in range(COUNT)]
    rows = [(name, f"p{k}") for k, name in enumerate(representative)]
    return write_rows(folder / "c.tsv", "none none", rows)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "--steps: received 0; expected 1 or more"),
        ({"mask_fraction": 1.0}, "--mask-fraction: received 1.0; expected above 0, below 1"),
        ({"mask_span": 0.5}, "--mask-span"),
        ({"learning_rate": float("nan")}, "--learning-rate: received nan"),
        ({"learning_rate": float("inf")}, "--learning-rate: received inf"),
        ({"hours": 0.0}, "--hours"),
        ({"cluster_power": 1.1}, "--cluster-power: received 1.1; expected from 0 to 1"),
        ({"decay_fraction": -0.1}, "--decay-fraction"),
        ({"weight_decay": -1.0}, "--weight-decay"),
        ({"held_out": 0}, "--held-out"),
        ({"seed": -1}, "--seed: received -1"),
        ({"row_tokens": 31}, "--row-tokens: received 31, expected 32 or more"),
        ({"width": 36}, r"--width: received 36, expected a multiple of .* \(8\)"),
        ({"relatives_weight": -0.1}, "--relatives-weight: received -0.1; expected 0 or more"),
        ({"relatives_weight": float("nan")}, "--relatives-weight: received nan"),
        ({"profiles_weight": 0.0}, "--profiles-weight: received 0.0; expected a number above 0"),
        ({"profiles_weight": 2.0}, "--profiles-weight: .* without --alignments"),
        ({"alignments": Path("absent.tsv")}, "absent.tsv: no such file"),
        ({"local_heads": True, "backbone": "mini"}, "--local-heads: .* with --backbone"),
        ({"initializer_range": 0.0}, "--initializer-range: received 0.0; expected a number above"),
        ({"exclude": Path("absent.txt")}, "absent.txt: no such file"),
        ({"sequences": (Path("absent.fasta"),)}, "absent.fasta: no such file"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_options(config_of(tmp_path, **changes))


def test_all_that_is_wrong_is_one_error(tmp_path: Path) -> None:
    changes = {"row_tokens": 31, "profiles_weight": 2.0, "clusters": Path("absent.tsv")}
    with pytest.raises(InputError, match="3 problems") as caught:
        check_options(config_of(tmp_path, **changes))
    for name in ("--row-tokens", "--profiles-weight", "absent.tsv"):
        assert name in str(caught.value)


def test_options_at_their_limits_are_taken(tmp_path: Path) -> None:
    limits = {"row_tokens": 32, "cluster_power": 0.0, "decay_fraction": 1.0, "hours": None}
    files = check_options(config_of(tmp_path, clusters=clusters_of(tmp_path), **limits))
    assert files.paths() == [tmp_path / "p.fasta", tmp_path / "c.tsv"]


def test_a_backbone_of_another_family_is_refused(tmp_path: Path) -> None:
    BertConfig().save_pretrained(tmp_path / "bert")
    with pytest.raises(BackboneError, match="expected a checkpoint of model type esm"):
        backbone_source(config_of(tmp_path, backbone=str(tmp_path / "bert")))


def test_a_backbone_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError):
        backbone_source(config_of(tmp_path, backbone="nowhere", offline=True))


def test_the_backbone_to_continue_from_is_never_written_over(
    tmp_path: Path, esm2_folder: Path
) -> None:
    with pytest.raises(InputError, match=r"--out: .* lies in the output folder"):
        backbone_source(
            config_of(tmp_path, backbone=str(esm2_folder), out=esm2_folder, overwrite=True)
        )


def test_absolute_positions_limit_the_row(tmp_path: Path, esm1b_folder: Path) -> None:
    """ESM-1b has 1,026 positions, of which two stand before the first token."""
    longest = config_of(tmp_path, backbone=str(esm1b_folder), row_tokens=1024)
    assert backbone_source(longest) == esm1b_folder
    with pytest.raises(InputError, match="--row-tokens: received 1025; expected at most 1024"):
        backbone_source(config_of(tmp_path, backbone=str(esm1b_folder), row_tokens=1025))


def test_too_few_clusters_to_hold_some_out_are_an_error(tmp_path: Path) -> None:
    setting_of(config_of(tmp_path))
    table = clusters_of(tmp_path, size=8)
    with pytest.raises(InputError, match="4 clusters are too few"):
        setting_of(config_of(tmp_path, clusters=table))


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_relatives_need_rows_in_pairs_and_others_to_tell_them_from(
    tmp_path: Path, rows: int
) -> None:
    with pytest.raises(InputError) as caught:
        check_options(config_of(tmp_path, rows=rows, relatives_weight=0.1))
    said = f"--rows: received {rows}, expected an even number from 4 up, because --relatives-weight"
    assert said in str(caught.value)
    assert "problems" not in str(caught.value)
    check_options(config_of(tmp_path, rows=rows))
    check_options(config_of(tmp_path, rows=4, relatives_weight=0.1))


def first_drawn(setting: Setting) -> np.ndarray:
    """What the rows begin with, in pairs. Shape (pairs, 2)."""
    batches = [setting.source().sampler.rows(step) for step in range(40)]
    return np.concatenate([b.sequences[b.piece[:, 0]] for b in batches]).reshape(-1, 2)


def test_relatives_are_of_the_same_cluster_to_train_on(tmp_path: Path) -> None:
    options = {"clusters": clusters_of(tmp_path, size=3), "held_out": 1, "rows": 4}
    setting = setting_of(config_of(tmp_path, relatives_weight=1.0, **options))
    pairs, clusters = first_drawn(setting), setting.corpus.clusters
    assert np.array_equal(clusters[pairs[:, 0]], clusters[pairs[:, 1]])
    assert (pairs[:, 0] != pairs[:, 1]).any()
    assert set(pairs.ravel()) <= set(setting.parts[0])
    plain = first_drawn(setting_of(config_of(tmp_path, **options)))
    assert (clusters[plain[:, 0]] != clusters[plain[:, 1]]).any()


def test_without_clusters_relatives_are_crops_of_the_same_sequence(tmp_path: Path) -> None:
    pairs = first_drawn(setting_of(config_of(tmp_path, rows=4, relatives_weight=1.0)))
    assert np.array_equal(pairs[:, 0], pairs[:, 1])


def test_sequences_shorter_than_a_crop_are_packed_too(tmp_path: Path) -> None:
    write_proteins(tmp_path / "p.fasta", random_sequences(30, lengths=(2, 6)))
    setting = setting_of(config_of(tmp_path, min_length=1))
    batch = setting.source().batch(0)
    assert batch.piece.max() <= setting.layout().max_pieces - 1
    pieces = batch.piece[batch.is_residue].unique()
    assert len(pieces) > 2 * (64 // 32 + 1)
    assert np.array_equal(pieces.numpy(), np.arange(len(pieces)))
