"""The defaults are the paper's advice."""

from peftide.adapters import AdapterOptions
from peftide.config import TrainConfig


def test_defaults_are_those_of_the_paper():
    # Sledzieski et al. 2024, doi 10.1073/pnas.2405840121: key and value, rank 4 or more
    options = AdapterOptions()
    assert options.lora_r == 8
    assert options.targets == ("key", "value")
    assert options.layers == "last_quarter"


def test_defaults_are_those_of_the_command_line():
    fields = TrainConfig.__dataclass_fields__
    options = AdapterOptions()
    of_options = {"r": options.lora_r, "alpha": options.lora_alpha, "layers": options.layers}
    of_options |= {"dropout": options.lora_dropout, "targets": options.targets}
    assert of_options == {name: fields[f"lora_{name}"].default for name in of_options}
