"""A corpus with the alphabet of a backbone, and the sequences to train on."""

from pathlib import Path

import numpy as np
import pytest
from transformers import BertConfig

from peftide.errors import BackboneError, InputError
from peftide.pretraining.options import check_options
from peftide.pretraining.setting import (
    Setting,
    backbone_source,
)
from tests.conftest import random_sequences, write_proteins, write_rows
from tests.pretraining.conftest import COUNT, config_of, setting_of


def clusters_of(folder: Path, size: int = 4) -> Path:
    """Clusters of the same size, the first one as large as two."""
    representative = [f"p{max(size, k // size * size)}" for k in range(COUNT)]
    rows = [(name, f"p{k}") for k, name in enumerate(representative)]
    return write_rows(folder / "c.tsv", "none none", rows)


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
