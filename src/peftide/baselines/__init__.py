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
from peftide.baselines.ends import Ends, fit_ends, load_ends
from peftide.baselines.homologues import Homologues, find_homologues
from peftide.baselines.kmer import Kmers, fit_kmers, load_kmers
from peftide.baselines.nearest import NearestHomologue, fit_nearest, load_nearest
from peftide.baselines.neighbours import Neighbours, fit_neighbours, load_neighbours
from peftide.baselines.residue import ResidueLetters, fit_residue_letters, load_residue_letters
from peftide.baselines.sites import (
    Sites,
    are_proteins,
    are_variants,
    fit_site_pairs,
    fit_sites,
    load_sites,
    vary_at_few_sites,
)
from peftide.baselines.zero_shot import (
    SubstitutionScores,
    ZeroShot,
    fit_zero_shot,
    load_zero_shot,
)

BASELINES: dict[str, Baseline] = {
    "composition": Baseline("residue composition and length", fit_composition, load_composition),
    "kmer": Baseline("frequencies of 3-mers", fit_kmers, load_kmers),
    "ends": Baseline(
        "first and last 40 residues",
        fit_ends,
        load_ends,
        levels=("sequence",),
        applies=are_proteins,
        needs="different proteins, but variants of one",
    ),
    "sites": Baseline(
        "residues at each site",
        fit_sites,
        load_sites,
        levels=("sequence",),
        applies=are_variants,
        needs="variants of one sequence",
    ),
    "neighbours": Baseline(
        "mean of the site and its neighbours",
        fit_neighbours,
        load_neighbours,
        levels=("sequence",),
        applies=are_variants,
        needs="variants of one sequence",
    ),
    "site_pairs": Baseline(
        "residues at each site and pair of sites",
        fit_site_pairs,
        load_sites,
        levels=("sequence",),
        applies=vary_at_few_sites,
        needs="variants of one sequence that change at 2 to 16 sites, also two at a time",
    ),
    "zero_shot": Baseline(
        "score of the untrained language model",
        fit_zero_shot,
        load_zero_shot,
        levels=("sequence",),
        kinds=("binary", "continuous"),
        reads_scores=True,
    ),
    "degree": Baseline(
        "training pairs of each protein, by label",
        fit_degree,
        load_degree,
        levels=("pair",),
    ),
    "positive_degree": Baseline(
        "positive training pairs of each protein",
        fit_positive_degree,
        load_positive_degree,
        levels=("pair",),
        kinds=("binary",),
    ),
    "nearest_homologue": Baseline(
        "label of the most similar training sequence",
        fit_nearest,
        load_nearest,
        applies=are_proteins,
        needs="different proteins, but variants of one",
    ),
    "residue_letter": Baseline(
        "letter of each residue",
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
    "Ends",
    "Fitted",
    "FittedOnProteins",
    "Homologues",
    "Kmers",
    "NearestHomologue",
    "Neighbours",
    "PositiveDegree",
    "ResidueLetters",
    "Sites",
    "SubstitutionScores",
    "ZeroShot",
    "find_homologues",
    "fit_composition",
    "fit_degree",
    "fit_ends",
    "fit_kmers",
    "fit_nearest",
    "fit_neighbours",
    "fit_positive_degree",
    "fit_residue_letters",
    "fit_site_pairs",
    "fit_sites",
    "fit_zero_shot",
]
