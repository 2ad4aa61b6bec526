"""Shortcuts that a protein language model has to beat. No torch."""

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
    "composition": Baseline("residue composition and length", fit_composition, load_composition),
    "kmer": Baseline("frequencies of 3-mers", fit_kmers, load_kmers),
    "degree": Baseline(
        "degree (train pairs of each label)",
        fit_degree,
        load_degree,
        levels=("pair",),
    ),
    "positive_degree": Baseline(
        "degree (positive train pairs)",
        fit_positive_degree,
        load_positive_degree,
        levels=("pair",),
        kinds=("binary",),
    ),
    "nearest_homologue": Baseline("nearest homologue", fit_nearest, load_nearest),
    "residue_letter": Baseline(
        "residue letter alone",
        fit_residue_letters,
        load_residue_letters,
        levels=("residue",),
        kinds=("categorical", "continuous"),
    ),
}
"""Baselines by name, in the order in which they are fitted and shown."""

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
