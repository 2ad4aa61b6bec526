"""Rows of variants: letters, and means of differences of embeddings."""

import numpy as np
import torch

from peftide.backbones.loading import load_backbone
from peftide.sequences.mutants import LETTERS
from peftide.variants.rows import VariantRows, letters_of

WILD_TYPE = "MKVLAWGHKLMKVLAWGHKLMKVLAWGH"
VARIANT = "MKVLAWGHRLMKVLAWGHKLMKVLAWGH"


def test_letters_are_read_from_tokens() -> None:
    backbone = load_backbone("random:esm2_tiny")
    rows = VariantRows("MKX", backbone.vocabulary, width=0)
    found = rows.letters(backbone.pack(["MKX", "RKV"], max_length=None))
    assert found.tolist() == letters_of(["MKX", "RKV"]).tolist()
    assert found[0].tolist() == [LETTERS.index("M"), LETTERS.index("K"), -1]
    assert not rows.compares


def test_differences_are_averaged_over_site_surroundings_and_protein() -> None:
    backbone = load_backbone("random:esm2_tiny")
    rows = VariantRows(WILD_TYPE, backbone.vocabulary, width=backbone.width)
    batch = backbone.pack([WILD_TYPE, VARIANT, WILD_TYPE], max_length=None)
    with torch.no_grad():
        tokens = backbone(batch)
        found = rows(tokens, batch)[:, len(WILD_TYPE) :].view(2, 3, -1).numpy()
    residues = tokens[batch.residue_rows].view(3, len(WILD_TYPE), -1).numpy()
    change = residues[1] - residues[0]
    around = [place for place in range(17) if place != 8]
    np.testing.assert_allclose(found[0, 0], change[8], atol=1e-6)
    np.testing.assert_allclose(found[0, 1], change[around].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found[0, 2], change.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found[1], 0, atol=1e-5)
    assert rows.width == len(WILD_TYPE) + 3 * backbone.width
