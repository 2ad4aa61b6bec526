"""`peftide doctor`."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from peftide.cli.closing import say_next
from peftide.cli.streams import complain, say
from peftide.commands.doctor import Health, Library, doctor
from peftide.config import DoctorConfig
from peftide.config.unread import Names
from peftide.quantities import byte_size
from peftide.version import __version__


def run(config: DoctorConfig, _given: Names) -> int:
    """Print the findings; return 1 if peftide cannot work on this machine."""
    health = doctor(config)
    if config.json:
        say(json.dumps({"peftide": __version__} | asdict(health), indent=2), wrap=False)
    else:
        found = list(lines(health))
        width = max(len(name) for name, _ in found)
        for name, text in found:
            say(f"{name:{width}}  {text}", wrap=False)
    for problem in health.problems:
        complain(f"problem: {problem}", style="bad")
    if health.problems:
        return 1
    say_next(["peftide", "demo"], hint="Ready. To report a fault, include the lines above.")
    return 0


def lines(health: Health) -> Iterator[tuple[str, str]]:
    """Yield the findings, as pairs of a name and a text."""
    machine = health.hardware
    rate, backbone = health.residues_per_second, health.backbone
    yield "peftide", f"{__version__}, Python {machine['python']}, {machine['platform']}"
    yield "device", f"{machine['device']}, {machine['device_name']}, {health.cores} cores"
    yield "computing", f"{machine['precision']}, {machine['threads']} threads"
    if machine["device"] == "cpu":
        yield "attention in bf16", health.attention
        yield "--precision int8", health.int8
    yield "memory", f"{byte_size(health.memory)}, free {byte_size(health.free_memory)}"
    yield "disk", f"free {byte_size(health.free_disk)} in this folder"
    yield "model hub", health.hub
    yield "MMseqs2", health.mmseqs or "not installed: peftide searches with pyopal, which is slower"
    yield "speed", "not measured" if rate is None else f"{rate:,.0f} residues/s with {backbone}"
    yield "libraries", ", ".join(map(_with_version, health.needed))
    for extra, found in health.extras.items():
        missing = not all(each.is_met for each in found)
        how = f": pip install 'peftide[{extra}]'" if missing else ""
        yield f"extra {extra}", ", ".join(map(_with_version, found)) + how


def _with_version(library: Library) -> str:
    if library.version is None:
        return f"{library.name} missing"
    return f"{library.name} {library.version}" + ("" if library.is_met else " (unfit)")
