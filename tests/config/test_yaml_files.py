"""A YAML file gives the text that it holds; anything else is one short message."""

from pathlib import Path

import pytest

from peftide.config import EmbedConfig, TrainConfig, from_mapping, read_yaml, to_yaml
from peftide.errors import InputError


def test_yaml_keys_may_be_written_like_flags(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("max-length: none\nout: e.h5\nthreads: 3\n")
    config = from_mapping(EmbedConfig, read_yaml(tmp_path / "c.yaml"))
    assert (config.max_length, config.threads) == (None, 3)


def test_a_number_that_yaml_reads_as_text_is_a_number(tmp_path: Path) -> None:
    """YAML 1.1 takes 1e-3, without a point, for text."""
    (tmp_path / "c.yaml").write_text("learning_rate: 1e-3\ntask: ppi\nout: run\n")
    values = read_yaml(tmp_path / "c.yaml")
    assert values["learning_rate"] == "1e-3"
    assert from_mapping(TrainConfig, values).learning_rate == 1e-3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"task: [ppi", "not valid YAML"),
        (b"- task", "a mapping"),
        (b"", "a mapping"),
        (b"\xff\xfe\x00", "c.yaml: byte 0 of the file is 0xff; expected text in UTF-8"),
    ],
)
def test_a_config_file_that_is_none_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_yaml(tmp_path / "c.yaml")


def test_a_config_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml"):
        read_yaml(tmp_path / "absent.yaml")


def test_yaml_runs_no_code(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("task: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(InputError, match="not valid YAML"):
        read_yaml(tmp_path / "c.yaml")


@pytest.mark.parametrize(
    "text",
    ["2024_06_30", "2024-02-30", "2024-06-30", "010", "1.50", "1e3", "0x1F", "12:30", ".inf"],
)
def test_a_path_keeps_its_spelling(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(f"out: {text}\n")
    config = from_mapping(EmbedConfig, read_yaml(tmp_path / "c.yaml"))
    assert str(config.out) == text


def test_a_number_with_a_leading_zero_is_decimal(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("out: run\nseed: 010\n")
    assert from_mapping(TrainConfig, read_yaml(tmp_path / "c.yaml")).seed == 10


def test_options_that_were_written_are_read_back(tmp_path: Path) -> None:
    config = TrainConfig(
        out=Path("2024_06_30"), test=("a=010", "b"), learning_rate=1e-5, max_length=None
    )
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    assert from_mapping(TrainConfig, read_yaml(tmp_path / "c.yaml")) == config


BOMB = "seed:\n- &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"- &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
DAMAGED = {
    "bomb": (BOMB, "c.yaml:3: .*alias"),
    "deep": ("[" * 5000, "nested"),
    "deep in a key": ("out: " + "[" * 30 + "]" * 30, "c.yaml:1: .*more than 20 nested"),
    "empty int": ('threads: !!int ""', "c.yaml:1: .*tag '!!int'"),
    "date": ("out: !!timestamp 2024-02-30", "tag '!!timestamp'"),
    "set": ("out: !!set {a, b}", "tag '!!set'"),
    "bool": ('resume: !!bool "perhaps"', "not valid YAML"),
    "null byte": ('out: "a\\0b"', "c.yaml:1: .*no text"),
    "surrogate": ('out: "a\\ud800b"', "no text"),
    "raw null byte": ("out: a\0b", "not valid YAML: .*#x0000"),
    "twice": ("out: a\nseed: 1\nout: b\n", "'out' occurs twice"),
    "two spellings": ("max-length: 1\nmax_length: 2\n", "with `-` and with `_`"),
    "list as key": ("[a, b]: 1", "not valid YAML"),
    "two documents": ("out: a\n---\nout: b\n", "not valid YAML"),
    "huge": ("# " + "x" * 1_000_001, "1,000,003 characters"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_one_short_message(tmp_path: Path, kind: str) -> None:
    content, message = DAMAGED[kind]
    (tmp_path / "c.yaml").write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_yaml(tmp_path / "c.yaml")
    assert len(str(caught.value)) < 1000


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--config: cannot read"):
        read_yaml(tmp_path)
