import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import EsmModel, EsmTokenizer

from peftide.bundle import load_bundle
from peftide.commands import embed as embed_module
from peftide.commands.embed import embed, h5_key
from peftide.commands.train import train
from peftide.config import EmbedConfig
from peftide.errors import InputError
from peftide.pooling import AttentionPooling
from peftide.types import FloatArray
from tests.conftest import TINY, random_sequences, small_config, write_proteins

Trained = Callable[[str, str], Path]
SEQUENCES = [*random_sequences(9, seed=6), "M", "ACDXUZB"]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write_proteins(tmp_path / "p.fasta", SEQUENCES)


def plain_residues(folder: Path) -> list[FloatArray]:
    """Reference: `transformers` alone, each sequence by itself, special tokens cut off."""
    model = EsmModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = EsmTokenizer.from_pretrained(folder)
    found = []
    for sequence in SEQUENCES:
        with torch.no_grad():
            hidden = model(**tokenizer(sequence, return_tensors="pt")).last_hidden_state
        found.append(hidden[0, 1:-1].numpy())
    return found


@pytest.mark.parametrize("checkpoint", ["esm2_folder", "esm1b_folder"])
def test_vectors_are_the_mean_over_residues_of_plain_transformers(
    request: pytest.FixtureRequest, fasta: Path, tmp_path: Path, checkpoint: str
) -> None:
    folder = request.getfixturevalue(checkpoint)
    config = EmbedConfig(
        backbone=str(folder), sequences=fasta, out=tmp_path / "e.safetensors", **QUICK
    )
    embed(config)
    found = load_file(config.out)
    assert sorted(found) == sorted(f"p{k}" for k in range(len(SEQUENCES)))
    for k, residues in enumerate(plain_residues(folder)):
        np.testing.assert_allclose(found[f"p{k}"], residues.mean(axis=0), atol=1e-5)


def test_residues_are_those_of_plain_transformers(
    esm2_folder: Path, fasta: Path, tmp_path: Path
) -> None:
    """Rows of residues are kept in half precision, so three digits."""
    config = EmbedConfig(
        backbone=str(esm2_folder),
        sequences=fasta,
        out=tmp_path / "e.h5",
        per_residue=True,
        **QUICK,
    )
    embed(config)
    with h5py.File(config.out) as file:
        for k, residues in enumerate(plain_residues(esm2_folder)):
            found = np.asarray(file[f"p{k}"])
            assert found.shape == (len(SEQUENCES[k]), 32)
            np.testing.assert_allclose(found, residues, atol=1e-5)


def test_the_cls_vector_is_the_first_token(esm2_folder: Path, fasta: Path, tmp_path: Path) -> None:
    model = EsmModel.from_pretrained(esm2_folder, add_pooling_layer=False).eval()
    tokenizer = EsmTokenizer.from_pretrained(esm2_folder)
    config = EmbedConfig(
        backbone=str(esm2_folder), sequences=fasta, out=tmp_path / "e.h5", pooling="cls", **QUICK
    )
    with torch.no_grad():
        hidden = model(**tokenizer(SEQUENCES[0], return_tensors="pt")).last_hidden_state
    np.testing.assert_allclose(embed(config)["p0"], hidden[0, 0].numpy(), atol=1e-5)


def test_the_three_formats_hold_the_same(fasta: Path, tmp_path: Path) -> None:
    written = {
        ending: EmbedConfig(
            backbone=TINY, sequences=fasta, out=tmp_path / "deep" / f"e{ending}", **QUICK
        )
        for ending in (".safetensors", ".h5", ".parquet")
    }
    vectors = [embed(config) for config in written.values()]
    tensors = load_file(written[".safetensors"].out)
    table = pd.read_parquet(written[".parquet"].out)
    assert list(table) == ["id", *(f"d{k}" for k in range(32))]
    assert table["id"].tolist() == list(vectors[0])
    with h5py.File(written[".h5"].out) as file:
        for row, name in enumerate(table["id"]):
            expected = vectors[0][name]
            assert np.array_equal(tensors[name], expected)
            assert np.array_equal(np.asarray(file[name]), expected)
            assert np.array_equal(table.iloc[row, 1:].to_numpy(dtype=np.float32), expected)
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == [
        "e.h5",
        "e.parquet",
        "e.safetensors",
    ]


def test_the_adapted_backbone_of_a_run_is_used(
    trained: Trained, fasta: Path, tmp_path: Path
) -> None:
    run = trained("regression", "full")
    found = embed(EmbedConfig(run=run, sequences=fasta, out=tmp_path / "a.h5", **QUICK))
    plain = embed(EmbedConfig(backbone=TINY, sequences=fasta, out=tmp_path / "b.h5", **QUICK))
    model = load_bundle(run / "model").model
    with torch.inference_mode():
        expected = model.encode(model.backbone.pack(SEQUENCES[:1], max_length=None)).numpy()[0]
    np.testing.assert_allclose(found["p0"], expected, atol=1e-5)
    assert not np.allclose(found["p0"], plain["p0"], atol=1e-5)


def test_what_a_run_settles_is_refused_beside_it(
    trained: Trained, fasta: Path, tmp_path: Path
) -> None:
    config = EmbedConfig(
        run=trained("regression", "head"),
        sequences=fasta,
        out=tmp_path / "a.h5",
        max_length=20,
        offline=True,
    )
    with pytest.raises(InputError, match=r"(?s)--max-length: .*--run.*--offline") as caught:
        embed(config)
    assert "leave it out" in str(caught.value)
    assert not config.out.exists()


def test_long_sequences_are_cropped(tmp_path: Path) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", ["MKVLAWDE", "MKVL"])
    cropped = EmbedConfig(
        backbone=TINY, sequences=fasta, out=tmp_path / "a.h5", max_length=4, **QUICK
    )
    found = embed(cropped)
    np.testing.assert_allclose(found["p0"], found["p1"], atol=1e-6)
    whole = EmbedConfig(
        backbone=TINY, sequences=fasta, out=tmp_path / "b.h5", max_length=None, **QUICK
    )
    assert not np.allclose(embed(whole)["p0"], found["p0"], atol=1e-4)


def test_positions_that_a_backbone_does_not_have_are_refused(
    esm1b_folder: Path, fasta: Path, tmp_path: Path
) -> None:
    config = EmbedConfig(
        backbone=str(esm1b_folder), sequences=fasta, out=tmp_path / "e.h5", max_length=None
    )
    with pytest.raises(InputError, match="--max-length.*absolute positions"):
        embed(config)


def test_a_run_with_learned_pooling_embeds_with_it(fasta: Path, tmp_path: Path) -> None:
    run = train(
        small_config(tmp_path, "ppi", "head", pooling="attention", head_learning_rate=0.5)
    ).path
    as_trained = embed(EmbedConfig(run=run, sequences=fasta, out=tmp_path / "a.h5", **QUICK))
    as_mean = embed(
        EmbedConfig(run=run, sequences=fasta, out=tmp_path / "m.h5", pooling="mean", **QUICK)
    )
    pooling = load_bundle(run / "model").model.pooling
    assert isinstance(pooling, AttentionPooling)
    assert pooling.query.abs().max() > 0
    assert not np.allclose(as_trained["p0"], as_mean["p0"], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "per_residue", "message"),
    [
        ("e.npy", False, "e.npy.*Known: .safetensors, .h5, .parquet"),
        ("e.parqet", False, "Did you mean .parquet"),
        ("e.2", False, "Known.*folder"),
        ("e.parquet", True, "--per-residue.*parquet"),
    ],
)
def test_a_format_that_cannot_be_written_is_refused_first(
    tmp_path: Path, name: str, per_residue: bool, message: str
) -> None:
    config = EmbedConfig(
        sequences=tmp_path / "absent.fasta", out=tmp_path / name, per_residue=per_residue
    )
    with pytest.raises(InputError, match=message):
        embed(config)


def test_a_library_that_is_not_installed_is_named(
    fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InputError, match=r"h5py is not installed.*peftide\[formats"):
        embed(EmbedConfig(backbone=TINY, sequences=fasta, out=tmp_path / "e.h5"))


def test_an_output_that_exists_stays(fasta: Path, tmp_path: Path) -> None:
    (tmp_path / "e.h5").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        embed(EmbedConfig(backbone=TINY, sequences=fasta, out=tmp_path / "e.h5"))
    assert (tmp_path / "e.h5").read_text() == "mine"


def test_a_writer_that_fails_leaves_no_output(
    fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embed_module, "save_file", full)
    config = EmbedConfig(backbone=TINY, sequences=fasta, out=tmp_path / "e.safetensors", **QUICK)
    with pytest.raises(RuntimeError, match="no space left"):
        embed(config)
    assert not config.out.exists()
    left = {path.name for path in tmp_path.iterdir()} - {fasta.name}
    assert left <= {".e.safetensors.peftide-embed"}  # what is encoded, for the next call


ODD_IDS = [
    *("Cbp", "Cbp/p300", "chain/A/1", "a/", ".", "..", "...", "%2E", "100%", "=1+1", "@x"),
    *("sp|Q00001|A_B", "é中", "x" * 70_000, "./x", "/x", "chain%2FA%2F1"),
]


@pytest.mark.parametrize("ending", ["h5", "safetensors", "parquet"])
def test_every_id_has_one_flat_key_that_gives_it_back(tmp_path: Path, ending: str) -> None:
    records = [f">{name}\n{'MKVWL'[: 1 + k % 5]}\n" for k, name in enumerate(ODD_IDS)]
    (tmp_path / "p.fasta").write_text("".join(records), encoding="utf-8")
    out = tmp_path / f"e.{ending}"
    embed(EmbedConfig(backbone=TINY, sequences=tmp_path / "p.fasta", out=out, **QUICK))
    if ending == "safetensors":
        found = load_file(out)
    elif ending == "parquet":
        table = pd.read_parquet(out).set_index("id")
        found = {str(name): table.loc[name].to_numpy(np.float32) for name in table.index}
    else:
        with h5py.File(out) as file:
            found = {unquote(str(key)): np.asarray(file[key]) for key in file}
    assert sorted(found) == sorted(ODD_IDS)
    for k, name in enumerate(ODD_IDS):  # equal sequences have equal vectors
        np.testing.assert_array_equal(found[name], found[ODD_IDS[k % 5]])


def test_keys_of_different_ids_differ_and_can_be_read_back() -> None:
    parts = ["/", ".", "%", "%2F", "%2E", "\0", "a", "é", " "]
    ids = ["".join(chosen) for n in (1, 2, 3) for chosen in itertools.product(parts, repeat=n)]
    keys = {name: h5_key(name) for name in ids}
    assert len(set(keys.values())) == len(set(ids))
    assert all(unquote(key) == name for name, key in keys.items())
    assert not any("/" in key or "\0" in key or key in (".", "..") for key in keys.values())


def test_ids_that_a_format_cannot_hold_are_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"backbone": "lab/absent", "sequences": tmp_path / "p.fasta"}
    config = EmbedConfig(out=tmp_path / "e.safetensors", **options)
    (tmp_path / "p.fasta").write_text(">__metadata__\nMKV\n")
    with pytest.raises(InputError, match="reserves"):
        embed(config)
    monkeypatch.setattr(embed_module, "SAFETENSORS_HEADER_BYTES", 1_000)
    (tmp_path / "p.fasta").write_text(f">{'x' * 2000}\nMKV\n")
    with pytest.raises(InputError, match=r"ids fill more than .*; expected \.h5 or \.parquet"):
        embed(config)


def test_a_run_embeds_with_its_backbone_at_another_place(
    esm2_folder: Path, esm1v_folder: Path, fasta: Path, tmp_path: Path
) -> None:
    place = shutil.copytree(esm2_folder, tmp_path / "place")
    config = small_config(tmp_path, "regression", "head", backbone=str(place), epochs=1)
    run = train(replace(config, baselines=("none",))).path
    options: dict[str, Any] = {"run": run, "sequences": fasta, **QUICK}
    before = embed(EmbedConfig(out=tmp_path / "a.h5", **options))
    place.rename(tmp_path / "moved")
    with pytest.raises(InputError, match="cannot be opened.*new place with --backbone"):
        embed(EmbedConfig(out=tmp_path / "b.h5", **options))
    moved = str(tmp_path / "moved")
    after = embed(EmbedConfig(out=tmp_path / "b.h5", backbone=moved, **options))
    np.testing.assert_array_equal(before["p0"], after["p0"])
    with pytest.raises(InputError, match="--backbone: .* is not the backbone in training"):
        embed(EmbedConfig(out=tmp_path / "c.h5", backbone=str(esm1v_folder), **options))


@pytest.mark.parametrize("ending", [".safetensors", ".h5", ".parquet"])
def test_overwrite_replaces_embeddings_and_nothing_else(
    fasta: Path, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"e{ending}"
    config = EmbedConfig(backbone=TINY, sequences=fasta, out=out, overwrite=True, **QUICK)
    embed(config)
    embed(config)
    foreign = {
        ".safetensors": lambda: save_file({"weight": np.zeros(2)}, out),
        ".h5": lambda: h5py.File(out, "w").close(),
        ".parquet": lambda: pd.DataFrame({"id": ["a"]}).to_parquet(out),
    }
    for write in (foreign[ending], lambda: out.write_text("mine")):
        write()
        before = out.read_bytes()
        with pytest.raises(InputError, match="not written by `peftide embed`"):
            embed(config)
        assert out.read_bytes() == before


@pytest.mark.parametrize("per_residue", [False, True])
def test_all_layers_are_those_of_cut_backbones(
    tmp_path: Path, fasta: Path, per_residue: bool
) -> None:
    def written(**options: Any) -> dict[str, FloatArray]:
        out = tmp_path / "e.safetensors"
        config = EmbedConfig(
            sequences=fasta,
            backbone=TINY,
            out=out,
            overwrite=True,
            per_residue=per_residue,
            **QUICK,
            **options,
        )
        embed(config)
        return load_file(out)

    every = written(layers="all")
    for layer in (0, 1):
        for name, vector in written(layer=layer).items():
            np.testing.assert_array_equal(every[name][..., layer, :], vector)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": "all", "layer": 0}, "--layer: --layers all does not read it"),
        ({"layer": 2}, "--layer: received 2, but the backbone has the layers 0 to 1"),
    ],
)
def test_layers_that_cannot_be_are_refused(
    tmp_path: Path, fasta: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        embed(
            EmbedConfig(
                sequences=fasta, backbone=TINY, out=tmp_path / "e.safetensors", **QUICK, **options
            )
        )


def test_all_layers_do_not_fit_into_a_table(tmp_path: Path, fasta: Path) -> None:
    with pytest.raises(InputError, match=r"--layers all cannot write \.parquet"):
        embed(EmbedConfig(sequences=fasta, backbone=TINY, out=tmp_path / "e.parquet", layers="all"))
