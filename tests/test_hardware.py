"""Device, arithmetic and threads are chosen by option; what cannot be is an error."""

import os
import subprocess
import sys

import pytest
import torch

from peftide.config import RunOptions
from peftide.distributed import Processes
from peftide.errors import InputError
from peftide.hardware import (
    CPU_MAX_TOKENS,
    GPU_MAX_TOKENS,
    Hardware,
    choose_hardware,
    flushes_denormals,
    native_half,
    peak_memory_bytes,
)

CPU = torch.device("cpu")


def on_cpu(**options: object) -> Hardware:
    return choose_hardware(RunOptions(device="cpu", **options))  # type: ignore[arg-type]


def product_type(hardware: Hardware) -> torch.dtype:
    with hardware.autocast():
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("precision", "kind"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_precision_by_option(precision: str, kind: torch.dtype):
    hardware = on_cpu(precision=precision)
    assert hardware.precision == precision
    assert product_type(hardware) == kind


INT8_CPU = {"avx512_vnni": True}


def test_int8_computes_the_rest_in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: INT8_CPU)
    hardware = on_cpu(precision="int8")
    assert hardware.precision == "int8"
    assert product_type(hardware) == torch.bfloat16


def test_int8_is_refused_without_the_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    with pytest.raises(InputError, match="int8") as raised:
        on_cpu(precision="int8")
    assert "--precision auto" in str(raised.value)


def test_int8_is_refused_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(InputError, match="int8"):
        choose_hardware(RunOptions(device="mps", precision="int8"))


def test_two_precisions_in_one_process():
    kinds = [product_type(on_cpu(precision=name)) for name in ["bf16", "fp32", "bf16"]]
    assert kinds == [torch.bfloat16, torch.float32, torch.bfloat16]


@pytest.mark.parametrize(
    ("units", "precision"),
    [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32")],
)
def test_auto_takes_bf16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, units: dict[str, bool], precision: str
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units)
    assert on_cpu(precision="auto").precision == precision
    assert native_half(CPU, torch.bfloat16) == (precision == "bf16")


def test_auto_device_is_the_cpu_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    hardware = choose_hardware(RunOptions())
    assert hardware.device == CPU
    assert hardware.max_tokens == CPU_MAX_TOKENS


@pytest.mark.parametrize("name", ["gpu", "cpu:first", "", "h100"])
def test_a_device_of_no_known_name_is_an_error(name: str):
    with pytest.raises(InputError, match=rf"--device: received '{name}'; expected auto, cpu, cuda"):
        choose_hardware(RunOptions(device=name))


@pytest.mark.parametrize("name", ["cuda", "cuda:7", "meta", "xpu"])
def test_a_device_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=f"no device {name}.* --device auto"):
        choose_hardware(RunOptions(device=name))


def test_a_gpu_of_too_high_a_number_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match="no device cuda:2"):
        choose_hardware(RunOptions(device="cuda:2"))


def test_several_processes_are_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="2 processes; expected one process: only `peftide train`"):
        on_cpu()
    shared = choose_hardware(RunOptions(device="cpu"), Processes(1, 2))
    assert shared.describe()["processes"] == 2


@pytest.mark.usefixtures("two_gpus")
def test_each_process_takes_the_gpu_of_its_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: (8, 0))
    assert choose_hardware(RunOptions(), Processes(1, 2)).device == torch.device("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="no device cuda:2"):
        choose_hardware(RunOptions(), Processes(2, 2))


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((6, 1), "fp32"), ((7, 0), "fp16"), ((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")],
)
@pytest.mark.usefixtures("two_gpus")
def test_auto_takes_the_half_precision_of_the_gpu(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
):
    """A V100 or T4 has fp16 units only; an A100 or H100 also bf16."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: capability >= (8, 0))
    assert choose_hardware(RunOptions(device="cuda")).precision == precision


def test_the_gpu_of_a_mac_by_option(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="no device mps"):
        choose_hardware(RunOptions(device="mps"))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    hardware = choose_hardware(RunOptions(device="mps"))
    assert (hardware.device.type, hardware.precision) == ("mps", "fp32")


@pytest.mark.usefixtures("two_gpus")
def test_the_choice_depends_on_the_options_alone():
    """After a GPU of its own number comes the CPU, and then another GPU."""
    before = dict(os.environ)
    for name in ("cuda:1", "cpu", "cuda", "cuda:0", "auto", "cpu"):
        expected = torch.device("cuda" if name == "auto" else name)
        hardware = choose_hardware(RunOptions(device=name))
        assert hardware.device == expected
        assert hardware.max_tokens == (CPU_MAX_TOKENS if name == "cpu" else GPU_MAX_TOKENS)
        assert hardware == choose_hardware(RunOptions(device=name))
    assert dict(os.environ) == before


def test_choosing_changes_nothing():
    before = state_of_torch()
    on_cpu(threads=torch.get_num_threads() + 1)
    assert state_of_torch() == before


def state_of_torch() -> tuple[int, bool, list[int]]:
    return torch.get_num_threads(), flushes_denormals(), torch.get_rng_state().tolist()


def test_threads_by_option():
    threads = torch.get_num_threads()
    hardware = on_cpu(threads=threads + 1)
    assert hardware.describe()["threads"] == threads + 1
    assert on_cpu().describe()["threads"] == threads
    with hardware.computing():
        assert torch.get_num_threads() == threads + 1
    with on_cpu().computing():
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("flushes", [False, True])
def test_numbers_too_small_for_the_fast_path_are_zero_while_computing(*, flushes: bool):
    tiny = torch.tensor([1e-30])
    before = flushes_denormals()
    try:
        if not torch.set_flush_denormal(flushes):
            pytest.skip("this CPU has no such mode")
        with on_cpu().computing():
            assert tiny * 1e-10 == 0
        assert flushes_denormals() == flushes
    finally:
        torch.set_flush_denormal(before)


def test_torch_is_left_as_it_was_after_an_error_too():
    before = state_of_torch()

    def fail() -> None:
        with on_cpu(threads=3).computing():
            torch.manual_seed(0)
            assert state_of_torch() != before
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert state_of_torch() == before


def test_random_numbers_go_on_as_if_nothing_had_been_computed():
    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    with on_cpu().computing():
        torch.manual_seed(0)
    assert torch.equal(torch.rand(2), expected)


def test_worker_threads_of_others_keep_their_mode():
    """In a process of its own, in which torch has started no worker thread yet."""
    code = """
import torch
from peftide.config import RunOptions
from peftide.hardware import choose_hardware
torch.set_num_threads(3)
tiny = torch.full((2**21,), 1e-30)
with choose_hardware(RunOptions(device="cpu")).computing():
    torch.ones(2**21).add_(1)
print(int(((tiny * 1e-10) == 0).sum()))
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"


def test_in_a_process_of_ours_all_threads_flush():
    code = """
from peftide.process import prepare_process
prepare_process()
import torch
from peftide.config import RunOptions
from peftide.hardware import choose_hardware
with choose_hardware(RunOptions(device="cpu", threads=3)).computing():
    tiny = torch.empty(2**21)
    tiny.fill_(1e-30)
    print(int(((tiny * 1e-10) != 0).sum()))
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"


@pytest.mark.parametrize("name", ["threads", "max_tokens"])
@pytest.mark.parametrize("value", [0, -2])
def test_a_number_below_one_is_an_error(name: str, value: int):
    flag = name.replace("_", "-")
    with pytest.raises(InputError, match=f"--{flag}: received {value}; expected 1 or more"):
        on_cpu(**{name: value})


def test_token_budget_by_option():
    assert on_cpu().max_tokens == CPU_MAX_TOKENS
    assert on_cpu(max_tokens=1).max_tokens == 1


def test_a_run_record_describes_the_machine():
    record = on_cpu(precision="fp32", max_tokens=7).describe()
    assert (record["device"], record["precision"], record["max_tokens"]) == ("cpu", "fp32", 7)
    assert all(record[key] for key in ["device_name", "threads", "platform"])


def test_peak_memory_of_a_process_grows_with_what_it_holds():
    before = peak_memory_bytes(CPU)
    assert 50e6 < before < 1e12  # bytes, whatever the unit of the operating system
    held = torch.ones(int(before), dtype=torch.uint8)[: int(1e6)].clone()
    assert peak_memory_bytes(CPU) > before
    assert held.sum() == 1e6
