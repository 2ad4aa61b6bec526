"""Sequences come in; similar pairs and their degree of similarity go out. No torch."""

from peftide.similarity.clustering import Clusters, cluster
from peftide.similarity.hits import Hits
from peftide.similarity.searching import best_hits, search
from peftide.similarity.settings import SimilaritySettings, settings_of

__all__ = [
    "Clusters",
    "Hits",
    "SimilaritySettings",
    "best_hits",
    "cluster",
    "search",
    "settings_of",
]
