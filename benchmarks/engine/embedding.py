"""Residues per second of frozen embedding: a naive loop, a knowledgeable one, a peer, and peftide.

    python benchmarks/engine/embedding.py --threads 1
    python benchmarks/engine/embedding.py --architectures esm2_t33_650M --proteins 8 --repeats 1
    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 PEFTIDE_COMPILE=0 \\
        python benchmarks/engine/embedding.py --only naive "knowledgeable, fp32" "peftide, fp32"

Yeast proteins of at most 1,022 residues, random weights (speed does not depend on them). "Naive" is
plain transformers in file order, padded batches of 8, fp32. "Knowledgeable" is the same sorted by
length, in bf16; with --only also in fp32, and then the faster of both counts. The last command
measures as on a CPU with AVX2 alone, where all compute in fp32. The peer is esm-cpp with INT8
weights, if it is installed (pip install --no-deps esm-cpp); it returns logits, not vectors, and
chooses its threads by itself. Every arm of an architecture runs on a sample of the whole proteome's
work, in turns: peftide and the peer on proteins spread evenly by length, the padded arms on batches
of the whole proteome spread evenly by their padded size.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from conventional import esm, padded_means
from measuring import Spent, arguments, begin, conclude, hardware_for, middle, spent
from ours import SHAPES, encoder_of
from proteins import evenly, tokens_of, yeast
from safetensors.torch import save_file
from transformers import EsmForMaskedLM

from peftide.backbones.esm import esm_config
from peftide.native import attention, int8

COLUMNS = (
    *("Architecture", "Arm", "Residues per s", "Per CPU s"),
    *("Times naive", "Times knowledgeable"),
)
BATCH = 8


@dataclass(frozen=True)
class Arm:
    """One way to embed, ready to run, and its share of the work of all proteins."""

    work: Callable[[], object]
    share: float


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--architectures", nargs="+", choices=SHAPES, default=["esm2_t6_8M"])
    parser.add_argument("--proteins", type=int, default=64)
    parser.add_argument("--only", nargs="+", help="arms to run")
    options = parser.parse_args()
    begin(options)
    print(f"attention of peftide in bf16: {attention.state()}", flush=True)
    sequences, rows = yeast(), []
    for architecture in options.architectures:
        rows += measured(architecture, sequences, options)
    conclude(options, rows, columns=COLUMNS)


def measured(architecture: str, sequences: list[str], options) -> list[list[str]]:
    """Return the rows of one architecture."""
    with tempfile.TemporaryDirectory() as folder:
        arms = dict(arms_of(architecture, sequences, options, Path(folder)))
    found: dict[str, list[Spent]] = {name: [] for name in arms}
    for _ in range(options.repeats):
        for name, arm in arms.items():
            found[name].append(spent(arm.work) / arm.share)
    residues = sum(map(len, sequences))
    speeds = {name: middle(times) for name, times in found.items()}
    knowing = [whole for name, whole in speeds.items() if name.startswith("knowledgeable")]
    others = [speeds.get("naive"), min(knowing, key=lambda whole: whole.cpu, default=None)]
    rows = []
    for name, whole in speeds.items():
        rates = [f"{residues / whole.wall:,.0f}", f"{residues / whole.cpu:,.0f}"]
        times = [f"{other.cpu / whole.cpu:.1f}" if other else "" for other in others]
        rows.append([architecture, name, *rates, *times])
        print(" · ".join(rows[-1]), flush=True)
    return rows


def arms_of(
    architecture: str, sequences: list[str], options, folder: Path
) -> Iterator[tuple[str, Arm]]:
    """Yield the wanted arms with their names; each has run once on two short proteins."""

    def is_wanted(name: str) -> bool:
        return not options.only or name in options.only

    chosen = [sequences[i] for i in evenly(tokens_of(sequences), options.proteins)]
    share = len(chosen) / len(sequences)
    ordered = sorted(sequences, key=len)
    if is_wanted("naive"):
        yield "naive", padded(architecture, sequences, torch.float32, options.proteins)
    if is_wanted("knowledgeable"):
        yield "knowledgeable", padded(architecture, ordered, torch.bfloat16, options.proteins)
    if is_wanted("knowledgeable, fp32") and options.only:
        arm = padded(architecture, ordered, torch.float32, options.proteins)
        yield "knowledgeable, fp32", arm
    if find_spec("esm_cpp") is not None and is_wanted("esm-cpp, INT8"):
        yield "esm-cpp, INT8", Arm(peer(architecture, chosen, folder), share)
    for precision in ("fp32", "bf16", *(["int8"] if int8.library() is not None else [])):
        if is_wanted(f"peftide, {precision}"):
            encoder = encoder_of(architecture, hardware_for(options, precision), lora=False)
            encoder.embed(["MKV", "MKL"])
            yield f"peftide, {precision}", Arm(lambda e=encoder: e.embed(chosen), share)


def padded(architecture: str, sequences: list[str], dtype: torch.dtype, proteins: int) -> Arm:
    """Return an arm of plain transformers, on some of the padded batches of all sequences."""
    batches = [sequences[start : start + BATCH] for start in range(0, len(sequences), BATCH)]
    sizes = np.array([len(batch) * max(map(len, batch)) for batch in batches])
    chosen = evenly(sizes, max(1, proteins // BATCH))
    model = esm(architecture).to(dtype)

    def work() -> None:
        with torch.inference_mode():
            for index in chosen:
                padded_means(model, batches[index])

    return Arm(work, float(sizes[chosen].sum() / sizes.sum()))


def peer(architecture: str, sequences: Sequence[str], folder: Path) -> Callable[[], object]:
    """Return the work of esm-cpp on some sequences."""
    import esm_cpp

    model = EsmForMaskedLM(esm_config(*SHAPES[architecture]))
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    width = SHAPES[architecture][1] // SHAPES[architecture][2]
    frequencies = 10_000 ** -(torch.arange(0, width, 2) / width)
    for layer in range(SHAPES[architecture][0]):  # as published checkpoints have them
        place = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
        tensors[place] = frequencies.clone()
    save_file(tensors, folder / "model.safetensors")
    read = esm_cpp.Model.load_from_safetensors(str(folder / "model.safetensors"))
    read.quantize_weights()
    tokenizer = esm_cpp.Tokenizer()
    ids = [tokenizer.encode(text) for text in sequences]
    return lambda: read.forward_scheduled(ids)


if __name__ == "__main__":
    main()
