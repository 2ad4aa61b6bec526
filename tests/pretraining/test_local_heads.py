import torch
from transformers import EsmConfig

from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.pretraining.local_heads import OFFSETS, look_locally

LAYERS, HEADS = 3, 5


def test_each_head_but_the_last_looks_at_its_neighbour() -> None:
    """As `transformers` itself computes the attention of the network."""
    torch.manual_seed(0)
    config = EsmConfig(
        vocab_size=33,
        hidden_size=320,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=64,
        position_embedding_type="rotary",
        initializer_range=0.1,
        pad_token_id=1,
        mask_token_id=32,
    )
    model = EsmMaskedLM(config)
    look_locally(model)
    network = model.model.eval()
    network.set_attn_implementation("eager")
    with torch.no_grad():
        found = network.esm(torch.randint(4, 24, (1, 60)), output_attentions=True).attentions
    number = 0
    for attention in found:
        for head in range(HEADS - 1):
            share = attention[0, head].diagonal(OFFSETS[number % len(OFFSETS)]).mean()
            assert share > 0.7, (number, share)
            number += 1
        assert attention[0, -1].diagonal(1).mean() < 0.3
