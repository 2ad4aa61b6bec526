import argparse
import dataclasses
from pathlib import Path

import pytest

from peftide.cli.arguments import add_options, given_values, parse_config
from peftide.config import (
    DemoConfig,
    EmbedConfig,
    EvaluateConfig,
    PredictConfig,
    PretrainConfig,
    TrainConfig,
)
from peftide.errors import InputError

CONFIGS = [TrainConfig, PredictConfig, EvaluateConfig, EmbedConfig, DemoConfig]


def parser_of(config_class: type) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="peftide")
    add_options(parser, config_class)
    return parser


def parse(config_class: type, words: str) -> object:
    return parse_config(config_class, parser_of(config_class).parse_args(words.split()))


@pytest.mark.parametrize("config_class", CONFIGS)
def test_help_names_every_field_with_its_documentation(config_class: type) -> None:
    text = " ".join(parser_of(config_class).format_help().split())
    for field in dataclasses.fields(config_class):
        assert field.name.upper() in text or f"--{field.name.replace('_', '-')}" in text
        assert field.metadata["doc"].split()[0] in text


def test_defaults_are_shown_once_in_help() -> None:
    text = " ".join(parser_of(TrainConfig).format_help().split())
    assert "rank of LoRA and its kin (adalora: what is left on average) (default: 8)" in text
    assert "key,value" in text
    assert "(required)" in text


def test_flags_become_a_config() -> None:
    words = "--task ppi --out run --epochs 3 --lora-targets query,value --max-length none"
    config = parse(TrainConfig, f"{words} --overwrite --test a.tsv --test x=b.tsv")
    assert config == TrainConfig(
        task="ppi",
        out=Path("run"),
        epochs=3,
        lora_targets=("query", "value"),
        max_length=None,
        overwrite=True,
        test=("a.tsv", "x=b.tsv"),
    )


def test_a_place_before_the_options_is_the_run() -> None:
    assert parse(PredictConfig, "run --input a.tsv") == PredictConfig(
        run=Path("run"), input=Path("a.tsv")
    )


def test_flags_win_over_yaml_and_yaml_over_defaults(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("task: symmetry\nepochs: 9\nlora-r: 4\noverwrite: true\nout: a\n")
    config = parse(TrainConfig, f"--config {path} --epochs 2 --no-overwrite --out b")
    assert config == TrainConfig(task="symmetry", epochs=2, lora_r=4, out=Path("b"))


def test_what_was_not_given_is_not_there() -> None:
    arguments = parser_of(TrainConfig).parse_args(["--epochs", "2"])
    assert given_values(arguments) == {"epochs": "2"}


def test_missing_options_are_named() -> None:
    with pytest.raises(InputError, match=r"(?s)--sequences is missing.*--out is missing"):
        parse(PretrainConfig, "--steps 2")
