"""A library call leaves the process as it was: a notebook has work of its own."""

import subprocess
import sys
from pathlib import Path

from peftide.config import EmbedConfig, MergeConfig, PredictConfig, PretrainConfig, to_yaml
from tests.conftest import random_sequences, small_config, write_proteins

SCRIPT = """
import os, signal, sys
from pathlib import Path

import accelerate, peft, sklearn, torch, transformers  # what importing them does is theirs
import peftide
from peftide.config import from_mapping, read_yaml

torch.set_num_threads(2)
theirs = accelerate.Accelerator(cpu=True, mixed_precision="bf16")
tiny = torch.full((2**21,), 1e-30)

def state():
    return {
        "environment": dict(os.environ),
        "threads": torch.get_num_threads(),
        "denormals of this thread": bool(tiny[0] * 1e-10),
        "denormals of all threads": int(((tiny * 1e-10) != 0).sum()),
        "signals": [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)],
        "accelerator": (str(theirs.device), theirs.mixed_precision),
        "gradients": torch.is_grad_enabled(),
    }

before = state()
for name in sys.argv[1:]:
    kind = getattr(peftide, name.title() + "Config")
    config = from_mapping(kind, read_yaml(Path(name + ".yaml")))
    getattr(peftide, name)(config)
    after = state()
    changed = [key for key, old in before.items() if after[key] != old]
    assert not changed, (name, changed)
"""


def test_library_calls_leave_the_process_as_it_was(tmp_path: Path) -> None:
    training = small_config(tmp_path, "regression", "lora")
    fasta = write_proteins(tmp_path / "p.fasta", random_sequences(20, lengths=(30, 60)))
    common = {"threads": 1, "device": "cpu"}
    configs = {
        "train": training,
        "predict": PredictConfig(
            run=training.out, input=tmp_path / "train.tsv", out=tmp_path / "scores.tsv", **common
        ),
        "embed": EmbedConfig(
            backbone=training.backbone, sequences=fasta, out=tmp_path / "e.safetensors", **common
        ),
        "merge": MergeConfig(run=training.out, out=tmp_path / "merged", threads=1),
        "pretrain": PretrainConfig(
            sequences=(fasta,),
            out=tmp_path / "backbone",
            layers=1,
            width=32,
            attention_heads=4,
            rows=2,
            row_tokens=64,
            steps=1,
            compile=False,
            **common,
        ),
    }
    for name, config in configs.items():
        (tmp_path / f"{name}.yaml").write_text(to_yaml(config))
    words = [sys.executable, "-c", SCRIPT, *configs]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
