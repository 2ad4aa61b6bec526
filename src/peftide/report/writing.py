"""Writing a page: what all reports share around their content."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from peftide.config import read_yaml
from peftide.errors import InputError
from peftide.outputs import read_record
from peftide.report.markup import Markup, element
from peftide.run_folder import RunFolder

logger = logging.getLogger(__name__)


def try_to_write(write: Callable[[], object], *, otherwise: str = "") -> None:
    """Write a report; if that fails, say why there is none, because all results are written.

    Parameters
    ----------
    otherwise
        What to do then, as the rest of the message.
    """
    try:
        write()
    except Exception as error:  # noqa: BLE001 — the results are written: no reason to fail
        logger.warning(
            "note: no report was written (%s: %s)%s", type(error).__name__, error, otherwise
        )
        logger.debug("why there is no report:", exc_info=True)


def read_summary(path: Path, name: str, form: type, *, command: str) -> dict[str, Any]:
    """Return the JSON file that a command has written into its folder.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    found = read_record(path / name, form)
    if not found:
        raise InputError(
            f"{path} has no {name}", expected=f"the folder of a finished `peftide {command}`"
        )
    return found


def given_title(path: Path, title: str | None) -> str:
    """Return the title of a page on one line: the given one, or else that in `config.yaml`."""
    options = RunFolder(path).config
    known = read_yaml(options).get("title") if title is None and options.is_file() else title
    return " ".join(str(known or "").split())


def page_header(
    command: str, title: str, facts: Iterable[tuple[str, str]], *, question: str = ""
) -> Markup:
    """Return the top of a page: the command, a title, and names with values; empty ones go."""
    return element(
        "header",
        element("p", f"peftide {command}", class_="kicker"),
        element("h1", title),
        element("p", question, class_="means") if question else None,
        element(
            "dl",
            [[element("dt", name), element("dd", value)] for name, value in facts if value],
            class_="about",
        ),
    )


def page_footer(record: Mapping[str, Any], path: Path) -> Markup:
    """Return the foot of a page."""
    version = record.get("versions", {}).get("peftide", "")
    return element("footer", element("p", f"Written by peftide {version} from {path}"))
