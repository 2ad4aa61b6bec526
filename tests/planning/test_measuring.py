from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from peftide.backbones.loading import load_backbone
from peftide.bundle import build_model
from peftide.encoding import ModelEncoder
from peftide.engine.blocks import Batch
from peftide.model import count_parameters
from peftide.packing import token_budget_batches
from peftide.planning import measuring
from peftide.planning.measuring import Measurement, Rehearsal, measure_training
from peftide.run_folder import RunFolder
from peftide.training.loop import TrainingRun
from peftide.training.problem import Problem
from peftide.training.setting import adapt, recipe_of
from peftide.training.usage import Seconds, Used
from tests.planning.conftest import Begin

FEW_STEPS = 6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "MOST_STEPS", FEW_STEPS)


def measured(begin: Begin, tmp_path: Path, method: str, **changes: Any) -> Measurement:
    setting, stands = begin("regression", method, baselines=("none",), **changes)
    return measure_training(setting, stands, RunFolder(tmp_path / "scratch"), store=tmp_path)


@pytest.mark.parametrize("method", ["head", "pissa"])
def test_a_plan_takes_real_steps_and_adds_up(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    taken, step = [], TrainingRun.step

    def counted(run: TrainingRun, batch: Any, **options: Any) -> float:
        taken.append(len(batch))
        return step(run, batch, **options)

    monkeypatch.setattr(TrainingRun, "step", counted)
    found = measured(begin, tmp_path, method)
    assert len(taken) == FEW_STEPS + 3  # the first is slow, and two are weighed
    assert max(taken) == 8  # a whole batch
    assert found.steps == 3
    setting, _ = begin("regression", method)
    backbone = load_backbone(setting.config.backbone)
    adapt(backbone, setting.config)
    recipe = recipe_of(setting.config, setting.problem)
    model = build_model(recipe, setting.problem.labels, backbone)
    assert found.parameters == count_parameters(model)
    assert found.sizes.trained == 4 * found.parameters["trained"]
    assert all(found.seconds[piece].cpu > 0 for piece in ("training", "validation", "scoring"))
    assert found.seconds["frozen layers, once"].cpu > 0
    assert (found.seconds["vectors before training"].cpu > 0) == (method != "head")
    assert found.sizes.is_kept


def test_left_out_layers_are_counted(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peftide.planning.stand_in.MOST_PARAMETERS", 1000)
    found = measured(begin, tmp_path, "full", backbone="random:esm2_mini")
    # all but 16 numbers that never train: of the contact head, and a bias
    assert found.parameters["total"] - found.parameters["trained"] == 16
    assert found.sizes.held > 4 * found.parameters["total"] / 3


def test_epochs_and_layers_that_run_in_every_step_cost_more(begin: Begin, tmp_path: Path) -> None:
    setting, stands = begin("ppi", "lora")
    it = Rehearsal(setting, stands, RunFolder(tmp_path / "scratch"))
    it.above, it.below = Seconds(1, 2), Seconds(10, 20)
    kept, anew = (it.encoding_seconds(is_kept=kept) for kept in (True, False))
    assert kept["validation"].cpu * 11 == pytest.approx(anew["validation"].cpu)
    assert kept["frozen layers, once"].cpu > 0 == anew["frozen layers, once"].cpu
    assert anew["scoring"].wall == pytest.approx(2 * anew["scoring"].cpu)


@pytest.mark.parametrize(
    ("threads", "max_tokens", "batches"), [(1, 20, 1), (3, 20, 3), (3, 9999, 1)]
)
def test_memory_counts_the_largest_batches_of_all_threads(
    begin: Begin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
    max_tokens: int,
    batches: int,
) -> None:
    monkeypatch.setattr(measuring, "weighed", lambda work, _: Used(work(), Seconds(), 1000))
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    setting, stands = begin("regression", "head", max_tokens=max_tokens)
    it = Rehearsal(setting, stands, RunFolder(tmp_path / "scratch"))
    sample = sorted(it.sequences, key=len)[-1:]
    monkeypatch.setattr(Rehearsal, "_sample", lambda *_: (1.0, sample))
    tokens = it.encoder.tokens(list(set(it.sequences)))
    largest = max(tokens[batch].sum() for batch in token_budget_batches(tokens, max_tokens))
    expected = 1000 * batches * largest / it.encoder.tokens(sample)[0]
    assert it.encode(splits=False) == pytest.approx(expected)


def test_the_encoded_sample_grows_until_it_takes_its_time(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recurrent network encodes ten sequences in the time of one."""
    monkeypatch.setattr(measuring, "FIRST_TOKENS", 1)
    setting, stands = begin("regression", "head", max_tokens=10_000)
    it, encoded = Rehearsal(setting, stands, RunFolder(tmp_path / "scratch")), []
    monkeypatch.setattr(ModelEncoder, "embed", lambda _, some: encoded.append(len(some)))
    monkeypatch.setattr(measuring, "weighed", lambda work, _: Used(work(), Seconds(1.0, 2.0), 0))
    monkeypatch.setattr(measuring, "clocked", lambda work, _: (work(), Seconds(1.0, 2.0)))
    it.encode(splits=False)
    distinct = list(dict.fromkeys(it.sequences))
    assert encoded[0] == 1
    assert encoded[-1] == len(distinct)
    whole = it.encoded(it.above, *it.problem.dataset.parts)
    assert (whole.cpu, whole.wall) == pytest.approx((1.0, 2.0))


def test_a_small_step_uses_memory_as_the_largest_one(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, stands = begin("ppi", "lora")
    it, times = Rehearsal(setting, stands, RunFolder(tmp_path / "scratch")), []
    it.encode(splits=False)
    whole, it.chosen = it.chosen[0], [Batch(it.chosen[0].examples[:1])] * len(it.chosen)
    backbone = setting.model.backbone
    monkeypatch.setattr(type(backbone), "train_as_if_larger", lambda _, found: times.append(found))
    it.take_steps(1.0)
    small, large = (
        min(
            it.run.fitting.source.costs[one.encoded(it.members)].sum(), it.run.fitting.source.budget
        )
        for one in (it.chosen[0], whole)
    )
    assert times == [pytest.approx(large / small)] * 2  # both weighed steps have one pair


def test_more_rows_cost_what_the_line_through_two_sizes_says(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "SCORED", (4, 8))
    monkeypatch.setattr("peftide.planning.sampling.FEWEST_EXAMPLES", 1)
    setting, stands = begin("regression", "head")
    it = Rehearsal(setting, stands, RunFolder(tmp_path / "scratch"))

    def weighed(work: Any, _device: object) -> measuring.Used[Any]:
        rows = rows_of(work.__defaults__[0].problem)
        return measuring.Used(None, Seconds(1 + rows, 2 + 2 * rows), 100 * rows)

    monkeypatch.setattr(measuring, "weighed", weighed)
    monkeypatch.setattr(measuring, "search_seconds", lambda _: Seconds(3, 6))
    found = it.score()
    assert (found.seconds, found.grown_bytes) == (Seconds(20, 40), 1600)  # 8 rows in each part


def rows_of(problem: Problem) -> int:
    return sum(len(problem.targets[part].values) for part in ("validation", "test"))


def test_a_fit_by_hand() -> None:
    sizes = np.array([[1.0, 4.0, 10.0], [1.0, 8.0, 10.0], [1.0, 4.0, 30.0]])
    np.testing.assert_allclose(measuring.fitted(sizes, sizes @ [2.0, 0.5, 0.1]), [2.0, 0.5, 0.1])
