"""Device, arithmetic and threads are chosen by option; what cannot be is an error."""

import ctypes
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from peftide.config import RunOptions
from peftide.errors import InputError
from peftide.hardware import (
    CPU_MAX_TOKENS,
    Hardware,
    choose_hardware,
    keep_freed_memory,
    native_bf16,
    peak_memory_bytes,
)

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def threads_are_put_back() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def on_cpu(**options: object) -> Hardware:
    return choose_hardware(RunOptions(device="cpu", **options))  # type: ignore[arg-type]


def product_type(hardware: Hardware) -> torch.dtype:
    with hardware.autocast():
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(("precision", "kind"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_precision_by_option(precision: str, kind: torch.dtype):
    hardware = on_cpu(precision=precision)
    assert hardware.precision == precision
    assert product_type(hardware) == kind


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
    assert native_bf16(CPU) == (precision == "bf16")


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
    with pytest.raises(InputError, match=f"the device {name} is not there. Use --device auto"):
        choose_hardware(RunOptions(device=name))


def test_a_gpu_of_too_high_a_number_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match="the device cuda:2 is not there"):
        choose_hardware(RunOptions(device="cuda:2"))


def test_several_processes_are_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="several processes; expected one process per run"):
        on_cpu()


def test_threads_by_option():
    hardware = on_cpu(threads=1)
    assert torch.get_num_threads() == 1
    assert hardware.describe()["threads"] == 1


@pytest.mark.parametrize("name", ["threads", "max_tokens"])
@pytest.mark.parametrize("value", [0, -2])
def test_a_number_below_one_is_an_error(name: str, value: int):
    flag = name.replace("_", "-")
    with pytest.raises(InputError, match=f"--{flag}: received {value}; expected 1 or more"):
        on_cpu(**{name: value})


def test_numbers_too_small_for_the_fast_path_are_zero():
    torch.set_flush_denormal(False)
    tiny = torch.tensor([1e-30])
    assert tiny * 1e-10 != 0
    if not torch.set_flush_denormal(False):
        pytest.skip("this CPU has no such mode")
    on_cpu()
    assert tiny * 1e-10 == 0


def test_token_budget_by_option():
    assert on_cpu().max_tokens == CPU_MAX_TOKENS
    assert on_cpu(max_tokens=1).max_tokens == 1


def test_a_run_record_describes_the_machine():
    record = on_cpu(precision="fp32", max_tokens=7).describe()
    assert (record["device"], record["precision"], record["max_tokens"]) == ("cpu", "fp32", 7)
    assert all(record[key] for key in ["device_name", "threads", "platform"])


def test_freed_memory_is_kept_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch):
    """The numbers are glibc's, of malloc.h."""
    said: dict[int, int] = {}
    library = SimpleNamespace(mallopt=said.__setitem__)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    keep_freed_memory()
    assert said == {-1: 2**31 - 1, -2: 2**28, -4: 0}
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())  # no glibc
    keep_freed_memory()
    monkeypatch.undo()
    keep_freed_memory()
    assert torch.ones(10**6).sum() == 1e6


def test_peak_memory_of_a_process_grows_with_what_it_holds():
    before = peak_memory_bytes(CPU)
    assert 50e6 < before < 1e12  # bytes, whatever the unit of the operating system
    held = torch.ones(int(before), dtype=torch.uint8)[: int(1e6)].clone()
    assert peak_memory_bytes(CPU) > before
    assert held.sum() == 1e6
