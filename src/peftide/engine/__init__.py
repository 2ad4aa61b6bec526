"""Encode every protein once: packed batches, and embeddings of any number of proteins."""
