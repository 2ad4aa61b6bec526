from dataclasses import replace
from pathlib import Path

import pytest

from peftide.config import AuditConfig, SplitConfig, TrainConfig
from peftide.config.unread import (
    NOTHING,
    Choice,
    changed_options,
    choice_of,
    output_choices,
    reading_choices,
    unread_options,
    unread_problems,
)

CONFIG = TrainConfig(out=Path("run"), head="linear", head_width=8)
LINEAR = Choice("--head linear", frozenset({"head_width", "head_dropout"}))


def test_changed_options_count_as_given() -> None:
    assert changed_options(CONFIG) == {"out", "head", "head_width"}
    assert unread_options(CONFIG, [LINEAR]) == {"head_width": "--head linear"}


def test_options_that_were_named_count_at_their_default_too() -> None:
    found = unread_options(CONFIG, [LINEAR], given=frozenset({"head_dropout", "seed"}))
    assert list(found) == ["head_dropout", "head_width"]


def test_of_a_resumed_run_only_named_options_count() -> None:
    resumed = replace(CONFIG, resume=True)
    assert unread_options(resumed, [LINEAR]) == {}
    assert list(unread_options(resumed, [LINEAR], given=frozenset({"head_width"}))) == [
        "head_width"
    ]


def test_the_first_choice_that_leaves_an_option_unread_is_named() -> None:
    found = unread_options(CONFIG, [LINEAR, Choice("another", LINEAR.unread)])
    assert found == {"head_width": "--head linear"}


def test_every_problem_names_flag_and_choice() -> None:
    config = SplitConfig(input=(Path("a.tsv"),), out=Path("parts"), identity=0.5, coverage=0.9)
    choice = Choice("--similarity none", frozenset({"identity", "coverage"}))
    assert unread_problems(config, [choice]) == [
        "--coverage: --similarity none does not read it; leave it out",
        "--identity: --similarity none does not read it; leave it out",
    ]


@pytest.mark.parametrize(
    ("value", "unread"), [("a", {"y"}), ("b", {"x"}), ("c", {"x", "y"}), ("other", {"x", "y"})]
)
def test_a_table_says_what_only_some_values_read(value: str, unread: set[str]) -> None:
    reads = {"a": frozenset({"x"}), "b": frozenset({"y"}), "c": NOTHING}
    assert choice_of("it", reads, value).unread == unread


def test_missing_sequences_need_a_file_that_lacks_them() -> None:
    dropped = replace(CONFIG, missing="drop")
    assert list(unread_options(dropped, reading_choices(dropped))) == ["missing"]
    with_file = replace(dropped, sequences=Path("s.fasta"))
    assert unread_options(with_file, reading_choices(with_file)) == {}


def test_nothing_is_replaced_without_an_output() -> None:
    config = AuditConfig(data=Path("t.tsv"), overwrite=True)
    (problem,) = unread_problems(config, output_choices(config, what="an audit"))
    assert problem == "--overwrite: an audit without --out does not read it; leave it out"
    assert not list(output_choices(replace(config, out=Path("a.json")), what="an audit"))
