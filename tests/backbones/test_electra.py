"""ELECTRA-type encoders: ProtElectra's published shape."""

import torch
from transformers import ElectraForPreTraining

from peftide.backbones.electra import prot_electra_config


def test_protelectra_has_the_published_number_of_parameters():
    """420 million (Elnaggar et al. 2022, doi 10.1109/TPAMI.2021.3095381, table 2)."""
    with torch.device("meta"):
        model = ElectraForPreTraining(prot_electra_config())
    assert round(sum(p.numel() for p in model.parameters()) / 1e6) == 420
