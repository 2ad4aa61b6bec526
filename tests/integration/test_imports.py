"""`transformers` and `peft` take seconds to import: a process loads them when it needs them."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import small_config

WITHOUT_EITHER = [
    "peftide.packing",
    "peftide.tokens",
    "peftide.backbones",
    "peftide.backbones.loading",
    "peftide.adapters",
    "peftide.engine.trunk_cache",
    "peftide.encoding",
    "peftide.bundle",
    "peftide.training",
    "peftide.training.modes",
    "peftide.commands.train",
]


def loaded_after(code: str) -> set[str]:
    """Return which of both libraries a new process has loaded after running some code."""
    lines = [
        "import sys",
        code,
        "print('loaded:', *{'peft', 'transformers', 'torch._dynamo'}.intersection(sys.modules))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True
    )
    return set(done.stdout.splitlines()[-1].removeprefix("loaded:").split())


def test_importing_loads_neither() -> None:
    """One process for all modules, which names the first that loads one of them."""
    code = "\n".join(
        f"import {module}; found = {{'peft', 'transformers'}} & sys.modules.keys()\n"
        f"assert not found, ('{module}', found)"
        for module in WITHOUT_EITHER
    )
    assert loaded_after(code) == set()


def test_names_of_backbones_and_methods_load_neither() -> None:
    code = "\n".join(
        [
            "from peftide.adapters import ADAPTERS",
            "from peftide.backbones import BACKBONES",
            "from peftide.backbones.names import ALIASES, BUNDLED",
            "from peftide.errors import InputError",
            "from peftide.backbones.loading import load_backbone",
            "assert ADAPTERS and ALIASES and BACKBONES and BUNDLED",
            "try:",
            "    load_backbone('random:esm2_t6_8m')",
            "except ValueError as error:",
            "    assert 'esm2_t6_8M' in str(error)",
        ]
    )
    assert loaded_after(code) == set()


@pytest.mark.parametrize(("method", "loads_peft"), [("last_k", False), ("lora", True)])
def test_only_methods_of_peft_load_peft(tmp_path: Path, method: str, loads_peft: bool) -> None:
    config = small_config(tmp_path, "binary", method, epochs=1, baselines=("none",))
    values = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != field.default
    }
    code = "\n".join(
        [
            "from pathlib import Path, PosixPath, WindowsPath",
            "from peftide.commands.train import train",
            "from peftide.config import TrainConfig",
            f"train(TrainConfig(**{values!r}))",
        ]
    )
    assert ("peft" in loaded_after(code)) == loads_peft


REFUSED = {
    "method": ("train", "--method", "lorra"),
    "device": ("train", "--device", "gpu"),
    "backbone": ("train", "--backbone", "esm2_t6_8m"),
    "random backbone": ("train", "--backbone", "random:esm2_t6_8m"),
    "layers": ("train", "--lora-layers", "lsat:2"),
    "baseline": ("train", "--task", "ppi", "--baselines", "kmers"),
    "unread option": ("train", "--task", "ppi", "--method", "head", "--lora-r", "4"),
    "targets": ("train", "--lora-targets", "query,vlaue"),
    "plan": ("plan", "--method", "lorra"),
    "plan file": ("plan", "--validation", "absent.tsv"),
    "pretrain file": ("pretrain", "--sequences", "absent.fasta"),
    "pretrain backbone": ("pretrain", "--sequences", "p.fasta", "--backbone", "minni"),
    "pretrain number": ("pretrain", "--sequences", "p.fasta", "--row-tokens", "31"),
    "pretrain unread": ("pretrain", "--sequences", "p.fasta", "--profiles-weight", "2"),
    "embed backbone": ("embed", "--sequences", "p.fasta", "--backbone", "esm2_t6_8m"),
    "embed device": ("embed", "--sequences", "p.fasta", "--device", "gpu"),
    "embed run": ("embed", "--sequences", "p.fasta", "--run", "no_run"),
    "predict": ("predict", "no_run", "--input", "t.tsv"),
    "evaluate": ("evaluate", "no_run", "--input", "t.tsv"),
}


def test_refusals_that_need_no_model_load_no_torch(tmp_path: Path) -> None:
    """One process for all of them, which names the first that loads it."""
    (tmp_path / "p.fasta").write_text(">a\nMKV\n>b\nMKL\n")
    (tmp_path / "t.tsv").write_text("id_a\tid_b\tlabel\na\tb\t1\n")
    out = {"embed": "v.safetensors", "train": "run", "plan": "run", "evaluate": "scores"}
    out["pretrain"] = "backbone"
    lines = ["import sys", "from peftide.cli import main"]
    for name, (command, *options) in REFUSED.items():
        words = [command, *options]
        words += ["--out", out[command]] if command in out else []
        if command in ("train", "plan"):
            words += ["--data", "t.tsv", "--sequences", "p.fasta"]
        lines += [f"assert main({words!r}) == 2, {name!r}"]
        lines += [f"assert 'torch' not in sys.modules, {name!r}"]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, cwd=tmp_path)
