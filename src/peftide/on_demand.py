"""A dict whose values are imported when they are needed, so that its keys cost nothing."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar, cast

Value = TypeVar("Value")


class OnDemand(Mapping[str, Value], Generic[Value]):
    """Names → values of the modules of a package.

    Parameters
    ----------
    places
        Name → module and variable in the package, such as `lora.DORA`.
    package
        The package, as in `__name__`.

    Examples
    --------
    >>> methods = OnDemand({"head": "head.HEAD"}, package="peftide.adapters")
    >>> list(methods), methods["head"].learning_rate
    (['head'], 0.001)
    """

    def __init__(self, places: Mapping[str, str], *, package: str) -> None:
        self._places = dict(places)
        self._package = package

    def __getitem__(self, name: str) -> Value:
        """Import the value of a name."""
        module, _, variable = self._places[name].partition(".")
        return cast("Value", getattr(import_module(f"{self._package}.{module}"), variable))

    def __contains__(self, name: object) -> bool:
        """Return whether the name exists, without an import."""
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._places)
