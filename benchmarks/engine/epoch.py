"""One epoch of `peftide train --method lora` with its defaults, on the yeast pairs `du_0_to_1`.

    python benchmarks/engine/epoch.py --threads 1

An epoch of batches of pairs is measured on --steps of its steps, spread evenly by size, and
extrapolated by the proteins that they encode; an epoch of blocks is measured as a whole. Both arms
share the stored output of the frozen layers, and the same packed batches.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from measuring import Spent, arguments, begin, conclude, hardware_for, spent
from proteins import evenly, yeast_by_id

from peftide import TrainConfig
from peftide.adapters import ADAPTERS
from peftide.run_folder import open_run
from peftide.sequences.training_tables import data_files
from peftide.tasks import TASKS
from peftide.training.fitting import build_fitting
from peftide.training.loop import TrainingRun
from peftide.training.loop import begin as begin_training
from peftide.training.modes import set_training_mode
from peftide.training.setting import build_setting, prepare

SAMPLERS = ("pairs", "blocks")
COLUMNS = ("Batches", "Steps", "Encodings of a protein", "CPU s of an epoch", "CPU s of validation")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--steps", type=int, default=6, help="measured steps of batches of pairs")
    options = parser.parse_args()
    begin(options)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for sampler in SAMPLERS:
            run = training(options, sampler, Path(folder))
            sizes = [len(batch.encoded(run.fitting.part.members)) for batch in run.batches(0)]
            proteins = len(np.unique(run.fitting.part.members))
            epoch = spent(run.train_epoch) if sampler == "blocks" else of_pairs(run, sizes, options)
            used = [f"{time.cpu:.0f}" for time in (epoch, spent(run.fitting.validate))]
            rows.append([sampler, len(sizes), f"{sum(sizes) / proteins:.1f}", *used])
    conclude(options, rows, columns=COLUMNS)


def training(options: argparse.Namespace, sampler: str, folder: Path) -> TrainingRun:
    """Return a training before its first step; the frozen layers have run."""
    fasta = yeast_by_id()[1]
    config = TrainConfig(
        task="ppi",
        data=fasta.parent / "du_0_to_1.tsv",
        sequences=fasta,
        method="lora",
        sampler=sampler,  # pyright: ignore[reportArgumentType]
        out=folder / sampler,
        embedding_cache=folder / "frozen",
        threads=options.threads,
    )
    hardware = hardware_for(options)
    problem, backbone = prepare(config, TASKS["ppi"])
    with open_run(config, data_files(config)) as run:
        setting = build_setting(config, problem, backbone, hardware=hardware, folder=run)
        return begin_training(setting.model, build_fitting(setting, ADAPTERS["lora"], run))


def of_pairs(run: TrainingRun, sizes: list[int], options: argparse.Namespace) -> Spent:
    """Return what an epoch of batches of pairs costs, from a few of its steps."""
    batches, chosen = run.batches(0), evenly(np.array(sizes), options.steps)
    set_training_mode(run.model)
    measured = spent(lambda: [run.step(batches[k]) for k in chosen])
    return measured * (sum(sizes) / sum(sizes[k] for k in chosen))


if __name__ == "__main__":
    main()
