"""The setting of a pretraining: a tokenised corpus and the backbone's alphabet."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedTokenizerBase

from peftide.backbones import BACKBONES, Architecture
from peftide.backbones.esm import esm_config
from peftide.backbones.loading import LoadOptions, find_architecture, find_folder, read_config
from peftide.backbones.weights import require_safetensors
from peftide.config import PretrainConfig
from peftide.errors import InputError
from peftide.outputs import refuse_inputs_inside
from peftide.pretraining.corpus import MIN_CROP, Corpus, CorpusFiles, open_corpus
from peftide.pretraining.loop import BatchSource
from peftide.pretraining.masking import Masking
from peftide.pretraining.perplexity import PASSES, HeldOut
from peftide.pretraining.profiles import Profiles, open_profiles
from peftide.pretraining.sampling import (
    RowLayout,
    RowSampler,
    cluster_weights,
    hold_out_clusters,
)
from peftide.run_folder import RunFolder
from peftide.tokens import AMINO_ACIDS, Vocabulary, read_vocabulary
from peftide.types import IntArray

QUICK_SEQUENCES = 200
"""Held-out sequences that are looked at during training."""


@dataclass(frozen=True)
class Setting:
    """A corpus in the backbone's alphabet, and its training sequences.

    Attributes
    ----------
    architecture, tokenizer
        Of the backbone that is trained.
    model_config
        Its configuration, for special ids.
    checkpoints
        Folder for results that are computed once.
    """

    config: PretrainConfig
    corpus: Corpus
    architecture: Architecture
    tokenizer: PreTrainedTokenizerBase
    model_config: PretrainedConfig
    checkpoints: Path

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Token ids of letters, and special tokens."""
        return read_vocabulary(self.tokenizer)

    @cached_property
    def parts(self) -> tuple[IntArray, IntArray]:
        """Sequences to train on, and held-out ones."""
        return hold_out_clusters(self.corpus.clusters, self.config.held_out, seed=self.config.seed)

    def layout(self) -> RowLayout:
        """Shape of a batch."""
        return RowLayout(
            rows=self.config.rows,
            row_tokens=self.config.row_tokens,
            vocabulary=self.vocabulary,
            first_position=self.architecture.first_position(self.model_config),
            padding_id=int(self.model_config.pad_token_id),
            min_piece=min(MIN_CROP, self.config.min_length),
            paired=self.config.relatives_weight > 0,
        )

    @property
    def mask_id(self) -> int:
        """Token id of `<mask>`."""
        token_id: Any = self.tokenizer.mask_token_id
        return int(token_id)

    def source(self) -> BatchSource:
        """Return the source of the batches."""
        training = self.parts[0]
        weights = cluster_weights(self.corpus.clusters[training], self.config.cluster_power)
        masking = Masking(
            fraction=self.config.mask_fraction,
            mean_span=self.config.mask_span,
            mask_id=self.mask_id,
            residue_ids=self.residue_ids,
        )
        sampler = RowSampler(
            self.corpus, training, weights=weights, layout=self.layout(), seed=self.config.seed
        )
        return BatchSource(sampler, masking, seed=self.config.seed, profiles=self.profiles)

    @property
    def residue_ids(self) -> IntArray:
        """Token ids of the amino acids. Shape (20,)."""
        return self.vocabulary.letter_ids[[ord(letter) for letter in AMINO_ACIDS]]

    @cached_property
    def profiles(self) -> Profiles | None:
        """Return the residues of relatives at each place; None without `--alignments`."""
        if self.config.alignments is None:
            return None
        return open_profiles(
            self.checkpoints / "profiles",
            self.config.alignments,
            self.corpus,
            training=self.parts[0],
            columns=self.residue_ids,
        )

    def held_out(self, *, quick: bool) -> HeldOut:
        """Return the held-out sequences; `quick` takes a few, with one pass."""
        sequences = self.parts[1][:QUICK_SEQUENCES] if quick else self.parts[1]
        return HeldOut(
            self.corpus,
            sequences,
            self.layout(),
            mask_id=self.mask_id,
            seed=self.config.seed,
            passes=1 if quick else PASSES,
        )


def backbone_source(config: PretrainConfig) -> Path | PretrainedConfig:
    """Return the checkpoint to continue from, or the configuration of a new backbone.

    Raises
    ------
    BackboneError
        If the checkpoint cannot be found, or is of a family that peftide does not know.
    InputError
        If it lies in `--out`, or its positions are too few for `--row-tokens`.
    """
    if config.backbone is None:
        return esm_config(
            config.layers,
            config.width,
            config.attention_heads,
            initializer_range=config.initializer_range,
        )
    options = LoadOptions(offline=config.offline, allow_bin=config.allow_bin)
    folder, _ = find_folder(config.backbone, options)
    refuse_inputs_inside(config.out, [folder])
    _require_fit(config, folder)
    return require_safetensors(folder, allow_bin=config.allow_bin)


def _require_fit(config: PretrainConfig, folder: Path) -> None:
    model_config = read_config(folder)
    architecture = find_architecture(model_config, str(config.backbone))
    architecture.pretrainable()
    most = architecture.max_residues(model_config)
    special = read_vocabulary(architecture.tokenizer(folder)).special_tokens
    if most is not None and config.row_tokens > most + special:
        raise InputError(
            f"received {config.row_tokens}",
            expected=f"at most {most + special}, the positions of {config.backbone}",
            where="--row-tokens",
        )


def build_setting(
    config: PretrainConfig,
    source: Path | PretrainedConfig,
    files: CorpusFiles,
    *,
    folder: RunFolder,
) -> Setting:
    """Tokenise the corpus with the backbone's alphabet.

    Raises
    ------
    InputError
        If files cannot be read, or contain too little.
    """
    model_config = read_config(source) if isinstance(source, Path) else source
    architecture = BACKBONES[model_config.model_type]
    tokenizer = architecture.tokenizer(source if isinstance(source, Path) else None)
    letter_ids = read_vocabulary(tokenizer).letter_ids
    corpus = open_corpus(folder.checkpoints / "corpus", files, letter_ids)
    setting = Setting(
        config, corpus, architecture, tokenizer, model_config, checkpoints=folder.checkpoints
    )
    _require_enough(setting)
    return setting


def _require_enough(setting: Setting) -> None:
    if not len(setting.parts[1]):
        raise InputError(
            f"{setting.corpus.record['clusters']} clusters are too few to hold some out",
            expected="10 or more (without --clusters, each sequence is one)",
            where="--sequences",
        )
