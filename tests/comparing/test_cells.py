from pathlib import Path
from typing import Any

import pytest

from peftide.comparing.cells import (
    Cell,
    Contender,
    cells,
    check_lists,
    contenders,
    training_of,
    with_preset,
)
from peftide.config import CompareConfig
from peftide.errors import InputError
from peftide.tasks import TASKS


def config(**changes: Any) -> CompareConfig:
    return CompareConfig(task="ppi", out=Path("out"), **changes)


def test_every_contender_has_a_score_before_the_second_seed() -> None:
    found = list(cells(config(methods=("head", "lora"), seeds=2, seed=5)))
    assert [(one.contender.method, one.seed) for one in found] == [
        *(("head", 5), ("lora", 5), ("head", 6), ("lora", 6)),
    ]


def test_backbones_multiply_methods() -> None:
    found = contenders(config(methods=("head", "lora"), backbones=("mini", "unirep")))
    assert len({one.name for one in found}) == 4


def test_layers_multiply_too() -> None:
    found = contenders(config(methods=("head",), layers=(2, "last")))
    assert [one.name for one in found] == ["head_mini_layer-2", "head_mini"]
    assert training_of(config(), found[0], TASKS["ppi"]).layer == 2


def test_names_of_folders_are_distinct_and_plain() -> None:
    long = ["/a/b/" + "x" * 100, "/c/b/" + "x" * 100, "random:esm2_t6_8M", "mini"]
    names = [Cell(Contender("lora", one), 0).path(Path()).name for one in long]
    assert len(set(names)) == len(long)
    assert all(len(name) < 80 and "/" not in name and ":" not in name for name in names)


def test_a_training_gets_the_options_that_its_method_reads() -> None:
    options = config(methods=("head", "lora"), lora_r=4, blocks=3, head_width=8)
    head = training_of(options, Contender("head", "mini"), TASKS["ppi"])
    lora = training_of(options, Contender("lora", "mini"), TASKS["ppi"])
    assert (head.lora_r, head.blocks, head.head_width) == (8, None, 8)
    assert (lora.lora_r, lora.blocks, lora.head_width) == (4, 3, 8)


@pytest.mark.parametrize(
    ("given", "epochs"), [({}, 2), ({"epochs": 5}, 5)], ids=["preset", "the user's"]
)
def test_given_options_win_over_a_preset(given: dict[str, Any], epochs: int) -> None:
    found = with_preset(config(preset="quick", **given))
    assert (found.epochs, found.max_length) == (epochs, 256)


def test_the_default_of_an_option_wins_if_it_was_given() -> None:
    found = with_preset(config(preset="quick"), given=frozenset({"epochs"}))
    assert found.epochs == CompareConfig.epochs


def test_an_unknown_method_is_named_with_the_option_of_lists() -> None:
    with pytest.raises(InputError, match="--methods: .*loar"):
        check_lists(config(methods=("head", "loar")))


def test_one_backbone_or_several() -> None:
    with pytest.raises(InputError, match="--backbones"):
        check_lists(config(backbones=("mini",)), given=frozenset({"backbone"}))
