"""Find given options that are not read because of another option, so that they are refused."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from peftide.config.reading import flag, is_in_memory

Names = frozenset[str]
NOTHING: Names = frozenset()
OF_HEAD = {"learning_rate": "head_learning_rate", "weight_decay": "head_weight_decay"}
"""Option of the backbone → the same option of the head."""


@dataclass(frozen=True)
class Choice:
    """A choice that decides whether options are read.

    Attributes
    ----------
    said
        The choice as written in a message, such as `--head linear`.
    unread
        Options that this value of the choice does not read.
    """

    said: str
    unread: Names


def choice_of(said: str, reads: Mapping[str, Names], value: str) -> Choice:
    """Return the choice of one value from a table: value → options that only some values read.

    Examples
    --------
    >>> heads = {"mlp": frozenset({"head_width"}), "linear": NOTHING}
    >>> choice_of("--head linear", heads, "linear")
    Choice(said='--head linear', unread=frozenset({'head_width'}))
    """
    return Choice(said, NOTHING.union(*reads.values()) - reads.get(value, NOTHING))


def unread_options(
    config: Any, choices: Iterable[Choice], *, given: Names = NOTHING
) -> dict[str, str]:
    """Return each option that was given but is not read → the choice that does not read it.

    Options with values other than their defaults count as given too. The exception is a resumed
    run, because these values may come from the original run.

    Parameters
    ----------
    given
        Options that the user named in this call, even if at their default.
    """
    named = given if getattr(config, "resume", False) else given | changed_options(config)
    found: dict[str, str] = {}
    for choice in choices:
        for name in sorted(choice.unread & named):
            found.setdefault(name, choice.said)
    return found


def unread_problems(config: Any, choices: Iterable[Choice], *, given: Names = NOTHING) -> list[str]:
    """Return one problem for each option that was given but is not read; see `unread_options`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from peftide.config import TrainConfig
    >>> config = TrainConfig(out=Path("run"), head="linear", head_width=8)
    >>> unread_problems(config, [Choice("--head linear", frozenset({"head_width"}))])
    ['--head-width: --head linear does not read it; leave it out']
    """
    found = unread_options(config, choices, given=given)
    return [
        f"{flag(name)}: {said} does not read it; {remedy(name)}" for name, said in found.items()
    ]


def reading_choices(config: Any) -> Iterator[Choice]:
    """Yield the choices of a command that reads a table and a FASTA file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from peftide.config import TrainConfig
    >>> list(reading_choices(TrainConfig(out=Path("run"))))
    [Choice(said='a table without --sequences', unread=frozenset({'missing'}))]
    """
    if config.sequences is None:
        yield Choice("a table without --sequences", frozenset({"missing"}))


def output_choices(config: Any, *, what: str) -> Iterator[Choice]:
    """Yield the choices of a command that may print its result instead of writing it.

    Parameters
    ----------
    what
        Name of the result, with its article.
    """
    if config.out is None:
        yield Choice(f"{what} without --out", frozenset({"overwrite"}))


def remedy(name: str) -> str:
    """Return what to do about an option that is not read.

    Examples
    --------
    >>> remedy("lora_r"), remedy("learning_rate")
    ('leave it out', 'leave it out (head_learning_rate is the one of the head)')
    """
    own = f" ({OF_HEAD[name]} is the one of the head)" if name in OF_HEAD else ""
    return f"leave it out{own}"


def changed_options(config: Any) -> Names:
    """Return the options whose values are not their defaults."""
    values = {item.name: (getattr(config, item.name), item.default) for item in fields(config)}
    return frozenset(
        name for name, (value, default) in values.items() if is_in_memory(value) or value != default
    )
