"""`peftide push`: a run in; its model in a repository of a model hub."""

import logging
from pathlib import Path

from peftide.backbones.names import hub_id_of
from peftide.bundle_record import model_folder, read_bundle_record
from peftide.config import PushConfig
from peftide.config.unread import NOTHING, Names
from peftide.exporting.hub import push_model

logger = logging.getLogger(__name__)


def push(config: PushConfig, *, given: Names = NOTHING) -> str:
    """Upload the model of a run with its model card: weights, labels, calibration, no data.

    Returns
    -------
    The address of the commit.

    Parameters
    ----------
    given
        Options that the user named; every one is read.

    Raises
    ------
    InputError
        If there is no model, or the repository holds something else.
    HubError
        If the hub refuses, or cannot be reached.
    """
    del given
    folder = model_folder(config.run)
    backbone = read_bundle_record(folder).recipe.backbone
    if Path(backbone).is_dir() and hub_id_of(backbone) is None:
        logger.warning(
            "note: the model needs the backbone in %s, which is not uploaded; others name its "
            "place on their machine with --backbone",
            backbone,
        )
    return push_model(folder, config.repository, public=config.public, overwrite=config.overwrite)
