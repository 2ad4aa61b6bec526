"""A model on a device → embeddings of any number of proteins, each encoded once."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from peftide.backbones import Backbone, LayeredBackbone, cut_below_training, layers_of
from peftide.backbones.weights import weights_sha256
from peftide.engine.embedding import Embeddings, embed, encoded_batches, is_stored
from peftide.engine.int8_check import require_close
from peftide.engine.not_finite import explained, first_layer
from peftide.engine.store import EmbeddingPlan, embedding_key
from peftide.engine.trunk_cache import TrunkCache, TrunkEncoder, fill_trunk_cache, trunk_plan
from peftide.errors import InputError, NotFiniteError
from peftide.files import free_bytes, size_on_disk
from peftide.hardware import Hardware
from peftide.model import ProteinModel
from peftide.packing import PackedBatch
from peftide.pooling import ResidueRows
from peftide.quantities import byte_size, count_of
from peftide.ragged import ragged_rows
from peftide.sequences import Finding, Proteins
from peftide.shards.folder import is_shard_folder
from peftide.types import IntArray
from peftide.variants.rows import VariantRows

logger = logging.getLogger(__name__)

SHOWN_RESIDUES = 12
DISK_SHARE = 0.9  # share of the free disk space that may be used


class ModelEncoder:
    """The encoding half of a model (backbone to scaling), with its crop and precision.

    Attributes
    ----------
    trunk
        Stored hidden states of the frozen layers for some sequences, which then skip these layers.
    every_layer
        Whether a row has the vectors of all layers side by side, not only of the last.
    layers_each
        Number of layers that each layer of the backbone represents (a plan measures a few).
    is_checked
        Whether the rows in 8 bits were compared with those in bf16.
    """

    trunk: TrunkCache | None = None
    is_checked: bool = False
    layers_each: float = 1.0

    def __init__(
        self,
        model: ProteinModel,
        hardware: Hardware,
        *,
        max_length: int | None,
        every_layer: bool = False,
    ) -> None:
        self.every_layer = every_layer
        self.model = model
        self.hardware = hardware.suited(model.backbone.budget_factor)
        self.max_length = max_length

    def pack(self, sequences: Sequence[str]) -> PackedBatch:
        """Return the sequences as one packed batch."""
        packed = [*self.reference, *sequences]
        batch = self.model.backbone.pack(packed, max_length=self.max_length)
        return batch if self.trunk is None else self.trunk.add_to(batch, packed)

    @property
    def reference(self) -> list[str]:
        """The sequence that each batch begins with because all others are compared with it."""
        pooling = self.model.pooling
        is_compared = isinstance(pooling, VariantRows) and pooling.compares
        return [str(pooling.wild_type)] if is_compared else []

    def encode(self, batch: PackedBatch) -> Float[Tensor, "R D"]:
        """Return the rows of a packed batch."""
        batch = batch.to(self.hardware.device)
        if not self.every_layer:
            return self.model.encode(batch)
        layers, pooling = self._layered().every_layer(batch), self.model.pooling
        return torch.cat([pooling(embeddings, batch) for embeddings in layers], dim=1)

    def _layered(self) -> LayeredBackbone:
        return layers_of(self.model.backbone, where="--layer", fix="Leave it out")

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which to encode."""
        return self.hardware.autocast()

    def residues(self, sequences: Sequence[str]) -> IntArray:
        """Return the number of residues of each cropped sequence. Shape (P,)."""
        limit = self.max_length or np.iinfo(np.int64).max
        return np.array([min(len(sequence), limit) for sequence in sequences], dtype=np.int64)

    def tokens(self, sequences: Sequence[str]) -> IntArray:
        """Return the number of tokens of each sequence. Shape (P,)."""
        return self.residues(sequences) + self.model.backbone.vocabulary.special_tokens

    def rows(self, sequences: Sequence[str]) -> IntArray:
        """Return the number of rows of each sequence: 1, or one per residue. Shape (P,)."""
        if isinstance(self.model.pooling, ResidueRows):
            return self.residues(sequences)
        return np.ones(len(sequences), dtype=np.int64)

    def embed(
        self,
        sequences: Sequence[str],
        *,
        store: Path | None = None,
        exact: bool = False,
        ids: Sequence[str] = (),
    ) -> Embeddings:
        """Encode each distinct sequence once; with a store, results are resumable and reused.

        Each combination of weights, sequences and settings has a separate folder in the store. Rows
        of residues are stored in half precision unless `exact`, because there are many.

        Parameters
        ----------
        ids
            Ids of the sequences, for messages.

        Raises
        ------
        NotFiniteError
            If the backbone gives NaN or infinity; names the first protein and layer.
        InputError
            If the store is a folder of shards itself, where its files would be in the way.
        """
        if store is not None and is_shard_folder(store):
            raise InputError(
                f"{store} is a folder of embeddings",
                expected=f"the folder around it, {store.parent}",
                where="--embedding-cache",
            )
        self._begin(sequences)
        plan = self._plan(sequences, keyed=store is not None, exact=exact)
        with self._explaining(sequences, ids):
            return embed(self, sequences, plan, store=store / plan.key[:16] if store else None)

    def batches(
        self, sequences: Sequence[str], *, row_type: torch.dtype, ids: Sequence[str] = ()
    ) -> Iterator[tuple[IntArray, Float[Tensor, "R D"]]]:
        """Encode distinct sequences and yield batch after batch, so that none must be kept.

        Parameters
        ----------
        row_type
            Number type for which the rows must not be too large.
        ids
            Ids of the sequences, for messages.

        Yields
        ------
        The places of some sequences, the shortest first, and their rows one after the other.

        Raises
        ------
        NotFiniteError
            As in `embed`.
        """
        self._begin(sequences)
        plan = replace(self._plan(sequences, keyed=False, exact=True), row_type=row_type)
        places = np.arange(len(sequences))
        with self._explaining(sequences, ids):
            yield from encoded_batches(self, sequences, plan, places=places)

    def _begin(self, sequences: Sequence[str]) -> None:
        """Prepare to encode; once, compare products in 8 bits with those in bf16."""
        self.model.eval()
        if self.hardware.precision == "int8" and not self.is_checked and sequences:
            require_close(self, self.model, sequences)
            self.is_checked = True

    def fingerprint(self) -> str:
        """Return a hash of everything but the sequences that determines the rows."""
        return embedding_key([], *self._settings(keyed=True))

    @contextmanager
    def _explaining(self, sequences: Sequence[str], ids: Sequence[str]) -> Iterator[None]:
        """Name protein, layer and cause of numbers that are not finite."""
        try:
            yield
        except NotFiniteError as error:
            sequence, backbone = sequences[error.index], self.model.backbone
            named = ids[error.index] if ids else f"the sequence {sequence[:SHOWN_RESIDUES]}…"
            with torch.inference_mode(), self.autocast():
                batch = backbone.pack([sequence], max_length=self.max_length)
                layer = first_layer(backbone, batch.to(self.hardware.device))
            raise explained(
                *(error, backbone),
                named=f"{named} ({count_of(len(sequence), 'residue')})",
                layer=layer,
                precision=self.hardware.precision,
            ) from error

    def has_stored(self, sequences: Sequence[str], store: Path) -> bool:
        """Return whether a store already holds the result of `embed`."""
        plan = self._plan(sequences, keyed=True, exact=False)
        return is_stored(sequences, plan, store=store / plan.key[:16])

    def _plan(self, sequences: Sequence[str], *, keyed: bool, exact: bool) -> EmbeddingPlan:
        per_residue = isinstance(self.model.pooling, ResidueRows)
        settings = self._settings(keyed=keyed)
        return EmbeddingPlan(
            width=self.model.width * (self._layered().layers if self.every_layer else 1),
            max_tokens=self.hardware.max_tokens,
            tokens=self.tokens(sequences),
            rows=self.rows(sequences),
            row_type=torch.float16 if per_residue and not exact else torch.float32,
            key=embedding_key(sequences, *settings, exact),
            shared=embedding_key([], *settings, exact) if keyed else "",
            fingerprint=embedding_key([], *settings) if keyed else "",
        )

    def _settings(self, *, keyed: bool) -> tuple[object, ...]:
        """Return what determines the rows of a sequence; `keyed` includes the weights."""
        backbone, pooling = self.model.backbone, self.model.pooling
        # the current weights, including adapter and learned pooling
        weights = weights_sha256(nn.ModuleList([backbone, pooling])) if keyed else ""
        settings = (weights, type(pooling).__name__, self.max_length, self.hardware.precision)
        settings += (backbone.origin.reading, *(["every layer"] if self.every_layer else []))
        if isinstance(pooling, VariantRows):
            settings += (pooling.wild_type, pooling.width)
        return settings

    def keep_trunk(
        self,
        sequences: Sequence[str],
        *,
        store: Path,
        limit: float,
        ids: Sequence[str] = (),
        decide: Callable[[Callable[[], bool]], bool] = lambda fits: fits(),
    ) -> None:
        """Compute the hidden states of the frozen layers once, if they fit the size limit.

        Parameters
        ----------
        store
            Folder for the hidden states.
        limit
            Maximum size of the hidden states, in bytes.
        ids
            Ids of the sequences, for messages.
        decide
            Returns the decision of an earlier call, or of the function that it gets.
        """
        backbone = self.model.backbone
        layers = cut_below_training(backbone)
        if not isinstance(backbone, LayeredBackbone) or not layers or not limit:
            return
        self._begin(sequences)
        named = dict(zip(sequences, ids, strict=True)) if ids else {}
        distinct = list(dict.fromkeys([*sequences, *self.reference]))
        named |= dict.fromkeys(self.reference, "the wild type") if named else {}
        encoder = TrunkEncoder(backbone, layers, self.hardware, self.max_length)
        plan = trunk_plan(encoder, distinct, self.tokens(distinct))
        size = (
            f"hidden states of {count_of(layers, 'frozen layer')}: {byte_size(plan.stored_bytes)}"
        )
        ours = size_on_disk(store / plan.key[:16])
        room = min(limit, DISK_SHARE * (free_bytes(store) + ours))
        if not decide(lambda: plan.stored_bytes <= room):
            logger.info(
                "%s, more than the limit of %.1f GB: these layers run in every step instead",
                size,
                room / 1e9,
            )
            return
        logger.info("%s in %s", size, store)
        with self._explaining(distinct, [named[text] for text in distinct] if named else ()):
            self.trunk = fill_trunk_cache(encoder, distinct, plan, store=store)


def checked_max_length(model_limit: int | None, max_length: int | None) -> int | None:
    """Return the crop to use with a backbone.

    Raises
    ------
    InputError
        If the backbone has fewer positions than `max_length` needs.
    """
    if max_length is not None and max_length < 1:
        raise InputError(f"received {max_length}", expected="1 or more", where="--max-length")
    if model_limit is not None and (max_length is None or max_length > model_limit):
        raise InputError(
            f"received {max_length}",
            expected=f"at most {model_limit}: this backbone has absolute positions",
            where="--max-length",
        )
    return max_length


def backbone_findings(
    proteins: Proteins, backbone: Backbone, *, max_length: int | None
) -> tuple[Finding, ...]:
    """Count sequences that the model does not see in full: cropped, or with unknown letters."""
    findings = []
    if max_length is not None:
        cropped = [
            identifier
            for identifier, sequence in zip(proteins.ids, proteins.sequences, strict=True)
            if len(sequence) > max_length
        ]
        decision = f"cropped to their first {count_of(max_length, 'residue')}"
        findings.append(_finding("over_long_sequences", cropped, decision))
    unknown = backbone.vocabulary.unknown_letters
    foreign = [
        identifier
        for identifier, sequence in zip(proteins.ids, proteins.sequences, strict=True)
        if not unknown.isdisjoint(sequence)
    ]
    letters, read_as = ", ".join(sorted(unknown)), backbone.vocabulary.read_as
    decision = f"letters without a token ({letters}) are read as {read_as}"
    findings.append(_finding("sequences_with_unknown_residues", foreign, decision))
    return tuple(finding for finding in findings if finding.count)


def _finding(kind: str, ids: list[str], decision: str) -> Finding:
    return Finding("sequences", kind, len(ids), decision, tuple(ids[:3]))


def expand_members(members: IntArray, starts: IntArray, counts: IntArray) -> torch.Tensor:
    """Return, for each row of some examples, the indices of its proteins' rows.

    Parameters
    ----------
    members
        Proteins of each example. Shape (B, A).
    starts, counts
        First row and number of rows of each protein. Shape (P,).

    Returns
    -------
    Shape (R, A): one row per example, or (A = 1) one per residue.

    Examples
    --------
    >>> one_each = np.array([0, 1, 2]), np.array([1, 1, 1])
    >>> expand_members(np.array([[0, 2]]), *one_each).tolist()
    [[0, 2]]
    >>> expand_members(np.array([[1]]), np.array([0, 4]), np.array([4, 2])).tolist()
    [[4], [5]]
    """
    if members.shape[1] > 1:
        return torch.from_numpy(starts[members])
    proteins = members[:, 0]
    return torch.from_numpy(ragged_rows(starts[proteins], counts[proteins])[:, None])
