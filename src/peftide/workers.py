"""Pieces of work → done by workers on a Ray cluster; each worker that is lost is replaced."""

import logging
import os
import warnings
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from peftide.config.options import WorkerOptions
from peftide.errors import InputError, PeftideError
from peftide.files import is_pipe
from peftide.on_demand import require_library
from peftide.process import prepare_process
from peftide.quantities import count_of

logger = logging.getLogger(__name__)

Config = TypeVar("Config", bound=WorkerOptions)
LOCAL = "local"
MOST_LOSSES = 3
"""Workers that one piece of work may cost."""
STORE_BYTES = 2**27
"""Memory of a local cluster for objects: workers write files and return next to nothing."""


@dataclass(frozen=True)
class WantedWorkers:
    """The workers that are wanted.

    Attributes
    ----------
    address
        `local`, `auto`, or the address of a cluster.
    count
        Number of workers; None: one for each GPU, without GPUs one for each machine.
    threads
        CPU threads of a worker; None: its share of the cluster, with a GPU one.
    gpus
        Whether each worker takes a GPU if the cluster has any.
    """

    address: str
    count: int | None = None
    threads: int | None = None
    gpus: bool = True


def wanted_workers(config: Any) -> WantedWorkers | None:
    """Return the workers that the options of a command name; None without `--ray`."""
    if config.ray is None:
        return None
    gpus = config.device in ("auto", "cuda")
    return WantedWorkers(config.ray, config.workers, config.threads, gpus)


def whole_paths(config: Config) -> Config:
    """Return options with whole paths, because workers start in another folder."""
    found: dict[str, Any] = {}
    for name, value in vars(config).items():
        if isinstance(value, Path) and not is_pipe(value):
            found[name] = value.resolve()
        elif name == "backbone" and value is not None and Path(value).is_dir():
            found[name] = str(Path(value).resolve())
    return replace(config, **found)


@dataclass(frozen=True)
class Cluster:
    """A connected cluster, and the share of each worker."""

    ray: Any
    count: int
    threads: int
    gpus: int

    def workers(self, make: Callable[[], Any]) -> "Workers":
        """Return workers that each hold an object; they start when they get work.

        Parameters
        ----------
        make
            Makes the object in the process of a worker.
        """
        return Workers(self, make)


@contextmanager
def connected(wanted: WantedWorkers) -> Iterator[Cluster]:
    """Connect to a Ray cluster, or start one on this machine, until the block ends.

    A process that is connected already stays so.

    Raises
    ------
    InputError
        If Ray is not installed, or there is no such cluster.
    """
    ray = require_library("ray", extra="ray", where="--ray")
    if ray.is_initialized():
        yield _shared(ray, wanted)
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no hidden network
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if wanted.address == LOCAL:
        cores = max(os.cpu_count() or 1, (wanted.count or 1) * (wanted.threads or 1))
        options |= {"num_cpus": cores, "include_dashboard": False}
        options |= {"object_store_memory": STORE_BYTES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice of Ray on its own settings
        try:
            ray.init(address=wanted.address, **options)
        except (ConnectionError, ValueError, TimeoutError) as error:
            raise InputError(
                f"no Ray cluster at {wanted.address}",
                expected="`local`, `auto`, or the address of a cluster (HOST:PORT)",
                where="--ray",
                fix="Start one with `ray start --head`",
            ) from error
    try:
        yield _shared(ray, wanted)
    finally:
        ray.shutdown()


def _shared(ray: Any, wanted: WantedWorkers) -> Cluster:
    """Divide a cluster among workers."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = int(sum(machine.get("GPU", 0) for machine in machines)) if wanted.gpus else 0
    cores = int(sum(machine.get("CPU", 0) for machine in machines))
    count = wanted.count or gpus or len(machines)
    threads = wanted.threads or (1 if gpus else max(1, cores // count))
    largest = max((int(machine.get("CPU", 0)) for machine in machines), default=0)
    if threads > largest:
        raise InputError(
            f"received {threads}",
            expected=f"at most {largest}, the cores of the largest machine of the cluster",
            where="--threads",
        )
    logger.info(
        "%s with %s each%s, on %s",
        count_of(count, "worker"),
        count_of(threads, "thread"),
        " and a GPU" if gpus else "",
        count_of(len(machines), "machine"),
    )
    return Cluster(ray, count, threads, min(gpus, 1))


class Here:
    """An object in this process, with the calls of `Workers`."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.held = make()

    def call(self, method: str, *arguments: Hashable) -> Any:
        """Return the result of a method."""
        return getattr(self.held, method)(*arguments)

    def each(self, method: str, items: Sequence[tuple[Hashable, ...]]) -> Iterator[tuple[Any, Any]]:
        """Yield each item with its result."""
        for item in items:
            yield item, self.call(method, *item)


@contextmanager
def working(
    make: Callable[[int | None], Any], wanted: WantedWorkers | None, *, threads: int | None
) -> Iterator["Here | Workers"]:
    """Yield the workers of a cluster, or one in this process if no cluster is wanted.

    Parameters
    ----------
    make
        Makes the object of a worker, with so many threads.
    threads
        CPU threads of this process.
    """
    if wanted is None:
        yield Here(partial(make, threads))
        return
    with connected(wanted) as cluster:
        yield cluster.workers(partial(_prepared, make, cluster.threads))


def _prepared(make: Callable[[int | None], Any], threads: int) -> Any:
    prepare_process()  # before torch is imported
    return make(threads)


class Workers:
    """Workers of a cluster that each hold an object and call its methods."""

    def __init__(self, cluster: Cluster, make: Callable[[], Any]) -> None:
        self.ray, self.count = cluster.ray, cluster.count
        self._kind = self.ray.remote(_Holder).options(
            num_cpus=cluster.threads, num_gpus=cluster.gpus, max_restarts=0
        )
        self._make = make
        self._idle: list[Any] = []

    def call(self, method: str, *arguments: Hashable) -> Any:
        """Return the result of a method, called by one worker."""
        return next(self.each(method, [arguments]))[1]

    def each(self, method: str, items: Sequence[tuple[Hashable, ...]]) -> Iterator[tuple[Any, Any]]:
        """Yield each item with its result, in the order in which the calls end.

        Parameters
        ----------
        items
            Arguments of each call.

        Raises
        ------
        PeftideError
            If a call raises one, or an item costs several workers.
        """
        waiting, losses = deque(items), Counter[Any]()
        running: dict[Any, tuple[Any, Any]] = {}
        while waiting or running:
            while waiting and len(running) < self.count:
                item, worker = waiting.popleft(), self._worker()
                running[worker.call.remote(method, item)] = (item, worker)
            done = self.ray.wait(list(running))[0][0]
            item, worker = running.pop(done)
            found = self._result(done)
            if found is None:
                losses[item] += 1
                self._replace(worker, item, losses[item])
                waiting.appendleft(item)
                continue
            self._idle.append(worker)
            if found.message:
                raise InputError(found.message) if found.is_input else PeftideError(found.message)
            yield item, found.value

    def _worker(self) -> Any:
        return self._idle.pop() if self._idle else self._kind.remote(self._make)

    def _result(self, call: Any) -> "_Result | None":
        """Return the result of a call; None if its worker was lost."""
        errors = self.ray.exceptions
        lost = (errors.RayActorError, errors.WorkerCrashedError, errors.OutOfMemoryError)
        try:
            return self.ray.get(call)
        except (*lost, errors.NodeDiedError) as error:
            logger.debug("%s", error)
            return None

    def _replace(self, worker: Any, item: tuple[Hashable, ...], losses: int) -> None:
        """Let another worker do the work of a lost one.

        Raises
        ------
        PeftideError
            If several were lost at the same work.
        """
        self.ray.kill(worker)
        work = " ".join(map(str, item))
        if losses >= MOST_LOSSES:
            raise PeftideError(
                f"{losses} workers ended at the same piece of work ({work}), perhaps for lack of "
                "memory. Use fewer --workers or a smaller --max-tokens, and run the same command "
                "again: it goes on"
            )
        logger.warning("note: a worker ended at piece %s; another one does its work", work)


@dataclass(frozen=True)
class _Result:
    """The value that a call returned, or the message of its error."""

    value: Any = None
    message: str = ""
    is_input: bool = False


class _Holder:
    """An object in the process of a worker."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.held = make, None

    def call(self, method: str, arguments: tuple[Hashable, ...]) -> _Result:
        """Call a method of the object, which the first call makes."""
        try:
            if self.held is None:
                self.held = self.make()
            return _Result(getattr(self.held, method)(*arguments))
        except PeftideError as error:  # not all of them can be sent
            return _Result(message=str(error), is_input=isinstance(error, InputError))
