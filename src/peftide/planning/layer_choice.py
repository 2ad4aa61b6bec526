"""`--layer auto` in a plan: the time to choose the layer, measured on made-up vectors."""

from dataclasses import replace
from functools import partial

import numpy as np

from peftide.encoding import ModelEncoder
from peftide.planning.sampling import random_rows
from peftide.run_folder import RunFolder
from peftide.training.layers import Layers, answers_of, judged, sampled
from peftide.training.setting import Setting
from peftide.training.usage import Seconds, clocked

NOTE = "--layer auto: the method is planned on the whole backbone; a lower layer costs less"


def choice_seconds(setting: Setting, folder: RunFolder, *, layers: int) -> Seconds:
    """Return the time of the heads and of their comparison, without the embedding.

    One epoch of one head is measured. All heads are counted with all epochs; some stop early.

    Parameters
    ----------
    setting
        The setting of the training, before anything is encoded.
    layers
        Number of layers of the real backbone.
    """
    config, device = setting.config, setting.hardware.device
    head = replace(config, method="head", learning_rate=None, seeds=1, epochs=1)
    problem = sampled(setting.problem, config.seed)
    encoder = ModelEncoder(setting.model, setting.hardware, max_length=config.max_length)
    made_up = random_rows(encoder, problem.dataset.proteins.sequences)
    rows = made_up.rows[:, None]
    both = Layers(head, problem, encoder, rows, np.asarray(made_up.offsets))
    answers, epoch = clocked(partial(answers_of, both, 0, folder), device)
    _, comparing = clocked(
        lambda: judged(problem, {0: answers, 1: answers}, seed=config.seed, threads=config.threads),
        device,
    )
    return epoch * (config.epochs * layers) + comparing * (layers / 2)
