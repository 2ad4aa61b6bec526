"""What trains is in training mode; everything frozen stays in evaluation mode."""

from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer


def set_training_mode(model: nn.Module) -> None:
    """Turn on dropout where weights train, and nowhere else."""
    model.eval()
    for module in model.modules():
        parameters = list(module.parameters())
        if isinstance(module, BaseTunerLayer):
            module.train()
            module.get_base_layer().eval()
        elif parameters and all(parameter.requires_grad for parameter in parameters):
            module.train()
        elif isinstance(module, GradientCheckpointingLayer):
            # its own flag only: it decides about recomputation, not about dropout
            module.training = True
