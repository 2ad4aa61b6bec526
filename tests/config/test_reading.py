from pathlib import Path
from typing import Any

import pytest

from peftide.config import PredictConfig, TrainConfig, from_mapping, typed_mapping
from peftide.config.reading import convert, field_types, flag, missing_options
from peftide.errors import InputError

NEEDED = {"task": "ppi", "out": "run"}


def test_an_unknown_key_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="unknown option lorra_r. Did you mean lora_r?"):
        from_mapping(TrainConfig, NEEDED | {"lorra_r": 4})


def test_all_mistakes_are_named_together() -> None:
    values = {"task": "ppi", "epochs": "many", "overwrite": "maybe", "lerning_rate": 1, "seed": 1.5}
    with pytest.raises(InputError) as caught:
        from_mapping(TrainConfig, values)
    text = str(caught.value)
    assert text.startswith("5 problems in the input")
    assert "--epochs: received 'many'; expected a whole number" in text
    assert "--overwrite: received 'maybe'; expected true or false" in text
    assert "--seed: received 1.5; expected a whole number" in text
    assert "Did you mean learning_rate?" in text
    assert "--out is missing: run folder to write" in text


def test_mistakes_stand_in_the_order_they_were_made() -> None:
    names = ["patience", "epochs", "seed", "batch_size", "lora_r"]
    with pytest.raises(InputError) as caught:
        from_mapping(TrainConfig, NEEDED | dict.fromkeys(names, "x"))
    found = [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]]
    assert found == [flag(name) for name in names]


def test_a_missing_place_is_named_as_it_is_typed() -> None:
    assert missing_options(PredictConfig, {}) == [
        "RUN is missing: run folder of `peftide train`",
        "--input is missing: table, or for single sequences a FASTA file",
    ]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("max_length", "none", None),
        ("max_length", "None", None),
        ("max_length", None, None),
        ("max_length", "512", 512),
        ("learning_rate", "1e-3", 1e-3),
        ("learning_rate", 1, 1.0),
        ("threads", "none", None),
        ("epochs", "3", 3),
        ("epochs", 3, 3),
        ("lora_targets", "key,value", ("key", "value")),
        ("lora_targets", ["query"], ("query",)),
        ("lora_layers", 3, "3"),
        ("lora_layers", "3,4,5", "3,4,5"),
        ("test", ["a.tsv", "b=b.tsv"], ("a.tsv", "b=b.tsv")),
        ("test", "a.tsv", ("a.tsv",)),
        ("train", "a.tsv", Path("a.tsv")),
        ("overwrite", True, True),
        ("validation_kind", "none-seen", "none_seen"),
        ("imbalance", "none", "none"),
        ("max_tokens", "auto", "auto"),
        ("max_tokens", "512", 512),
    ],
)
def test_values_take_the_kind_of_their_field(field: str, value: Any, expected: Any) -> None:
    converted = getattr(from_mapping(TrainConfig, NEEDED | {field: value}), field)
    assert converted == expected
    assert type(converted) is type(expected) or isinstance(expected, Path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("precision", "fp8", "auto, fp32, bf16"),
        ("precision", "fp23", "auto, fp32, bf16"),
        ("pooling", "meen", "mean, cls, attention, ends"),
        ("epochs", True, "a whole number"),
        ("epochs", "3.5", "a whole number"),
        ("epochs", "1_0", "a whole number"),
        ("learning_rate", "1_0.5", "a number"),
        ("max_tokens", "all", "a whole number or one of auto, measured"),
        ("max_tokens", None, "a whole number or one of auto, measured"),
        ("epochs", None, "a whole number"),
        ("epochs", [3], "a whole number"),
        ("weight_decay", "much", "a number"),
        ("overwrite", "yes", "true or false"),
        ("overwrite", 1, "true or false"),
        ("task", None, "text"),
        ("out", None, "a path"),
        ("test", 7, "a list"),
        ("lora_targets", {"key": 1}, "a list"),
    ],
)
def test_a_value_of_another_kind_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        from_mapping(TrainConfig, NEEDED | {field: value})
    assert flag(field) in str(caught.value)


def test_conversion_says_what_it_expects() -> None:
    with pytest.raises(ValueError, match="^a whole number$"):
        convert("x", field_types(TrainConfig)["threads"])


def test_a_path_holds_no_null_byte() -> None:
    with pytest.raises(InputError, match="--out: .*without null bytes"):
        from_mapping(TrainConfig, NEEDED | {"out": "a\0b"})


def test_a_message_about_a_long_value_is_short() -> None:
    with pytest.raises(InputError) as caught:
        from_mapping(TrainConfig, NEEDED | {"seed": ["x" * 100] * 1000, "y" * 10**6: 1})
    assert len(str(caught.value)) < 2000


def test_plain_values_of_a_file_take_their_type() -> None:
    values = {"epochs": "3", "test": ["a.tsv"], "out": "run", "of_another_version": "7"}
    assert typed_mapping(TrainConfig, values) == values | {"epochs": 3}
    with pytest.raises(InputError, match="--epochs"):
        typed_mapping(TrainConfig, {"epochs": "many"})
