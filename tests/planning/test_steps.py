from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.encoding import ModelEncoder
from peftide.parameters import trained_parameters
from peftide.planning.steps import StepMeter, blank_embeddings, validation_seconds
from peftide.planning.work import epoch_work
from peftide.resume_points import POINT_PATTERN
from peftide.types import IntArray
from tests.planning.conftest import Begin, Begun


@pytest.mark.parametrize("method", ["head", "full", "adalora"])
def test_steps_are_taken_without_encoding_anything(
    begin: Begin, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("ppi", method)
    monkeypatch.delattr(ModelEncoder, "encode")
    before = [p.detach().clone() for p in trained_parameters(begun.setting.model).values()]
    meter = StepMeter(begun.setting, begun.fitting, steps=100)
    assert meter.cost(epoch_work_batches(begun)).of(np.array([10.0, 80.0])).cpu > 0
    after = trained_parameters(begun.setting.model).values()
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def epoch_work_batches(begun: Begun) -> list[IntArray]:
    return epoch_work(begun.fitting).batches


def test_a_resume_point_is_written_as_in_a_training(begin: Begin, tmp_path: Path) -> None:
    begun = begin("regression", "lora")
    meter = StepMeter(begun.setting, begun.fitting, steps=100)
    meter.cost(epoch_work_batches(begun))
    used = meter.resume_point(tmp_path / "points")
    assert used.seconds.wall > 0
    assert len(list((tmp_path / "points").glob(POINT_PATTERN))) == 1


@pytest.mark.parametrize(("task", "itemsize"), [("ppi", 4), ("residue", 2)])
def test_blank_rows_take_no_memory(begin: Begin, task: str, itemsize: int) -> None:
    setting = begin(task, "head").setting
    rows = blank_embeddings(setting.encoder, setting.problem.dataset.proteins.sequences).rows
    assert rows.untyped_storage().nbytes() == 32 * itemsize
    assert validation_seconds(setting).cpu > 0
