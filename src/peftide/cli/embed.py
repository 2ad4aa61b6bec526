"""`peftide embed`."""

import json
import shutil
import sys
from pathlib import Path

from peftide.cli.closing import say_next, say_written
from peftide.cli.streams import say
from peftide.commands.embed import embed
from peftide.commands.embed_folder import is_folder
from peftide.config import EmbedConfig
from peftide.config.unread import Names
from peftide.quantities import count_of
from peftide.run_folder import RunFolder

LOAD = "from safetensors.numpy import load_file; vectors = load_file({path}); "
COUNT = "print(len(vectors), next(iter(vectors.values())).shape)"
READERS = {
    ".safetensors": LOAD + COUNT,
    ".h5": "import h5py; vectors = h5py.File({path}); " + COUNT,
    ".parquet": "import pandas; print(pandas.read_parquet({path}))",
}
"""Ending of an embedding file → Python code that opens it."""


def run(config: EmbedConfig, given: Names) -> None:
    """Embed, then print the number of embeddings, the map, and a command that opens them."""
    vectors = embed(config, given=given)
    if config.prepare:
        say(f"sequences sorted for {config.out}", wrap=False)
        return
    say(f"{count_of(len(vectors), 'embedding')}: {config.out}", wrap=False)
    if config.map is not None:
        say_written(map=RunFolder(config.map).report)
    say_next(reading_command(config.out), hint="This command opens the embeddings in Python:")


def reading_command(path: Path) -> list[str]:
    """Return a command that opens the embeddings."""
    found = shutil.which("python")
    same = found is not None and Path(found).parent == Path(sys.executable).parent
    if is_folder(path):
        path = min(path.glob("*.parquet"))
    code = READERS[path.suffix].format(path=json.dumps(str(path)))
    return ["python" if same else sys.executable, "-c", code]
