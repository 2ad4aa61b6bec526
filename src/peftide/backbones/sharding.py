"""A frozen backbone in pieces: each process holds a piece of every layer (FSDP2 of PyTorch).

::

    layer k:   gather the pieces of all processes ──> run ──> keep only the own piece

Every process must run each layer as often as all others do. In the steps of a training they run
side by side. When the first process encodes alone, the others follow it with the same batch.
"""

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from peftide.backbones.backbone import Backbone
from peftide.backbones.transformer import TransformerBackbone, unwrapped
from peftide.errors import InputError
from peftide.hardware import Hardware
from peftide.packing import PackedBatch
from peftide.quantities import byte_size

logger = logging.getLogger(__name__)

Encode = Callable[[Any, PackedBatch, int | None], Tensor]


def shard_layers(backbone: Backbone, hardware: Hardware) -> None:
    """Keep only this process's piece of the frozen parameters of each layer.

    What trains stays whole in every process, and so do the parameters outside the layers.

    Raises
    ------
    InputError
        If the backbone has no layers.
    """
    if not isinstance(backbone, TransformerBackbone):
        raise InputError(
            f"the backbone {backbone.origin.name} has no layers that processes can share",
            where="--shard-backbone",
            fix="Leave it out",
        )
    processes, device = hardware.processes, hardware.device
    # FSDP warns of outputs that are views; `_own_output` makes none
    warnings.filterwarnings("ignore", "FSDP2-wrapped module", UserWarning)
    mesh = init_device_mesh(device.type, (processes.count,))
    size = 0
    for layer in unwrapped(backbone.model).get_submodule(backbone.layer_prefix):
        trained = {parameter for parameter in layer.parameters() if parameter.requires_grad}
        size += sum(p.nbytes for p in layer.parameters() if not p.requires_grad)
        layer.register_forward_hook(_own_output)
        fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=trained)
    logger.info(
        "frozen layers: each of %d processes holds %s of %s",
        processes.count,
        byte_size(size / processes.count),
        byte_size(size),
    )
    encode = backbone.architecture.encode

    def lead(model: Any, batch: PackedBatch, layers: int | None) -> Tensor:
        if not processes.is_first or processes.lockstep.side_by_side:
            return encode(model, batch, layers)
        processes.lead((batch.to(torch.device("cpu")), layers))
        # gathered layers that were made in inference mode could not be used in a step
        with torch.inference_mode(mode=False), torch.no_grad():
            return encode(model, batch, layers)

    def follow(request: tuple[PackedBatch, int | None]) -> None:
        batch, layers = request
        with torch.no_grad(), hardware.autocast():
            encode(unwrapped(backbone.model), batch.to(device), layers)

    backbone.architecture = replace(backbone.architecture, encode=lead)
    processes.lockstep.active, processes.lockstep.follow = True, follow


def _own_output(_layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
    """Return a copy, because FSDP needs a tensor that no later layer changes in place."""
    return output.clone()
