"""A training about to begin → all that a plan must know of it, measured in a short time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from peftide.bundle import build_model
from peftide.commands.train import build_fitting, save
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder
from peftide.evaluation.scores import Scored
from peftide.evaluation.tables import write_history
from peftide.hardware import Hardware
from peftide.model import count_parameters
from peftide.planning.cost import Cost, Seconds
from peftide.planning.passes import PassMeter
from peftide.planning.scoring import scoring_cost
from peftide.planning.stand_in import StandIn
from peftide.planning.steps import StepMeter, blank_embeddings, validation_seconds
from peftide.planning.usage import Used, held_bytes, weighed
from peftide.planning.work import (
    EpochWork,
    OnceWork,
    Storage,
    epoch_work,
    once_work,
    storage_of,
)
from peftide.run_folder import RunFolder
from peftide.training import Fitting
from peftide.training.setting import (
    Problem,
    Setting,
    find_adapter,
    recipe_of,
    trains_below_head,
    with_token_budget,
)
from peftide.types import IntArray

FREE = Cost(np.zeros(4), 1.0)
PIECES = 4
EXAMPLE_HISTORY = [{"epoch": 1, "step": 1, "seconds": 1.0, "train_loss": 1.0}]


@dataclass(frozen=True)
class Costs:
    """Seconds of passes and steps, and of what is done as often as it is measured.

    Attributes
    ----------
    below, forward, graph
        Per `Load`: layers below the cut; those above it; those forward and backward.
    step
        Per optimizer step and row of the head.
    validation, resume_point
        After each epoch, beside encoding.
    scoring, saving
        After training, beside encoding.
    """

    below: Cost
    forward: Cost
    graph: Cost
    step: Cost
    validation: Seconds
    resume_point: Seconds
    scoring: Seconds
    saving: Seconds


@dataclass(frozen=True)
class Sizes:
    """Bytes in memory.

    Attributes
    ----------
    held
        Libraries, data and model.
    trained
        What trains; the optimizer holds two more of it, and the best weights are one more.
    graph
        The largest piece with its graph and gradients.
    forward
        A packed batch without graph.
    resume_point, scoring, saving
        While these are made.
    """

    held: float
    trained: float
    graph: float
    forward: float
    resume_point: float
    scoring: float
    saving: float


@dataclass(frozen=True)
class Measurement:
    """All that a forecast is made of.

    Attributes
    ----------
    hardware
        With the token budget that the training would choose.
    parameters
        `trained` and `total`.
    weight_bytes
        Of the backbone.
    width
        D.
    piece_tokens, graph_layers
        Tokens of the largest piece, and layers whose activations it keeps.
    """

    hardware: Hardware
    parameters: dict[str, int]
    weight_bytes: float
    storage: Storage
    epoch: EpochWork
    once: OnceWork
    costs: Costs
    sizes: Sizes
    width: int
    piece_tokens: int
    graph_layers: int


def measure_training(
    config: TrainConfig,
    problem: Problem,
    stand_in: StandIn,
    *,
    hardware: Hardware,
    folder: RunFolder,
) -> Measurement:
    """Measure what a training will need.

    Parameters
    ----------
    folder
        A run folder that this may fill, and that is of no further use.
    """
    setting = blank_setting(config, problem, stand_in, hardware=hardware)
    held, parameters = held_bytes(hardware.device), _parameters(setting, stand_in)
    measured_parameters = count_parameters(setting.model)["trained"]
    cut, whole_cut = (0, 0) if setting.embeddings is not None else stand_in.cuts()
    times = stand_in.times(cut, whole_cut)
    store = config.embedding_cache or RunFolder(config.out).checkpoints
    storage = storage_of(setting, cut=cut, store=store.absolute())
    fitting = build_fitting(setting, find_adapter(config.method), folder)
    epoch, once = epoch_work(fitting), once_work(setting, storage)
    meter = PassMeter(setting.encoder, problem.dataset.proteins.sequences, cut=cut)
    piece = epoch.largest_piece(meter.tokens) if epoch.pieces else None
    graph_bytes = 0.0 if piece is None else meter.graph_bytes(piece)
    forward_bytes = meter.forward_bytes(once.batches)
    kept_bytes = meter.kept_bytes(once.batches, epoch.pieces)
    below = meter.below_cost(once.batches) * times.below if cut else FREE
    forward = meter.forward_cost(once.batches) * times.above
    graph = meter.graph_cost(_some(epoch.pieces)) * times.above if epoch.pieces else FREE
    # last, for it ends with a model that is saved and trains no more
    costs, sizes = _beside_passes(setting, fitting, epoch, folder=folder)
    more = parameters["trained"] / measured_parameters
    return Measurement(
        hardware=setting.hardware,
        parameters=parameters,
        weight_bytes=_bytes(stand_in.whole.parameters()),
        storage=storage,
        epoch=epoch,
        once=once,
        costs=replace(
            costs,
            below=below,
            forward=forward,
            graph=graph,
            step=costs.step * more,
            resume_point=costs.resume_point * more,
            saving=costs.saving * more,
        ),
        sizes=replace(
            sizes,
            held=held
            + kept_bytes
            + _bytes(stand_in.whole.parameters())
            - _bytes(stand_in.backbone.parameters()),
            trained=4.0 * parameters["trained"],
            graph=graph_bytes * times.above,
            forward=forward_bytes,
            resume_point=sizes.resume_point * more,
            saving=sizes.saving * more,
        ),
        width=stand_in.whole.width,
        piece_tokens=0 if piece is None else int(meter.tokens[piece].sum()),
        graph_layers=stand_in.whole.layers - whole_cut,
    )


def blank_setting(
    config: TrainConfig, problem: Problem, stand_in: StandIn, *, hardware: Hardware
) -> Setting:
    """Return the setting of a training before anything is encoded."""
    model = build_model(recipe_of(config), problem.labels, stand_in.backbone).to(hardware.device)
    encoder = ModelEncoder(model, hardware, max_length=config.max_length)
    if config.max_tokens == "auto":
        each = stand_in.times(*stand_in.cuts()).above
        hardware = with_token_budget(config, problem, encoder, layers_each=each)
        encoder.hardware = hardware
    embeddings = None
    if not trains_below_head(model):
        embeddings = blank_embeddings(encoder, problem.dataset.proteins.sequences)
    return Setting(config, problem, encoder, hardware, embeddings)


def _some(pieces: list[IntArray]) -> list[IntArray]:
    return [pieces[k] for k in np.linspace(0, len(pieces) - 1, PIECES).astype(int)]


def _beside_passes(
    setting: Setting, fitting: Fitting, epoch: EpochWork, *, folder: RunFolder
) -> tuple[Costs, Sizes]:
    """Return the costs and sizes of everything but passes through the backbone."""
    steps = StepMeter(setting, fitting, steps=max(100, epoch.steps * setting.config.epochs))
    step = steps.cost(epoch.batches)
    point = steps.resume_point(folder.checkpoints)
    validation = validation_seconds(setting)
    write_history(EXAMPLE_HISTORY, folder.history)
    scoring = scoring_cost(setting, folder)
    saving = _saving(setting, folder, scoring.scored)
    costs = Costs(
        *(FREE, FREE, FREE, step, validation, point.seconds, scoring.seconds, saving.seconds)
    )
    sizes = Sizes(*(0, 0, 0, 0, point.grown_bytes, scoring.grown_bytes, saving.grown_bytes))
    return costs, sizes


def _saving(setting: Setting, folder: RunFolder, scored: Scored) -> Used[None]:
    find_adapter(setting.config.method).finish(setting.model.backbone)
    return weighed(lambda: save(setting, folder, scored), torch.device("cpu"))


def _bytes(tensors: Iterable[Tensor]) -> float:
    return float(sum(tensor.numel() * tensor.element_size() for tensor in tensors))


def _parameters(setting: Setting, stand_in: StandIn) -> dict[str, int]:
    """Return what trains and what there is, of the whole model."""
    model, measured, whole = (
        count_parameters(module) for module in (setting.model, stand_in.backbone, stand_in.whole)
    )
    return {kind: model[kind] - measured[kind] + whole[kind] for kind in model}
