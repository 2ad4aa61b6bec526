"""The header of a table and the options → the columns to read, or why one is absent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from peftide.config.options import RowOptions
from peftide.config.reading import flag
from peftide.errors import did_you_mean, raise_problems
from peftide.sequences.delimited import Grid
from peftide.sequences.lookalikes import in_latin, strange_letters

PAIR_IDS = ("id_a_column", "id_b_column")
PAIR_SEQUENCES = ("sequence_a_column", "sequence_b_column")
SINGLE_ID = ("id_column",)
SINGLE_SEQUENCE = ("sequence_column",)
OF_PAIRS = (*PAIR_IDS, *PAIR_SEQUENCES, "self_pairs")
OF_SINGLE = (*SINGLE_ID, *SINGLE_SEQUENCE, "cluster_column", "mask_column")


@dataclass(frozen=True)
class Columns:
    """Names of the columns to read; an empty tuple means no column."""

    ids: tuple[str, ...]
    sequences: tuple[str, ...]
    label: tuple[str, ...]
    split: tuple[str, ...]
    cluster: tuple[str, ...]
    mask: tuple[str, ...]


def unread_columns(options: RowOptions, names: Sequence[str], *, said: str) -> list[str]:
    """Return one problem for each of these options that the user named, because nothing reads it.

    Examples
    --------
    >>> unread_columns(RowOptions(id_column="name"), ["id_column"], said="a table of pairs")
    ['--id-column: a table of pairs does not read it; leave it out']
    """
    return [
        f"{flag(name)}: {said} does not read it; leave it out"
        for name in names
        if hasattr(options, name) and _is_renamed(options, name)
    ]


def column_names(columns: RowOptions) -> tuple[str, ...]:
    """Return the names of all columns that are looked for."""
    return tuple(getattr(columns, name) for name in every_column(columns))


def renamed_columns(options: RowOptions) -> list[str]:
    """Return the command-line words for the columns of rows that the user named.

    Examples
    --------
    >>> renamed_columns(RowOptions(label_column="target"))
    ['--label-column', 'target']
    """
    columns = [name for name in every_column(options) if name in RowOptions.__dataclass_fields__]
    renamed = [name for name in columns if _is_renamed(options, name)]
    return [word for name in renamed for word in (flag(name), getattr(options, name))]


def every_column(columns: RowOptions) -> tuple[str, ...]:
    """Return the options that name a column."""
    return tuple(field.name for field in fields(columns) if field.name.endswith("_column"))


def has_pairs(grid: Grid, columns: RowOptions) -> bool:
    """Return whether a grid has the columns of two proteins."""
    return any(
        all(getattr(columns, name) in grid.cells for name in names)
        for names in (PAIR_IDS, PAIR_SEQUENCES)
    )


def choose_columns(grid: Grid, options: RowOptions, *, pair: bool, needs_labels: bool) -> Columns:
    """Return the columns to read.

    Raises
    ------
    InputError
        If a column is absent, or the user named one that this kind of table lacks.
    """
    what = "pairs" if pair else "single sequences"
    problems = unread_columns(options, OF_SINGLE if pair else OF_PAIRS, said=f"a table of {what}")
    chosen = Columns(
        ids=_group(grid, options, PAIR_IDS if pair else SINGLE_ID, problems=problems),
        sequences=_group(
            grid, options, PAIR_SEQUENCES if pair else SINGLE_SEQUENCE, problems=problems
        ),
        label=_optional(grid, options, "label_column", problems=problems),
        split=_optional(grid, options, "split_column", problems=problems),
        cluster=() if pair else _optional(grid, options, "cluster_column", problems=problems),
        mask=() if pair else _optional(grid, options, "mask_column", problems=problems),
    )
    if not problems and not (chosen.ids or chosen.sequences):
        problems.append(_no_proteins(grid, options, pair=pair))
    if needs_labels and not chosen.label and not _is_renamed(options, "label_column"):
        problems.append(_no_column(grid, options, "label_column"))
    raise_problems(problems)
    return chosen


def _group(
    grid: Grid, options: RowOptions, names: Sequence[str], *, problems: list[str]
) -> tuple[str, ...]:
    """Columns of one protein or of both proteins: all, or none."""
    found = tuple(getattr(options, name) for name in names)
    absent = [name for name in names if getattr(options, name) not in grid.cells]
    if not absent:
        return found
    one_of_two, known = len(absent) < len(names), list(grid.cells)
    wanted = [
        name
        for name in absent
        if one_of_two or _is_renamed(options, name) or _alike(getattr(options, name), known)
    ]
    problems.extend(_no_column(grid, options, name) for name in wanted)
    return ()


def _optional(
    grid: Grid, options: RowOptions, name: str, *, problems: list[str]
) -> tuple[str, ...]:
    """Return the column if the table has it; a column named by the user must exist."""
    column = getattr(options, name, None)  # None for commands without this option
    if column is None:
        return ()
    if column in grid.cells:
        return (column,)
    if _is_renamed(options, name) or any(map(_same_word(column), grid.cells)):
        problems.append(_no_column(grid, options, name))
    return ()


def _same_word(column: str) -> Callable[[str], bool]:
    """Return whether another name differs from a column's only in its spelling.

    Case, signs, a plural s and letters of another script that look alike make no difference.
    """

    def plain(name: str) -> str:
        return "".join(filter(str.isalnum, in_latin(name))).removesuffix("s")

    return lambda other: plain(other) == plain(column)


def _is_renamed(options: RowOptions, name: str) -> bool:
    default = {field.name: field.default for field in fields(options)}[name]
    return getattr(options, name) != default


def _no_column(grid: Grid, options: RowOptions, name: str) -> str:
    column = getattr(options, name)
    names = [known for known in grid.cells if known]
    return (
        f"{grid.path}: there is no column {column} (name another one with {flag(name)}). "
        f"{_alike(column, names)}{did_you_mean(column, names)}"
    )


def _alike(column: str, names: Sequence[str]) -> str:
    """Say which letters of a similar name only look like Latin ones."""
    alike = filter(_same_word(column), names)
    return "".join(
        f"The column {name!r} is written with {strange}. "
        for name in alike
        if (strange := strange_letters(name))
    )


def _no_proteins(grid: Grid, options: RowOptions, *, pair: bool) -> str:
    ids, sequences = (PAIR_IDS, PAIR_SEQUENCES) if pair else (SINGLE_ID, SINGLE_SEQUENCE)
    wanted = [" and ".join(getattr(options, name) for name in names) for names in (ids, sequences)]
    flags = " ".join(map(flag, ids + sequences))
    found = ", ".join(name for name in grid.cells if name)
    hint = _other_level(grid, options, pair=pair)
    return (
        f"{grid.path}: no columns that name the proteins; expected {wanted[0]}, or {wanted[1]}; "
        f"the header, taken from the first line, has: {found}. {hint}"
        f"Other names are given with {flags}"
    )


def _other_level(grid: Grid, options: RowOptions, *, pair: bool) -> str:
    names = (SINGLE_ID + SINGLE_SEQUENCE) if pair else (PAIR_IDS + PAIR_SEQUENCES)
    if not any(getattr(options, name) in grid.cells for name in names):
        return ""
    found, wanted = ("single proteins", "pairs") if pair else ("pairs", "single proteins")
    return f"This looks like a table of {found}, and the task is about {wanted}. "
