"""Time until peftide has the validation score with which the conventional loop ends.

    python benchmarks/engine/time_to_score.py --out RUNS

Yeast `du_0_to_1` without self-pairs, validation on proteins that train never sees (the split of
block_quality.py), `mini`, LoRA on its last layer, sequences cropped to --max-length residues so
that the conventional loop can be run to its end: --epochs over all train pairs, four at a time,
with the same scaling, head, warm-up and cosine. Its learning rate is peftide's by the square root
of the batch size (2.5e-4 for 4 pairs, 1e-3 for 64). Of it only training counts; of peftide
everything after reading the tables: frozen layers, scaling, training, and validation each epoch.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from conventional import PAIRS_PER_BATCH, PairModel, padded_means, train_step, with_lora
from measuring import Spent, arguments, begin, conclude, hardware_for, now, spent
from proteins import Pairs, yeast_by_id
from sklearn.metrics import average_precision_score
from transformers import EsmModel

from peftide import TrainConfig
from peftide.adapters import ADAPTERS
from peftide.backbones import esm as esm_backbone
from peftide.run_folder import open_run
from peftide.sequences.training_tables import data_files
from peftide.tasks import TASKS
from peftide.training.fitting import build_fitting
from peftide.training.loop import fit
from peftide.training.optimizer import rate_factor
from peftide.training.setting import build_setting, prepare

sys.path.append(str(Path(__file__).parents[1]))
from block_quality import write_tables  # noqa: E402  (a script one folder up)

RATE = 2.5e-4
SCALING_PROTEINS = 512
MINI = Path(esm_backbone.__file__).parent / "mini"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=1, help="of the conventional loop")
    parser.add_argument("--our-epochs", type=int, default=6, help="peftide's, at most")
    parser.add_argument("--max-length", type=int, default=64)
    options = parser.parse_args()
    begin(options)
    tables = write_tables("yeast", options.out)
    course = ours(options, tables)
    for epoch, (score, used) in enumerate(course, start=1):
        print(f"  peftide, epoch {epoch}: {score:.4f} after {used.cpu:.0f} CPU s", flush=True)
    target, steps, theirs = conventional(options, tables)
    print(f"  conventional, {steps:,} steps: {target:.4f} after {theirs.cpu:.0f} CPU s")
    reached = [used for score, used in course if score >= target]
    cells = ["not reached", ""]
    if reached:
        used = reached[0]
        cells = [f"{theirs.wall / used.wall:.1f}", f"{theirs.cpu / used.cpu:.1f}"]
    conclude(options, [[f"time to average precision {target:.4f}", *cells]])


def ours(options: argparse.Namespace, tables: dict[str, Path]) -> list[tuple[float, Spent]]:
    """Return the validation score after each epoch, and what was spent until then."""
    config = TrainConfig(
        task="ppi",
        train=tables["train"],
        validation=tables["validation"],
        sequences=yeast_by_id()[1],
        out=options.out / "ours",
        epochs=options.our_epochs,
        patience=options.our_epochs,
        max_length=options.max_length,
        threads=options.threads,
        overwrite=True,
    )
    hardware = hardware_for(options)
    problem, backbone = prepare(config, TASKS["ppi"])
    course: list[tuple[float, Spent]] = []
    start = now()
    with open_run(config, data_files(config)) as folder:
        setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
        fitting = build_fitting(setting, ADAPTERS["lora"], folder)

        def validate() -> dict[str, float]:
            metrics = fitting.validate()
            course.append((metrics["average_precision"], now() - start))
            return metrics

        fit(setting.model, replace(fitting, validate=validate))
    return course


def conventional(options: argparse.Namespace, tables: dict[str, Path]) -> tuple[float, int, Spent]:
    """Return the validation score at the end, the steps, and what training took."""
    train, validation = (pairs_of(tables[part], options.max_length) for part in tables)
    torch.manual_seed(0)
    backbone = EsmModel.from_pretrained(MINI, add_pooling_layer=False).float().eval()
    layers = backbone.config.num_hidden_layers
    model = PairModel(with_lora(backbone, [layers - 1]), backbone.config.hidden_size)
    fit_scaling(model, train)
    batches = [
        batch
        for epoch in range(options.epochs)
        for batch in shuffled_batches(len(train.members), epoch)
    ]
    used = spent(lambda: train_on(model, train, batches))
    model.eval()
    scores = answers(model, validation)
    return average_precision_score(validation.labels, scores), len(batches), used


def pairs_of(table: Path, max_length: int) -> Pairs:
    rows = pd.read_csv(table, sep="\t")
    ids, members = np.unique(rows[["id_a", "id_b"]].to_numpy(str), return_inverse=True)
    texts = yeast_by_id()[0]
    labels = rows["label"].to_numpy(float)
    return Pairs([texts[i][:max_length] for i in ids], members.reshape(-1, 2), labels)


def fit_scaling(model: PairModel, train: Pairs) -> None:
    """Standardise by some training proteins, as peftide does."""
    generator = np.random.default_rng(0)
    chosen = generator.permutation(len(train.sequences))[:SCALING_PROTEINS]
    with torch.inference_mode():
        means = [padded_means(model.backbone, [train.sequences[p]]) for p in chosen]
    model.scaling.fit(torch.cat(means).clone())


def shuffled_batches(count: int, epoch: int) -> list[np.ndarray]:
    order = np.random.default_rng([0, epoch]).permutation(count)
    return np.split(order, np.arange(PAIRS_PER_BATCH, count, PAIRS_PER_BATCH))


def train_on(model: PairModel, train: Pairs, batches: list[np.ndarray]) -> None:
    model.head.train()
    optimizer = torch.optim.AdamW(model.trained, lr=RATE)
    rate = partial(rate_factor, steps=len(batches), warmup_fraction=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for batch in batches:
        train_step(model(train, batch), train.labels[batch], optimizer)
        schedule.step()


def answers(model: PairModel, validation: Pairs) -> np.ndarray:
    """Return the logit of each pair; each protein is encoded once here, which does not count."""
    with torch.inference_mode():
        vectors = torch.cat([padded_means(model.backbone, [text]) for text in validation.sequences])
        left, right = (model.scaling(vectors)[side] for side in validation.members.T)
        features = [(left + right) / 2, (left - right).abs(), left * right]
        return model.head(torch.cat(features, dim=1))[:, 0].numpy()


if __name__ == "__main__":
    main()
