"""Vectors come in; their places in two dimensions go out."""

import importlib.util
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from peftide.errors import InputError
from peftide.on_demand import require_library
from peftide.quantities import count_of
from peftide.types import FloatArray

LEAST = 4
"""Sequences of the smallest map: fewer always look like a line or a triangle."""
NEIGHBOURS = 15
"""Neighbours of UMAP, its default; smaller maps have fewer."""
SEED = 0


@dataclass(frozen=True, eq=False)
class Projection:
    """Points in two dimensions.

    Attributes
    ----------
    name
        Name in files and columns, such as `pca`.
    title
        Name for readers.
    axes
        Labels of both axes.
    points
        Shape (N, 2).
    settings
        How the points were made, for the record.
    """

    name: str
    title: str
    axes: tuple[str, str]
    points: FloatArray
    settings: Mapping[str, Any]


def check_projection(choice: str) -> None:
    """Raise if the library of a projection is not installed; imports nothing.

    Raises
    ------
    InputError
        With the command that installs it.
    """
    if choice == "umap" and importlib.util.find_spec("umap") is None:
        raise InputError(
            "umap-learn is not installed",
            where="--projection umap",
            fix="pip install 'peftide[map]'",
        )


def check_count(count: int) -> None:
    """Raise if there are too few sequences for a map.

    Raises
    ------
    InputError
        With their number.
    """
    if count < LEAST:
        raise InputError(
            f"a map of {count_of(count, 'sequence')}", expected=f"at least {LEAST}", where="--map"
        )


def projections_of(vectors: FloatArray, *, choice: str) -> list[Projection]:
    """Return the principal components, then the chosen projection if it is another one.

    Parameters
    ----------
    vectors
        One embedding per sequence. Shape (N, D).
    choice
        A name in `PROJECTIONS`.

    Raises
    ------
    InputError
        If there are too few sequences, or the library of the projection is not installed.
    """
    check_count(len(vectors))
    return [PROJECTIONS[name](vectors) for name in dict.fromkeys(["pca", choice])]


def pca(vectors: FloatArray) -> Projection:
    """Return the first two principal components; the farthest point of each is positive.

    Examples
    --------
    >>> found = pca(np.array([[0.0, 0.0], [3.0, 0.1], [7.0, 0.0]]))
    >>> found.points[:, 0].round(1).tolist(), found.axes[0]
    ([-3.3, -0.3, 3.7], 'component 1 (100% of the variance)')
    """
    centred = np.asarray(vectors, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    total = float((centred**2).sum())
    points = np.zeros((len(centred), 2))
    count = min(2, *centred.shape)
    points[:, :count] = _components(centred, count)
    farthest = np.abs(points).argmax(axis=0)
    points *= np.where(points[farthest, [0, 1]] < 0, -1.0, 1.0)
    shares = ((points**2).sum(axis=0) / (total or 1.0)).tolist()
    one, two = (
        f"component {number} ({share:.0%} of the variance)"
        for number, share in enumerate(shares, start=1)
    )
    settings = {"explained_variance": shares}
    return Projection("pca", "Principal components", (one, two), points, settings)


def _components(centred: FloatArray, count: int) -> FloatArray:
    """Return the places along the directions of largest variance. Shape (N, count)."""
    long = len(centred) >= centred.shape[1]
    product = centred.T @ centred if long else centred @ centred.T
    last = len(product)
    values, found = eigh(product, subset_by_index=(last - count, last - 1))
    values, found = values[::-1].clip(0), found[:, ::-1]
    return centred @ found if long else found * np.sqrt(values)


def umap(vectors: FloatArray) -> Projection:
    """Return the points of UMAP, which keeps neighbours together and distorts distances.

    It starts from the principal components with a fixed seed, so a repeated call gives the same
    map.

    Raises
    ------
    InputError
        If `umap-learn` is not installed.

    References
    ----------
    McInnes, Healy and Melville 2018, arXiv:1802.03426.
    """
    settings = {"n_neighbors": min(NEIGHBOURS, len(vectors) - 1), "min_dist": 0.1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a part that needs TensorFlow, which peftide never uses
        library = require_library("umap", extra="map", where="--projection umap")
        reducer = library.UMAP(**settings, random_state=SEED, n_jobs=1, init="pca")
        points = reducer.fit_transform(np.asarray(vectors, dtype=np.float32))
    known = settings | {"random_state": SEED}
    return Projection("umap", "UMAP", ("UMAP 1", "UMAP 2"), points.astype(np.float64), known)


PROJECTIONS: dict[str, Callable[[FloatArray], Projection]] = {"pca": pca, "umap": umap}
"""Name → how vectors become points."""
