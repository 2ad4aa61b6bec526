"""Peak anonymous memory of LoRA training above the loaded model, one process per arm.

    python benchmarks/engine/memory.py

The same model and method as in training.py. The conventional arm trains on pairs spread evenly by
length, four at a time. peftide fills its trunk cache and takes one step on a block: a sample of its
proteins that is spread evenly by length, with all of their pairs (what it keeps of each further
protein is one vector). Linux only: `RssAnon` is read every few milliseconds.
"""

import argparse
import multiprocessing
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from conventional import go_through, pair_model
from measuring import arguments, begin, conclude, hardware_for
from ours import batches_of, encoder_of, fitting_of, smaller, step_of
from proteins import evenly_in_groups, gold

from training import EPOCHS

SECONDS_BETWEEN_READINGS = 0.005


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, default=32, help="pairs of the conventional arm")
    parser.add_argument("--proteins", type=int, default=128, help="proteins of peftide's batch")
    options = parser.parse_args()
    begin(options)
    peaks = {}
    for name in ARMS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peaks[name] = pool.apply(peak_of, (name, options))
        print(f"  {name:<14} {peaks[name] / 1e6:8,.0f} MB above the loaded model", flush=True)
    share = peaks["peftide"] / peaks["conventional"]
    name = "peak anonymous memory, share of the conventional"
    conclude(options, [[name, f"1/{1 / share:.1f}"]], columns=("measure", "peftide"))


def peak_of(name: str, options: argparse.Namespace) -> int:
    """Return the peak of an arm, in this process."""
    hardware_for(options)
    with tempfile.TemporaryDirectory() as folder:
        work = ARMS[name](options, Path(folder))
        before = anonymous_bytes()
        return peak_during(work) - before


def conventional(options: argparse.Namespace, _store: Path) -> Callable[[], None]:
    pairs = gold("train")
    lengths = pairs.tokens[pairs.members].sum(axis=1)
    (chosen,) = evenly_in_groups(lengths, options.pairs, 1)
    model = pair_model(lora=True)
    return lambda: go_through(model, pairs, chosen, train=True)


def peftide(options: argparse.Namespace, store: Path) -> Callable[[], None]:
    hardware = hardware_for(options)
    pairs = gold("train")
    batches = batches_of(hardware, pairs, epochs=EPOCHS)
    block = smaller(pairs, sorted(batches, key=len)[len(batches) // 2], options.proteins)
    encoder = encoder_of("esm2_t6_8M", hardware, lora=True)

    def work() -> None:
        texts = [pairs.sequences[p] for p in block.encoded(pairs.members)]
        encoder.keep_trunk(texts, store=store, limit=1e12)
        step_of(encoder, fitting_of(encoder, pairs), block)()

    return work


ARMS = {"conventional": conventional, "peftide": peftide}


def peak_during(work: Callable[[], None]) -> int:
    """Return the highest reading while some work is done."""
    readings, done = [anonymous_bytes()], threading.Event()

    def watch() -> None:
        while not done.wait(SECONDS_BETWEEN_READINGS):
            readings.append(anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return max(readings)


def anonymous_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
