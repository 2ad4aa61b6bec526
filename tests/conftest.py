"""What many tests share: tiny checkpoints, small tables, and the folder of real data."""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from huggingface_hub import constants
from tokenizers import Tokenizer, models, processors
from transformers import (
    BertForMaskedLM,
    ElectraForPreTraining,
    EsmForMaskedLM,
    EsmModel,
    EsmTokenizer,
    PreTrainedTokenizerFast,
    T5EncoderModel,
    T5ForConditionalGeneration,
)

from peftide.backbones.bert import bert_tokenizer, prot_bert_config
from peftide.backbones.electra import prot_electra_config
from peftide.backbones.esm import esm_config, esm_tokenizer
from peftide.backbones.t5 import t5_config, t5_tokenizer
from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.sequences.fasta import read_fasta
from peftide.tasks import TASKS, VARIANT_TASKS

TINY = "random:esm2_tiny"
FORMS = ["head", "lora", "full"]
"""One method of each kind, for what the others do the same way: their contract says so."""
ONE_OF_A_LEVEL = ("ppi", "regression", "residue")
RUNS = [(task, "head") for task in TASKS]
RUNS += [(task, method) for task in ONE_OF_A_LEVEL for method in FORMS if method != "head"]
"""Runs of every task, and of every kind of method on every level: for `trained`."""
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"

torch.set_num_threads(1)  # tensors are tiny: on a busy machine more threads only wait for another


@pytest.fixture(autouse=True)
def inside_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test or an example writes by a relative name lands in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # for processes that a test starts
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture(scope="session", autouse=True)
def lost_reports() -> Iterator[list[str]]:
    """Messages about reports that could not be written, in shared fixtures too."""
    lost: list[str] = []
    handler, logger = logging.Handler(), logging.getLogger("peftide.report.writing")
    handler.emit = lambda record: lost.append(record.getMessage())
    logger.addHandler(handler)
    yield lost
    logger.removeHandler(handler)


@pytest.fixture(autouse=True)
def every_report_is_written(
    request: pytest.FixtureRequest, lost_reports: list[str]
) -> Iterator[None]:
    """A report that cannot be written is only a note to a user, so a test would not notice."""
    yield
    lost, lost_reports[:] = [*lost_reports], []
    if lost and request.node.get_closest_marker("loses_report") is None:
        pytest.fail(lost[0])


@pytest.fixture
def esm_cpp(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The reader esm-cpp, without the AVX-512 products of its version 0.2.1.

    They are wrong for ESM-2 of width 320 (up to NaN) where its AVX2 and plain products are right.
    """
    monkeypatch.setenv("ESM_FORCE_ISA", "ref")
    return pytest.importorskip("esm_cpp", reason="pip install --no-deps esm-cpp")


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the real data sets (docs/results/data.md)."""
    folder = os.environ.get("PEFTIDE_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PEFTIDE_DATA names no folder with the real data sets (docs/results/data.md)")
    return Path(folder).resolve()


def random_sequences(count: int, *, lengths: tuple[int, int] = (8, 30), seed: int = 0) -> list[str]:
    """Return distinct random amino-acid sequences."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(*lengths, size=count)
    return ["".join(generator.choice(list(AMINO_ACIDS), size)) for size in sizes]


def real_proteins(data: Path, count: int) -> list[str]:
    """Return yeast proteins of 30 to 1,022 residues: all lengths, the short ones (cheap) denser."""
    proteins, _ = read_fasta(data / "ppi_yeast" / "sequences.fasta")
    fitting = {text for text in proteins.sequences if 30 <= len(text) <= 1022}
    texts = sorted(fitting, key=lambda text: (len(text), text))
    lengths = np.array([len(text) for text in texts])
    wanted = lengths[0] * (lengths[-1] / lengths[0]) ** (np.linspace(0, 1, count) ** 5)
    places = np.searchsorted(lengths, wanted)
    places = np.maximum.accumulate(places - np.arange(count)) + np.arange(count)  # none twice
    return [texts[min(place, len(texts) - count + k)] for k, place in enumerate(places)]


def randomise(model: torch.nn.Module, *, std: float = 0.3) -> None:
    """Make every weight matter: under ESM's own initialisation attention is nearly uniform."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_scale = parameter.dim() == 1 and name.endswith("weight")  # of a layer norm
            parameter.normal_(float(is_scale), std, generator=generator)


def save_checkpoint(folder: Path, **changes: object) -> Path:
    """Save a tiny ESM with its tokenizer as `transformers` does; return its folder."""
    return save_model(folder, EsmForMaskedLM(esm_config(2, 32, 4, **changes)), esm_tokenizer(None))


def plain_model(folder: Path) -> EsmModel:
    """Open a checkpoint by `transformers` alone, with its plainest attention."""
    return EsmModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager"
    ).eval()


def padded_forward(model: torch.nn.Module, sequences: list[str]) -> list[torch.Tensor]:
    """Embed by the padded forward of `transformers`; return the tokens of each sequence."""
    batch = esm_tokenizer(None)(sequences, return_tensors="pt", padding=True)
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    lengths = batch["attention_mask"].sum(dim=1).tolist()
    return [row[:length] for row, length in zip(hidden, lengths, strict=True)]


@pytest.fixture(scope="session")
def esm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ESM-2 (rotary positions) on disk."""
    return save_checkpoint(tmp_path_factory.mktemp("esm2"))


@pytest.fixture(scope="session")
def esm1b_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ESM-1b (absolute positions, a layer norm before the layers) on disk."""
    return save_checkpoint(
        tmp_path_factory.mktemp("esm1b"),
        position_embedding_type="absolute",
        emb_layer_norm_before=True,
    )


@pytest.fixture(scope="session")
def esm1v_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ESM-1v (absolute positions, no layer norm before the layers) on disk."""
    return save_checkpoint(tmp_path_factory.mktemp("esm1v"), position_embedding_type="absolute")


@pytest.fixture(scope="session")
def saprot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SaProt on disk: an ESM-2 whose tokens are a residue and a letter for its structure."""
    folder = tmp_path_factory.mktemp("saprot")
    pairs = [a + s for a in AMINO_ACIDS + "#" for s in "pynwrqhgdlvtmfsaeikc#"]
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", "<mask>", *pairs]
    (folder / "vocab.txt").write_text("\n".join(tokens))
    model = EsmForMaskedLM(esm_config(2, 32, 4, vocab_size=len(tokens), mask_token_id=4))
    return save_model(folder, model, EsmTokenizer(vocab_file=str(folder / "vocab.txt")))


@pytest.fixture(scope="session")
def prott5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ProtT5 with its decoder on disk: sequences are spaced, and end in `</s>`."""
    model = T5ForConditionalGeneration(t5_config(2, 32, 4, d_kv=16, d_ff=64))
    return save_model(tmp_path_factory.mktemp("prott5"), model, t5_tokenizer(None), std=0.15)


@pytest.fixture(scope="session")
def ankh_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Ankh on disk: a gated T5, whose tokenizer takes sequences as they are."""
    tokens = ["<pad>", "</s>", "<unk>", *"ALGVSREDTIPKFQNYMHWCXBOUZ"]
    backend = Tokenizer(models.Unigram([(token, -1.0) for token in tokens], unk_id=2))
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    special: Any = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **special)
    model = T5EncoderModel(t5_config(2, 32, 4, d_kv=8, d_ff=64, feed_forward_proj="gated-gelu"))
    return save_model(tmp_path_factory.mktemp("ankh"), model, tokenizer, std=0.15)


@pytest.fixture(scope="session")
def protbert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ProtBERT on disk: sequences are spaced, between `[CLS]` and `[SEP]`."""
    model = BertForMaskedLM(prot_bert_config(2, 32, 4))
    return save_model(tmp_path_factory.mktemp("protbert"), model, bert_tokenizer(None))


@pytest.fixture(scope="session")
def protelectra_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ProtElectra on disk: its tokenizer is ProtBERT's."""
    model = ElectraForPreTraining(prot_electra_config(2, 32, 4))
    return save_model(tmp_path_factory.mktemp("protelectra"), model, bert_tokenizer(None))


def save_model(folder: Path, model: Any, tokenizer: Any, *, std: float = 0.3) -> Path:
    """Save a model with its tokenizer as `transformers` does; return its folder."""
    randomise(model, std=std)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_proteins(path: Path, sequences: list[str]) -> Path:
    """Write a FASTA file with the ids p0, p1, and so on."""
    path.write_text("".join(f">p{k}\n{sequence}\n" for k, sequence in enumerate(sequences)))
    return path


def write_rows(path: Path, header: str, rows: Sequence[tuple[object, ...]]) -> Path:
    """Write a TSV file."""
    lines = ["\t".join(header.split()), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def labelled_rows(task: str, part: str, count: int) -> list[tuple[object, ...]]:
    """Return rows of a small labelled table; every part has other proteins."""
    seed = {"train": 0, "validation": 1, "test": 2}[part]
    if task in VARIANT_TASKS:
        return variant_rows(count, seed=seed, yes_or_no=task == VARIANT_TASKS[1])
    ids = [f"{part}{k}" for k in range(count)]
    sequences = random_sequences(count, seed=seed + 10)
    values = [round(len(text) / 7 + k % 3, 3) for k, text in enumerate(sequences)]
    labels = {
        "ppi": [k % 2 for k in range(count)],
        "binary": [k % 2 for k in range(count)],
        "multiclass": [("cytosol", "nucleus", "other")[k % 3] for k in range(count)],
        "pair-multiclass": [("activates", "binds", "none")[k % 3] for k in range(count)],
        "multilabel": [("a", "a;b", "none", "b, c")[k % 4] for k in range(count)],
        "pair-multilabel": [("a", "a;b", "none", "b, c")[k % 4] for k in range(count)],
        "symmetry": [("C1", "C2", "D2,C2", "C8")[k % 4] for k in range(count)],
        "regression": values,
        "pair-regression": values,
        "residue": ["".join("EH"[letter in "AEILMQRK"] for letter in text) for text in sequences],
        "residue-regression": [
            " ".join(str(round("ACDEFGHIKLMNPQRSTVWY".find(letter) / 7, 3)) for letter in text)
            for text in sequences
        ],
    }
    if is_about_pairs(task):
        second = [*sequences[1:], sequences[0]]
        return list(zip(sequences, second, labels[task], strict=True))
    return list(zip(ids, sequences, labels[task], strict=True))


def variant_rows(count: int, *, seed: int, yes_or_no: bool) -> list[tuple[object, ...]]:
    """Return mutant, sequence and label of variants of one protein; each part has other letters."""
    (wild_type,) = random_sequences(1, lengths=(30, 31), seed=9)
    rows: list[tuple[object, ...]] = []
    for k in range(count):
        place, letter = k % 30, AMINO_ACIDS[(AMINO_ACIDS.find(wild_type[k % 30]) + 1 + seed) % 20]
        sequence = wild_type[:place] + letter + wild_type[place + 1 :]
        label = place % 2 if yes_or_no else round(place % 3 + place / 7 + 0.01, 3)
        rows.append((f"{wild_type[place]}{place + 1}{letter}", sequence, label))
    return rows


def is_about_pairs(task: str) -> bool:
    """Whether a label of the task belongs to two proteins."""
    return TASKS[task].level == "pair"


def header_of(task: str) -> str:
    """The columns of `labelled_rows`."""
    if task in VARIANT_TASKS:
        return "mutant mutated_sequence label"
    return "sequence_a sequence_b label" if is_about_pairs(task) else "id sequence label"


def write_task(folder: Path, task: str) -> dict[str, Path]:
    """Write train, validation and test tables of a task; return them by part."""
    return {
        part: write_rows(folder / f"{part}.tsv", header_of(task), labelled_rows(task, part, count))
        for part, count in {"train": 24, "validation": 8, "test": 8}.items()
    }


STEPLESS: dict[str, Any] = {"epochs": 20, "batch_size": 64}
"""Defaults of options that the ridge regression on a frozen backbone does not read."""


def small_config(folder: Path, task: str, method: str, **changes: Any) -> TrainConfig:
    """Return the config of a training of seconds, whose tables are written into the folder."""
    tables = write_task(folder, task)
    options: dict[str, Any] = {
        "train": tables["train"],
        "validation": tables["validation"],
        "test": (str(tables["test"]),),
        "out": folder / "run",
        "backbone": TINY,
        "epochs": 2,
        "batch_size": 8,
        "head_width": 16,
        "head": "mlp",
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
    }
    return TrainConfig(task=task, method=method, **(options | changes))


def give_one_label(config: Any) -> None:
    """Give all validation rows of a config one label: a fault that stops every training."""
    table = pd.read_csv(config.validation, sep="\t").assign(label=1.0)
    table.to_csv(config.validation, sep="\t", index=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Task and method → a finished run folder. Not to be written to.

    Each is trained once: all processes of pytest share it.
    """
    shared = shared_folder(tmp_path_factory)

    @cache
    def run(task: str, method: str) -> Path:
        folder = shared / "trained" / f"{task}-{method}"
        make_once(folder, lambda: train(small_config(folder, task, method)))
        return folder / "run"

    return run


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of pytest share."""
    place = tmp_path_factory.getbasetemp()
    return place.parent if "PYTEST_XDIST_WORKER" in os.environ else place


def make_once(folder: Path, make: Callable[[], object]) -> None:
    """Make the content of a folder, unless another process of pytest has made it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "finished").open("a") as finished:
        fcntl.flock(finished, fcntl.LOCK_EX)
        if not os.fstat(finished.fileno()).st_size:
            make()
            finished.write("yes")
