"""What every family of `BACKBONES` promises: the vectors of `transformers`, whatever the batch."""

import copy
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    BertModel,
    BertTokenizer,
    ElectraModel,
    EsmModel,
    EsmTokenizer,
    PreTrainedTokenizerFast,
    T5EncoderModel,
    T5Tokenizer,
)

from peftide.adapters import ADAPTERS
from peftide.backbones import BACKBONES, LayeredBackbone
from peftide.backbones.half import hold_half
from peftide.backbones.int8_products import hold_frozen
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.bundle import Recipe, build_model
from peftide.commands.train import train
from peftide.config import MethodOptions, RunOptions
from peftide.encoding import ModelEncoder
from peftide.engine.side_by_side import side_by_side
from peftide.errors import InputError
from peftide.hardware import Hardware, choose_hardware
from peftide.native.int8 import library
from peftide.packing import token_budget_batches
from peftide.pooling import AttentionPooling, MeanPooling
from peftide.tasks import Labels
from peftide.training import setting
from tests.backbones.conftest import Recurrent
from tests.conftest import AMINO_ACIDS, random_sequences, real_proteins, small_config


@dataclass(frozen=True)
class Card:
    """How the authors of a checkpoint tell their users to run it with `transformers`."""

    model: Any
    tokenizer: Any
    text: Callable[[str], str] = str


def spaced(sequence: str) -> str:
    """Write a sequence as the model cards of ProtTrans do."""
    return " ".join(re.sub(r"[UZOB]", "X", sequence))


def without_structure(sequence: str) -> str:
    """Write a sequence in SaProt's alphabet, `#` where the residue or the structure is unknown."""
    return "".join(f"{letter}#" for letter in re.sub(r"[XBZUO]", "#", sequence))


CHECKPOINTS = {
    "esm": {
        "esm2_folder": Card(EsmModel, EsmTokenizer),
        "esm1b_folder": Card(EsmModel, EsmTokenizer),
        "esm1v_folder": Card(EsmModel, EsmTokenizer),
        "saprot_folder": Card(EsmModel, EsmTokenizer, without_structure),
    },
    "bert": {"protbert_folder": Card(BertModel, BertTokenizer, spaced)},
    "electra": {"protelectra_folder": Card(ElectraModel, BertTokenizer, spaced)},
    "t5": {
        "prott5_folder": Card(T5EncoderModel, T5Tokenizer, spaced),
        "ankh_folder": Card(T5EncoderModel, PreTrainedTokenizerFast),
    },
}
"""Fixtures with tiny checkpoints of each family."""
UNIREP = "random:unirep_64"
CARDS = {name: card for cards in CHECKPOINTS.values() for name, card in cards.items()}
SEQUENCES = ["M", *random_sequences(10, lengths=(2, 60)), "MKVLLA", *random_sequences(2, seed=3)]
TOLERANCE = 1e-5
ROTARY = "position_embedding_type"


@pytest.fixture(scope="module", params=CARDS)
def checkpoint(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def card(checkpoint: str) -> Card:
    return CARDS[checkpoint]


@pytest.fixture(scope="module")
def folder(checkpoint: str, request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(checkpoint)


@pytest.fixture(scope="module")
def stored(folder: Path) -> LayeredBackbone:
    """A backbone with a model card to compare with."""
    return load_backbone(str(folder))


@pytest.fixture(scope="module", params=[*CARDS, UNIREP])
def place(request: pytest.FixtureRequest) -> str:
    name = request.param
    return name if name == UNIREP else str(request.getfixturevalue(name))


@pytest.fixture(scope="module")
def backbone(place: str) -> LayeredBackbone:
    """Any backbone."""
    return load_backbone(place)


def embed(backbone: LayeredBackbone, sequences: list[str]) -> list[torch.Tensor]:
    batch = backbone.pack(sequences, max_length=None)
    with torch.no_grad():
        return list(backbone(batch).split(batch.lengths))


def pooled(backbone: LayeredBackbone, sequences: list[str]) -> torch.Tensor:
    batch = backbone.pack(sequences, max_length=None)
    with torch.no_grad():
        return MeanPooling()(backbone(batch), batch)


def padded(
    card: Card, folder: Path, sequences: list[str], dtype: torch.dtype = torch.float32
) -> list[torch.Tensor]:
    """Embed by the padded forward of `transformers`; return the tokens of each sequence."""
    model = card.model.from_pretrained(folder, attn_implementation="eager").eval().to(dtype)
    tokenizer = card.tokenizer.from_pretrained(folder)
    texts = [card.text(sequence) for sequence in sequences]
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        hidden = model(batch["input_ids"], attention_mask=batch["attention_mask"])[0]
    counts = batch["attention_mask"].sum(dim=1).tolist()
    return [rows[:count] for rows, count in zip(hidden, counts, strict=True)]


def assert_close(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    for first, second in zip(found, expected, strict=True):
        torch.testing.assert_close(first, second, atol=TOLERANCE, rtol=0)


def test_every_family_has_a_checkpoint_to_test():
    """UniRep, which `transformers` does not know, has its own reference in test_unirep.py."""
    assert CHECKPOINTS.keys() == BACKBONES.keys()


def test_vectors_are_those_of_the_padded_forward(stored: LayeredBackbone, card: Card, folder: Path):
    assert_close(embed(stored, SEQUENCES), padded(card, folder, SEQUENCES))


def test_vectors_of_real_proteins_are_those_of_the_padded_forward(
    stored: LayeredBackbone, card: Card, folder: Path, data: Path
):
    """In rows of 2,048 tokens, as commands make them, of which the longest fills a half.

    In fp64, for sums over 1,022 residues round more in fp32 than those of short sequences. Queries
    and keys that `transformers` turns by position go through fp32 even so, in both.
    """
    exact = copy.deepcopy(stored).double()
    rotary = getattr(card.model.from_pretrained(folder).config, ROTARY, None) == "rotary"
    sequences = real_proteins(data, 101)
    lengths = [len(text) + 2 for text in sequences]
    for group in token_budget_batches(lengths, 2048):
        texts = [sequences[k] for k in group]
        found, expected = embed(exact, texts), padded(card, folder, texts, torch.float64)
        for first, second in zip(found, expected, strict=True):
            torch.testing.assert_close(first, second, atol=TOLERANCE if rotary else 1e-9, rtol=0)


def test_one_sequence_has_the_vectors_of_the_plain_forward(
    stored: LayeredBackbone, card: Card, folder: Path
):
    for sequence in ["M", "MKVLLA", SEQUENCES[1]]:
        assert_close(embed(stored, [sequence]), padded(card, folder, [sequence]))


def test_rare_letters_are_read_as_the_model_card_says(
    stored: LayeredBackbone, card: Card, folder: Path
):
    sequences = ["MKXBZUOAC", "WX"]
    assert_close(embed(stored, sequences), padded(card, folder, sequences))


def test_residues_are_the_rows_between_the_special_tokens(backbone: LayeredBackbone):
    batch = backbone.pack(["MKV", "W"], max_length=None)
    ids = backbone.vocabulary.letter_ids[[ord(letter) for letter in "MKVW"]]
    assert batch.input_ids[batch.residue_rows].tolist() == ids.tolist()


def test_alone_is_as_in_a_batch(backbone: LayeredBackbone):
    for sequence, together in zip(SEQUENCES, embed(backbone, SEQUENCES), strict=True):
        assert_close(embed(backbone, [sequence]), [together])


def test_neighbours_and_order_do_not_matter(backbone: LayeredBackbone):
    order = np.random.default_rng(0).permutation(len(SEQUENCES))
    expected = embed(backbone, SEQUENCES)
    shuffled = embed(backbone, [SEQUENCES[k] for k in order])
    for place, found in zip(order, shuffled, strict=True):
        torch.testing.assert_close(found, expected[place], atol=1e-5, rtol=0)


def test_sequences_differ_from_one_another(backbone: LayeredBackbone):
    vectors = pooled(backbone, SEQUENCES)
    distances = torch.cdist(vectors, vectors) + torch.eye(len(SEQUENCES)) * 100
    assert distances.min() > 0.01


def test_every_residue_matters(backbone: LayeredBackbone):
    before = pooled(backbone, ["MKVLLA"])
    for place in range(6):
        changed = "MKVLLA"[:place] + "W" + "MKVLLA"[place + 1 :]
        assert (pooled(backbone, [changed]) - before).abs().max() > 0.001


def test_pooling_leaves_special_tokens_out(backbone: LayeredBackbone):
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        tokens = backbone(batch)
    special = torch.ones(len(tokens), dtype=torch.bool)
    special[batch.residue_rows] = False
    assert special.sum() == len(SEQUENCES) * backbone.vocabulary.special_tokens
    changed = torch.where(special[:, None], torch.randn_like(tokens) * 100, tokens)
    for pooling in [MeanPooling(), AttentionPooling(backbone.width)]:
        assert torch.equal(pooling(tokens, batch), pooling(changed, batch))


def test_amino_acids_have_tokens_of_their_own(backbone: LayeredBackbone):
    ids = backbone.vocabulary.encode(AMINO_ACIDS)
    assert len(set(ids.tolist())) == 20 + backbone.vocabulary.special_tokens


def test_twice_the_same_bits(place: str, backbone: LayeredBackbone):
    again = load_backbone(place)
    assert again.origin == backbone.origin
    for first, second in zip(embed(backbone, SEQUENCES), embed(again, SEQUENCES), strict=True):
        assert torch.equal(first, second)


def test_sizes_are_said(backbone: LayeredBackbone):
    tokens = embed(backbone, ["MKVLLA"])[0]
    assert tokens.shape == (6 + backbone.vocabulary.special_tokens, backbone.width)
    assert backbone.layers > 0


def adapted(place: str, method: str) -> LayeredBackbone:
    backbone = load_backbone(place)
    targets = tuple(backbone.attention_modules)
    options = MethodOptions(lora_r=4, lora_dropout=0.0, lora_targets=targets)
    ADAPTERS[method].apply(backbone, options)
    return backbone.eval()


def step(backbone: LayeredBackbone, head: torch.nn.Linear) -> None:
    """Take one optimizer step of backbone and head on an arbitrary loss."""
    trained = [p for p in [*backbone.parameters(), *head.parameters()] if p.requires_grad]
    batch = backbone.pack(SEQUENCES, max_length=None)
    labels = torch.arange(len(SEQUENCES)) % 2
    logits = head(MeanPooling()(backbone(batch), batch))
    torch.nn.functional.cross_entropy(logits, labels).backward()
    assert all(parameter.grad is not None for parameter in trained)
    torch.optim.AdamW(trained, lr=0.01).step()


@pytest.mark.parametrize("method", ["head", "lora", "full"])
def test_an_adapted_backbone_trains_and_is_saved(place: str, method: str, tmp_path: Path):
    backbone = adapted(place, method)
    head = torch.nn.Linear(backbone.width, 2)
    before = pooled(backbone, SEQUENCES)
    step(backbone, head)
    expected = pooled(backbone, SEQUENCES)
    assert torch.equal(before, expected) == (method == "head")
    ADAPTERS[method].save(backbone, tmp_path)
    fresh = load_backbone(place)
    ADAPTERS[method].load(fresh, tmp_path)
    assert torch.equal(head(pooled(fresh.eval(), SEQUENCES)), head(expected))


def test_upper_layers_on_the_states_of_lower_ones_equal_the_whole(
    backbone: LayeredBackbone,
) -> None:
    """The trunk cache rests on it."""
    layers = backbone.layers - 1
    batch = backbone.pack(SEQUENCES, max_length=None)
    assert backbone.frozen_layers == backbone.layers
    with torch.no_grad():
        states = backbone.hidden_states(batch, layers)
        upper = backbone(replace(batch, hidden=states, layers_done=layers))
        assert torch.equal(upper, backbone(batch))


@pytest.mark.parametrize("task", ["ppi", "residue"])
@pytest.mark.parametrize("method", ["head", "full"])
def test_a_recurrent_backbone_trains_and_is_saved(
    task: str, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A kind that peftide does not know goes through a whole training."""
    monkeypatch.setattr(setting, "load_backbone", lambda *_, **__: Recurrent())
    run = train(small_config(tmp_path, task, method, baselines=("none",)))
    assert (run.path / "predictions.tsv").is_file()
    stored = load_file(run.path / "model" / "backbone.safetensors") if method == "full" else {}
    assert stored.keys() == (Recurrent().model.state_dict().keys() if method == "full" else set())


@pytest.mark.parametrize("pooling", ["mean", "cls", "attention"])
def test_a_recurrent_backbone_embeds_into_a_store(pooling: str, tmp_path: Path):
    recipe = Recipe("binary", "head", "lab/recurrent", pooling, "mean", "linear", 8, 0.0, None)
    model = build_model(recipe, Labels(), Recurrent())
    hardware = choose_hardware(RunOptions(device="cpu", precision="fp32", max_tokens=40))
    encoder = ModelEncoder(model, hardware, max_length=None)
    encoder.keep_trunk(SEQUENCES, store=tmp_path, limit=1e9)
    assert encoder.trunk is None
    rows = encoder.embed(SEQUENCES, store=tmp_path).rows
    assert encoder.has_stored(SEQUENCES, tmp_path)
    for sequence, row in zip(SEQUENCES, rows, strict=True):
        alone = encoder.embed([sequence]).rows
        torch.testing.assert_close(row[None], alone, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("method", sorted(ADAPTERS.keys() - {"head", "full"}))
def test_methods_that_need_layers_refuse_a_recurrent_backbone(method: str):
    with pytest.raises(InputError, match="lab/recurrent has no layers") as caught:
        ADAPTERS[method].apply(Recurrent(), MethodOptions(lora_r=4))
    assert caught.value.where == "--method"


def test_activations_of_a_recurrent_backbone_cannot_be_recomputed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(setting, "load_backbone", lambda *_, **__: Recurrent())
    config = small_config(tmp_path, "binary", "full", gradient_checkpointing=True)
    with pytest.raises(InputError, match="--gradient-checkpointing: .* has no layers"):
        train(config)


def test_a_layer_of_the_whole_backbone_is_the_last_of_a_cut_one(place: str) -> None:
    """Bit for bit, with the last norm; the whole backbone gives all layers in one pass."""
    whole = load_backbone(place)
    batch = whole.pack(SEQUENCES[:5], max_length=None)
    with torch.no_grad():
        found = list(whole.every_layer(batch))
        assert torch.equal(found[-1], whole(batch))
        for layer, embeddings in enumerate(found):
            cut = load_backbone(place, options=LoadOptions(layer=layer))
            assert torch.equal(cut(batch), embeddings)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_batches_side_by_side_give_the_same_bits(folder: Path, precision: str) -> None:
    """A backbone keeps no state while it encodes. Each batch has one thread, as before."""
    if precision == "int8" and library() is None:
        pytest.skip("needs AVX512-VNNI and a C compiler")
    backbone = load_backbone(str(folder))
    hold_frozen(backbone, precision)
    hardware = Hardware(torch.device("cpu"), precision, 2_048)
    batches = [[*SEQUENCES[: n % 5], SEQUENCES[n % len(SEQUENCES)]] for n in range(40)]

    def encode(batch: list[str]) -> torch.Tensor:
        with hardware.autocast():
            return pooled(backbone, batch)

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = [encode(batch) for batch in batches]
        with closing(side_by_side(encode, batches, threads=8)) as found:
            together = list(found)
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, alone, together))


@pytest.mark.skipif(library() is None, reason="needs AVX512-VNNI and a C compiler")
def test_vectors_in_8_bits_are_close(folder: Path) -> None:
    """Of random weights, far wider than those of a trained model: a cosine of .99."""
    backbone = load_backbone(str(folder))
    exact = pooled(backbone, SEQUENCES)
    hold_frozen(backbone, "int8")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = pooled(backbone, SEQUENCES)
    assert torch.nn.functional.cosine_similarity(exact, found.float()).min() > 0.99
    assert not torch.equal(exact, found)


@pytest.mark.parametrize("layer", [None, 0])
def test_matrices_loaded_in_half_precision_are_those_converted_later(
    folder: Path, layer: int | None
) -> None:
    """The same bits and the same identity, without a copy in fp32."""
    late = load_backbone(str(folder), options=LoadOptions(layer=layer))
    hold_half(late, torch.bfloat16)
    early = load_backbone(str(folder), options=LoadOptions(layer=layer, dtype=torch.bfloat16))
    assert early.origin == late.origin
    expected = late.model.state_dict()
    for name, tensor in early.model.state_dict().items():
        assert tensor.dtype is expected[name].dtype, name
        assert torch.equal(tensor, expected[name]), name
