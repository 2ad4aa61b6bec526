"""A loss that is not finite says whether weights, input or learning rate are the cause."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from peftide.errors import TrainingError
from peftide.training.divergence import damaged_weights
from peftide.training.loop import fit
from tests.training.conftest import Build, Fit

NORM = "encoder.layer.1.LayerNorm.weight"
VALUE = "encoder.layer.1.attention.self.value.weight"


@pytest.mark.parametrize("method", ["lora", "full"])
def test_damaged_weights_are_named(build: Build, fitting: Fit, method: str) -> None:
    setting, model, _ = build("regression", method)
    whole = fitting(setting)
    state = model.backbone.model.state_dict()
    name = next(name for name in state if "layer.1.attention.self.value" in name)
    with torch.no_grad():
        state[name].view(-1)[0] = math.nan
    with pytest.raises(TrainingError, match=r"the weights of the backbone .*layer\.1\.attention"):
        fit(model, whole)


def test_a_label_beyond_single_precision_is_named(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "head")
    whole = fitting(setting)
    targets = whole.part.targets
    values = np.full_like(targets.values, 1e25)
    part = replace(whole.part, targets=replace(targets, values=values))
    with pytest.raises(TrainingError, match=r"the input has the label 1e\+25"):
        fit(model, replace(whole, part=part))


def test_a_learning_rate_that_is_too_high_is_named(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "head", head_learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(TrainingError, match="diverged: lower --learning-rate"):
        fit(model, fitting(setting))
    assert damaged_weights(model, step=3) == []


def test_an_overflow_of_fp16_is_named(build: Build, fitting: Fit) -> None:
    """Normed states that fp32 holds, and fp16 does not."""
    for precision, words in (("fp16", "overflow in fp16, whose largest is 65,504"), ("fp32", "")):
        setting, model, _ = build("regression", "lora", precision=precision, epochs=1)
        whole = fitting(setting)
        with torch.no_grad():
            model.backbone.model.get_parameter(f"base_model.model.{NORM}").fill_(1e7)
        if words:
            with pytest.raises(TrainingError, match=f"{words}.* --precision fp32"):
                fit(model, whole)
        else:
            fit(model, whole)
