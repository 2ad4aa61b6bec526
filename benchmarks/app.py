"""`peftide app` under load: time of an answer, ten people at once, memory over 1,000 requests.

    python benchmarks/app.py RUN --sequences S.fasta [--requests 1000]

RUN is a finished training on pairs. The app runs in a process of its own; everything stays on this
machine. Linux only.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from gradio_client import Client
from recording import add_record_option, write_record

from peftide.sequences import read_fasta

PEOPLE, EACH = 10, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=1000)
    add_record_option(parser)
    options = parser.parse_args()
    proteins, _ = read_fasta(options.sequences)
    texts = [text for text in proteins.sequences if 100 <= len(text) <= 300]
    pairs = np.random.default_rng(0).choice(texts, (options.requests + PEOPLE * EACH + 20, 2))
    words = ["peftide", "app", str(options.run), "--port", "0", "--device", "cpu"]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            started = time.perf_counter()
            assert process.stdout is not None
            address = process.stdout.readline().split()[1]
            ready = time.perf_counter() - started
            rows = measured(address, process.pid, iter(pairs.tolist()), options)
        finally:
            process.terminate()
    rows.insert(0, ["seconds from the command to the page", f"{ready:.1f}"])
    for row in rows:
        print(*row, sep="\t")
    write_record(options.record, ["Measured", "Result"], rows)


def measured(address: str, pid: int, pairs: Any, options: argparse.Namespace) -> list[list[str]]:
    client = Client(address, verbose=False)
    first = timed(client, next(pairs))
    ten = [timed(client, next(pairs)) for _ in range(10)]
    seconds, errors = together(address, pairs)
    asked = 11 + PEOPLE * EACH
    before, used = resident_mb(pid), cpu_seconds(pid)
    for _ in range(options.requests):
        timed(client, next(pairs))
    after, used = resident_mb(pid), cpu_seconds(pid) - used
    return [
        ["first answer to a pair after the start, s", f"{first:.2f}"],
        ["next 10 answers, median s (longest)", f"{np.median(ten):.2f} ({max(ten):.2f})"],
        [f"{PEOPLE} people at once, {EACH} pairs each: errors", str(errors)],
        ["the same: median s (longest)", f"{np.median(seconds):.2f} ({max(seconds):.2f})"],
        ["CPU seconds of the server per answer", f"{used / options.requests:.2f}"],
        [f"memory after {asked} requests, MB", f"{before:.0f}"],
        [f"memory after {options.requests:,} more, MB", f"{after:.0f}"],
    ]


def timed(client: Client, pair: list[str]) -> float:
    started = time.perf_counter()
    found, *_ = client.predict(0.1, *pair, api_name="/answer_one")
    assert "Probability of yes" in found, found
    return time.perf_counter() - started


def together(address: str, pairs: Any) -> tuple[list[float], int]:
    """Let several people ask at once; return the seconds of each answer, and the errors."""
    seconds: list[float] = []
    errors: list[Exception] = []
    given = [[next(pairs) for _ in range(EACH)] for _ in range(PEOPLE)]

    def ask(mine: list[list[str]]) -> None:
        try:
            client = Client(address, verbose=False)
            seconds.extend(timed(client, pair) for pair in mine)
        except Exception as error:  # noqa: BLE001 — counted
            errors.append(error)

    people = [threading.Thread(target=ask, args=(mine,)) for mine in given]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return seconds, len(errors)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


if __name__ == "__main__":
    main()
