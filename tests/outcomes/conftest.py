"""Rows with labels, without any file behind them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from peftide.outcomes import ReadingOptions
from peftide.sequences import Examples


@pytest.fixture
def rows() -> Callable[..., Examples]:
    """Labels → the examples of t.tsv that have them, from line 2 on."""

    def build(
        labels: Sequence[str],
        *,
        counted: Sequence[bool] | None = None,
        masks: Sequence[str] | None = None,
    ) -> Examples:
        count = len(labels)
        return Examples(
            path=Path("t.tsv"),
            lines=np.arange(2, count + 2),
            members=np.arange(count)[:, None],
            counted=np.ones(count, dtype=bool) if counted is None else np.array(counted),
            labels=tuple(labels),
            masks=None if masks is None else tuple(masks),
        )

    return build


@pytest.fixture
def reading() -> Callable[..., ReadingOptions]:
    """Lengths of the sequences → options, with a crop or class map if asked."""

    def build(
        lengths: Sequence[int] = (), *, crop: int = 1000, class_map: Path | None = None
    ) -> ReadingOptions:
        before = np.array(lengths, dtype=np.int64)
        return ReadingOptions("train", np.minimum(before, crop), before, class_map)

    return build
