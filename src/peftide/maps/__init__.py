"""Embeddings, labels and parts come in; a table of points in two dimensions goes out."""

from peftide.maps.annotations import Annotated, annotate
from peftide.maps.projections import PROJECTIONS, Projection, projections_of
from peftide.maps.protspace import has_protspace, write_bundle

__all__ = [
    "PROJECTIONS",
    "Annotated",
    "Projection",
    "annotate",
    "has_protspace",
    "projections_of",
    "write_bundle",
]
