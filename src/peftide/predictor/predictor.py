"""A trained model in memory: encode each distinct protein once, answer any number of rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from torch import nn

from peftide.backbones.int8_products import hold_frozen
from peftide.bundle import Bundle, load_bundle
from peftide.config import JoinOptions, RunOptions, TableOptions
from peftide.encoding import ModelEncoder, backbone_findings
from peftide.engine.embedding import Embeddings
from peftide.errors import InputError, raise_problems
from peftide.evaluation.answering import Answering
from peftide.evaluation.tables import prediction_table
from peftide.hardware import Hardware, choose_hardware
from peftide.predictor.rows import answer_rows
from peftide.predictor.vectors import Vectors
from peftide.quantities import count_of
from peftide.sequences import (
    Dataset,
    SequenceSource,
    Table,
    TableSource,
    read_dataset,
    read_table,
    sequence_lookup,
)
from peftide.sequences.records import Finding, WildType
from peftide.tasks.reading import reading_options
from peftide.tasks.residue import check_lengths
from peftide.types import FloatArray, IntArray
from peftide.variants.head import VariantHead
from peftide.variants.rows import VariantRows

PART = "input"
ColumnsClass = TypeVar("ColumnsClass", bound=JoinOptions)


@dataclass(frozen=True)
class Predictor:
    """A model with everything that turns sequences into answers.

    Attributes
    ----------
    encoder
        The model on its device, with crop and precision.
    answering
        Labels, calibration, threshold and prediction sets.

    Examples
    --------
    ::

        predictor = peftide.load("my_run")
        scores = predictor.predict([("MKV", "MLS")])          # a pair of sequences
        scores = predictor.predict("pairs.tsv", "proteins.fasta")
        vectors = predictor.embed(["MKV", "MLS"])              # shape (2, D)
    """

    encoder: ModelEncoder
    answering: Answering

    def __repr__(self) -> str:
        """Return the question and the backbone."""
        backbone = self.encoder.model.backbone.origin.name
        return f"Predictor({self.answering.task.question!r}, backbone={backbone!r})"

    def predict(
        self,
        inputs: TableSource,
        sequences: SequenceSource | None = None,
        *,
        columns: JoinOptions | None = None,
        error_rate: float | None = None,
        prevalence: float | None = None,
    ) -> pd.DataFrame:
        """Return one row of answers per row of the input (or residue), in input order.

        Nothing is written or printed. The columns are those in `scores.tsv`: ids, `label` if given,
        `score`, `probability`, `prediction`; with several classes, `p_<class>` for each class. The
        answers of a DataFrame or Series keep its index, and its ids as they are.

        Parameters
        ----------
        inputs
            Path of a table or of a FASTA file, DataFrame with the columns of a table, list of
            sequences, or list of pairs of sequences.
        sequences
            Path of a FASTA file, or mapping id → sequence, for inputs that name proteins by id.
        columns
            Names of the columns if they differ from the defaults, and the treatment of missing
            sequences.
        error_rate
            Adds the column `set`: the prediction set at this error rate.
        prevalence
            Share of positives among the rows, if it differs from training.

        Raises
        ------
        InputError
            If the inputs are wrong, or the model cannot answer with these options.
        """
        self.answering.check(error_rate=error_rate, prevalence=prevalence)
        dataset = self.read(inputs, sequences, columns=columns)
        logits = self.logits(dataset)
        answers = self.answering.columns(logits, error_rate=error_rate, prevalence=prevalence)
        return like_input(self.table(dataset, answers), dataset, inputs, columns=columns)

    def predict_blocks(
        self,
        blocks: Iterable[TableSource],
        sequences: SequenceSource | None = None,
        *,
        columns: JoinOptions | None = None,
        error_rate: float | None = None,
        prevalence: float | None = None,
    ) -> Iterator[pd.DataFrame]:
        """Yield the answers of blocks of rows, so that all rows never have to fit into memory.

        Each distinct protein is encoded once over all blocks. Parameters and columns are the same
        as in `predict`; `blocks` yields one input after the other, for instance
        `pandas.read_csv(path, chunksize=100_000)`.
        """
        self.answering.check(error_rate=error_rate, prevalence=prevalence)
        vectors = Vectors(self.encoder) if self.answering.task.level != "residue" else None
        known = None if sequences is None else sequence_lookup(sequences)
        for block in blocks:
            dataset = self.read(block, known, columns=columns)
            logits = self.logits(dataset) if vectors is None else self._reusing(vectors, dataset)
            answers = self.answering.columns(logits, error_rate=error_rate, prevalence=prevalence)
            yield like_input(self.table(dataset, answers), dataset, block, columns=columns)

    def embed(self, sequences: Sequence[str]) -> FloatArray:
        """Return one vector per sequence: the head's input before scaling. Shape (P, D).

        For residue tasks, return one vector per residue, sequence after sequence. Shape (R, D).

        Raises
        ------
        InputError
            If a sequence is none.
        """
        if not isinstance(sequences, str) and not len(sequences):
            return np.empty((0, self.encoder.model.width), dtype=np.float32)
        table = read_table(sequences, TableOptions(), level="sequence", needs_labels=False)
        assert table.sequences is not None
        return self.encode(table.sequences[:, 0].tolist()).rows.float().numpy()

    def read(
        self,
        inputs: TableSource,
        sequences: SequenceSource | None = None,
        *,
        columns: JoinOptions | None = None,
    ) -> Dataset:
        """Return inputs as a data set with one part; count cropped and unknown residues.

        Raises
        ------
        InputError
            If a row or a sequence is wrong.
        """
        options, level = self.columns(columns or TableOptions()), self.answering.task.level
        ids = sequences is not None
        table = read_table(inputs, options, level=level, needs_labels=False, ids=ids)
        return self.join(table, options, sequences=sequences)

    def join(
        self, table: Table, columns: JoinOptions, *, sequences: SequenceSource | None = None
    ) -> Dataset:
        """Return a table as a data set with one part; count cropped and unknown residues."""
        level = self.answering.task.level
        if self.wild_type is not None:
            sequences = None  # each variant has its own
        dataset = read_dataset({PART: table}, columns, level=level, sequences=sequences)
        check_lengths_of_variants(dataset, self.wild_type)
        found = ()
        if self.wild_type is not None:
            texts = dataset.proteins.sequences
            variants = [texts[member] for member in dataset.parts[PART].members[:, 0]]
            found = added_effects(variants, self.encoder.model.head)
        max_length = self.encoder.max_length
        found += backbone_findings(
            dataset.proteins, self.encoder.model.backbone, max_length=max_length
        )
        if level == "residue":
            check_lengths(
                dataset.parts[PART],
                reading_options(dataset, PART, max_length=max_length, class_map=None),
            )
        return replace(dataset, findings=dataset.findings + found)

    @property
    def wild_type(self) -> str | None:
        """The protein whose variants the model reads, or None."""
        pooling = self.encoder.model.pooling
        return pooling.wild_type if isinstance(pooling, VariantRows) else None

    def wild_type_and_offset(self) -> WildType:
        """Return the protein whose variants the model reads, with the offset of its positions."""
        pooling = self.encoder.model.pooling
        assert isinstance(pooling, VariantRows)
        return WildType(pooling.wild_type, pooling.offset)

    def columns(self, columns: ColumnsClass) -> ColumnsClass:
        """Return options of a table with the wild type and offset of the model, if it has one."""
        pooling = self.encoder.model.pooling
        if not isinstance(pooling, VariantRows) or columns.wild_type is not None:
            return columns
        offset = pooling.offset if columns.offset == "auto" else columns.offset
        return replace(columns, wild_type=pooling.wild_type, offset=offset)

    def logits(self, dataset: Dataset, *, store: Path | None = None) -> FloatArray:
        """Return the logits of the rows of a data set. Shape (R, K).

        Parameters
        ----------
        store
            Folder for the encoded proteins; after an interruption, a repeated call resumes from
            the last save.
        """
        proteins = dataset.proteins
        embeddings = self.encode(proteins.sequences, store=store, ids=proteins.ids)
        return self.answer(embeddings, dataset.parts[PART].members)

    def encode(
        self, sequences: Sequence[str], *, store: Path | None = None, ids: Sequence[str] = ()
    ) -> Embeddings:
        """Return the encoded sequences; each distinct sequence is encoded once.

        Parameters
        ----------
        ids
            Ids of the sequences, for messages.
        """
        with self.encoder.hardware.computing():
            return self.encoder.embed(sequences, store=store, ids=ids)

    def answer(self, embeddings: Embeddings, members: IntArray) -> FloatArray:
        """Return the logits of examples, given their encoded proteins. Shape (R, K)."""
        hardware = self.encoder.hardware
        with hardware.computing():
            return answer_rows(self.encoder.model, embeddings, members, device=hardware.device)

    def table(
        self, dataset: Dataset, answers: Mapping[str, Any], *, counted: Any = None
    ) -> pd.DataFrame:
        """Return the prediction table of a data set."""
        examples, proteins = dataset.parts[PART], dataset.proteins
        firsts = [proteins.sequences[p] for p in examples.members[:, 0]]
        return prediction_table(
            examples,
            proteins,
            level=self.answering.task.level,
            answers=answers,
            residues=self.encoder.residues(firsts),
            counted=counted,
        )

    def _reusing(self, vectors: Vectors, dataset: Dataset) -> FloatArray:
        with self.encoder.hardware.computing():
            places = vectors.add(dataset.proteins.sequences)
        return self.answer(vectors.embeddings(), places[dataset.parts[PART].members])


def added_effects(sequences: Sequence[str], head: nn.Module) -> tuple[Finding, ...]:
    """Count the variants with several substitutions for which the model adds their effects."""
    count = head.added(sequences) if isinstance(head, VariantHead) and len(sequences) else 0
    decision = "the model learned nothing about combinations, so it adds the single effects"
    return (Finding(PART, "combined_variants", count, decision),) if count else ()


def check_lengths_of_variants(dataset: Dataset, wild_type: str | None) -> None:
    """Raise if a model of variants gets something else.

    Raises
    ------
    InputError
        If a sequence has another length than the wild type, or the table another wild type.
    """
    if wild_type is None:
        return
    examples, proteins = dataset.parts[PART], dataset.proteins
    known = dataset.variants_of
    if known is not None and known.sequence != wild_type:
        raise InputError(
            "this is another wild type than the one in training",
            where="--wild-type",
            fix="Leave it out: the model knows its wild type",
        )
    raise_problems(
        [
            f"{examples.where(row)}: a sequence of "
            f"{count_of(len(proteins.sequences[member]), 'residue')}; "
            f"expected a variant of the wild type, with its {len(wild_type):,} residues"
            for row, member in enumerate(examples.members[:, 0])
            if len(proteins.sequences[member]) != len(wild_type)
        ]
    )


def like_input(
    table: pd.DataFrame, dataset: Dataset, inputs: TableSource, *, columns: JoinOptions | None
) -> pd.DataFrame:
    """Return a prediction table with the index and the ids of the DataFrame or Series it answers.

    Other inputs have neither.
    """
    if not isinstance(inputs, pd.DataFrame | pd.Series):
        return table
    rows = dataset.parts[PART].lines - 1
    if len(table) != len(rows):  # a table of residues
        rows = np.repeat(rows, table.groupby((table["position"] == 1).cumsum()).size())
    named = columns or TableOptions()
    own = {"id": named.id_column, "id_a": named.id_a_column, "id_b": named.id_b_column}
    table = table.set_axis(inputs.index[rows])
    for name, column in own.items():
        if name in table and isinstance(inputs, pd.DataFrame) and column in inputs:
            table[name] = inputs[column].to_numpy()[rows]
    return table


def load(
    run: str | Path,
    *,
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = "auto",
    threads: int | None = None,
    allow_bin: bool = False,
    backbone: str | None = None,
) -> Predictor:
    """Open the model of a finished run, or a model folder, without network access.

    Parameters
    ----------
    run
        Folder that `peftide train` wrote.
    device, precision, threads, allow_bin, backbone
        As the options of `peftide predict`.

    Raises
    ------
    InputError
        If the folder holds no model, its files were changed, or its backbone differs from the one
        in training.
    """
    hardware = choose_hardware(RunOptions(device=device, precision=precision, threads=threads))
    with hardware.computing():
        return opened(run, hardware, allow_bin=allow_bin, backbone=backbone)


def opened(
    run: str | Path, hardware: Hardware, *, allow_bin: bool = False, backbone: str | None = None
) -> Predictor:
    """Return the predictor of a run on a device; parameters as in `load`."""
    bundle = load_bundle(run, allow_bin=allow_bin, backbone=backbone, dtype=hardware.dtype)
    return predictor_of(bundle, hardware)


def predictor_of(bundle: Bundle, hardware: Hardware) -> Predictor:
    """Return the predictor of an opened bundle."""
    hold_frozen(bundle.model.backbone, hardware.precision)
    model = bundle.model.to(hardware.device)
    encoder = ModelEncoder(model, hardware, max_length=bundle.recipe.max_length)
    return Predictor(encoder, bundle.answering)
