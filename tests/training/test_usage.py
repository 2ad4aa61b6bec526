import sys
import time

import pytest
import torch

from peftide.training.usage import clocked, held_bytes, machine_memory, weighed

CPU = torch.device("cpu")
MB = 2**20
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own figures are read")


def test_sleep_takes_wall_time_and_no_cpu_time() -> None:
    result, seconds = clocked(lambda: time.sleep(0.1) or "done", CPU)
    assert result == "done"
    assert seconds.wall >= 0.1 > seconds.cpu


@linux
def test_freed_memory_is_part_of_the_peak() -> None:
    used = weighed(lambda: torch.ones(32 * MB).sum().item(), CPU)  # 128 MB of fp32
    assert used.result == 32 * MB
    assert used.grown_bytes == pytest.approx(128 * MB, rel=0.1)
    assert weighed(lambda: None, CPU).grown_bytes < 8 * MB


@linux
def test_the_memory_in_use_grows_with_a_tensor() -> None:
    before = held_bytes(CPU)
    kept = torch.ones(16 * MB)
    assert held_bytes(CPU) - before == pytest.approx(kept.nbytes, rel=0.1)


def test_a_machine_has_more_memory_than_is_free() -> None:
    total, free = machine_memory(CPU)
    assert 0 < free <= total
