"""Shortcuts that a protein language model has to beat; no torch."""

from peftide.baselines.composition import CompositionBaseline, fit_composition
from peftide.baselines.residue import ResidueLetters, fit_residue_letters

__all__ = ["CompositionBaseline", "ResidueLetters", "fit_composition", "fit_residue_letters"]
