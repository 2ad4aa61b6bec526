"""The setting of a training → its time, memory and disk, measured on a part of the training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from peftide.backbones import cut_below_training
from peftide.encoding import DISK_SHARE
from peftide.engine.blocks import Batch
from peftide.engine.side_by_side import at_a_time
from peftide.engine.trunk_cache import TrunkEncoder, fill_trunk_cache, trunk_plan
from peftide.files import free_bytes
from peftide.hardware import reset_peak_memory
from peftide.packing import token_budget_batches
from peftide.planning.layer_choice import choice_seconds
from peftide.planning.sampling import (
    extrapolated,
    random_rows,
    sampled_sequences,
    shortened,
    some_of,
    work_of,
)
from peftide.planning.searching import FINDING_NOTHING, search_seconds
from peftide.planning.sizes import Sizes, memory_of
from peftide.planning.stand_in import StandIn
from peftide.predictor import Predictor
from peftide.report import write_report_if_possible
from peftide.run_folder import RunFolder
from peftide.training.fitting import build_fitting
from peftide.training.layers import AUTO
from peftide.training.loop import begin
from peftide.training.modes import set_training_mode
from peftide.training.problem import Problem
from peftide.training.results import save, score
from peftide.training.setting import (
    SCALING_PROTEINS,
    Setting,
    find_adapter,
    repeated_proteins,
    trains_below_head,
)
from peftide.training.usage import Seconds, Used, clocked, held_bytes, weighed
from peftide.types import FloatArray

ENCODING_SECONDS, STEP_SECONDS, MOST_STEPS = 5.0, 10.0, 30
"""CPU seconds for the measured encodings and for the measured steps; maximum number of steps."""
FIRST_TOKENS = 600
STEP_SHARES = (1.0, 1.0, 1.0, 0.6, 0.3)
"""Sizes of the measured steps, as shares of the largest step that fits the time limit."""
BACKWARD = 3.0
"""Time of a forward and backward pass, in units of one forward pass."""
SCORED = (1_500, 5_000)
"""Numbers of scored rows in a larger table; both times are extrapolated linearly to all rows."""
SCALING_BYTES = 20
"""Bytes per number to fit the scaling: single precision, double precision, and squares."""
ENCODINGS = ("frozen layers, once", "vectors before training", "validation", "scoring")
"""Pieces of work that encode outside steps."""


@dataclass(frozen=True)
class Measurement:
    """The cost of a whole training: time and memory (bytes in use) of each piece of work."""

    parameters: dict[str, int]
    steps: int
    seconds: dict[str, Seconds]
    memory: dict[str, float]
    sizes: Sizes


class Rehearsal:
    """The beginning of a training, run with the training code.

    Attributes
    ----------
    setting
        The setting of the training, before anything is encoded.
    answering
        The setting with made-up embeddings of all proteins, so that nothing is encoded.
    run
        The training; at the end of an epoch, it validates with the made-up embeddings.
    work
        Number of operations to encode each protein. Shape (P,).
    """

    def __init__(self, setting: Setting, stands: StandIn, folder: RunFolder) -> None:
        self.folder, self.encoder = folder, setting.encoder
        self.problem, self.device = setting.problem, setting.hardware.device
        self.sequences = setting.problem.dataset.proteins.sequences
        self.answering = replace(setting, embeddings=random_rows(self.encoder, self.sequences))
        self.encodes = trains_below_head(setting.model)
        self.setting = setting if self.encodes else self.answering
        adapter = find_adapter(setting.config.method)
        fitting, answered = (
            build_fitting(s, adapter, folder) for s in (self.setting, self.answering)
        )
        self.run = begin(setting.model, replace(fitting, validate=answered.validate))
        self.batches, self.members = self.run.batches(0), fitting.part.members
        self.work = work_of(self.encoder, self.sequences)
        backbone = setting.model.backbone
        self.cut = cut_below_training(backbone) if self.encodes else 0
        self.each_below, self.each_above = stands.layers_each(is_cut=self.encodes)
        self.below, self.above = Seconds(), Seconds()

    def stored_bytes(self) -> float:
        """Return the size of the stored output of frozen layers: embeddings or hidden states."""
        if not self.encodes:
            per_residue = self.problem.task.level == "residue"
            rows = self.encoder.rows(self.sequences).sum()
            return float(rows * self.encoder.model.width * (2 if per_residue else 4))
        if not self.cut:
            return 0.0
        texts = list(dict.fromkeys(repeated_proteins(self.problem.dataset).sequences))
        return trunk_plan(self._trunk(), texts, self.encoder.tokens(texts)).stored_bytes

    def row_bytes(self) -> float:
        """Return the memory for protein embeddings: for the largest part or for the scaling."""
        counts, parts = self.encoder.rows(self.sequences), self.problem.dataset.parts
        per_residue = self.problem.task.level == "residue"
        proteins = [np.unique(examples.members) for examples in parts.values()]
        each = 2 if per_residue else 4
        if not self.encodes:
            train = np.unique(parts["train"].members)
            proteins, each = [train[: SCALING_PROTEINS if per_residue else None]], SCALING_BYTES
        rows = max(int(counts[some].sum()) for some in proteins)
        return float(rows * self.encoder.model.width * each)

    def _trunk(self) -> TrunkEncoder:
        backbone: Any = self.encoder.model.backbone  # it has layers, because there is a cut
        return TrunkEncoder(backbone, self.cut, self.encoder.hardware, self.encoder.max_length)

    def encode(self, *, splits: bool) -> float:
        """Measure encoding per unit of work; return its memory.

        Parameters
        ----------
        splits
            Whether to measure the layers below the cut separately and to store their output.
        """
        encoder, distinct = self.encoder, list(dict.fromkeys(self.sequences))
        rate, sample = self._sample(distinct)
        self.chosen = self._choose_steps(STEP_SECONDS / (BACKWARD * rate * sum(STEP_SHARES)))
        if splits:
            stepped = np.concatenate([batch.encoded(self.members) for batch in self.chosen])
            stored = list(dict.fromkeys([*sample, *(self.sequences[int(p)] for p in stepped)]))
            plan = trunk_plan(self._trunk(), stored, encoder.tokens(stored))

            def fill() -> None:
                store = self.folder.checkpoints / "embeddings"
                encoder.trunk = fill_trunk_cache(self._trunk(), stored, plan, store=store)

            self.below = self._rate(fill, stored) * self.each_below
        used = weighed(lambda: encoder.embed(sample), self.device)
        self.above = used.seconds * (self.each_above / work_of(encoder, sample).sum())
        return used.grown_bytes * self._tokens_at_a_time(distinct) / self._tokens_at_a_time(sample)

    def _sample(self, sequences: list[str]) -> tuple[float, list[str]]:
        """Return CPU seconds per unit of work, and a sample that takes about `ENCODING_SECONDS`.

        Few sequences say nothing about a recurrent network, which encodes many at the same time.
        """
        encoder = self.encoder
        share = FIRST_TOKENS / encoder.tokens(sequences).sum()
        encoder.embed(sampled_sequences(encoder, sequences, share))  # the first pass is slower
        while True:
            sample = sampled_sequences(encoder, sequences, share)
            _, used = clocked(lambda some=sample: encoder.embed(some), self.device)
            if used.cpu >= ENCODING_SECONDS / 2 or share >= 1:
                return used.cpu / work_of(encoder, sample).sum(), sample
            share *= min(10.0, max(2.0, ENCODING_SECONDS / max(used.cpu, 1e-9)))

    def _tokens_at_a_time(self, sequences: list[str]) -> float:
        """Return the tokens of the largest batches that are encoded at the same time."""
        tokens = self.encoder.tokens(sequences)
        batches = token_budget_batches(tokens, self.encoder.hardware.max_tokens)
        largest = float(max(tokens[batch].sum() for batch in batches))
        if self.device.type != "cpu":
            return largest
        return largest * at_a_time(len(batches), torch.get_num_threads())

    def _rate(self, work: Callable[[], object], sequences: list[str]) -> Seconds:
        _, seconds = clocked(work, self.device)
        return seconds * (1 / float(work_of(self.encoder, sequences).sum()))

    def encoded(self, each: Seconds, *parts: str) -> Seconds:
        """Return the time to encode the distinct sequences of parts, given the time per work."""
        members = [self.problem.dataset.parts[part].members.ravel() for part in parts]
        used = np.unique(np.concatenate([np.empty(0, np.int64), *members]))
        return each * sum({self.sequences[int(p)]: float(self.work[p]) for p in used}.values())

    def encoding_seconds(self, *, is_kept: bool) -> dict[str, Seconds]:
        """Return the time of encoding outside steps: once, or once per epoch for validation."""
        first, later = ("train", "validation"), list(self.problem.dataset.parts)
        none = Seconds()
        if not self.encodes:
            once = [self.encoded(self.above, *later), none, none, none]
        else:
            later = [part for part in later if part not in first]
            train = len(np.unique(self.members))
            repeated = self.above + (none if is_kept else self.below)
            validation = self.encoded(repeated, "validation")
            before = min(1.0, SCALING_PROTEINS / train) + (self.run.fitting.bank is not None)
            once = [
                self.encoded(self.below, *first) if is_kept else none,
                self.encoded(repeated, "train") * before,
                validation,
                validation + self.encoded(self.above + self.below, *later),
            ]
        return dict(
            zip(
                ("frozen layers, once", "vectors before training", "validation", "scoring"),
                once,
                strict=True,
            )
        )

    def sizes_of(self, batch: Batch) -> FloatArray:
        """Return the sizes of a step: 1, the rows to predict, and the work of its proteins."""
        proteins, targets = batch.encoded(self.members), self.run.fitting.part.targets
        work = self.work[proteins].sum() if self.encodes else 0.0
        return np.array([1.0, len(targets.rows(batch.examples)), work])

    def _choose_steps(self, most: float) -> list[Batch]:
        """Return batches from large to small; the last ones are shortened."""
        sizes = [self.sizes_of(batch)[2] for batch in self.batches]
        order = np.argsort(sizes, kind="stable")
        places = np.linspace(len(order) - 1, 0, len(STEP_SHARES)).round().astype(int)
        most = min(most, max(sizes)) if self.encodes else float("inf")
        return [
            shortened(self.batches[order[place]], self.members, work=self.work, most=share * most)
            for place, share in zip(places, STEP_SHARES, strict=True)
        ]

    def take_steps(self, more: float) -> tuple[Seconds, float]:
        """Take optimizer steps; return the time of an epoch, and the memory for activations.

        Parameters
        ----------
        more
            Trained parameters of the training, as a multiple of those in the measured model.
        """
        set_training_mode(self.encoder.model)
        largest, *tokens = self._graph_tokens()
        backbone, grown = self.encoder.model.backbone, []
        self.run.step(self.chosen[-1])  # the first step is slower
        for batch, some in ((self.chosen[-1], tokens[1]), (self.chosen[0], tokens[0])):
            backbone.train_as_if_larger(largest / some)
            used = weighed(lambda batch=batch: self.run.step(batch), self.device)
            grown.insert(0, used.grown_bytes)
        taken: list[tuple[FloatArray, Seconds]] = []
        while len(taken) < MOST_STEPS and sum(used.cpu for _, used in taken) < STEP_SECONDS:
            batch = self.chosen[len(taken) % len(self.chosen)]
            _, used = clocked(lambda batch=batch: self.run.step(batch), self.device)
            taken.append((self.sizes_of(batch), used))
        cpu = np.array([used.cpu for _, used in taken])
        layers = self.each_above if self.encodes else 1.0
        each = fitted(np.stack([sizes for sizes, _ in taken]), cpu) * [more, 1.0, layers]
        seconds = float(each @ np.sum([self.sizes_of(batch) for batch in self.batches], axis=0))
        epoch = Seconds(seconds, seconds * sum(used.wall for _, used in taken) / cpu.sum())
        return epoch, on_the_line(tokens, grown, largest) * layers

    def _graph_tokens(self) -> list[float]:
        """Return the tokens of the largest graph of an epoch, and of the weighed two."""
        source = self.run.fitting.source
        most = [
            max(source.costs[batch.encoded(self.members)].sum() for batch in some)
            for some in (self.batches, self.chosen[:1], self.chosen[-1:])
        ]
        return [max(1.0, min(tokens, source.budget)) for tokens in most]

    def score(self) -> Used[Predictor]:
        """Score made-up answers and write the report; return the time and memory for all rows."""
        rows, found, sizes = _scored_rows(self.problem), [], []
        for size in SCORED if rows > max(SCORED) else (rows,):
            some = self.problem if size == rows else some_of(self.problem, size / rows)
            made_up = random_rows(self.encoder, some.dataset.proteins.sequences)
            setting = replace(self.answering, problem=some, embeddings=made_up)
            sizes.append(_scored_rows(some))
            found.append(weighed(lambda setting=setting: self._score(setting), self.device))
        measured = [(size, one.seconds) for size, one in zip(sizes, found, strict=True)]
        seconds = extrapolated(measured, rows) + search_seconds(self.answering)
        return Used(found[-1].result, seconds, round(found[-1].grown_bytes * rows / sizes[-1]))

    def _score(self, setting: Setting) -> Predictor:
        predictor, _ = score(setting, self.folder, searches=FINDING_NOTHING)
        write_report_if_possible(self.folder.path)
        return predictor


def _scored_rows(problem: Problem) -> int:
    return sum(len(of.values) for part, of in problem.targets.items() if part != "train")


def fitted(sizes: FloatArray, seconds: FloatArray) -> FloatArray:
    """Return nonnegative seconds per unit of each size, fitted by relative errors.

    Examples
    --------
    >>> fitted(np.array([[1.0, 10.0], [1.0, 20.0]]), np.array([3.0, 5.0])).round(6).tolist()
    [1.0, 0.2]
    """
    units = np.maximum(sizes.max(axis=0), 1e-12)
    weights = 1 / np.maximum(seconds, 1e-9)
    return nnls(sizes / units * weights[:, None], seconds * weights)[0] / units


def on_the_line(tokens: Sequence[float], grown: Sequence[float], most: float) -> float:
    """Return the memory for so many tokens, on the line through a large and a small step.

    A part of the memory is the same for all steps, for instance for the gradients of the weights.
    If the steps do not tell it apart, all of it is proportional to the tokens.

    Examples
    --------
    >>> on_the_line([20, 10], [500, 300], 100)
    2100.0
    >>> on_the_line([20, 20], [500, 500], 100), on_the_line([20, 10], [500, 600], 100)
    (2500.0, 2500.0)
    """
    (large, small), (more, less) = tokens, grown
    if large - small < large / 4 or less >= more:
        return more / large * most
    return more + (more - less) / (large - small) * max(0.0, most - large)


def measure_training(
    setting: Setting, stands: StandIn, folder: RunFolder, *, store: Path
) -> Measurement:
    """Run the beginning and end of a training; return its whole cost except reading.

    Parameters
    ----------
    setting
        The setting of the training, before anything is encoded.
    folder
        A temporary run folder.
    store
        The folder for the stored output of frozen layers.
    """
    config, device, model = setting.config, setting.hardware.device, setting.model
    parameters, more = stands.parameters(model)
    rounded_too = 1.5 if setting.hardware.precision == "int8" else 1.0  # beside bf16
    held = held_bytes(device) + rounded_too * stands.missing_bytes()
    it = Rehearsal(setting, stands, folder)
    room = min(config.trunk_gb * 1e9, DISK_SHARE * free_bytes(store)) if it.encodes else np.inf
    stored, before = it.stored_bytes(), held_bytes(device)
    is_kept = 0 < stored <= room
    forward = it.encode(splits=it.cut > 0 and (is_kept or stands.backbone is not stands.whole))
    epoch, graph = it.take_steps(more)
    if not is_kept:
        epoch += it.below * float(sum(it.sizes_of(batch)[2] for batch in it.batches))
    reset_peak_memory(device)  # returns free memory to the system
    kernels = held_bytes(device) - before - 8 * parameters["trained"] / more
    validation = clocked(it.run.fitting.validate, device)[1]
    ending = weighed(it.run.end_epoch, device)
    validation += (ending.seconds + validation * -1.0) * more
    find_adapter(config.method).finish(model.backbone)
    scoring = it.score()
    saving = weighed(lambda: save(it.setting, scoring.result, folder), device)
    seconds = {
        **it.encoding_seconds(is_kept=is_kept),
        "training": epoch * config.epochs,
        "saving": saving.seconds * more,
    }
    if config.layer == AUTO:
        embedding = it.encoded(it.above + it.below, "train", "validation")
        layers = stands.whole.layers
        seconds["choosing a layer"] = embedding + choice_seconds(setting, folder, layers=layers)
    seconds["validation"] = (validation + seconds["validation"]) * config.epochs
    seconds["scoring"] += scoring.seconds
    sizes = Sizes(
        held + max(0.0, kernels),
        4.0 * parameters["trained"],
        graph,
        forward,
        it.row_bytes(),
        stored,
        room,
    )
    extra = {"validation": ending.grown_bytes * more, "scoring": scoring.grown_bytes}
    return Measurement(
        parameters,
        len(it.batches),
        seconds,
        memory_of(sizes, extra | {"saving": saving.grown_bytes * more}),
        sizes,
    )
