"""A YAML file → option names and plain values; every scalar stays the text that the file holds.

YAML would turn `2024_06_30` into the number 20240630, `010` into 8 and `1.50` into 1.5, so a path
of that spelling would become another one. The type of its field turns text into a number instead.
"""

from pathlib import Path
from typing import Any, ClassVar

import yaml

from peftide.errors import InputError
from peftide.saved import read_text, shown

MOST_CHARACTERS = 1_000_000
MOST_NESTED = 20
TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = [TAG + name for name in ("null", "bool", "str", "seq", "map")]


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a `--config` file: a YAML mapping with the same keys as the flags.

    Values are text, true, false, None, and lists and mappings of these.

    Raises
    ------
    InputError
        If the file cannot be read, is not a mapping or names a key twice.
    """
    text = read_text(path, where="--config")
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"the file has {len(text):,} characters",
            expected=f"options in at most {MOST_CHARACTERS:,}",
            where=path,
        )
    values = _parse(text, path)
    if values is None:
        raise InputError("the file is empty", expected="a mapping `option: value`", where=path)
    if not isinstance(values, dict):
        raise InputError(
            f"holds {type(values).__name__}", expected="a mapping `option: value`", where=path
        )
    options = {str(key).replace("-", "_"): value for key, value in values.items()}
    if len(options) < len(values):
        raise InputError("an option occurs with `-` and with `_`", expected="one", where=path)
    return options


def _parse(text: str, path: Path) -> Any:
    try:
        return yaml.load(text, Loader=_TextLoader)  # noqa: S506 — a safe loader with fewer tags
    except yaml.MarkedYAMLError as error:
        place = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else path
        raise InputError(f"not valid YAML: {_short(error.problem)}", where=place) from error
    except (yaml.YAMLError, ValueError, KeyError) as error:
        raise InputError(f"not valid YAML: {_short(error)}", where=path) from error
    except RecursionError as error:
        raise InputError("not valid YAML: too many nested lists", where=path) from error


def _short(problem: object) -> str:
    text = " ".join(str(problem).replace(TAG, "!!").split())
    return text if len(text) <= 200 else text[:200] + "…"


class _TextLoader(yaml.SafeLoader):
    """Builds text, lists and mappings; no dates, no numbers, no tags of other types."""

    yaml_implicit_resolvers: ClassVar[Any] = {
        first: [(tag, pattern) for tag, pattern in rules if tag in PLAIN_TAGS]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar[Any] = {
        tag: build
        for tag, build in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag in PLAIN_TAGS
    }
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node; refuse deep nesting, and aliases of lists and mappings."""
        is_alias, mark = self.check_event(yaml.AliasEvent), self.peek_event().start_mark
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MOST_NESTED} nested lists", problem_mark=mark
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        if is_alias and not isinstance(node, yaml.ScalarNode):
            problem = "an alias of a list or mapping; expected the values themselves"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        return node

    def construct_scalar(self, node: Any) -> Any:
        """Return the text of a scalar, which must be text that a file name or label can hold."""
        text = super().construct_scalar(node)
        if isinstance(text, str) and ("\0" in text or _has_surrogate(text)):
            problem = f"{shown(text)} holds a character that is no text"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return text

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; refuse a key that occurs twice."""
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            names = [key.value for key, _ in node.value]
            twice = next(name for name in names if names.count(name) > 1)
            raise yaml.MarkedYAMLError(
                problem=f"the key {shown(twice)} occurs twice", problem_mark=node.start_mark
            )
        return mapping


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
