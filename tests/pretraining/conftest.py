"""Corpora held in memory, rows of them, and a model small enough to be run at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import EsmForMaskedLM

from peftide.backbones.esm import esm_config, esm_tokenizer
from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.config import PretrainConfig, RunOptions
from peftide.hardware import Hardware, choose_hardware
from peftide.pretraining.corpus import Corpus
from peftide.pretraining.masking import Masking
from peftide.pretraining.network import PretrainingModel
from peftide.pretraining.options import check_options
from peftide.pretraining.sampling import RowLayout, RowSampler
from peftide.pretraining.setting import Setting, backbone_source, build_setting
from peftide.run_folder import RunFolder
from peftide.tokens import read_vocabulary
from peftide.types import FloatArray, IntArray
from tests.conftest import AMINO_ACIDS, random_sequences, randomise, write_proteins

TOKENIZER: Any = esm_tokenizer(None)
VOCABULARY = read_vocabulary(TOKENIZER)
MASK_ID = TOKENIZER.convert_tokens_to_ids("<mask>")
PADDING_ID = TOKENIZER.convert_tokens_to_ids("<pad>")
FIRST_POSITION = PADDING_ID + 1  # as ESM counts
RESIDUE_IDS = np.array(TOKENIZER.convert_tokens_to_ids(list(AMINO_ACIDS)))
SEQUENCES = random_sequences(60, lengths=(30, 90), seed=3)
CLUSTERS = np.arange(60) // 5
COUNT = 40
"""Sequences of a corpus on disk."""


def token_ids(sequence: str) -> IntArray:
    return np.array(TOKENIZER.convert_tokens_to_ids(list(sequence)), dtype=np.int64)


def corpus_of(sequences: Sequence[str], clusters: Sequence[int] | None = None) -> Corpus:
    lengths = [len(sequence) for sequence in sequences]
    numbers = range(len(sequences)) if clusters is None else clusters
    return Corpus(
        tokens=np.concatenate([token_ids(sequence) for sequence in sequences]).astype(np.uint8),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        clusters=np.array(numbers, dtype=np.int64),
        ids=tuple(f"p{k}" for k in range(len(sequences))),
        record={},
    )


def layout_of(rows: int = 4, row_tokens: int = 96, **changes: Any) -> RowLayout:
    return RowLayout(rows, row_tokens, VOCABULARY, FIRST_POSITION, PADDING_ID, **changes)


def sampler_of(
    corpus: Corpus,
    layout: RowLayout,
    *,
    members: IntArray | None = None,
    weights: FloatArray | None = None,
    seed: int = 0,
) -> RowSampler:
    chosen = np.arange(len(corpus.ids)) if members is None else members
    even = np.ones(len(chosen)) if weights is None else weights
    return RowSampler(corpus, chosen, weights=even, layout=layout, seed=seed)


def masking_of(fraction: float = 0.15, mean_span: float = 1.0) -> Masking:
    return Masking(fraction, mean_span, MASK_ID, RESIDUE_IDS)


def tiny_model(*, relatives: bool = False) -> PretrainingModel:
    model = PretrainingModel(EsmMaskedLM(esm_config(2, 32, 4)), relatives=relatives)
    randomise(model)
    return model.eval()


def plain_logits(model: PretrainingModel, folder: Path, tokens: torch.Tensor) -> torch.Tensor:
    """Logits of one piece alone, by `transformers`, from a copy that was saved and opened."""
    if not folder.exists():
        model.language_model.model.save_pretrained(folder)
    plain = EsmForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        return plain(tokens[None], attention_mask=torch.ones_like(tokens[None])).logits[0]


def config_of(folder: Path, **changes: Any) -> PretrainConfig:
    fasta = folder / "p.fasta"
    if not fasta.exists():
        write_proteins(fasta, random_sequences(COUNT, lengths=(30, 60)))
    options: dict[str, Any] = {
        "sequences": (fasta,),
        "out": folder / "out",
        "layers": 2,
        "width": 32,
        "attention_heads": 4,
        "rows": 2,
        "row_tokens": 64,
    }
    return PretrainConfig(**(options | changes))


def setting_of(config: PretrainConfig) -> Setting:
    files = check_options(config)
    return build_setting(config, backbone_source(config), files, folder=RunFolder(config.out))


@pytest.fixture
def pretrain_config(tmp_path: Path) -> PretrainConfig:
    return config_of(tmp_path, held_out=4)


@pytest.fixture
def hardware() -> Hardware:
    return choose_hardware(RunOptions(device="cpu", precision="fp32", threads=1))
