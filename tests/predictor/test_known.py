from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from peftide.bundle import load_bundle
from peftide.errors import InputError
from peftide.evaluation.beside import Beside
from peftide.predictor.known import refuse_known_proteins, seen_in_training
from peftide.sequences import Proteins, sequence_hash

Trained = Callable[[str, str], Path]
PROTEINS = Proteins(("a", "b", "c"), ("MKV", "WWAD", "MLS"))


def test_training_and_validation_sequences_are_both_refused(trained: Trained) -> None:
    bundle = replace(
        load_bundle(trained("ppi", "head")),
        trained_on=frozenset({sequence_hash("MKV")}),
        validated_on=frozenset({sequence_hash("WWAD")}),
    )
    with pytest.raises(InputError) as caught:
        refuse_known_proteins(PROTEINS, bundle, where="x.tsv")
    said = str(caught.value)
    assert "trained on 1 of 3 proteins (for instance a)" in said
    assert "validated on 1 of 3 proteins (for instance b)" in said
    refuse_known_proteins(Proteins(("c",), ("MLS",)), bundle, where="x.tsv")
    assert seen_in_training(PROTEINS.sequences, bundle, Beside()).seen.tolist() == [
        True,
        True,
        False,
    ]


def test_a_run_remembers_its_validation_sequences(trained: Trained) -> None:
    bundle = load_bundle(trained("ppi", "head"))
    assert bundle.validated_on
    assert not bundle.validated_on & bundle.trained_on
