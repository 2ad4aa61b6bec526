"""A sound file gives its content; every damage is one error with file and key."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from peftide.errors import InputError
from peftide.saved import (
    check_tensors,
    read_frame,
    read_json,
    read_object,
    read_text,
    tensor_errors,
)


@dataclass(frozen=True)
class Layer:
    width: int
    rate: float | None = None


@dataclass(frozen=True)
class Form:
    name: str
    layers: tuple[Layer, ...] = ()
    seen: frozenset[str] = frozenset()
    rest: dict[str, Any] = field(default_factory=dict)


SOUND = {"name": "a", "layers": [{"width": 1, "rate": 2}], "seen": ["x"], "rest": {"y": None}}


def test_a_sound_file_takes_its_form(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(json.dumps(SOUND))
    form = read_json(tmp_path / "f.json", Form)
    assert form == Form("a", (Layer(1, 2.0),), frozenset({"x"}), {"y": None})
    assert read_object(tmp_path / "f.json", Form) == SOUND


DAMAGED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n", "the file is empty"),
    "cut": (json.dumps(SOUND).encode()[:-5], "not valid JSON"),
    "no UTF-8": (b'{"name": "\xff"}', "byte 10 of the file is 0xff; expected text in UTF-8"),
    "a list": (b"[1]", "an object"),
    "a number": (b"7", "an object"),
    "no key": (b"{}", "name is missing"),
    "other type": (b'{"name": 3}', "name: received 3, expected text"),
    "inside": (b'{"name": "a", "layers": [{"width": "1"}]}', "layers.0.width: received '1', exp"),
    "list for object": (
        b'{"name": "a", "layers": [[]]}',
        r"layers.0: received \[\], expected an obj",
    ),
    "object for list": (b'{"name": "a", "layers": {}}', "layers: received {}, expected a list"),
    "fraction": (
        b'{"name": "a", "layers": [{"width": 1.5}]}',
        "width: received 1.5, expected a who",
    ),
    "true": (b'{"name": "a", "layers": [{"width": true}]}', "width: received True, expected a who"),
    "NaN": (b'{"name": "a", "layers": [{"width": 1, "rate": NaN}]}', "NaN is no number"),
    "infinite": (b'{"name": "a", "rest": {"x": -Infinity}}', "-Infinity is no number"),
    "too large": (b'{"name": "a", "rest": {"x": 1e999}}', "'1e999' is too large"),
    "digits": (b'{"name": "a", "rest": {"x": ' + b"9" * 5000 + b"}}", "not valid JSON"),
    "deep": (b'{"name": "a", "rest": ' + b'{"x":' * 100_000, "nested brackets"),
    "quite deep": (b'{"rest": ' + b'{"x":' * 400 + b"1" + b"}" * 401, "nested|recursion"),
    "twice": (b'{"name": "a", "name": "b"}', "the key 'name' occurs twice"),
    "unknown": (b'{"name": "a", "nmae": "b"}', "nmae is no known key"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_named(tmp_path: Path, kind: str) -> None:
    content, message = DAMAGED[kind]
    path = tmp_path / "f.json"
    path.write_bytes(content)
    for read in (read_json, read_object):
        with pytest.raises(InputError, match=f"f.json: .*{message}.*Restore it") as caught:
            read(path, Form, fix="Restore it")
        assert len(str(caught.value)) < 1000


def test_at_most_five_keys_are_named(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(json.dumps({"name": "a", "layers": list(range(1000))}))
    with pytest.raises(InputError, match="and 995 more"):
        read_json(tmp_path / "f.json", Form)


def test_infinities_are_read_where_they_may_stand(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"width": 1, "rate": -Infinity}')
    assert read_json(tmp_path / "f.json", Layer, finite=False) == Layer(1, float("-inf"))


def test_a_place_that_is_no_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=f"cannot read {path}"):
            read_text(path)


def test_a_disk_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    def broken(_: Path) -> bytes:
        raise OSError(5, os.strerror(5))

    (tmp_path / "f.json").write_text("{}")
    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(InputError, match=r"f\.json: Input/output error"):
        read_text(tmp_path / "f.json")


@pytest.mark.parametrize("size", [0, 4, 8, 40, -1])
def test_a_tensor_file_that_was_cut_is_named(tmp_path: Path, size: int) -> None:
    path = tmp_path / "t.safetensors"
    save_file({"a": np.zeros(3)}, path)
    path.write_bytes(path.read_bytes()[:size])
    message = r"t\.safetensors: .*damaged or incomplete"
    with pytest.raises(InputError, match=message), tensor_errors(path):
        load_file(path)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({}, "a is missing"),
        ({"a": np.zeros(2)}, r"a: received float64 \(2,\), expected float64 \(3,\)"),
        ({"a": np.zeros(3, dtype=np.float32)}, "a: received float32"),
        ({"a": np.zeros(3), "b": np.zeros(1)}, "'b' is no known tensor"),
    ],
)
def test_tensors_that_do_not_fit_are_named(found: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_tensors(found, {"a": np.zeros(3)}, path=Path("t.safetensors"))
    check_tensors({"a": np.zeros(3)}, {"a": np.ones(3)}, path=Path("t.safetensors"))


@pytest.mark.parametrize("content", [b"a\tb\n1\t\xc3(\n", b"", b'a\tb\n"1\t2\n'])
def test_a_damaged_table_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"t\.tsv"):
        read_frame(path)


def test_a_table_is_read_with_its_types(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tb\nx\t1\n")
    assert read_frame(tmp_path / "t.tsv").to_dict("list") == {"a": ["x"], "b": [1]}


def test_a_table_without_a_column_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tbb\nx\t1\n")
    with pytest.raises(InputError, match=r"t\.tsv: no column b, c"):
        read_frame(tmp_path / "t.tsv", columns=("a", "b", "c"))
