"""Imports that wait until they are needed: values of a registry, and libraries of an extra."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Generic, TypeVar, cast

from peftide.errors import InputError

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


def require_library(name: str, *, extra: str, where: str = "") -> ModuleType:
    """Return a library of an extra.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"{name} is not installed", where=where, fix=f"pip install 'peftide[{extra}]'"
        ) from error
