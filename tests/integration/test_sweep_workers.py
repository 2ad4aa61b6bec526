"""Two processes share the trials of one sweep: in a SQLite file, and on a PostgreSQL server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import small_config

SPACE = "head_width: [4, 8, 12, 16]\n"
COMBINATIONS = 4
DATABASES = ["sqlite", "postgresql"]


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, which Debian keeps out of the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return next((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)


def as_server_user(*words: str) -> None:
    """Run a program of the server, which refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*prefix, *words], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that listens on a socket in a folder of its own."""
    pytest.importorskip("psycopg", reason="pip install 'peftide[postgresql]'")
    place = programs()
    if place is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt install postgresql)")
    base = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    if os.getuid() == 0:
        shutil.chown(base, "postgres")
    as_server_user(f"{place}/initdb", "-D", f"{base}/data", "-A", "trust", "-U", "peftide")
    server = [f"{place}/pg_ctl", "-D", f"{base}/data", "-w", "-l", f"{base}/log"]
    as_server_user(*server, "-o", f"-c listen_addresses='' -k {base}", "start")
    yield f"postgresql+psycopg://peftide@/postgres?host={base}"
    as_server_user(*server, "-m", "fast", "stop")
    shutil.rmtree(base)


@pytest.fixture(params=DATABASES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.db'}"
    return request.getfixturevalue("postgresql")


@pytest.fixture
def start(tmp_path: Path, storage: str) -> Callable[[str], subprocess.Popen[str]]:
    """Return a function that starts a worker with a folder of this name."""
    options = vars(small_config(tmp_path, "regression", "head", epochs=1))
    table = {key: options[key] for key in ("train", "validation", "backbone", "task", "method")}
    config = tmp_path / "sweep.yaml"
    (tmp_path / "space.yaml").write_text(SPACE)
    lines = [f"{key}: {value}" for key, value in table.items()]
    lines += ["epochs: 1", "threads: 1", "precision: fp32", "search: grid", "space: space.yaml"]
    lines += ["baselines: [none]"]
    config.write_text("\n".join([*lines, f"trials: {COMBINATIONS}"]) + "\n")

    def begin(name: str) -> subprocess.Popen[str]:
        words = ["sweep", "--config", str(config), "--out", name, "--storage", storage]
        return subprocess.Popen(
            [sys.executable, "-m", "peftide", *words],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    return begin


def test_two_workers_do_every_combination_once(
    start: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    workers = {name: start(name) for name in ("one", "two")}
    for worker in workers.values():
        _, said = worker.communicate(timeout=300)
        assert worker.returncode == 0, said
    tables = [pd.read_csv(tmp_path / name / "trials.tsv", sep="\t") for name in workers]
    last = max(tables, key=len)  # the worker that ended last has seen all trials
    assert sorted(last["trial"]) == list(range(COMBINATIONS))
    assert not last.duplicated(["head_width"]).any()
    folders = [path.name for name in workers for path in (tmp_path / name / "trials").iterdir()]
    assert sorted(folders) == [f"{k:04d}" for k in range(COMBINATIONS)]
