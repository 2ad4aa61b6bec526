"""Several processes that share one training, started by `torchrun`: the messages between them.

::

    process 0   batch ─> its share ─> gradients ┐                ┌> the same optimizer step
    process 1   batch ─> its share ─> gradients ┴─> their sum ───┴> the same optimizer step

The first process leads: it alone writes, prints and validates. torch is imported on demand, so that
a training in one process does not wait for it here.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np

from peftide.errors import InputError, TrainingError
from peftide.types import IntArray

Result = TypeVar("Result")

ADDRESS = ("RANK", "MASTER_ADDR", "MASTER_PORT")
"""Environment variables that `torchrun` sets beside WORLD_SIZE."""
PATIENCE = timedelta(days=2)
"""The others wait as long for the first process, which encodes and validates alone."""
RESULT, FOLLOW = "result", "follow"
"""Kinds of messages of the first process."""
FAILED = "failed"
"""Key under which the first process that fails leaves its number."""

_store: Any = None
_reports: bool | None = None


class LostProcessError(TrainingError):
    """Another process of the training has ended."""


@dataclass
class Lockstep:
    """Whether all processes must run the same layers at the same time, and how they do so.

    Attributes
    ----------
    active
        Whether they must: each holds only a piece of the layers.
    side_by_side
        Whether they do so by themselves at present, as in a step of a training.
    follow
        Does in another process what the first one asks for with `lead`.
    """

    active: bool = False
    side_by_side: bool = False
    follow: Callable[[Any], None] | None = None


@dataclass(frozen=True)
class Processes:
    """The processes that share a training, seen from this process.

    Attributes
    ----------
    process_rank
        Number of this process, from 0.
    count
        Number of processes.
    lockstep
        Whether they run the layers of a model together.
    """

    process_rank: int = 0
    count: int = 1
    lockstep: Lockstep = field(default_factory=Lockstep, compare=False)

    @property
    def is_first(self) -> bool:
        """Whether this process leads."""
        return self.process_rank == 0

    def owners(self, costs: IntArray) -> IntArray:
        """Return the process of each piece of some work; the shares cost about the same.

        Examples
        --------
        >>> Processes(0, 2).owners(np.array([5, 1, 4, 2])).tolist()
        [0, 0, 1, 1]
        """
        owners = np.empty(len(costs), dtype=np.int64)
        dealt = np.arange(len(costs)) % (2 * self.count)
        # the largest first: 0 1 … 1 0 0 1 …
        order = np.argsort(-costs, kind="stable")
        owners[order] = np.minimum(dealt, 2 * self.count - 1 - dealt)
        return owners

    def share(self, costs: IntArray) -> IntArray:
        """Return the places of this process's share of some work."""
        return np.flatnonzero(self.owners(costs) == self.process_rank)

    def first(self, work: Callable[[], Result]) -> Result:
        """Let the first process do some work; return its result in every process.

        Meanwhile the others do what it asks for with `lead`.
        """
        if self.count == 1:
            return work()
        if self.is_first:
            result = work()
            self._tell((RESULT, result))
            return result
        while True:
            kind, content = self._tell(None)
            if kind == RESULT:
                return content
            assert self.lockstep.follow is not None
            self.lockstep.follow(content)

    def lead(self, request: Any) -> None:
        """Ask all others, which wait in `first`, to follow in some work."""
        self._tell((FOLLOW, request))

    def _tell(self, message: Any) -> Any:
        """Return the message of the first process in every process."""
        import torch
        from torch import distributed

        box: list[Any] = [message]
        with _reaching_others():
            distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """Run the layers in all processes by themselves inside; nobody leads."""
        self.lockstep.side_by_side = True
        try:
            yield
        finally:
            self.lockstep.side_by_side = False

    def most(self, number: int) -> int:
        """Return the largest number of all processes."""
        import torch
        from torch import distributed

        found = torch.tensor(number)
        with _reaching_others():
            distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return int(found)

    def sum(self, tensor: Any) -> None:
        """Replace a tensor by its sum over all processes."""
        if self.count == 1:
            return
        from torch import distributed

        with _reaching_others():
            distributed.all_reduce(tensor)

    def sum_gradients(self, parameters: Sequence[Any], loss: float) -> float:
        """Replace the gradients of parameters by their sums over all processes, in one exchange.

        A parameter keeps no gradient if no process has one.

        Parameters
        ----------
        parameters
            The trained parameters.
        loss
            This process's share of the loss.

        Returns
        -------
        The sum of the losses.
        """
        if self.count == 1:
            return loss
        import torch

        device = parameters[0].device
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        has = torch.tensor([float(p.grad is not None) for p in parameters] + [loss], device=device)
        together = torch.cat([*(part.detach().reshape(-1).float() for part in parts), has])
        self.sum(together)
        *sums, has = together.split([p.numel() for p in parameters] + [len(has)])
        for parameter, total, found in zip(parameters, sums, has[:-1].tolist(), strict=True):
            if found:
                parameter.grad = total.view_as(parameter).to(parameter.dtype)
        return float(has[-1])

    def require_same(self, facts: Mapping[str, Any]) -> None:
        """Check that every process has the same facts.

        Raises
        ------
        InputError
            Names the first fact that differs from the first process, and the process.
        """
        if self.count == 1:
            return
        from torch import distributed

        found: list[Any] = [None] * self.count
        with _reaching_others():
            distributed.all_gather_object(found, (socket.gethostname(), dict(facts)))
        first_host, expected = found[0]
        for process_rank, (host, own) in enumerate(found):
            for name, value in own.items():
                if value != expected[name]:
                    raise InputError(
                        f"process {process_rank} (on {host}) has {name} {value}",
                        expected=f"{expected[name]}, as process 0 (on {first_host}) has",
                        fix="Give all machines the same software and the same files",
                    )

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.first(lambda: None)
        if self.count > 1:
            self.require_same({})


ALONE = Processes()


def process_rank() -> int:
    """Return the number that `torchrun` gave this process; 0 without `torchrun`."""
    return int(os.environ.get("RANK", "0")) if process_count() > 1 else 0


def process_count() -> int:
    """Return the number of processes that `torchrun` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def joined() -> Iterator[Processes]:
    """Yield the processes that `torchrun` started, connected; or this process alone.

    Raises
    ------
    InputError
        If the environment names several processes but not how they find each other.
    """
    global _store, _reports
    count = process_count()
    if count == 1:
        yield ALONE
        return
    if missing := [name for name in ADDRESS if name not in os.environ]:
        raise InputError(
            f"started as {count} processes (WORLD_SIZE) without {', '.join(missing)}",
            expected="the variables that torchrun sets",
            fix="Start with `torchrun --nproc-per-node N -m peftide train …`, or unset WORLD_SIZE",
        )
    import torch
    from torch import distributed

    gpus = torch.cuda.is_available() and distributed.is_nccl_available()
    with _reaching_others():
        _store, rank, _ = next(distributed.rendezvous("env://", timeout=PATIENCE))
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if gpus else "gloo",
            store=distributed.PrefixStore("group", _store),
            rank=rank,
            world_size=count,
            timeout=PATIENCE,
        )
    try:
        yield Processes(rank, count)
    except BaseException:
        _reports = _claims()  # before the others notice that this process has gone
        raise
    finally:
        distributed.destroy_process_group()


@contextmanager
def _reaching_others() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcessError(
            "another process of this training has ended. If it left no message, it was killed, for "
            "instance because the memory was full. Go on with the same command and --resume"
        ) from error


def reports_failure() -> bool:
    """Return whether this process is the first of all to fail, and so the one that says why."""
    if _reports is not None:
        return _reports
    if process_count() == 1:
        return True
    return _claims()


def _claims() -> bool:
    """Leave the number of this process for the others, unless another has failed before."""
    global _store
    own = str(process_rank())
    if _store is None and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        from torch import distributed

        _store, *_ = next(distributed.rendezvous("env://", timeout=timedelta(seconds=10)))
    if _store is None:
        return own == "0"
    try:
        return _store.compare_set(FAILED, "", own).decode() == own
    except RuntimeError:  # the first process kept the store, and has ended
        return False
