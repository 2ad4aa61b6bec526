"""Every command, Python example and YAML file in the documentation runs on a tiny data set.

All fenced blocks of the README, of CONTRIBUTING and of `docs/` are collected. The blocks of a page
run in order, in one folder with the files that the pages name (`cast`). Commands get the options
of `TINY` where they do not set them, so that a training takes a second.

A block that cannot run here has a line above it: `<!-- not run: REASON -->`. A block that takes
long has `<!-- slow -->`, and runs with `make slow`. Blocks of the language `text` are no code.
"""

import json
import re
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import yaml

import peftide
from peftide.cli.main import COMMANDS, main
from peftide.commands.init import FIRST_LINE as INIT
from peftide.config import PlanConfig, PretrainConfig, TrainConfig, from_mapping
from peftide.planning.planner import make_plan
from peftide.simulate import ProteomeSizes, SimulatedProteome, simulate_proteome, write_proteome
from peftide.sweeping.space import read_space
from tests.conftest import write_proteins, write_rows

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"(?:^<!-- (?P<mark>not run: [^\n]+|slow) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
LANGUAGES = {"sh", "python", "yaml", "json", "text"}
TRAINING = {"--backbone": "random:esm2_tiny", "--epochs": "1", "--threads": "1"}
SEARCH = {"--similarity": "pyopal"}  # MMseqs2 takes seconds for the smallest search
TINY = {
    "train": TRAINING,
    "compare": TRAINING | {"--seeds": "1"},
    "sweep": TRAINING,
    "plan": TRAINING,
    "split": SEARCH,
    "audit": SEARCH,
}
"""Command → options that make it fast, unless the block sets them."""
SPACE = "space.yaml"
"""Name of a file that is the space of a sweep."""
SETTLED = {"--resume", "--clusters"}
"""Options with which a command refuses or ignores those of `TINY`."""
STEPLESS = {"--epochs", "--batch-size"}
"""Options that the ridge regression of variants does not read."""
FINE = {"audit": {0, 3}}
"""Exit codes of commands that answer by their code: the simulated proteins are similar."""
NOT_RUN = 33
"""Blocks with the mark `not run`; a new one needs a reason, and a higher number here."""


@dataclass(frozen=True)
class Snippet:
    """A fenced block: its page, its line, its language, its text, and the mark above it."""

    page: str
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def snippets(path: Path) -> list[Snippet]:
    """Return the fenced blocks of a page."""
    text = path.read_text(encoding="utf-8")
    page = path.relative_to(ROOT).as_posix()
    return [
        Snippet(
            page,
            text.count("\n", 0, match.start("language")) + 1,
            match["language"].strip(),
            match["text"],
            match["mark"] or "",
        )
        for match in FENCE.finditer(text)
    ]


ALL = [snippet for path in PAGES for snippet in snippets(path)]
CODE = [one for one in ALL if one.language in LANGUAGES - {"text"}]
FAST = sorted({one.page for one in CODE if one.mark == ""})
SLOW = [one for one in CODE if one.mark == "slow"]


def test_the_blocks_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    by_mark = Counter(one.mark.split(":")[0] for one in CODE)
    with capsys.disabled():
        counts = f"{by_mark['']} run, {len(SLOW)} slow, {by_mark['not run']} not run"
        sys.stdout.write(f"\nsnippets: {counts}\n")
    assert by_mark["not run"] == NOT_RUN
    assert by_mark[""] > 50


def test_every_block_has_a_language() -> None:
    odd = [one for one in ALL if one.language not in LANGUAGES and "{" not in one.language]
    assert not [str(one) for one in odd]
    hidden = [one for one in ALL if one.language == "text" and COMMAND.search(one.text)]
    assert not [str(one) for one in hidden], "a command in a block that is not run"


COMMAND = re.compile(r"^(\$ )?(peftide|make|pip|python) ", re.MULTILINE)


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages name: small tables, score files, a trained run."""
    folder = tmp_path_factory.mktemp("cast")
    proteome = simulate_proteome(
        0, ProteomeSizes(train=48, validation=24, test=24, new=16, min_length=50, max_length=54)
    )
    write_proteome(proteome, folder)
    write_pair_tables(proteome, folder)
    write_sequence_tables(proteome, folder)
    write_variant_tables(folder)
    options = {"data": folder / "pairs.tsv", "sequences": folder / "proteins.fasta"}
    tiny: dict[str, Any] = {"backbone": "random:esm2_tiny", "epochs": 1, "threads": 1}
    peftide.train(TrainConfig(task="ppi", out=folder / "my_run", **options, **tiny))
    shutil.copytree(folder / "my_run", folder / "other_run")
    return folder


def write_pair_tables(proteome: SimulatedProteome, folder: Path) -> None:
    """Write tables of pairs, with and without parts, and the scores of another tool."""
    rows = {part: proteome.pairs_of(part) for part in ("train", "validation", "test", "new")}
    by_part = {name: [(p.id_a, p.id_b, p.label) for p in pairs] for name, pairs in rows.items()}
    header = "id_a id_b label"
    names = {"train": "train.tsv", "validation": "valid.tsv", "test": "test.tsv"}
    for part, name in names.items():
        write_rows(folder / name, header, by_part[part])
    write_rows(folder / "other_pairs.tsv", header, by_part["new"])
    write_rows(folder / "one_pair.tsv", "id_a id_b", [by_part["new"][0][:2]])
    everything = [row for part in names for row in by_part[part]]
    write_rows(folder / "all_pairs.tsv", header, everything)
    write_rows(folder / "positive_pairs.tsv", header, [row for row in everything if row[2]])
    texts = {protein.id: protein.sequence for protein in proteome.proteins}
    spelled = [(texts[a], texts[b], label) for a, b, label in everything]
    write_rows(folder / "pair_sequences.tsv", "sequence_a sequence_b label", spelled)
    scored = [
        (a, b, round(0.3 * label + 0.01 * k, 3)) for k, (a, b, label) in enumerate(by_part["test"])
    ]
    for name in ("tuna", "seed0", "seed1", "seed2"):
        write_rows(folder / f"{name}.tsv", "id_a id_b score", scored)
    new = [(a, b, 0.01 * k) for k, (a, b, _) in enumerate(by_part["new"])]
    write_rows(folder / "tuna_new.tsv", "id_a id_b score", new)
    parts = [(part, pair) for part in names for pair in rows[part]]
    kinds = ("activates", "binds", "none")
    effects = [(p.id_a, p.id_b, kinds[k % 3], part) for k, (part, p) in enumerate(parts)]
    write_rows(folder / "effects.tsv", f"{header} split", effects)
    strengths = [(p.id_a, p.id_b, 0.1 * (k % 7), part) for k, (part, p) in enumerate(parts)]
    write_rows(folder / "affinities.tsv", f"{header} split", strengths)


def write_sequence_tables(proteome: SimulatedProteome, folder: Path) -> None:
    """Write one table per kind of label of a single sequence."""
    parts = ("train", "validation", "test")
    proteins = [protein for part in parts for protein in proteome.proteins_of(part)]

    def table(name: str, label: Callable[[int, str], object]) -> None:
        rows = [
            (p.id, p.sequence, label(k, p.sequence), p.split, f"c{k // 3}")
            for k, p in enumerate(proteins)
        ]
        write_rows(folder / name, "id sequence label split cluster", rows)

    table("solubility.tsv", lambda k, _: k % 2)
    table("localisation.tsv", lambda k, _: ("cytosol", "nucleus", "membrane")[k % 3])
    table("functions.tsv", lambda k, _: ("kinase", "kinase;membrane", "none", "membrane")[k % 4])
    table("fitness.tsv", lambda _, text: round(text.count("K") + 0.01 * len(text), 3))
    table("bfactors.tsv", lambda _, text: ",".join(str(0.1 * (ord(c) % 9)) for c in text))
    table("structure.tsv", lambda _, text: "".join("HEC"[ord(letter) % 3] for letter in text))
    write_rows(
        folder / "classes.tsv",
        "label class",
        [("C1", "C1"), ("C2", "C2"), ("C3", "other"), ("D2", "other")],
    )
    write_proteins(folder / "one_protein.fasta", [proteins[0].sequence])
    write_proteins(folder / "my_family.fasta", [protein.sequence for protein in proteins])
    (folder / SPACE).write_text("lora_r: [1, 4]\n")


def write_variant_tables(folder: Path) -> None:
    """Write a scan of one protein in the two usual forms, its wild type, and new mutants."""
    wild_type, letters = "MKACCDEFGHIKLMNPQRSTVWYACDEFGH", "AGLSV"
    (folder / "wild_type.fasta").write_text(f">my_protein\n{wild_type}\n")
    named = [
        (f"{old}{place + 1}{new}", wild_type[:place] + new + wild_type[place + 1 :], place)
        for place, old in enumerate(wild_type)
        for new in letters
        if new != old
    ]
    values = [round(place % 5 - number / 100, 3) for number, (*_, place) in enumerate(named)]
    lines = [f"{m},{s},{v},{int(v > 1)}" for (m, s, _), v in zip(named, values, strict=True)]
    header = "mutant,mutated_sequence,DMS_score,DMS_score_bin"
    (folder / "scan.csv").write_text("\n".join([header, *lines]) + "\n")
    rows = [(mutant, value) for (mutant, *_), value in zip(named, values, strict=True)]
    write_rows(folder / "my_scan.tsv", "mutant label", rows)
    write_rows(folder / "new_mutants.tsv", "mutant", [("A3G",), ("A3G:C5S",)])


@pytest.fixture
def as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users run without the type checks of the tests: a path may be text."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("page", FAST)
def test_the_blocks_of_a_page_run(
    page: str, cast: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peftide.commands.plan.run_child", plan_here)
    run_all([one for one in CODE if one.page == page and one.mark == ""], cast, tmp_path)


def plan_here(config: PlanConfig, **given: Any) -> dict[str, Any]:
    """Plan in this process; `tests/commands/test_plan.py` plans in another one, as for a user."""
    return make_plan(config, **given).as_json()


@pytest.mark.slow
@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("one", SLOW, ids=str)
def test_slow_blocks_run(one: Snippet, cast: Path, tmp_path: Path) -> None:
    run_all([one], cast, tmp_path)


def run_all(chosen: Iterable[Snippet], cast: Path, folder: Path) -> None:
    """Run blocks in order, in a folder with the cast; outputs of the blocks are not there yet."""
    blocks = list(chosen)
    text = "\n".join(one.text for one in blocks)
    for path in cast.iterdir():
        written = re.search(rf"(--out |out=\"){re.escape(path.name)}\b", text)
        if not written:
            copy(path, folder / path.name)
    for one in blocks:
        RUNNERS[one.language](one)


def copy(path: Path, to: Path) -> None:
    """Copy a file or a folder."""
    if path.is_dir():
        shutil.copytree(path, to)
    else:
        shutil.copy(path, to)


def run_shell(one: Snippet) -> None:
    """Run each `peftide` command of a block; all others must be marked."""
    text = one.text.replace("\\\n", " ")
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == "peftide", f"{one}: mark a block with `{words[0]}` as not run"
        code = exit_code([*words[1:], *added(words)])
        assert code in FINE.get(words[1], {0}), f"{one}: `{line}` exits with {code}"


def exit_code(words: list[str]) -> object:
    """Return the exit code of a command; `--help` and `--version` exit by themselves."""
    try:
        return main(words)
    except SystemExit as end:
        return end.code


def added(words: list[str]) -> list[str]:
    """Return the options of `TINY` that the command does not set, itself or in its YAML file."""
    if SETTLED & {*words}:
        return []
    given = {*words}
    if "--config" in words:
        text = Path(words[words.index("--config") + 1]).read_text()
        if not text.startswith(INIT):  # which sets the options that take long
            given |= {f"--{key.replace('_', '-')}" for key in yaml.safe_load(text)}
    if {"head", "variants"} <= given or {"head", "variants-binary"} <= given:
        given |= STEPLESS
    options = TINY.get(words[1], {}).items()
    return [word for name, value in options if name not in given for word in (name, value)]


def run_python(one: Snippet) -> None:
    exec(compile(one.text, str(one), "exec"), {"__name__": "snippet"})


def read_options(one: Snippet) -> None:
    """Read a YAML file of options; its first line says `# FILE`, under which it is kept."""
    values = yaml.safe_load(one.text)
    name = one.text.splitlines()[0].removeprefix("# ")
    Path(name).write_text(one.text)
    if name == SPACE:
        assert read_space(Path(name))
        return
    config_class = PretrainConfig if "pretrain" in one.page else TrainConfig
    assert from_mapping(config_class, {"out": "run"} | values)


RUNNERS: dict[str, Callable[[Snippet], object]] = {
    "sh": run_shell,
    "python": run_python,
    "yaml": read_options,
    "json": lambda one: json.loads(one.text),
}


def test_every_command_has_an_example() -> None:
    text = "\n".join(one.text for one in CODE)
    assert not [name for name in COMMANDS if f"peftide {name} " not in text]
