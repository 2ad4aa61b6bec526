"""The decisions of a run, which a resumed run keeps."""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from peftide.config import TrainConfig, from_mapping, read_yaml, to_yaml
from peftide.files import write_json, write_text
from peftide.outputs import read_record
from peftide.run_folder import RunFolder

Decision = TypeVar("Decision")


def decided(folder: RunFolder, name: str, choose: Callable[[], Decision]) -> Decision:
    """Return a decision of the run: of a resumed run the recorded one, else a new one.

    Free disk, free memory or the number of cores may be others when a run is resumed.
    """
    record = read_record(folder.record)
    known = record.get("decided", {})
    if name in known:
        return known[name]
    value = choose()
    if record:
        write_json(folder.record, record | {"decided": known | {name: value}})
    return value


def settled_token_budget(folder: RunFolder, choose: Callable[[], int], *, precision: str) -> int:
    """Return the token budget of a training, and write the number into its `config.yaml`.

    A resumed run keeps the number, so its batches are the same.

    Parameters
    ----------
    choose
        Returns the budget of a run that has no number yet.
    precision
        Precision that the run computes in; `config.yaml` holds it too.
    """
    if not folder.config.is_file():
        return choose()
    config = from_mapping(TrainConfig, read_yaml(folder.config))
    if isinstance(config.max_tokens, int):
        return config.max_tokens
    chosen = choose()
    write_text(
        folder.config, to_yaml(dataclasses.replace(config, max_tokens=chosen, precision=precision))
    )
    return chosen
