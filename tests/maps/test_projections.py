import builtins
import importlib.util
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from peftide.errors import InputError
from peftide.maps import PROJECTIONS, projections_of
from peftide.maps.projections import LEAST, check_projection, pca, umap
from peftide.types import FloatArray

GROUPS = np.repeat([0, 1, 2], 10)


def vectors(*, seed: int = 0, width: int = 12, noise: float = 0.1) -> FloatArray:
    """Return three groups of ten points."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(3, width))
    return centres[GROUPS] + noise * random.normal(size=(30, width))


@pytest.mark.parametrize("width", [12, 100])  # fewer and more numbers than sequences
def test_pca_is_that_of_scikit_learn(width: int) -> None:
    values = vectors(width=width)
    reference = PCA(2).fit(values)
    found = pca(values)
    np.testing.assert_allclose(np.abs(found.points), np.abs(reference.transform(values)))
    np.testing.assert_allclose(
        found.settings["explained_variance"], reference.explained_variance_ratio_
    )
    share = reference.explained_variance_ratio_[1]
    assert found.axes[1] == f"component 2 ({share:.0%} of the variance)"


def test_pca_does_not_depend_on_the_order_or_the_sign_of_a_solver() -> None:
    values = vectors()
    turned = pca(values[::-1]).points[::-1]
    np.testing.assert_allclose(pca(values).points, turned, atol=1e-12)


@pytest.mark.parametrize("values", [np.ones((5, 3)), np.arange(5.0)[:, None]])
def test_equal_vectors_and_one_number_per_vector_are_a_map_too(values: FloatArray) -> None:
    found = pca(values)
    assert found.points.shape == (5, 2)
    assert np.isfinite(found.points).all()
    assert "0% of the variance" in found.axes[1]


def test_umap_keeps_groups_together_and_repeats_itself() -> None:
    pytest.importorskip("numba", reason="pip install 'peftide[map]'")
    values = vectors()
    found = umap(values)
    again = umap(values)
    assert np.array_equal(found.points, again.points)
    distances = np.linalg.norm(found.points[:, None] - found.points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert np.array_equal(GROUPS[distances.argmin(axis=1)], GROUPS)


def test_umap_of_the_smallest_map() -> None:
    pytest.importorskip("numba", reason="pip install 'peftide[map]'")
    assert umap(vectors()[:LEAST]).settings["n_neighbors"] == LEAST - 1


def test_the_principal_components_are_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROJECTIONS, "umap", pca)
    assert [one.name for one in projections_of(vectors(), choice="pca")] == ["pca"]
    assert len(projections_of(vectors(), choice="umap")) == 2


def test_too_few_sequences_are_refused() -> None:
    with pytest.raises(InputError, match="a map of 3 sequences; expected at least 4"):
        projections_of(vectors()[:3], choice="pca")


def test_a_missing_library_is_said_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    check_projection("pca")
    with pytest.raises(InputError, match=r"pip install 'peftide\[map\]'"):
        check_projection("umap")


def test_a_library_that_cannot_be_imported_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("umap"):
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr("peftide.on_demand.import_module", without)
    with pytest.raises(InputError, match=r"pip install 'peftide\[map\]'"):
        umap(vectors())
