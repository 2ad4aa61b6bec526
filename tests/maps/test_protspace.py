from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.errors import InputError
from peftide.maps import has_protspace, write_bundle
from peftide.maps.projections import pca

TABLE = pd.DataFrame(
    {"id": ["P1", "P2", "P3"], "length": [5, 6, 7], "label": ["C1", "a;b|50%", ""]}
)
POINTS = pca(np.array([[0.0, 1.0], [2.0, 0.0], [5.0, 0.5]]))


def test_protspace_reads_the_same_back(tmp_path: Path) -> None:
    """By the reader of ProtSpace's own viewer."""
    reason = "pip install 'peftide[protspace]'"
    bundles = pytest.importorskip("protspace.data.io.bundle", reason=reason)
    reader = pytest.importorskip("protspace.utils.arrow_reader", reason=reason)
    encoding = pytest.importorskip("protspace.data.annotations.encoding", reason=reason)
    path = tmp_path / "map.parquetbundle"
    write_bundle(TABLE, [POINTS], path)
    found = reader.ArrowReader(Path(bundles.extract_bundle_to_dir(path, tmp_path / "d"))).data
    assert list(found["protein_data"]) == ["P1", "P2", "P3"]
    cells = [entry["annotations"]["label"] for entry in found["protein_data"].values()]
    assert [encoding.to_display_value(cell) for cell in cells] == ["C1", "a;b|50%", ""]
    (projection,) = found["projections"]
    assert projection["name"] == "PCA_2"
    places = [[one["coordinates"][axis] for axis in "xy"] for one in projection["data"]]
    np.testing.assert_allclose(places, POINTS.points, atol=1e-6)


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("peftide.on_demand.import_module", absent)
    with pytest.raises(InputError, match=r"pip install 'peftide\[protspace\]'"):
        write_bundle(TABLE, [POINTS], tmp_path / "m.parquetbundle")


def test_whether_it_is_installed_is_asked_without_an_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert not has_protspace()
