"""Upload a model folder to a model hub, or download it and check every byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peftide.bundle_record import BUNDLE_FILE, check_files, read_bundle_record
from peftide.errors import HubError, InputError, PeftideError
from peftide.files import remove

CARD = "README.md"
DOWNLOADED = ("*.json", "*.safetensors", "*.md")
"""Kinds of file that a model folder holds; nothing else is downloaded."""
MADE_BY_HUB = {".gitattributes", CARD}
LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN"


def push_model(folder: Path, repository: str, *, public: bool, overwrite: bool) -> str:
    """Upload the files of a model, in one commit.

    Parameters
    ----------
    folder
        A model folder; only the files in its record and its model card are uploaded.
    repository
        `OWNER/NAME`.
    public
        Whether a new repository is public.
    overwrite
        Whether a model in the repository may be replaced.

    Returns
    -------
    The address of the commit.

    Raises
    ------
    InputError
        If a file was changed since the training, or the repository holds something else.
    HubError
        If the hub refuses, or cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    record = read_bundle_record(folder)
    check_files(record, folder)
    names = [BUNDLE_FILE, *record.files, *([CARD] if (folder / CARD).is_file() else [])]
    hub = HfApi()
    with hub_errors(repository):
        hub.create_repo(repository, private=not public, exist_ok=True)
        there = hub.list_repo_files(repository)
        _check_replaceable(there, repository, overwrite=overwrite)
        old = sorted({*there} - {*names} - MADE_BY_HUB)
        commit = hub.create_commit(
            repository,
            [CommitOperationAdd(name, folder / name) for name in names]
            + [CommitOperationDelete(name) for name in old],
            commit_message=f"Model of the task {record.recipe.task}, by peftide",
        )
    return str(commit.commit_url)


def _check_replaceable(there: list[str], repository: str, *, overwrite: bool) -> None:
    """Refuse to replace a model without leave, or anything that is no model of peftide."""
    if BUNDLE_FILE in there:
        if not overwrite:
            raise InputError(
                f"the repository {repository} holds a model already",
                fix="Choose another name, or pass --overwrite",
            )
    elif foreign := sorted({*there} - MADE_BY_HUB):
        raise InputError(
            f"the repository {repository} holds other files, such as {foreign[0]}",
            expected="a new or empty repository, or one that peftide filled",
            fix="Choose another name",
        )


def pull_model(repository: str, folder: Path, *, revision: str | None = None) -> None:
    """Download a model into a folder, and check every file against its record.

    Raises
    ------
    InputError
        If the repository holds no model of peftide, or a file differs from its record.
    HubError
        If there is no such repository, the hub refuses, or it cannot be reached.
    """
    from huggingface_hub import snapshot_download

    with hub_errors(repository):
        snapshot_download(
            repository, revision=revision, local_dir=folder, allow_patterns=list(DOWNLOADED)
        )
    remove(folder / ".cache")  # notes of the client
    if not (folder / BUNDLE_FILE).is_file():
        raise InputError(
            f"the repository {repository} holds no {BUNDLE_FILE}",
            expected="a model that `peftide push` uploaded",
            fix="A backbone is named with --backbone instead",
        )
    check_files(read_bundle_record(folder), folder)


@contextmanager
def hub_errors(repository: str) -> Iterator[None]:
    """Turn errors of the hub's client into one clear error.

    Raises
    ------
    InputError
        If the name is no name of a repository.
    HubError
        Otherwise.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        HTTPError,  # of the client's library, whatever its name
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        yield
    except PeftideError:
        raise
    except HFValidationError as error:
        raise InputError(
            f"received {repository!r}", expected="OWNER/NAME", where="the name of the repository"
        ) from error
    except ValueError as error:  # the hub checks the head of a card before the upload
        raise HubError(
            f"the hub refused {repository}: {' '.join(str(error).split())}",
            fix=f"Correct the lines between the first two --- of {CARD}, and push again",
        ) from error
    except RepositoryNotFoundError as error:
        raise HubError(
            f"there is no repository {repository}, or you may not read it", fix=LOG_IN
        ) from error
    except LocalTokenNotFoundError as error:
        raise HubError("you are not logged in to the hub", fix=LOG_IN) from error
    except HfHubHTTPError as error:
        code = None if error.response is None else error.response.status_code
        raise HubError(
            f"the hub refused {repository} ({code}: {error.server_message or 'no reason given'})",
            fix=LOG_IN if code in (401, 403) else "Try again later",
        ) from error
    except (HTTPError, OSError, RuntimeError) as error:
        raise HubError(
            f"the hub cannot be reached, or the transfer broke off ({type(error).__name__})",
            fix="Check the network; HF_HUB_OFFLINE must not be set",
        ) from error
