"""The files of a run → links: small files are also inside the page."""

import base64
import gzip
from pathlib import Path

from peftide.quantities import byte_size
from peftide.report.markup import element
from peftide.report.mistakes import confusion, confusion_tsv
from peftide.report.read import Run
from peftide.report.tables import Section, section, table

MOST_EMBEDDED = 1_000_000  # characters of all files inside one page
LONG = 100_000
LEVEL = 6  # a third of the time of 9, for 1 % more bytes
TYPES = {".json": "application/json", ".gz": "application/gzip", ".yaml": "application/yaml"}


def downloads(run: Run, *, threshold: float | None) -> Section | None:
    """Return the files of the run; the page embeds the smallest up to a total size."""
    left, rows = MOST_EMBEDDED, []
    for name, content in contents(run, threshold=threshold).items():
        kind = TYPES.get(Path(name).suffix, "text/plain")
        text = f"data:{kind};base64,{base64.b64encode(content).decode()}"
        inside = None
        if len(text) <= left:
            left -= len(text)
            inside = element("a", f"save ({byte_size(len(content))})", href=text, download=name)
        beside = name.removesuffix(".gz")
        there = (run.folder.path / beside).is_file()
        rows.append(
            [name, inside or "too large", element("a", beside, href=beside) if there else ""]
        )
    return section(
        "Files",
        table(["file", "in this page", "beside this page"], rows, label="Files", class_="prose"),
        intro="This page is one file that you can mail. You can save the embedded files from it.",
    )


def contents(run: Run, *, threshold: float | None) -> dict[str, bytes]:
    """Return name and content of each file, the smallest first."""
    folder = run.folder
    found = {
        path.name: path.read_bytes()
        for path in (folder.config, folder.record, folder.metrics, folder.history)
        if path.is_file()
    }
    for part in run.parts:
        confused = confusion(part, threshold=threshold)
        if confused:
            found |= packed_if_long(f"confusion_{part.name}.tsv", confusion_tsv(*confused).encode())
    if folder.predictions.is_file():
        found |= packed(folder.predictions.name, folder.predictions.read_bytes())
    return dict(sorted(found.items(), key=lambda pair: len(pair[1])))


def packed_if_long(name: str, content: bytes) -> dict[str, bytes]:
    """Return name and content of a file, compressed if it is long."""
    return packed(name, content) if len(content) > LONG else {name: content}


def packed(name: str, content: bytes) -> dict[str, bytes]:
    """Return name and content of a compressed file; without a date, equal runs give equal pages."""
    return {f"{name}.gz": gzip.compress(content, LEVEL, mtime=0)}
