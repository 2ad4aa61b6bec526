"""What every record says of its making: command, date, seed and the versions of the software."""

import importlib.metadata
import platform
from datetime import datetime
from typing import Any

FORMAT_VERSION = 1
VERSIONED = ("peftide", "torch", "transformers", "peft", "numpy", "scikit-learn")


def environment(seed: int, *, command: str) -> dict[str, Any]:
    """Return the part of a record that names the command, the date and the software."""
    return {
        "command": command,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "format_version": FORMAT_VERSION,
        "seed": seed,
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in VERSIONED},
    }
