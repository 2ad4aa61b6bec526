"""Choices of the paper's published code, one at a time, on the human gold standard.

    python benchmarks/reference_choices.py --out RUNS

A head on frozen `mini` is trained by peftide's defaults, and with each choice of the published code
alone (`ARMS`). Every protein is encoded twice for all runs: by peftide, and by transformers with
the mask of the published code. Sequences are cropped to `CROP` residues in every arm. A difference
is between runs of the same seed, in the same resamples of the proteins. Needs PEFTIDE_DATA
(docs/results/data.md). What is finished in --out is read, not repeated.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from recording import add_record_option, write_record
from torch import Tensor, nn

import peftide.backbones
from peftide import TrainConfig
from peftide.backbones.esm import esm_tokenizer, load_esm
from peftide.backbones.loading import load_backbone
from peftide.config import from_mapping
from peftide.engine.embedding import Embeddings
from peftide.evaluation.part_scores import Answers, statistic
from peftide.hardware import choose_hardware
from peftide.metrics import Replicates, Units, intervals, minus, resample
from peftide.packing import PackedBatch, token_budget_batches
from peftide.pooling import ClsPooling, MeanPooling
from peftide.predictor.embedding import backbone_encoder
from peftide.run_folder import RunFolder
from peftide.sequences.fasta import read_fasta
from peftide.tasks import TASKS
from peftide.training.fitting import run_fit
from peftide.training.problem import Problem, read_problem
from peftide.training.setting import Setting, adapt, build_encoder, find_adapter, fit_scaling
from peftide.types import FloatArray

CROP = 256
SUBSAMPLE = 1280
"""Width of ESM-2 650M: the published code takes as many pairs as a vector has numbers."""
POOLER_DEVIATION = 0.02  # `initializer_range` of ESM-2 in transformers
MAX_TOKENS = 4096
NAME = ("average_precision",)
DEFAULTS = "peftide's defaults"


@dataclass(frozen=True)
class Arm:
    """One way to train the head.

    Attributes
    ----------
    vectors
        The vector of a protein: the `mean` over residues, or the `first` or `masked` first token.
    pooler
        Whether a random dense layer and tanh follow, as in the pooler of transformers.
    subsample
        Whether the head is trained on `SUBSAMPLE` pairs only.
    options
        What `TrainConfig` is told besides.
    """

    vectors: str = "mean"
    pooler: bool = False
    subsample: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


MEAN_ONLY = {"pairing": "mean"}
ARMS = {
    DEFAULTS: Arm(),
    "first token instead of the mean over residues": Arm("first"),
    "random pooler on the first token": Arm("first", pooler=True),
    "random pooler on the first token, which is masked": Arm("masked", pooler=True),
    "head sees only the mean of the two vectors": Arm(options=MEAN_ONLY),
    f"head trained on {SUBSAMPLE:,} pairs": Arm(subsample=True),
    "the three rows above together": Arm("masked", pooler=True, subsample=True, options=MEAN_ONLY),
}
COLUMNS = ("Head on frozen `mini`", "Test average precision", "95 % interval", "Minus defaults")
COLUMNS += ("95 % interval of the difference", "Difference of each seed")

NOTES = (
    "Means over the seeds. Intervals resample proteins; a difference is between runs of the same "
    "seed, in the same resamples.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = table(Study(options.out, options.threads), range(options.seeds))
    for row in rows:
        print(*row, sep=" · ")
    write_record(options.record, COLUMNS, rows, notes=NOTES)


def data(name: str) -> Path:
    """Return a file of the gold standard."""
    return Path(os.environ["PEFTIDE_DATA"]) / "ppi_gold" / name


class FirstAndMean(nn.Module):
    """The first token and the mean over residues, side by side."""

    vectors = 2

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mean = ClsPooling(), MeanPooling()

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P W"]:
        """Return two vectors of each sequence; W = 2 D."""
        return torch.cat([self.first(tokens, batch), self.mean(tokens, batch)], dim=1)


class Vectors:
    """The vectors of all proteins, encoded when they are needed first."""

    def __init__(self, out: Path, threads: int) -> None:
        self.out, self.threads = out, threads
        self.sequences = list(dict.fromkeys(read_fasta(data("sequences.fasta"))[0].sequences))
        self.places = {text: place for place, text in enumerate(self.sequences)}

    def rows(self, arm: Arm, seed: int) -> Float[Tensor, "P D"]:
        """Return the vectors of an arm; the seed draws the pooler."""
        known = {"masked": self._masked()} if arm.vectors == "masked" else self._first_and_mean()
        rows = known[arm.vectors]
        return pooled_at_random(rows, seed) if arm.pooler else rows

    def _first_and_mean(self) -> dict[str, Float[Tensor, "P D"]]:
        config = TrainConfig(out=self.out, threads=self.threads)
        backbone = load_backbone("mini")
        pooling: Any = FirstAndMean()
        encoder = backbone_encoder(
            backbone, choose_hardware(config), max_length=CROP, pooling=pooling
        )
        rows = encoder.embed(self.sequences, store=self.out / "embeddings", exact=True).rows
        return dict(zip(("first", "mean"), rows.split(backbone.width, dim=1), strict=True))

    def _masked(self) -> Float[Tensor, "P D"]:
        """Return the first token as the published code computes it.

        The code pads with 0 and masks where the id is 0, which is the id of the first token.
        """
        path = self.out / "masked.npy"
        if not path.is_file():
            np.save(path, masked_first_tokens(self.sequences).numpy())
        return torch.from_numpy(np.load(path))


def masked_first_tokens(sequences: Sequence[str]) -> Float[Tensor, "P D"]:
    """Return the last hidden state of the first token, with the published mask."""
    folder = Path(peftide.backbones.__file__).parent / "mini"
    model, tokenizer = load_esm(folder).eval(), esm_tokenizer(folder)
    ids = [tokenizer(text[:CROP])["input_ids"] for text in sequences]
    rows = torch.zeros(len(ids), model.config.hidden_size)
    for batch in token_budget_batches([len(one) for one in ids], MAX_TOKENS):
        padded = nn.utils.rnn.pad_sequence(
            [torch.tensor(ids[place]) for place in batch], batch_first=True, padding_value=0
        )
        with torch.inference_mode():
            found = model(input_ids=padded, attention_mask=(padded != 0).long())
        rows[torch.from_numpy(batch)] = found.last_hidden_state[:, 0]
    return rows


def pooled_at_random(rows: Float[Tensor, "P D"], seed: int) -> Float[Tensor, "P D"]:
    """Return tanh of a dense layer with the weights that transformers draws: no bias yet."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.empty(2 * [rows.shape[1]]).normal_(std=POOLER_DEVIATION, generator=generator)
    return torch.tanh(rows @ weight.T)


class Study:
    """The trainings of all arms, which share vectors and tables."""

    _whole: Problem | None = None

    def __init__(self, out: Path, threads: int) -> None:
        self.out, self.threads = out, threads
        self.vectors = Vectors(out, threads)
        self.test = self.problem(self.config(ARMS[DEFAULTS], 0)).part("test")

    def config(self, arm: Arm, seed: int) -> TrainConfig:
        """Return the options of a training: `configs/gold_head.yaml`, cropped, and the arm's."""
        values: dict[str, Any] = {"task": "ppi", "method": "head", "backbone": "mini"}
        values |= {"batch_size": 256, "patience": 2, "max_length": CROP}
        values |= {"train": data("train.tsv"), "validation": data("valid.tsv")}
        values |= {"test": [str(data("test.tsv"))], "sequences": data("sequences.fasta")}
        if arm.subsample:  # a batch of 256 would leave five steps in an epoch
            table = subsample(self.out / f"train_{seed}.tsv", seed)
            values |= {"train": table, "batch_size": 64, "patience": 5}
        values |= {"seed": seed, "threads": self.threads, "out": self.out, **arm.options}
        return from_mapping(TrainConfig, values)

    def problem(self, config: TrainConfig) -> Problem:
        """Return data and labels; those of all training pairs are read once."""
        if config.train != data("train.tsv"):
            return read_problem(config, TASKS["ppi"])
        if self._whole is None:
            self._whole = read_problem(config, TASKS["ppi"])
        return self._whole

    def answers(self, name: str, seed: int) -> Answers:
        """Train one head, and return its answers for the test pairs that count."""
        folder = RunFolder(self.out / f"{list(ARMS).index(name)}_{seed}")
        kept = folder.path / "test.npy"
        if not kept.is_file():
            folder.path.mkdir(parents=True, exist_ok=True)
            np.save(kept, self._logits(ARMS[name], seed, folder))
        return Answers(np.load(kept)[self.test.targets.counted], None)

    def _logits(self, arm: Arm, seed: int, folder: RunFolder) -> FloatArray:
        config = self.config(arm, seed)
        hardware = choose_hardware(config)
        with hardware.computing():
            problem, backbone = self.problem(config), load_backbone(config.backbone)
            adapt(backbone, config)
            encoder = build_encoder(config, problem, backbone, hardware=hardware, folder=folder)
            rows = self.vectors.rows(arm, seed)
            rows = rows[[self.vectors.places[one] for one in problem.dataset.proteins.sequences]]
            embeddings = Embeddings(rows, np.arange(len(rows) + 1))
            setting = Setting(config, problem, encoder, embeddings)
            fit_scaling(setting)
            run_fit(setting, find_adapter(config.method), folder)
            return setting.logits("test")[:, 0]


def subsample(path: Path, seed: int) -> Path:
    """Write some training pairs, drawn with the seed."""
    pairs = pd.read_csv(data("train.tsv"), sep="\t", dtype=str)
    pairs.sample(SUBSAMPLE, random_state=seed).to_csv(path, sep="\t", index=False)
    return path


def table(study: Study, seeds: range) -> list[list[str]]:
    """Return the scores of the arms, and their paired differences from the defaults."""
    rows = study.test.rows()
    statistics = {
        f"{name}, seed {seed}": statistic(rows, study.answers(name, seed))
        for name in ARMS
        for seed in seeds
    }
    found = resample(statistics, rows.units, threads=study.threads)
    by_arm = {name: [found[f"{name}, seed {seed}"] for seed in seeds] for name in ARMS}
    usual = by_arm[DEFAULTS]
    lines = []
    for name, each in by_arm.items():
        line = [name, *cells(averaged(each), rows.units)]
        if name == DEFAULTS:
            lines.append([*line, "", "", ""])
            continue
        gaps = [minus(one, other) for one, other in zip(each, usual, strict=True)]
        shown = "; ".join(" ".join(cells(gap, rows.units, of_differences=True)) for gap in gaps)
        lines.append([*line, *cells(averaged(gaps), rows.units, of_differences=True), shown])
    return lines


def averaged(seeds: Sequence[Replicates]) -> Replicates:
    """Return the mean over the seeds, resample by resample."""

    def mean(found: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
        return {NAME: np.mean([one[NAME] for one in found], axis=0)}

    by_units, by_rows = ([getattr(one, of) for one in seeds] for of in ("by_units", "by_rows"))
    return Replicates(mean([one.values for one in seeds]), mean(by_units), mean(by_rows))


def cells(found: Replicates, units: Units, *, of_differences: bool = False) -> list[str]:
    """Return a score or a difference, and its interval."""
    one = intervals(found, units, of_differences=of_differences)[NAME]
    sign = "+" if of_differences else ""
    return [f"{found.values[NAME]:{sign}.4f}", f"[{one.low:{sign}.4f}, {one.high:{sign}.4f}]"]


if __name__ == "__main__":
    main()
