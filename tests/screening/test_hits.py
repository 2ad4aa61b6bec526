from pathlib import Path

import numpy as np
import pandas as pd

from peftide.screening.hits import Hits, is_screen


def hits(**more: object) -> Hits:
    names = np.array(["a", "b"], dtype=object)
    return Hits(names, np.array(["x", "y"], dtype=object), lambda scores: scores / 10, **more)  # type: ignore[arg-type]


def test_places_become_ids(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 0], "b": [0, 1], "score": [4.0, 2.0]})
    count = hits(known=np.array([1])).write([table, table.head(1)], tmp_path / "h.parquet")
    found = pd.read_parquet(tmp_path / "h.parquet")
    assert count == len(found) == 3
    assert found["id_a"].tolist() == ["b", "a", "b"]
    assert found["probability"].tolist() == [0.4, 0.2, 0.4]
    assert found["known"].tolist() == [False, True, False]


def test_no_hits_are_a_table_without_rows(tmp_path: Path) -> None:
    assert hits().write([], tmp_path / "h.parquet") == 0
    found = pd.read_parquet(tmp_path / "h.parquet")
    assert list(found.columns) == ["id_a", "id_b", "score", "probability"]


def test_a_file_of_ours_is_recognised(tmp_path: Path) -> None:
    hits().write([], tmp_path / "h.parquet")
    pd.DataFrame({"id": [1]}).to_parquet(tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("text")
    assert is_screen(tmp_path / "h.parquet")
    assert not is_screen(tmp_path / "other.parquet")
    assert not is_screen(tmp_path / "text.parquet")
