"""A hub id → a local snapshot: the cache first, the network only if allowed, and said."""

import logging
from pathlib import Path
from typing import Any

from peftide.backbones.checkpoint_files import PICKLED, SAFETENSORS, stored_files
from peftide.errors import BackboneError

logger = logging.getLogger(__name__)

NEEDED_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
PICKLED_FILES = "pytorch_model*.bin"


def find_snapshot(
    hub_id: str, *, offline: bool, allow_bin: bool = False, revision: str | None = None
) -> tuple[Path, str]:
    """Return the folder of a hub checkpoint and its revision (a commit).

    Raises
    ------
    BackboneError
        If it is no hub id, or not in the cache and cannot be downloaded.
    """
    # half a second to load, and most backbones are on disk
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    wanted = [*NEEDED_FILES, PICKLED_FILES] if allow_bin else NEEDED_FILES
    settings: dict[str, Any] = {"allow_patterns": wanted, "revision": revision}
    try:
        folder = Path(snapshot_download(hub_id, **settings, local_files_only=True))
    except HFValidationError as error:
        raise BackboneError(
            f"no folder {hub_id!r}, and no hub id either", where="--backbone"
        ) from error
    except LocalEntryNotFoundError:
        folder = None
    if folder is None or not _is_complete(folder, wanted):
        folder = _download(hub_id, settings, offline=offline)
    return folder, folder.name


def _is_complete(folder: Path, wanted: list[str]) -> bool:
    """Return False for what a download that broke off left in the cache."""
    names = [SAFETENSORS, *([PICKLED] if PICKLED_FILES in wanted else [])]
    try:
        return any(stored_files(folder, name) for name in names)
    except BackboneError:  # a shard is missing
        return False


def _download(hub_id: str, settings: dict[str, Any], *, offline: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    if offline:
        raise _not_to_be_had(hub_id, "it is not in the local cache, and --offline is set")
    logger.info("downloading %s from the hub", hub_id)
    try:
        return Path(snapshot_download(hub_id, **settings))
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = f"it is not in the local cache, and the hub gave {type(error).__name__}"
        raise _not_to_be_had(hub_id, reason) from error


def _not_to_be_had(hub_id: str, reason: str) -> BackboneError:
    return BackboneError(
        f"the backbone {hub_id} cannot be had: {reason}",
        where="--backbone",
        fix=(
            f"On a machine with network run `hf download {hub_id} --local-dir FOLDER`, "
            "copy FOLDER here and pass --backbone FOLDER; "
            "--backbone mini needs no download"
        ),
    )
