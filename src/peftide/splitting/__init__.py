"""Rows and the proteins they name come in; the part that each belongs to goes out. No torch."""

from peftide.splitting.clusters import split_by_cluster
from peftide.splitting.fractions import check_fractions
from peftide.splitting.graph import PairGraph, split_pair_graph
from peftide.splitting.label_shares import LabelShares, label_shares
from peftide.splitting.negatives import SampledNegatives, sample_negatives
from peftide.splitting.stratified import split_at_random

__all__ = [
    "LabelShares",
    "PairGraph",
    "SampledNegatives",
    "check_fractions",
    "label_shares",
    "sample_negatives",
    "split_at_random",
    "split_by_cluster",
    "split_pair_graph",
]
