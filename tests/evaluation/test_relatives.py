"""A training and an evaluation count the similar proteins that an audit counts."""

from pathlib import Path

import numpy as np

from peftide.auditing import Subject, find_kinship
from peftide.baselines import fit_nearest
from peftide.config import TableOptions
from peftide.evaluation.beside import Beside
from peftide.evaluation.relatives import related_to_stored, with_kinship
from peftide.sequences import read_dataset, read_table, split_by_column
from peftide.similarity import SimilaritySettings, best_hits
from tests.conftest import write_rows
from tests.similarity.conftest import random_proteins, relatives

SETTINGS = SimilaritySettings(threads=1)
HOW = {"settings": SETTINGS, "search": best_hits}
OLD, NEW = random_proteins(4), random_proteins(2, seed=9)
COUSIN = relatives(OLD[:1], changed=0.5)[0]


def subject_of(folder: Path, rows: list[tuple[str, int, str]]) -> Subject:
    path = write_rows(folder / "t.tsv", "sequence label split", rows)
    table = read_table(path, TableOptions(), level="sequence", needs_labels=True)
    parts = split_by_column(table, column="split")
    return Subject(read_dataset(parts, TableOptions(), level="sequence"), pairs=False)


def test_a_training_finds_the_proteins_of_an_audit(tmp_path: Path):
    rows = [(text, 1, "train") for text in OLD]
    rows += [(text, 0, "test") for text in (COUSIN, NEW[0], OLD[1])]
    subject = subject_of(tmp_path, rows)
    # the quick search of the baseline has missed the cousin, and found a protein that is none
    quick = np.array([*[np.nan] * 4, 0.0, 0.31, 1.0])
    found = with_kinship(Beside(similarity=quick), subject, **HOW)
    assert found.kinship is not None
    assert found.similarity is not None
    audited = find_kinship(subject, SETTINGS)
    assert found.kinship.hits.query.tolist() == audited.hits.query.tolist() == [4]
    assert found.similarity[4] == audited.hits.identity_fraction[0] > 0.4
    assert found.similarity[5:].tolist() == [0, 1]
    assert np.isnan(found.similarity[:4]).all()


def test_variants_are_not_searched(tmp_path: Path):
    variants = relatives(OLD[:1] * 12, changed=0.02)
    rows = [(text, 1, "test" if k % 3 == 0 else "train") for k, text in enumerate(variants)]
    assert with_kinship(Beside(), subject_of(tmp_path, rows), **HOW).kinship is None


def test_an_evaluation_searches_the_stored_training_sequences():
    nearest = fit_nearest(OLD, np.arange(4)[:, None], np.array([0, 1, 0, 1]), kind="binary")
    beside = Beside(fitted={"nearest_homologue": nearest}, similarity=np.array([0.0, 0.0, 1.0]))
    found, tool = related_to_stored(beside, [COUSIN, NEW[0], OLD[1]], **HOW)
    assert found.similarity is not None
    assert found.similarity[0] > 0.4
    assert found.similarity[1:].tolist() == [0, 1]
    assert tool.startswith("pyopal")
    assert related_to_stored(Beside(), [COUSIN], **HOW)[1] == ""
