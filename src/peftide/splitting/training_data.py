"""The tables of a training → its data set: parts checked against each other, with validation."""

from collections.abc import Callable
from dataclasses import replace

from peftide.config import TrainConfig
from peftide.sequences.dataset import read_dataset
from peftide.sequences.records import Dataset
from peftide.sequences.shared import check_shared_proteins
from peftide.sequences.training_tables import TrainingTables, read_training_tables
from peftide.splitting.held_out import hold_out_validation, shared_clusters
from peftide.types import Level


def read_training_data(
    config: TrainConfig,
    level: Level,
    tables: TrainingTables | None = None,
    *,
    check: Callable[[Dataset], object] = lambda _: None,
) -> Dataset:
    """Join all parts, check them against each other, and hold out validation if there is none.

    Parameters
    ----------
    config
        The options.
    level
        Unit of a label: pair, sequence or residue.
    tables
        The tables if they have already been read, so that no file is read twice.
    check
        Called before validation is held out, so that an error it raises names all rows of train.

    Raises
    ------
    InputError
        If the tables are wrong; it lists all problems.
    """
    tables = read_training_tables(config, level) if tables is None else tables
    dataset = read_dataset(tables.parts, config, level=level, sequences=tables.lookup)
    dataset = check_shared_proteins(dataset, config.shared_proteins)
    if "validation" in dataset.parts:
        return replace(dataset, findings=dataset.findings + shared_clusters(dataset))
    check(dataset)
    return hold_out_validation(
        dataset,
        fraction=config.validation_fraction,
        kind=config.validation_kind,
        seed=config.seed if config.validation_seed is None else config.validation_seed,
    )
