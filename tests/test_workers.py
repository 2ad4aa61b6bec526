"""Workers on a Ray cluster of this machine. Functions inside tests travel to the workers whole."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError, PeftideError
from peftide.workers import Cluster, WantedWorkers, connected

pytest.importorskip("ray", reason="pip install 'peftide[ray]'")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with connected(WantedWorkers("local", count=2, threads=1, gpus=False)) as found:
        yield found


def notes(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in folder.glob("done-*"))


def maker(folder: Path, *, kills: dict[int, int]) -> Any:
    """Return a maker of an object that notes each number, and kills its process some times."""

    class Noting:
        def square(self, number: int) -> int:
            for attempt in range(kills.get(number, 0)):
                mark = folder / f"killed-{number}-{attempt}"
                if not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            (folder / f"done-{number}").write_text(f"{number}")
            return number * number

        def who(self) -> int:
            return os.getpid()

        def wrong(self, number: int) -> None:
            raise InputError(f"received {number}", expected="another one", where="--x")

    return Noting


def test_each_piece_is_done_once(cluster: Cluster, tmp_path: Path) -> None:
    workers = cluster.workers(maker(tmp_path, kills={}))
    found = dict(workers.each("square", [(number,) for number in range(9)]))
    assert found == {(number,): number * number for number in range(9)}
    assert notes(tmp_path) == [str(number) for number in range(9)]
    assert workers.call("who") != os.getpid()


def test_a_killed_worker_is_replaced(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workers = cluster.workers(maker(tmp_path, kills={0: 1, 4: 2}))
    found = list(workers.each("square", [(number,) for number in range(9)]))
    assert sorted(found) == [((number,), number * number) for number in range(9)]
    assert notes(tmp_path) == [str(number) for number in range(9)]
    assert caplog.text.count("a worker ended at piece 4; another one does its work") == 2
    assert caplog.text.count("a worker ended at piece 0") == 1


@pytest.mark.slow
def test_a_piece_that_kills_every_worker_is_named(cluster: Cluster, tmp_path: Path) -> None:
    workers = cluster.workers(maker(tmp_path, kills={3: 99}))
    with pytest.raises(PeftideError, match=r"3 workers ended at the same piece of work \(3\)"):
        list(workers.each("square", [(number,) for number in range(5)]))


def test_messages_for_the_user_arrive_whole(cluster: Cluster, tmp_path: Path) -> None:
    workers = cluster.workers(maker(tmp_path, kills={}))
    with pytest.raises(InputError, match="^--x: received 7; expected another one$"):
        list(workers.each("wrong", [(7,)]))


def test_a_cluster_is_divided(cluster: Cluster) -> None:
    assert (cluster.count, cluster.threads, cluster.gpus) == (2, 1, 0)


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    code = (
        "from peftide.errors import InputError\n"
        "from peftide.workers import WantedWorkers, connected\n"
        "try:\n"
        "    with connected(WantedWorkers('nowhere')): pass\n"
        "except InputError as error:\n"
        "    print(error)"
    )
    words = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("--ray: no Ray cluster at nowhere; expected")
    assert "ray start --head" in done.stdout


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with (
        pytest.raises(InputError, match=r"ray is not installed.*peftide\[ray\]"),
        connected(WantedWorkers("local")),
    ):
        pass
