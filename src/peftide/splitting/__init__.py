"""Rows and the proteins they name come in; the part that each belongs to goes out. No torch."""
