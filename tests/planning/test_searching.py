"""The time of a training's searches, measured with few proteins."""

from pathlib import Path

import pytest

from peftide.planning import searching
from peftide.planning.measuring import Rehearsal
from peftide.planning.searching import FINDING_NOTHING, search_seconds
from peftide.run_folder import RunFolder
from peftide.similarity import SimilaritySettings
from peftide.training.usage import Seconds
from tests.planning.conftest import Begin


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The queries of each measured search, which takes a second per query."""
    found: list[list[str]] = []

    def clocked(work: object, _device: object) -> tuple[None, Seconds]:
        assert callable(work)
        work()
        return None, Seconds(len(found[-1]), 2 * len(found[-1]))

    def search(queries: list[str], *_: object, **__: object) -> None:
        found.append(queries)

    monkeypatch.setattr(searching, "clocked", clocked)
    monkeypatch.setattr(searching, "find_homologues", search)
    monkeypatch.setattr(searching, "best_hits", search)
    monkeypatch.setattr(searching, "QUERIES", (2, 4))
    return found


@pytest.mark.parametrize(("baselines", "searches"), [("auto", 2), ("composition", 1), ("none", 0)])
def test_every_search_of_the_training_is_measured(
    begin: Begin, searched: list[list[str]], baselines: str, searches: int
) -> None:
    setting, _ = begin("ppi", "head", baselines=(baselines,))
    found = search_seconds(setting)
    assert [len(queries) for queries in searched] == [2, 4] * searches
    assert found.wall == 2 * found.cpu
    assert (found.cpu > 4 * searches) == bool(searches)  # there are more than four proteins


def test_nothing_is_measured_without_later_proteins_that_are_new(
    begin: Begin, searched: list[list[str]]
) -> None:
    setting, _ = begin("ppi", "head", baselines=("composition",))
    parts = setting.problem.dataset.parts
    parts |= dict.fromkeys(parts, parts["train"])
    assert search_seconds(setting) == Seconds()
    assert not searched


def test_a_rehearsal_finds_nothing() -> None:
    found = FINDING_NOTHING.homologues(["MK", "WY"], ["MK"])
    assert found.highest().tolist() == [0.0, 0.0]
    assert not len(FINDING_NOTHING.kinship(["MK"], ["MK"], SimilaritySettings()).query)


def test_scores_are_rehearsed_without_a_search(tmp_path: Path, begin: Begin) -> None:
    """The time of the searches is not that of the scored rows, so it is measured apart."""
    setting, stands = begin("ppi", "head")
    folder = RunFolder(tmp_path / "scratch")
    it = Rehearsal(setting, stands, folder)
    it.score()
    assert not [*folder.checkpoints.glob("homologues-*"), *folder.checkpoints.glob("kinship-*")]
