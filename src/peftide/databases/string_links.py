"""Links of STRING (Szklarczyk et al. 2023, doi 10.1093/nar/gkac1000).

`TAXON.protein.links.*.txt` and its `physical`, `detailed` and `full` kinds, or the table that the
web page exports.
"""

from collections.abc import Iterator
from pathlib import Path

from peftide.config import DataConfig
from peftide.databases.pairs import Counts, PairRecord
from peftide.errors import InputError
from peftide.sequences.text_files import open_lines

DEFAULT_SCORE = 700.0
"""From which STRING calls a link one of high confidence."""
SCALE = 1000.0
COMBINED = "combined_score"


def read_string(path: Path, options: DataConfig, counts: Counts) -> Iterator[PairRecord]:
    """Yield the links whose score is high enough.

    Raises
    ------
    InputError
        If the file has another form, lacks the wanted channel, or a score is no number; or if the
        lowest score is meant on a scale to 1.
    """
    least = DEFAULT_SCORE if options.min_score is None else options.min_score
    if 0 < least < 1:
        raise InputError(
            f"received {least:g}",
            expected=f"a score up to {SCALE:,.0f}, such as {least * SCALE:g} for {least:g}",
            where="--min-score",
        )
    lines = enumerate(open_lines(path), start=1)
    _, header = next(lines, (1, ""))
    is_page = header.startswith("#node1\t")
    separator = "\t" if is_page else None
    names = header.removeprefix("#").split(separator)
    first, second = ("node1_string_id", "node2_string_id") if is_page else ("protein1", "protein2")
    channel = options.channel or COMBINED
    missing = [name for name in (first, second, channel) if name not in names]
    if missing:
        raise InputError(
            f"no column {missing[0]} in the header {header[:80]!r}",
            expected="the links of STRING: protein.links, protein.physical.links, or the table of "
            "interactions that its web page exports",
            where=path,
            fix="Evidence channels such as `experimental` are in protein.links.detailed"
            if missing[0] == channel
            else "",
        )
    places = [names.index(name) for name in (first, second, channel)]
    for number, line in lines:
        cells = line.split(separator)
        if not cells:
            continue
        try:
            a, b, text = (cells[place] for place in places)
            score = float(text) * (SCALE if is_page else 1)
        except (IndexError, ValueError) as error:
            raise InputError(
                f"received {line[:80]!r}",
                expected=f"two proteins and a number under {channel}",
                where=f"{path}:{number}",
            ) from error
        if score < least:
            counts[f"score below {least:g}"] += 1
        elif not _is_of(a, b, options.taxon):
            counts["another organism"] += 1
        else:
            yield PairRecord(a, b, score)


def _is_of(a: str, b: str, taxon: int | None) -> bool:
    """Return whether both ids begin with the number of an organism, as STRING's ids do."""
    return taxon is None or all(name.partition(".")[0] == str(taxon) for name in (a, b))
