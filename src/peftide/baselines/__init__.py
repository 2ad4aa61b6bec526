"""Shortcuts that a protein language model has to beat; no torch."""

from peftide.baselines.baseline import Baseline, Fitted, FittedOnProteins
from peftide.baselines.composition import Composition, fit_composition, load_composition
from peftide.baselines.degree import (
    Degree,
    PositiveDegree,
    fit_degree,
    fit_positive_degree,
    load_degree,
    load_positive_degree,
)
from peftide.baselines.homologues import Homologues, find_homologues
from peftide.baselines.kmer import Kmers, fit_kmers, load_kmers
from peftide.baselines.nearest import NearestHomologue, fit_nearest, load_nearest
from peftide.baselines.residue import ResidueLetters, fit_residue_letters, load_residue_letters

BASELINES: dict[str, Baseline] = {
    "composition": Baseline(
        "residue composition and length, linear", fit_composition, load_composition
    ),
    "kmer": Baseline("frequencies of three residues in a row, linear", fit_kmers, load_kmers),
    "degree": Baseline(
        "how many train pairs of each label the two proteins have",
        fit_degree,
        load_degree,
        levels=("pair",),
    ),
    "positive_degree": Baseline(
        "how many positive train pairs the two proteins have",
        fit_positive_degree,
        load_positive_degree,
        levels=("pair",),
        kinds=("binary",),
    ),
    "nearest_homologue": Baseline(
        "labels of the most similar sequence or pair of train", fit_nearest, load_nearest
    ),
    "residue_letter": Baseline(
        "how often each class goes with each residue letter",
        fit_residue_letters,
        load_residue_letters,
        levels=("residue",),
        kinds=("categorical",),
    ),
}
"""Name of a baseline → what it is, in the order in which they are fitted and shown."""

__all__ = [
    "BASELINES",
    "Baseline",
    "Composition",
    "Degree",
    "Fitted",
    "FittedOnProteins",
    "Homologues",
    "Kmers",
    "NearestHomologue",
    "PositiveDegree",
    "ResidueLetters",
    "find_homologues",
    "fit_composition",
    "fit_degree",
    "fit_kmers",
    "fit_nearest",
    "fit_positive_degree",
    "fit_residue_letters",
]
