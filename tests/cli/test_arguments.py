import argparse
import dataclasses
import re
from pathlib import Path

import pytest

from peftide.cli.arguments import SHORT, add_options, parse_config
from peftide.cli.main import parse_words
from peftide.config import (
    AuditConfig,
    DemoConfig,
    EmbedConfig,
    EvaluateConfig,
    PredictConfig,
    PretrainConfig,
    ReportConfig,
    SplitConfig,
    TrainConfig,
    to_yaml,
)
from peftide.config.options import Options, grouped_fields
from peftide.config.reading import flag
from peftide.errors import InputError

CONFIGS = [TrainConfig, PredictConfig, EvaluateConfig, EmbedConfig, DemoConfig]
LONG = [
    TrainConfig,
    EmbedConfig,
    PredictConfig,
    EvaluateConfig,
    AuditConfig,
    SplitConfig,
    PretrainConfig,
]
SMALL = [DemoConfig, ReportConfig]


def parser_of(config_class: type[Options], *, everything: bool = False) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="peftide train", add_help=False)
    add_options(parser, config_class, everything=everything)
    return parser


def help_of(config_class: type[Options], *, everything: bool = False) -> str:
    return " ".join(parser_of(config_class, everything=everything).format_help().split())


def parse_both(config_class: type[Options], words: str) -> tuple[object, frozenset[str]]:
    return parse_config(config_class, parser_of(config_class).parse_args(words.split()))


def parse(config_class: type[Options], words: str) -> object:
    return parse_both(config_class, words)[0]


@pytest.mark.parametrize("config_class", CONFIGS)
def test_the_whole_help_names_every_field_with_its_documentation(
    config_class: type[Options],
) -> None:
    text = help_of(config_class, everything=True)
    for field in dataclasses.fields(config_class):
        assert field.name.upper() in text or f"--{field.name.replace('_', '-')}" in text
        assert field.metadata["doc"].split()[0] in text


@pytest.mark.parametrize("config_class", LONG)
def test_the_help_of_a_command_with_many_options_shows_the_main_ones(
    config_class: type[Options],
) -> None:
    fields = dataclasses.fields(config_class)
    text = help_of(config_class)
    shown = {
        f.name for f in fields if re.search(rf"{flag(f.name)}[ ,]", text.split("examples:")[0])
    }
    main = {f.name for f in fields if f.metadata["main"] and not f.metadata.get("positional")}
    assert main <= shown
    assert len(shown) <= 18
    assert len(fields) > SHORT
    assert f"--help-all` shows all {len(fields)} options." in text


@pytest.mark.parametrize("config_class", SMALL)
def test_the_help_of_a_command_with_few_options_shows_all(config_class: type[Options]) -> None:
    assert help_of(config_class) == help_of(config_class, everything=True)
    assert "--help-all" not in help_of(config_class)


def test_a_required_option_is_a_main_one() -> None:
    for config_class in LONG:
        for field in dataclasses.fields(config_class):
            assert field.default is not dataclasses.MISSING or field.metadata["main"]


def test_options_stand_in_groups_under_headings() -> None:
    lines = parser_of(TrainConfig, everything=True).format_help().splitlines()
    headings = [line[:-1] for line in lines if line.endswith(":") and line[0] != " "]
    assert headings == ["options", "data", "table", "model", "method", "optimizer"] + [
        "evaluation",
        "engine",
        "this process",
    ]
    places = {field.name: heading for heading, field in grouped_fields(TrainConfig)}
    assert (places["lora_r"], places["label_column"]) == ("method", "table")
    assert (places["out"], places["epochs"]) == ("options", "optimizer")
    assert len(places) == len(dataclasses.fields(TrainConfig))


def test_defaults_are_shown_once_in_help() -> None:
    text = help_of(TrainConfig, everything=True)
    assert "(adalora: the average rank after pruning) (default: 8)" in text
    assert "UniRep: wmh and wh (default: auto)" in text
    assert "(required)" in text
    assert "(default: 0.8,0.1,0.1)" in help_of(SplitConfig, everything=True)


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


def test_flags_count_as_given_even_at_their_default() -> None:
    _, given = parse_both(TrainConfig, "--epochs 20 --out run")
    assert given == {"epochs", "out"}


def test_keys_of_a_file_count_as_given_where_they_change_something(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(to_yaml(TrainConfig(out=Path("run"), method="head", epochs=3)))
    config, given = parse_both(TrainConfig, f"--config {path} --epochs 20")
    assert given == {"out", "method", "epochs"}
    assert config == TrainConfig(out=Path("run"), method="head", epochs=20)


def test_of_a_resumed_run_only_the_words_of_now_count_as_given(tmp_path: Path) -> None:
    begun = TrainConfig(out=tmp_path, data=Path("a.tsv"), method="head", epochs=3)
    (tmp_path / "config.yaml").write_text(to_yaml(begun))
    (tmp_path / "run.json").write_text('{"command": "train", "status": "running"}')
    config, given = parse_both(TrainConfig, f"--resume --out {tmp_path}")
    assert config == dataclasses.replace(begun, resume=True)
    assert given == {"out", "resume"}


def test_missing_options_are_named() -> None:
    with pytest.raises(InputError, match=r"(?s)--sequences is missing.*--out is missing"):
        parse(PretrainConfig, "--steps 2")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_help_fits_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in (["--help"], ["train", "--help"], ["train", "--help-all"]):
        with pytest.raises(SystemExit):
            parse_words(words)
        lines = capsys.readouterr().out.splitlines()
        long = [line for line in lines if len(line) > columns]
        # examples and forms of options stay on one line
        assert not [line for line in long if not line.startswith(("  peftide ", "  --"))]
        assert words != ["train", "--help"] or columns < 80 or len(lines) <= 70
