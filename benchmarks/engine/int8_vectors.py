"""Vectors with frozen layers in 8 bits, compared with those in fp32, on real proteins.

    python benchmarks/engine/int8_vectors.py --threads 1

Yeast proteins, spread evenly by length, cropped to 1,022 residues. The trained backbone is `mini`;
the ESM-2 architectures have random weights. "Centred" is the cosine after the mean of all vectors
was subtracted, which is stricter: vectors of proteins have much in common.
"""

import torch
from measuring import arguments, begin, conclude, hardware_for
from proteins import CROP, evenly, tokens_of, yeast
from torch import Tensor
from torch.nn import functional

from peftide.backbones.loading import load_backbone
from peftide.predictor.embedding import backbone_encoder

COLUMNS = (
    *("Backbone", "Numbers", "Lowest cosine of a vector", "Mean"),
    *("Lowest, centred", "Lowest cosine of a residue", "99 % of the residues are above"),
)
BACKBONES = ("mini", "random:esm2_t6_8M", "random:esm2_t12_35M")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--proteins", type=int, default=100)
    options = parser.parse_args()
    begin(options)
    sequences = yeast()
    chosen = [sequences[i] for i in evenly(tokens_of(sequences), options.proteins)]
    rows = []
    for name in options.backbones:
        exact = vectors(name, chosen, "fp32", options)
        for precision in ("bf16", "int8"):
            found = vectors(name, chosen, precision, options)
            rows.append([name, precision, *compared(exact, found)])
            print(" · ".join(rows[-1]), flush=True)
    conclude(options, rows, columns=COLUMNS)


def vectors(name: str, sequences: list[str], precision: str, options) -> list[Tensor]:
    """Return the mean vector of each sequence, and the vectors of all residues."""
    torch.manual_seed(0)
    hardware = hardware_for(options, precision)
    found = []
    for per_residue in (False, True):
        backbone = load_backbone(name)
        encoder = backbone_encoder(backbone, hardware, max_length=CROP, per_residue=per_residue)
        found.append(encoder.embed(sequences, exact=True).rows)
    return found


def compared(exact: list[Tensor], found: list[Tensor]) -> list[str]:
    """Return the cells of a row after the names."""
    means, residues = (
        functional.cosine_similarity(one, other) for one, other in zip(exact, found, strict=True)
    )
    centre = exact[0].mean(dim=0)
    centred = functional.cosine_similarity(exact[0] - centre, found[0] - centre)
    numbers = (means.min(), means.mean(), centred.min(), residues.min(), residues.quantile(0.01))
    return [f"{float(number):.5f}" for number in numbers]


if __name__ == "__main__":
    main()
