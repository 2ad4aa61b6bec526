"""A YAML file → the values that a sweep may give to each option of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import yaml

from peftide.config import TrainConfig, read_yaml
from peftide.config.limits import out_of_range
from peftide.config.reading import convert, field_types, flag
from peftide.errors import did_you_mean, raise_problems

FIXED = frozenset(
    {"out", "resume", "overwrite", "debug", "data", "train", "validation", "test"}
) | {
    *("sequences", "embedding_cache", "threads", "device", "title", "task"),
}
"""Options that are the same in every trial: files, the machine, the question."""
RANGE_KEYS = frozenset({"low", "high", "log"})
SCALARS = (int, float, str, bool, type(None))


@runtime_checkable
class Suggesting(Protocol):
    """A trial of optuna, as far as a space needs it."""

    def suggest_categorical(self, name: str, choices: Sequence[Any], /) -> Any:
        """Return one of the choices."""
        ...

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool) -> float:
        """Return a number."""
        ...

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool) -> int:
        """Return a whole number."""
        ...


@dataclass(frozen=True)
class Choices:
    """A list of values.

    Attributes
    ----------
    words
        The values as the database holds them: numbers, text, and lists as `a,b`.
    """

    name: str
    words: tuple[Any, ...]

    def suggest(self, trial: Suggesting) -> Any:
        """Return the value of a trial."""
        return trial.suggest_categorical(self.name, self.words)


@dataclass(frozen=True)
class Range:
    """All numbers between two.

    Attributes
    ----------
    log
        Whether equal factors are equally likely.
    whole
        Whether only whole numbers are drawn.
    """

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def suggest(self, trial: Suggesting) -> Any:
        """Return the value of a trial."""
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)


Space = Mapping[str, Choices | Range]


def read_space(path: Path) -> Space:
    """Read a space of options.

    Raises
    ------
    InputError
        Names every option that is unknown, fixed, or has a wrong value.
    """
    return space_of(read_yaml(path), where=str(path))


def space_of(values: Mapping[str, Any], *, where: str = "--space") -> Space:
    """Return the space that plain values describe.

    Examples
    --------
    >>> found = space_of({"lora_r": ["1", "8"], "learning_rate": {"low": "1e-5", "high": "1e-2"}})
    >>> found["lora_r"].words, found["learning_rate"].high
    ((1, 8), 0.01)

    Raises
    ------
    InputError
        Names every option that is unknown, fixed, or has a wrong value.
    """
    kinds = field_types(TrainConfig)
    problems: list[str] = []
    space: dict[str, Choices | Range] = {}
    for name, given in values.items():
        if name not in kinds:
            searchable = [known for known in kinds if known not in FIXED]
            problems.append(f"{where}: unknown option {name}. {did_you_mean(name, searchable)}")
        elif name in FIXED:
            problems.append(
                f"{where}: {name} is the same in every trial; give {flag(name)} instead"
            )
        else:
            try:
                space[name] = (
                    _range(name, given) if isinstance(given, Mapping) else _list(name, given)
                )
            except ValueError as error:
                problems.append(f"{where}: {name}: {error}")
    if not values:
        problems.append(f"{where}: the space is empty; expected `option: [values]`")
    raise_problems(problems)
    return space


def _list(name: str, given: Any) -> Choices:
    if not isinstance(given, list) or not given:
        raise ValueError(f"received {given!r}; expected a list of values, or low and high")
    kind = field_types(TrainConfig)[name]
    try:
        words = [_word(convert(value, kind)) for value in given]
    except ValueError as error:
        raise ValueError(f"received {given!r}; expected {error} in each place") from error
    twice = sorted({str(word) for word in words if words.count(word) > 1})
    if twice:
        raise ValueError(f"received {', '.join(twice)} twice")
    _check_limits(name, words)
    return Choices(name, tuple(words))


def _range(name: str, given: Mapping[str, Any]) -> Range:
    if not {"low", "high"} <= set(given) <= RANGE_KEYS:
        raise ValueError(f"received {', '.join(map(str, given))}; expected low, high and maybe log")
    kind, log = field_types(TrainConfig)[name], given.get("log", False)
    try:
        low, high = (convert(given[key], kind) for key in ("low", "high"))
    except ValueError as error:
        raise ValueError(f"expected {error} as low and high") from error
    whole = isinstance(low, int) and isinstance(high, int)
    if isinstance(low, bool) or not (whole or isinstance(low, float) and isinstance(high, float)):
        raise ValueError("the option is no number; expected a list of values")
    if not isinstance(log, bool):
        raise ValueError(f"log: received {log!r}; expected true or false")
    if not low < high or (log and low <= 0):
        raise ValueError(f"received {low} to {high}; expected low < high, above 0 with log")
    _check_limits(name, [low, high])
    return Range(name, low, high, log, whole)


def _check_limits(name: str, values: Sequence[Any]) -> None:
    wrong = [found for value in values for found in out_of_range(TrainConfig, {name: value})]
    if wrong:
        _, value, expected = wrong[0]
        raise ValueError(f"received {value}; expected {expected}")


def _word(value: Any) -> Any:
    """Return a value as a database can hold it."""
    return value if isinstance(value, SCALARS) else ",".join(map(str, value))


def option_values(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of options from the words of a trial.

    Examples
    --------
    >>> option_values({"lora_targets": "query,key", "lora_r": 4})
    {'lora_targets': ('query', 'key'), 'lora_r': 4}
    """
    kinds = field_types(TrainConfig)
    return {name: convert(word, kinds[name]) for name, word in words.items()}


def as_text(space: Space) -> str:
    """Return a space as text that is equal for equal spaces."""
    return yaml.safe_dump({name: _plain(one) for name, one in sorted(space.items())})


def _plain(one: Choices | Range) -> dict[str, Any]:
    values = {item.name: getattr(one, item.name) for item in fields(one)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }
