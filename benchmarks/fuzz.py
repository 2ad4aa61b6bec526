"""Damaged and odd inputs for every reader: is each read right, or refused with one clear error?

    python -m benchmarks.fuzz [--inputs 20000] [--first 0] [--kinds yaml table …] [--processes 2]
    python -m benchmarks.fuzz --kinds yaml --first 17 --inputs 1 --trace

Input number n is always the same, whatever came before it. Each input runs in a forked process
with a limit on time and memory. Prints the outcomes of each kind, and each distinct fault with the
number of an input that shows it; exit code 1 if there is a fault. 20,000 inputs take under an hour
on 2 cores.
"""

import argparse
import contextlib
import gzip
import io
import json
import logging
import multiprocessing as mp
import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import numpy as np
import torch
import yaml
from benchmarks.cases import spare_the_time
from benchmarks.recording import add_record_option, write_record
from safetensors.numpy import load_file, save_file

from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.baselines import BASELINES
from peftide.baselines.stored import load_baselines
from peftide.bundle import load_bundle
from peftide.bundle_record import digest_of
from peftide.cli.arguments import parse_config
from peftide.cli.main import COMMANDS, parse_words
from peftide.cli.main import main as run_command
from peftide.commands.compare_scores import labelled_table
from peftide.commands.screen import read_proteins
from peftide.commands.split import split
from peftide.commands.train import train
from peftide.config import (
    MutateConfig,
    ScreenConfig,
    SplitConfig,
    TableOptions,
    TrainConfig,
    from_mapping,
    read_yaml,
)
from peftide.config.reading import flag
from peftide.engine.embedding import embed
from peftide.engine.store import EmbeddingPlan
from peftide.errors import InputError, PeftideError, StorageError, TrainingError
from peftide.evaluation.peers import read_peer
from peftide.hardware import Hardware
from peftide.packing import PackedBatch, pack
from peftide.predictor.mutating import listed_mutants
from peftide.report import write_report
from peftide.screening.known import read_known
from peftide.sequences import read_dataset, read_fasta, read_table
from peftide.sequences.mutants import THREE_LETTERS
from peftide.sequences.records import WildType
from peftide.sequences.site_lists import read_sites
from peftide.sweeping.space import read_space
from peftide.tasks import TASKS
from peftide.training.problem import read_problem
from peftide.training.resume import TrainingState, load_point, save_point

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
FAULTS = ("unexpected error", "long message", "silent misreading", "hang", "crash")
OUTCOMES = ("ok", "input error", "storage error", "training error", *FAULTS)
LONGEST_MESSAGE = 3000
MISSING = ["NA", "N/A", "nan", "NaN", "None", "NULL", "null", "<NA>", "-", ".", "", " ", "n/a"]
ODD_TEXT = [
    *(
        "",
        "\0",
        "\ufeff",
        "\r",
        "\n",
        "\t",
        '"',
        "'",
        ",",
        ";",
        "=",
        "#",
        "[",
        "{",
        "]",
        "}",
        ":",
        "&a",
    ),
    *(
        "*a",
        "!!int",
        "NaN",
        "Infinity",
        "-1",
        "1e999",
        "9" * 5000,
        "0x1",
        "1_0",
        "null",
        "true",
        "é",
    ),
    *(
        "\ud7ff",
        "\u2028",
        "🧬",
        "=1+1",
        "../..",
        "~",
        "%s",
        "{}",
        "NA",
        "x" * 100_000,
        "[" * 3000,
        "- ",
    ),
]
ODD_BYTES = [
    *(text.encode() for text in ODD_TEXT),
    b"\xff\xfe",
    b"\x80",
    b"\x1f\x8b",
    b"\xc3",
    b"PK\3\4",
]
ODD_VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        10**30,
        0.5,
        -0.5,
        1e308,
        1e-320,
        "",
        "x",
        "NaN",
        "1",
    ),
    *([], {}, [1], ["x"], {"x": 1}, [[1, 2], [3]], "a" * 100_000, "../x", "\0", [None], [[]], 99),
]


ODD_CHOICES = [
    *("0", "-1", "1", "2", "0.5", "-0.5", "1e400", "nan", "inf", "9" * 30, "9" * 5000, "1e-320"),
    *("", " ", ",", "1,1", "1,", "all", "none", "auto", "true", "x=", "=x", "a=b=c", "x;y", "\0"),
    *("head", "head,head", "lora,head", "lora", "full", "bias", "query", "query,key", "mean"),
    *("label", "id", "sequence", "split", "t.tsv", ".", "/", "x" * 300, "é", "last", "1-3", "half"),
]
"""Values for any option: some are right for one."""


class MisreadError(Exception):
    """A reader took an input for something else, and said nothing."""


@dataclass(frozen=True)
class Material:
    """Sound inputs, made once before the first fork."""

    run: Path
    others: dict[str, Path]
    backbone: Path
    split: Path
    tables: dict[str, Path]
    store: Path
    points: Path
    finished: dict[str, Path]


# ---- oddities ----------------------------------------------------------------------------------


def damaged_bytes(content: bytes, random: Random) -> bytes:
    """Change a few places of a file."""
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        start = random.randrange(len(content) + 1)
        end = min(len(content), start + random.choice([1, 1, 3, 20, 1000]))
        change = random.randrange(7)
        if change == 0 and content:  # a flipped bit
            place = random.randrange(len(content))
            bit = bytes([content[place] ^ 1 << random.randrange(8)])
            content = content[:place] + bit + content[place + 1 :]
        elif change == 1:
            content = content[:start]
        elif change == 2:
            content = content[:start] + content[end:]
        elif change == 3:
            content = content[:end] + content[start:]
        else:
            content = (
                content[:start] + random.choice(ODD_BYTES) + content[start if change < 6 else end :]
            )
    return content if random.random() > 0.02 else b""


def damaged_value(content: Any, random: Random) -> Any:
    """Change one value somewhere inside JSON: another value, or a key less, more or renamed."""
    if not content or not isinstance(content, dict | list) or random.random() < 0.1:
        return random.choice(ODD_VALUES)
    if isinstance(content, list):
        place = random.randrange(len(content))
        return [*content[:place], damaged_value(content[place], random), *content[place + 1 :]]
    key = random.choice(list(content))
    change = random.randrange(10)
    if change == 0:
        return {name: value for name, value in content.items() if name != key}
    if change == 1:
        return content | {random.choice(["x", "", key + "s", "\0"]): random.choice(ODD_VALUES)}
    return content | {key: damaged_value(content[key], random)}


def damage_json(path: Path, random: Random, *, repair: Callable[[Any], Any] = lambda c: c) -> None:
    """Damage a JSON file in its bytes or its values; `repair` adapts what guards the values."""
    if random.random() < 0.3:
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
        return
    content = damaged_value(json.loads(path.read_text()), random)
    text = json.dumps(repair(content))
    if random.random() < 0.05:
        text = text.replace(": ", random.choice([': NaN, "x": ', ': 1e999, "x": ']), 1)
    path.write_text(text)


def damage_tensors(path: Path, random: Random) -> None:
    """Damage a safetensors file in its bytes, or write sound but other tensors."""
    if random.random() < 0.4:
        content = path.read_bytes()
        size = min(len(content), 200 if random.random() < 0.6 else len(content))
        path.write_bytes(damaged_bytes(content[:size], random) + content[size:])
        return
    tensors = load_file(path)
    name = random.choice(list(tensors))
    value = tensors[name]
    others: list[Any] = [
        *(
            value.reshape(-1)[:0],
            value.reshape(-1),
            value[None],
            value.astype(np.float64),
            value.astype(np.int64),
        ),
        *(np.zeros(1, value.dtype), np.zeros((2, 3, 4), np.float16), np.ones_like(value)),
    ]
    change = random.randrange(4)
    if change == 0:
        del tensors[name]
    elif change == 1:
        tensors[random.choice(["x", "model/x", "optimizer/9/step", "a/b/c"])] = value
    else:
        tensors[name] = np.ascontiguousarray(random.choice(others))
    save_file(tensors, path)


def damage_place(path: Path, random: Random) -> None:
    """Put something else where a file was: nothing, a folder, a loop of links, an empty file."""
    path.unlink()
    random.choice(
        [lambda: None, path.mkdir, lambda: path.symlink_to(path), lambda: path.write_bytes(b"")]
    )()


def damage_file(folder: Path, random: Random, **options: Any) -> Path:
    """Damage one file below a folder, as its ending allows."""
    path = random.choice(sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "lock"))
    if random.random() < 0.08:
        damage_place(path, random)
    elif path.suffix == ".json":
        damage_json(path, random, **options)
    elif path.suffix == ".safetensors":
        damage_tensors(path, random)
    else:
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
    return path


# ---- kinds: each reads one odd input, and raises MisreadError where it can tell -----------------


def try_yaml(material: Material, folder: Path, random: Random) -> None:
    path = folder / "c.yaml"
    text = (material.run / "config.yaml").read_text()
    if random.random() < 0.6:
        path.write_bytes(damaged_bytes(text.encode(), random))
        from_mapping(TrainConfig, read_yaml(path))
        return
    name = random.choice(
        [
            "2024_06_30",
            "2024-06-30",
            "010",
            "1.50",
            "0o7",
            "1e3",
            ".5",
            "1:30",
            "0x1F",
            "+1",
            "1_000.5",
        ]
    )
    path.write_text(f"task: ppi\nout: {name}\nepochs: 3\n")
    found = from_mapping(TrainConfig, read_yaml(path))
    if str(found.out) != name:
        raise MisreadError(f"out: {name} became {found.out}")


def try_options(material: Material, folder: Path, random: Random) -> None:
    command = random.choice(list(COMMANDS))
    words = [command]
    for _ in range(random.randrange(6)):
        option = random.choice(fields(COMMANDS[command])).name
        words += [flag(option)] if random.random() < 0.9 else [random.choice(ODD_TEXT)]
        words += [random.choice([*ODD_TEXT, "1", "2", "none", "a.tsv", str(folder)])][
            : random.randrange(2) + 1
        ]
    words = [word for word in words if word not in ("--help", "--help-all", "--version")]
    arguments = parse_words(words)
    parse_config(COMMANDS[arguments.command], arguments)


def random_rows(random: Random) -> list[tuple[str, str, str]]:
    ids = [
        f"p{k}" + random.choice(["", "", "", "|x", " y", "'", "é", "/1"])
        for k in range(random.randrange(2, 9))
    ]
    letters = lambda: "".join(random.choices(AMINO_ACIDS, k=random.randrange(5, 40)))  # noqa: E731
    return [(name, letters(), random.choice("01")) for name in ids]


def try_table(material: Material, folder: Path, random: Random) -> None:
    """Any dialect gives the rows that were written; a missing sequence is an error."""
    rows = random_rows(random)
    missing = random.random() < 0.3
    if missing:
        place = random.randrange(len(rows))
        rows[place] = (rows[place][0], random.choice(MISSING), rows[place][2])
    if random.random() < 0.2:  # a quote is a character unless it surrounds the cell
        rows[0] = (rows[0][0] + '"', *rows[0][1:])
    delimiter, ending = random.choice([("\t", "tsv"), (",", "csv"), (";", "csv")])
    if delimiter != "\t":
        rows = [(name.replace('"', ""), *rest) for name, *rest in rows]
    lines = [delimiter.join(row) for row in [("id", "sequence", "label"), *rows]]
    text = random.choice(["\n", "\r\n"]).join(lines) + random.choice(["", "\n", "\n\n"])
    text = random.choice(["", "", "\ufeff"]) + text
    path = folder / f"t.{ending}"
    path.write_bytes(text.encode())
    if random.random() < 0.3:
        path.write_bytes(damaged_bytes(text.encode(), random))
        read_table(
            path, TrainConfig(out=folder / "o", train=path), level="sequence", needs_labels=True
        )
        return
    if random.random() < 0.2:
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress(text.encode()))
    table = read_table(
        path, TrainConfig(out=folder / "o", train=path), level="sequence", needs_labels=True
    )
    if missing:
        raise MisreadError(f"the missing sequence {rows[place][1]!r} was read")
    found = list(zip(np.ravel(table.ids), np.ravel(table.sequences), table.labels, strict=True))
    if [tuple(map(str, row)) for row in found] != rows:
        raise MisreadError(f"{rows!r} became {found!r}")


NAMES = {letter: name for name, letter in THREE_LETTERS.items()}


def mutant_name(changes: list[tuple[int, str, str]], random: Random) -> str:
    """The name of a mutant in one of the usual notations; places count from 1."""
    if not changes:
        return random.choice(["WT", "wt", "_wt", "p.="])
    if random.random() < 0.3:
        named = [f"{NAMES[old]}{place}{NAMES[new]}" for place, old, new in changes]
        return f"p.[{';'.join(named)}]" if len(named) > 1 else f"p.{named[0]}"
    return random.choice(":,;/ ").join(f"{old}{place}{new}" for place, old, new in changes)


def try_variants(material: Material, folder: Path, random: Random) -> None:
    """Names of mutants give the sequences that were meant, whatever form the wild type has."""
    wild = "".join(random.choices(AMINO_ACIDS, k=random.randrange(12, 40)))
    offset = random.choice([0, 0, 0, 100])
    lines, meant = ["mutant\tlabel"], set()
    for row in range(random.randrange(3, 9)):
        places = sorted(random.sample(range(len(wild)), random.choice([0, 1, 1, 1, 2])))
        changes = [
            (place + 1 + offset, wild[place], random.choice(AMINO_ACIDS.replace(wild[place], "")))
            for place in places
        ]
        letters = list(wild)
        for place, _, new in changes:
            letters[place - 1 - offset] = new
        meant.add("".join(letters))
        lines.append(f"{mutant_name(changes, random)}\t{row / 7}")
    missing = random.random() < 0.2
    if missing:
        lines.append(f"{random.choice(MISSING)}\t0.5")
    table, fasta = folder / "t.tsv", folder / "wild.fasta"
    end, shown = random.choice(["\n", "\r\n"]), random.choice([wild, wild.lower(), wild + "*"])
    wrapped = [shown[k : k + 11] for k in range(0, len(shown), 11)]
    table.write_bytes((end.join(lines) + end).encode())
    fasta.write_bytes((end.join([">w wild type", *wrapped]) + end).encode())
    damaged = random.random() < 0.5
    if damaged:
        path = random.choice([table, fasta])
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
    given = wild if random.random() < 0.3 else str(fasta)
    config = TrainConfig(out=folder / "o", train=table, wild_type=given)
    found = read_table(table, config, level="sequence", needs_labels=True)
    if not damaged and set(np.ravel(found.sequences)) != meant:
        raise MisreadError(f"{lines!r} of {wild} became {found.sequences!r}")


def try_space(material: Material, folder: Path, random: Random) -> None:
    """The space of a sweep."""
    path = folder / "space.yaml"
    text = "lora_r: [1, 8]\nlora_targets: [[query], [key, value]]\nmethod: [lora, head]\n"
    text += "learning_rate: {low: 1e-5, high: 1e-2, log: true}\nepochs: {low: 1, high: 9}\n"
    if random.random() < 0.5:
        path.write_bytes(damaged_bytes(text.encode(), random))
    else:
        path.write_text(json.dumps(damaged_value(yaml.safe_load(text), random)))
    read_space(path)


def try_screen(material: Material, folder: Path, random: Random) -> None:
    """Proteins, partners and known pairs of a screen: all that it reads beside the model."""
    rows = [(name.split()[0], sequence) for name, sequence, _ in random_rows(random)]
    text = "".join(f">{name}\n{sequence}\n" for name, sequence in rows)
    known = "id_a\tid_b\n" + "".join(f"{a}\t{b}\n" for (a, _), (b, _) in pairwise(rows))
    paths = {"sequences": text, "against": text, "known": known}
    damaged = random.choice([*paths, ""])
    for name, content in paths.items():
        data = content.encode()
        (folder / name).write_bytes(damaged_bytes(data, random) if name == damaged else data)
    config = ScreenConfig(
        run=material.run,
        sequences=folder / "sequences",
        against=random.choice([None, folder / "against"]),
        known=folder / "known",
        out=folder / "hits.parquet",
    )
    proteins = read_proteins(config)
    partners = None if config.against is None else proteins.partners
    found, others = read_known(folder / "known", proteins.names, partners)
    if not damaged and (others or len(found) != len(rows)):
        raise MisreadError(f"{known!r} became {found!r}")


def try_pairs(material: Material, folder: Path, random: Random) -> None:
    """Pairs of ids beside a FASTA file, maybe with their sequences in the table too."""
    proteins = {name.split()[0]: text for name, text, _ in random_rows(random)}
    ids = [random.choices(list(proteins), k=2) for _ in range(random.randrange(2, 9))]
    both = random.random() < 0.3
    wrong = both and random.random() < 0.5
    lines = ["id_a\tid_b\tlabel" + "\tsequence_a\tsequence_b" * both]
    for row, (a, b) in enumerate(ids):
        beside = [proteins[a] + "A" * (wrong and not row), proteins[b]] if both else []
        lines.append("\t".join([a, b, str(row % 2), *beside]))
    missing = not both and random.random() < 0.2
    if missing:
        lines.append(f"{random.choice(MISSING)}\t{ids[0][0]}\t1")
    table, fasta = folder / "t.tsv", folder / "p.fasta"
    table.write_text("\n".join(lines) + "\n")
    fasta.write_text("".join(f">{name} x\n{text}\n" for name, text in proteins.items()))
    damaged = random.random() < 0.4
    if damaged:
        path = random.choice([table, fasta])
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
    options = TrainConfig(out=folder / "o", train=table, sequences=fasta)
    read = read_table(table, options, level="pair", needs_labels=True)
    found = read_dataset({"train": read}, options, level="pair")
    if damaged:
        return
    if missing or wrong:
        raise MisreadError(f"read {lines!r} beside {proteins!r}")
    pairs = [
        tuple(found.proteins.sequences[place] for place in row)
        for row in found.parts["train"].members.tolist()
    ]
    if pairs != [(proteins[a], proteins[b]) for a, b in ids]:
        raise MisreadError(f"{lines!r} became {pairs!r}")


def try_peers(material: Material, folder: Path, random: Random) -> None:
    """The score file of another tool gives each row its score, in any order and dialect."""
    names = [f"p{k}" for k in range(9)]
    ids = sorted({tuple(sorted(random.sample(names, 2))) for _ in range(12)})
    scores = {pair: round(random.uniform(-3, 3), 4) for pair in ids}
    rows = [random.sample(pair, 2) for pair in random.sample(ids, len(ids))]
    table, peer = folder / "t.tsv", folder / random.choice(["s.tsv", "s.csv"])
    lines = [f"{a}\t{b}\t{k % 2}" for k, (a, b) in enumerate(ids)]
    table.write_text("\n".join(["id_a\tid_b\tlabel", *lines]) + "\n")
    delimiter = "\t" if peer.suffix == ".tsv" else random.choice([",", ";"])
    cells = [[a, b, str(scores[min(a, b), max(a, b)])] for a, b in rows]
    missing = random.random() < 0.2
    if missing:
        cells[-1][-1] = random.choice([*MISSING, "inf"])
    lines = [delimiter.join(row) for row in [["id_a", "id_b", "score"], *cells]]
    peer.write_text(random.choice(["\n", "\r\n"]).join(lines) + "\n")
    damaged = random.random() < 0.4
    if damaged:
        peer.write_bytes(damaged_bytes(peer.read_bytes(), random))
    options = TableOptions()
    found = read_peer(peer, labelled_table(table, TASKS["ppi"], options), columns=options)
    if damaged:
        return
    if missing or found.values.tolist() != [scores[pair] for pair in ids]:
        raise MisreadError(f"{lines!r} became {found.values!r}")


def try_mutate(material: Material, folder: Path, random: Random) -> None:
    """Sites on the command line, and a table of mutants to score."""
    wild, offset = "".join(random.choices(AMINO_ACIDS, k=30)), random.choice([0, 0, 20])
    wanted = sorted(random.sample(range(1, 31), random.randrange(1, 6)))
    words = [str(site + offset) for site in wanted]
    if random.random() < 0.3:
        words.append(random.choice([*ODD_TEXT, "1-999999999999", "9-5", "-5", "1-", "٣", "²"]))
    sites = read_sites(words, length=len(wild), offset=offset, where="--sites")
    if len(words) == len(wanted) and sites != set(wanted):
        raise MisreadError(f"{words} became {sites}")
    names = [f"{wild[k]}{k + 1 + offset}{'A' if wild[k] != 'A' else 'C'}" for k in range(30)]
    path = folder / "m.tsv"
    path.write_text("\n".join(["mutant\tnote", *(f"{name}\tx" for name in names)]) + "\n")
    damaged = random.random() < 0.6
    if damaged:
        path.write_bytes(damaged_bytes(path.read_bytes(), random))
    config = MutateConfig(run=material.others["variants"], out=folder / "o", mutants=path)
    found = listed_mutants(config, WildType(wild, offset=offset), sites)
    if not damaged and found != [names[site - 1] for site in sorted(sites)]:
        raise MisreadError(f"{words} of {names} became {found}")


def try_choices(material: Material, folder: Path, random: Random) -> None:
    """Odd values of the options of a training, a comparison or a sweep, up to the training."""
    import peftide.training.running

    def stop(*_: Any, **__: Any) -> None:
        raise TrainingError("stopped before the training")

    peftide.training.running.run_training = stop
    os.chdir(folder)
    (folder / "space.yaml").write_text(
        random.choice(["lora_r: [1, 2]", "learning_rate: {low: 1e-5, high: 1e-2, log: true}"])
    )
    command = random.choice(["train", "compare", "sweep"])
    task = random.choice(list(material.tables))
    words = [command, "--data", str(material.tables[task]), "--out", "out", "--task", task]
    words += ["--backbone", "random:esm2_tiny", "--threads", "1", "--device", "cpu"]
    words += {"sweep": ["--space", "space.yaml", "--trials", "1"]}.get(command, [])
    words += ["--wild-type", "x.fasta"] if task == "variants" and random.random() < 0.1 else []
    fixed = {"help", "config", "debug", "backbone", "backbones", "device", "out", "time_limit"}
    own = [one for one in fields(COMMANDS[command]) if one.name not in fixed]
    for chosen in random.sample(own, random.choice([1, 1, 2])):
        plain = isinstance(chosen.default, int | float | str) and random.random() < 0.6
        words += [flag(chosen.name)]
        if chosen.default is not False:
            words += [str(chosen.default) if plain else random.choice(ODD_CHOICES)]
    run_words(words)


def try_fasta(material: Material, folder: Path, random: Random) -> None:
    rows = [(name.split()[0], sequence) for name, sequence, _ in random_rows(random)]
    missing = random.random() < 0.3
    if missing:
        place = random.randrange(len(rows))
        rows[place] = (rows[place][0], random.choice([m for m in MISSING if m not in ("-", ".")]))
    end, width = random.choice(["\n", "\r\n"]), random.choice([60, 10_000] if missing else [3, 60])
    text = ""
    for name, sequence in rows:
        wrapped = [sequence[k : k + width] for k in range(0, len(sequence), width)] or [""]
        text += f">{name} some text{end}" + end.join(wrapped) + end
    path = folder / "p.fasta"
    path.write_bytes(text.encode())
    if random.random() < 0.4:
        path.write_bytes(damaged_bytes(text.encode(), random))
        read_fasta(path)
        return
    found, _ = read_fasta(path)
    if missing:
        raise MisreadError(f"the missing sequence {rows[place][1]!r} was read")
    if list(zip(found.ids, found.sequences, strict=True)) != rows:
        raise MisreadError(f"{rows!r} became {found!r}")


def try_labels(material: Material, folder: Path, random: Random) -> None:
    """Labels of every task, damaged: read or refused. A task whose table holds them not is none."""
    task = random.choice(list(material.tables))
    path = folder / "t.tsv"
    lines = material.tables[task].read_text().splitlines()
    for _ in range(random.randrange(1, 4)):
        row = random.randrange(1, len(lines))
        cells = lines[row].split("\t")
        cells[random.randrange(len(cells))] = random.choice(
            [*MISSING, *ODD_TEXT, "1", "a;b", "['a']", "1e300"]
        )
        lines[row] = "\t".join(cells)
    path.write_text("\n".join(lines) + "\n")
    read_problem(TrainConfig(task=task, out=folder / "o", data=path), TASKS[task])


def try_bundle(material: Material, folder: Path, random: Random) -> None:
    model = folder / "model"
    shutil.copytree(material.run / "model", model)
    forged = random.random() < 0.5  # somebody who also renews the digest

    def renewed(content: Any) -> Any:
        if not forged or not isinstance(content, dict):
            return content
        rest = {key: value for key, value in content.items() if key != "digest"}
        return rest | {"digest": digest_of(rest)}

    path = damage_file(model, random, repair=renewed)
    if forged and path.name != "bundle.json" and path.is_file():
        import hashlib

        record = json.loads((model / "bundle.json").read_text())
        name = str(path.relative_to(model))
        record["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
        (model / "bundle.json").write_text(json.dumps(renewed(record)))
    load_bundle(model)


def try_baselines(material: Material, folder: Path, random: Random) -> None:
    shutil.copytree(material.run / "baselines", folder / "b")
    damage_file(folder / "b", random)
    load_baselines(folder / "b", BASELINES)


def try_report(material: Material, folder: Path, random: Random) -> None:
    run = folder / "run"
    shutil.copytree(
        material.run, run, ignore=shutil.ignore_patterns("model", "baselines", "*.html")
    )
    damage_file(run, random)
    write_report(run)


def try_split(material: Material, folder: Path, random: Random) -> None:
    out = folder / "s"
    shutil.copytree(material.split, out)
    damage_file(out, random)
    table = material.tables["regression"]
    split(SplitConfig(input=(table,), out=out, kind="random", overwrite=True))


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layer(rows)


def try_point(material: Material, folder: Path, random: Random) -> None:
    points = folder / "points"
    shutil.copytree(material.points, points)
    damage_file(points, random)
    model = Network()
    load_point(points, model=model, optimizer=torch.optim.AdamW(model.parameters()), steps=0)


class Letters:
    """An encoder whose rows are known: the counts of the letters."""

    hardware = Hardware(torch.device("cpu"), "fp32", 9)

    def pack(self, sequences: Any) -> PackedBatch:
        ids = [np.array([AMINO_ACIDS.index(letter) for letter in text]) for text in sequences]
        return pack(ids, first_position=0, prefix=0, suffix=0)

    def encode(self, batch: PackedBatch) -> torch.Tensor:
        letters = torch.nn.functional.one_hot(batch.input_ids, 20).float()
        return torch.stack([part.sum(dim=0) for part in letters.split(batch.lengths)])

    def autocast(self) -> Any:
        return contextlib.nullcontext()


TEXTS = ["MKV", "AC", "WWWYA", "ACDEFG", "K"]


def stored_letters(store: Path) -> torch.Tensor:
    lengths = np.array([len(text) for text in TEXTS])
    plan = EmbeddingPlan(20, 9, lengths, np.ones_like(lengths), torch.float32, "key")
    return embed(Letters(), TEXTS, plan, store=store).rows.clone()


def try_store(material: Material, folder: Path, random: Random) -> None:
    """A damaged store gives the right rows: it is recognised, and computed again."""
    store = folder / "store"
    shutil.copytree(material.store, store)
    path = damage_file(store, random)
    right = [[text.count(letter) for letter in AMINO_ACIDS] for text in TEXTS]
    if stored_letters(store).tolist() != right:
        raise MisreadError(f"a changed {path.name} gave other rows")


def try_backbone(material: Material, folder: Path, random: Random) -> None:
    shutil.copytree(material.backbone, folder / "b")
    damage_file(folder / "b", random)
    load_backbone(str(folder / "b"), options=LoadOptions(offline=True))


def try_command(material: Material, folder: Path, random: Random) -> None:
    """Whole commands on a damaged input: the exit code and the message tell."""
    os.chdir(folder)
    shutil.copytree(material.run, folder / "run", ignore=shutil.ignore_patterns("*.html"))
    table = folder / "t.tsv"
    shutil.copy(material.tables["regression"], table)
    for name, source in material.others.items():
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.html"))
    shutil.copy(material.tables["variants"], folder / "m.tsv")
    rows = [line.split("\t")[:2] for line in table.read_text().splitlines()[1:]]
    (folder / "p.fasta").write_text("".join(f">{name}\n{text}\n" for name, text in rows))
    common = "--threads 1 --device cpu"
    quick = "--backbone random:esm2_tiny --method head --epochs 1 --baselines none"
    words, target = random.choice(
        [
            (f"train --data t.tsv --task regression --out new {quick} {common}", table),
            (f"evaluate run --input t.tsv --out e {common}", table),
            (f"evaluate run --input t.tsv --out e {common}", folder / "run"),
            (f"predict run --input t.tsv --out e.tsv {common}", folder / "run"),
            (f"embed --backbone random:esm2_tiny --sequences t.tsv --out e.h5 {common}", table),
            ("audit --data t.tsv --similarity none", table),
            ("report run", folder / "run"),
            (f"train --resume --out run {common}", folder / "run"),
            (f"mutate variants --mutants m.tsv --out e {common}", folder / "m.tsv"),
            (f"mutate variants --out e --top 5 {common}", folder / "variants"),
            (f"screen ppi --sequences p.fasta --out e.parquet {common}", folder / "p.fasta"),
            (f"screen ppi --sequences p.fasta --out e.parquet {common}", folder / "ppi"),
        ]
    )
    if target.is_dir():
        damage_file(target, random)
    else:
        target.write_bytes(damaged_bytes(target.read_bytes(), random))
    run_words(words)


def try_finished(material: Material, folder: Path, random: Random) -> None:
    """A comparison or a sweep with a damaged file, begun or finished: resumed, or reported."""
    command, source = random.choice(list(material.finished.items()))
    os.chdir(folder)
    shutil.copytree(source, folder / "out", ignore=shutil.ignore_patterns("*.html"))
    if random.random() < 0.7:
        record = folder / "out" / "run.json"
        record.write_text(record.read_text().replace('"finished"', '"running"'))
    damage_file(folder / "out", random)
    resume = f"{command} --resume --out out --threads 1 --device cpu"
    run_words(resume if random.random() < 0.8 else "report out")


def run_words(words: str | list[str]) -> None:
    """Run a command; raise what it said."""
    listed = words.split() if isinstance(words, str) else words
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = run_command([*listed, "--debug"])
    text = said.getvalue()
    if "unexpected error" in text:
        raise RuntimeError(fault_of(text))
    if code == 2:
        raise InputError(text.rpartition("error: ")[2])


def fault_of(text: str) -> str:
    """The place in peftide and the last line of a printed trace."""
    lines = text.splitlines()
    ours = [
        line.strip() for line in lines if "/peftide/" in line and line.strip().startswith("File")
    ]
    last = next(line for line in lines if line.startswith("unexpected error"))
    return f"{ours[-1].rpartition('/peftide/')[2] if ours else ''} {last[:160]}"


KINDS: dict[str, tuple[Callable[[Material, Path, Random], None], int]] = {
    "yaml": (try_yaml, 15),
    "options": (try_options, 15),
    "table": (try_table, 15),
    "fasta": (try_fasta, 10),
    "labels": (try_labels, 10),
    "bundle": (try_bundle, 8),
    "resume point": (try_point, 8),
    "store": (try_store, 6),
    "baselines": (try_baselines, 5),
    "report": (try_report, 6),
    "split": (try_split, 5),
    "backbone": (try_backbone, 6),
    "variants": (try_variants, 8),
    "space": (try_space, 5),
    "screen": (try_screen, 5),
    "pairs": (try_pairs, 8),
    "peers": (try_peers, 5),
    "mutate": (try_mutate, 5),
    "choices": (try_choices, 6),
    "finished": (try_finished, 1),
    "command": (try_command, 1),
}
"""Kind → how one input is tried, and its share of all inputs."""


# ---- material and running ----------------------------------------------------------------------


def make_material(folder: Path, kinds: Sequence[str]) -> Material:
    """Make sound inputs of every kind; all are small."""
    spare_the_time()
    random = Random(0)
    sequences = ["".join(random.choices(AMINO_ACIDS, k=random.randrange(8, 30))) for _ in range(30)]
    parts = ["train"] * 18 + ["validation"] * 6 + ["test"] * 6
    labels: dict[str, Callable[[int], str]] = {
        "regression": lambda k: str(round(len(sequences[k]) / 7 + k % 3, 3)),
        "binary": lambda k: str(k % 2),
        "multiclass": lambda k: "abc"[k % 3],
        "multilabel": lambda k: ("a", "a;b", "b;c")[k % 3],
        "symmetry": lambda k: ("C1", "C2", "D2")[k % 3],
        "residue": lambda k: "".join("EH"[letter in "AEILMQRK"] for letter in sequences[k]),
    }
    tables = {}
    for task, label in labels.items():
        rows = [f"s{k}\t{sequences[k]}\t{label(k)}\t{parts[k]}" for k in range(30)]
        tables[task] = folder / f"{task}.tsv"
        tables[task].write_text("\n".join(["id\tsequence\tlabel\tsplit", *rows]) + "\n")
    for task in ("residue-regression", "variants", "ppi", "pair-regression"):
        tables[task] = other_table(folder / f"{task}.tsv", task, sequences, parts)
    run = folder / "run"
    small = TrainConfig(
        task="regression",
        data=tables["regression"],
        out=run,
        backbone="random:esm2_tiny",
        method="head",
        epochs=1,
        threads=1,
        device="cpu",
        precision="fp32",
        shared_proteins="allow",
    )
    train(replace(small, method="lora", head_width=8))
    others = {task: folder / f"run-{task}" for task in ("ppi", "variants")}
    for task, out in others.items():
        epochs = 20 if task == "variants" else 1  # ridge regression has none, so the default
        train(replace(small, task=task, data=tables[task], out=out, epochs=epochs))
    backbone = load_backbone("random:esm2_tiny")
    backbone.model.save_pretrained(folder / "backbone")
    from peftide.backbones.esm import esm_tokenizer

    esm_tokenizer(None).save_pretrained(folder / "backbone")
    split(SplitConfig(input=(tables["regression"],), out=folder / "split", kind="random"))
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    state = TrainingState(step=1, history=[{"epoch": 1, "loss": 0.5}])
    save_point(folder / "points", state, model=model, optimizer=optimizer)
    stored_letters(folder / "store")
    return Material(
        *(
            run,
            others,
            folder / "backbone",
            folder / "split",
            tables,
            folder / "store",
            folder / "points",
        ),
        finished=make_finished(folder, tables["regression"]) if "finished" in kinds else {},
    )


def other_table(path: Path, task: str, sequences: list[str], parts: list[str]) -> Path:
    """Write the table of a task that is not about single sequences with one label."""
    header, rows = "sequence_a\tsequence_b\tlabel\tsplit", []
    wild = sequences[0][:8]
    for k, (sequence, part) in enumerate(zip(sequences, parts, strict=True)):
        label = str(k % 2) if task == "ppi" else str(k / 7)
        cells = [sequence, sequences[k - 1], label, part]
        if task == "residue-regression":
            header = "id\tsequence\tlabel\tsplit"
            numbers = (str(AMINO_ACIDS.index(letter) / 7) for letter in sequence)
            cells = [f"s{k}", sequence, " ".join(numbers), part]
        elif task == "variants":
            header = "mutant\tmutated_sequence\tlabel\tsplit"
            place, letter = k % 8, AMINO_ACIDS[(AMINO_ACIDS.index(wild[k % 8]) + 1 + k // 8) % 20]
            name = f"{wild[place]}{place + 1}{letter}"
            cells = [name, wild[:place] + letter + wild[place + 1 :], label, part]
        rows.append("\t".join(cells))
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def make_finished(folder: Path, table: Path) -> dict[str, Path]:
    """Make a comparison and a sweep of the head alone."""
    (folder / "space.yaml").write_text("head_width: [4, 8]\n")
    common = f"--data {table} --backbone random:esm2_tiny --epochs 1 --head mlp --baselines none "
    common += "--threads 1 --device cpu"
    words = {
        "compare": f"compare --methods head --head-width 8 --task regression {common}",
        "sweep": f"sweep --space {folder}/space.yaml --search grid --trials 2 --method head "
        f"--task regression {common}",
    }
    for command, given in words.items():
        assert run_command([*given.split(), "--out", str(folder / command)]) == 0, given
    return {command: folder / command for command in words}


def try_one(number: int, kind: str, material: Material) -> tuple[str, str]:
    """Return the outcome of one input, and a description of its fault."""
    random = Random(f"{kind} {number}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        try:
            KINDS[kind][0](material, Path(folder), random)
        except StorageError:
            return "storage error", ""
        except InputError as error:
            long = len(str(error)) > LONGEST_MESSAGE
            return ("long message", str(error)[:100]) if long else ("input error", "")
        except PeftideError:
            return "training error", ""
        except MisreadError as error:
            return "silent misreading", str(error)[:300]
        except (Exception, SystemExit) as error:  # noqa: BLE001 — the fault it looks for
            return "unexpected error", describe(error)
        finally:
            os.chdir("/")
    return "ok", ""


def describe(error: BaseException) -> str:
    if "--trace" in sys.argv:
        traceback.print_exception(error)
    if type(error) is RuntimeError and "unexpected error" in str(error):
        return str(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/peftide/" in f.filename]
    place = (
        f"{frames[-1].filename.rpartition('/peftide/')[2]}:{frames[-1].lineno}" if frames else "?"
    )
    return f"{place} {type(error).__name__}: {' '.join(str(error).split())[:120]}"


def work(jobs: list[tuple[int, str]], material: Material, pipe: Connection) -> None:
    """Try inputs one after the other, and send the outcome of each."""
    gibibytes = 12
    resource.setrlimit(resource.RLIMIT_AS, (gibibytes << 30, gibibytes << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    for job in jobs:
        pipe.send((job, *try_one(*job, material)))


@dataclass
class Worker:
    """A forked process, the inputs that it has not finished, and since when it tries the first."""

    process: Any
    left: list[tuple[int, str]]
    since: float


def start(left: list[tuple[int, str]], material: Material, running: dict[Any, Worker]) -> None:
    """Fork a process that tries the inputs that are left."""
    if not left:
        return
    context = mp.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(left, material, theirs))
    process.start()
    theirs.close()
    running[mine] = Worker(process, left, monotonic())


def outcomes(
    jobs: list[tuple[int, str]], material: Material, *, processes: int, seconds: float
) -> Iterator[tuple[int, str, str, str]]:
    """Yield number, kind, outcome and fault of each input; a process that hangs is replaced."""
    running: dict[Any, Worker] = {}
    for share in range(processes):
        start(jobs[share::processes], material, running)
    while running:
        for pipe in wait(list(running), timeout=1):
            worker = running[pipe]
            try:
                job, outcome, fault = pipe.recv()
            except EOFError:
                worker.process.join()
                del running[pipe]
                if worker.left:
                    yield (*worker.left[0], "crash", f"exit code {worker.process.exitcode}")
                    start(worker.left[1:], material, running)
                continue
            worker.left, worker.since = worker.left[1:], monotonic()
            yield (*job, outcome, fault)
        for pipe, worker in list(running.items()):
            if worker.left and monotonic() - worker.since > seconds:
                worker.process.kill()
                del running[pipe]
                yield (*worker.left[0], "hang", f"over {seconds:.0f} s")
                start(worker.left[1:], material, running)


def choose_jobs(first: int, inputs: int, kinds: list[str]) -> list[tuple[int, str]]:
    """Return the kind of each input number, in their shares."""
    order = [kind for kind in kinds for _ in range(KINDS[kind][1])]
    Random(0).shuffle(order)
    return [(number, order[number % len(order)]) for number in range(first, first + inputs)]


Counts = dict[str, Counter[str]]
Faults = dict[tuple[str, str, str], list[int]]


def try_all(
    jobs: list[tuple[int, str]], material: Material, *, processes: int = 1, seconds: float = 60
) -> tuple[Counts, Faults]:
    """Return outcomes by kind, and the numbers of the inputs that show each fault."""
    counts: Counts = defaultdict(Counter)
    faults: Faults = defaultdict(list)
    found = outcomes(jobs, material, processes=processes, seconds=seconds)
    for done, (number, kind, outcome, fault) in enumerate(found, start=1):
        if done % 1000 == 0:
            print(f"{done:,} of {len(jobs):,} inputs", file=sys.stderr)
        counts[kind][outcome] += 1
        if outcome in FAULTS:
            print(f"{number} {kind}: {outcome} {fault}", file=sys.stderr)
            faults[kind, outcome, fault].append(number)
    return counts, faults


def main(words: Sequence[str] | None = None) -> int:
    """Try inputs and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60, help="limit of one input")
    add_record_option(parser)
    parser.add_argument("--trace", action="store_true", help="print the trace of each fault")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    begun = monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-material-") as folder:
        material = make_material(Path(folder), given.kinds)
        jobs = choose_jobs(given.first, given.inputs, given.kinds)
        counts, faults = try_all(jobs, material, processes=given.processes, seconds=given.seconds)
    header, rows = table_of(counts)
    for line in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(line) + " |")
    write_record(given.record, header, rows)
    print(f"\n{sum(map(Counter.total, counts.values())):,} inputs in {monotonic() - begun:.0f} s")
    for (kind, outcome, fault), numbers in sorted(faults.items(), key=lambda item: -len(item[1])):
        print(
            f"{len(numbers):5} × {kind}, {outcome}: {fault} (--kinds {kind!r} --first {numbers[0]})"
        )
    return 1 if faults else 0


def table_of(counts: dict[str, Counter[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the outcomes of each kind: header and rows."""
    shown = [o for o in OUTCOMES if any(c[o] for c in counts.values()) or o in FAULTS]
    rows = [
        [kind, *(f"{count:,}" for count in (own.total(), *(own[outcome] for outcome in shown)))]
        for kind, own in ((kind, counts[kind]) for kind in KINDS if kind in counts)
    ]
    return ["Kind", "Inputs", *(outcome.capitalize() for outcome in shown)], rows


if __name__ == "__main__":
    sys.exit(main())
