"""`peftide pull`: a model of a hub in; a folder that `predict` takes, out."""

from pathlib import Path

from peftide.bundle_record import read_bundle_record
from peftide.config import PullConfig, as_mapping
from peftide.config.unread import NOTHING, Names
from peftide.environment import environment
from peftide.exporting.hub import pull_model
from peftide.files import write_json
from peftide.outputs import WRITTEN_BY, making_folder
from peftide.run_folder import RunFolder

PULL = "pull"


def pull(config: PullConfig, *, given: Names = NOTHING) -> Path:
    """Download a model, check every file against its record, and write it as a run folder.

    Returns
    -------
    The folder.

    Parameters
    ----------
    given
        Options that the user named; every one is read.

    Raises
    ------
    InputError
        If the repository holds no model of peftide, or a file was changed.
    HubError
        If the hub refuses, or cannot be reached.
    """
    del given
    with making_folder(config.out, command=PULL, overwrite=config.overwrite) as work:
        folder = RunFolder(work.new)
        pull_model(config.repository, folder.model, revision=config.revision)
        recipe = read_bundle_record(folder.model).recipe
        record = environment(0, command=PULL) | {"status": "finished", "task": recipe.task}
        write_json(folder.record, record | {"options": as_mapping(config)})
        work.put(WRITTEN_BY[PULL])
    return config.out
