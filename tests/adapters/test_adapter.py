"""The defaults are the paper's advice."""

from peftide.adapters.adalora import RankSchedule
from peftide.adapters.adapter import Steering, as_it_is
from peftide.backbones.loading import load_backbone
from peftide.backbones.weights import weights_sha256
from peftide.config import MethodOptions
from tests.conftest import TINY


def test_defaults_are_those_of_the_paper():
    # Sledzieski et al. 2024, doi 10.1073/pnas.2405840121: key and value, rank 4 or more
    options = MethodOptions()
    assert options.lora_r == 8
    assert options.lora_targets == ("auto",)
    assert options.lora_layers == "last_quarter"


def test_most_methods_need_no_finish():
    backbone = load_backbone(TINY)
    before = weights_sha256(backbone.model)
    as_it_is(backbone)
    assert weights_sha256(backbone.model) == before


def test_the_one_method_that_steers_does_all_that_steering_asks():
    assert issubclass(RankSchedule, Steering)
