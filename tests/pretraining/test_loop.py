"""Each step learns from its own batch; a killed training goes on as if nothing had been."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from peftide.errors import TrainingError
from peftide.hardware import Hardware
from peftide.pretraining import loop
from peftide.pretraining.loop import (
    BatchSource,
    Pretraining,
    Progress,
    Schedule,
    build_optimizer,
    pretrain_model,
    trained_parameters,
)
from peftide.pretraining.network import PretrainingModel
from peftide.pretraining.schedule import rate_factor
from tests.pretraining.conftest import (
    CLUSTERS,
    SEQUENCES,
    VOCABULARY,
    corpus_of,
    layout_of,
    masking_of,
    sampler_of,
    tiny_model,
    token_ids,
)

STEPS = 7
SCHEDULE = Schedule(
    steps=STEPS,
    learning_rate=0.01,
    warmup_steps=2,
    decay_fraction=0.3,
    weight_decay=0.01,
    max_grad_norm=1.0,
    evaluate_every=3,
    checkpoint_minutes=0.0,
    deadline=None,
)
TOKENS = 4 * 64
Plan = Callable[..., Pretraining]


def source_of(seed: int = 0, *, paired: bool = True, row_tokens: int = 64) -> BatchSource:
    corpus = corpus_of(SEQUENCES, CLUSTERS.tolist())
    sampler = sampler_of(corpus, layout_of(4, row_tokens, paired=paired), seed=seed)
    return BatchSource(sampler, masking_of(), seed=seed)


@pytest.fixture
def plan(tmp_path: Path, hardware: Hardware) -> Plan:
    def build(**changes: Any) -> Pretraining:
        schedule = {name: changes.pop(name) for name in vars(SCHEDULE) if name in changes}
        options: dict[str, Any] = {
            "source": source_of(),
            "schedule": replace(SCHEDULE, **schedule),
            "hardware": hardware,
            "loss_weights": (1.0, 0.5, 1.0),
            "evaluate": lambda: {"perplexity": 20.0},
            "on_history": lambda _rows: None,
            "checkpoints": tmp_path / "checkpoints",
            "compile_steps": False,
        }
        return Pretraining(**(options | changes))

    return build


def weights(model: PretrainingModel) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 9), (3, 9), (9, 9)])
def test_batches_made_ahead_are_those_of_their_steps(start: int, stop: int) -> None:
    source = source_of()
    found = list(source.batches(start, stop))
    assert len(found) == stop - start
    for step, batch in enumerate(found, start=start):
        expected = source_of().batch(step)
        assert equal(vars(batch), vars(expected))


def test_another_seed_gives_other_batches_and_masks() -> None:
    first, other = source_of().batch(0), source_of(seed=1).batch(0)
    assert not torch.equal(first.input_ids, other.input_ids)
    assert not torch.equal(first.places, other.places)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("step", [0, 4])
def test_kin_is_the_cluster_of_what_each_row_begins_with(*, paired: bool, step: int) -> None:
    source = source_of(paired=paired, row_tokens=192)
    rows, kin = source.sampler.rows(step).input_ids.tolist(), source.batch(step).kin.tolist()
    for row, cluster in zip(rows, kin, strict=True):
        crop = bytes(row[len(VOCABULARY.prefix) : row.index(*VOCABULARY.suffix)])
        owners = [
            k for k, sequence in enumerate(SEQUENCES) if crop in bytes(token_ids(sequence).tolist())
        ]
        assert [cluster] == [CLUSTERS[owner] for owner in owners]
    pairs = [first == second for first, second in zip(kin[::2], kin[1::2], strict=True)]
    assert all(pairs) == paired


def test_a_step_is_one_of_adamw_at_the_rate_of_the_schedule(plan: Plan) -> None:
    """The same steps, written out with torch alone."""
    model = tiny_model(relatives=True)
    pretrain_model(model, plan(steps=3))
    other = tiny_model(relatives=True).train()
    parameters = [p for p in other.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.01},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )
    for step in range(3):
        masked_loss, relatives_loss, _ = other(source_of().batch(step))
        optimizer.zero_grad()
        (masked_loss + 0.5 * relatives_loss).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        factor = rate_factor(step, steps=3, warmup_steps=2, decay_fraction=0.3)
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * factor
        optimizer.step()
    for name, value in weights(model).items():
        torch.testing.assert_close(value, weights(other)[name], atol=1e-5, rtol=1e-4)


def test_biases_norms_and_what_is_frozen_are_not_decayed() -> None:
    model = tiny_model()
    optimizer = build_optimizer(model, SCHEDULE)
    decayed, others = ({id(p) for p in group["params"]} for group in optimizer.param_groups)
    for name, parameter in model.named_parameters():
        frozen = "contact_head" in name
        assert (id(parameter) in decayed) == (parameter.ndim > 1 and not frozen), name
        assert (id(parameter) in others) == (parameter.ndim == 1 and not frozen), name
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.0]
    assert len(trained_parameters(model)) == len(decayed) + len(others)


def test_the_history_has_a_row_now_and_then_and_at_the_end(plan: Plan) -> None:
    seen: list[list[int]] = []
    modes: list[bool] = []
    model = tiny_model(relatives=True)

    def evaluate() -> dict[str, float]:
        modes.append(model.training)
        return {"perplexity": 20.0 - len(modes)}

    on_history = lambda rows: seen.append([row["step"] for row in rows])  # noqa: E731
    progress = pretrain_model(model, plan(evaluate=evaluate, on_history=on_history))
    assert seen == [[3], [3, 6], [3, 6, 7]]
    assert [row["perplexity"] for row in progress.history] == [19, 18, 17]
    assert [row["tokens"] for row in progress.history] == [3 * TOKENS, 6 * TOKENS, 7 * TOKENS]
    assert all(0 < row["masked_loss"] < 50 for row in progress.history)
    assert modes == [False] * 3
    assert model.training
    assert (progress.step, progress.tokens) == (STEPS, STEPS * TOKENS)


def test_the_masked_loss_of_one_corpus_falls(plan: Plan) -> None:
    model = tiny_model(relatives=True)
    progress = pretrain_model(model, plan(steps=60, evaluate_every=10, checkpoint_minutes=9.0))
    losses = [row["masked_loss"] for row in progress.history]
    assert losses[-1] < 0.8 * losses[0]


def test_without_a_weight_the_relatives_loss_changes_nothing(plan: Plan, tmp_path: Path) -> None:
    models = [tiny_model(relatives=relatives) for relatives in (True, False)]
    for number, model in enumerate(models):
        checkpoints = tmp_path / str(number)
        pretrain_model(model, plan(loss_weights=(1.0, 0.0, 1.0), checkpoints=checkpoints))
    torch.testing.assert_close(weights(models[0]), weights(models[1]))


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("kill_at", [1, 2])
def test_a_training_killed_while_evaluating_ends_with_the_same_weights(
    plan: Plan, tmp_path: Path, kill_at: int
) -> None:
    whole = tiny_model(relatives=True)
    expected = pretrain_model(whole, plan(checkpoints=tmp_path / "whole"))
    calls = 0

    def killing() -> dict[str, float]:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            raise KilledError
        return {"perplexity": 20.0}

    with pytest.raises(KilledError):
        pretrain_model(tiny_model(relatives=True), plan(evaluate=killing))
    resumed = tiny_model(relatives=True)
    with torch.no_grad():
        for parameter in trained_parameters(resumed).values():
            parameter.zero_()  # what a resumed model begins with must not matter
    progress = pretrain_model(resumed, plan())
    assert equal(weights(resumed), weights(whole))
    assert (progress.step, progress.tokens) == (expected.step, expected.tokens)
    assert [row["step"] for row in progress.history] == [3, 6, 7]


def test_a_deadline_stops_with_a_point_to_go_on_from(plan: Plan, tmp_path: Path) -> None:
    whole = tiny_model(relatives=True)
    pretrain_model(whole, plan(checkpoints=tmp_path / "whole"))
    for expected in (1, 2):
        stopped = tiny_model(relatives=True)
        options = {"deadline": time.monotonic() - 1, "checkpoint_minutes": 9.0}
        assert pretrain_model(stopped, plan(**options)).step == expected
    model = tiny_model(relatives=True)
    assert pretrain_model(model, plan(checkpoint_minutes=9.0)).step == STEPS
    assert equal(weights(model), weights(whole))


def test_a_training_that_is_done_takes_no_step(plan: Plan) -> None:
    model = tiny_model(relatives=True)
    pretrain_model(model, plan())
    before = weights(model)
    again = tiny_model(relatives=True)
    assert pretrain_model(again, plan()).step == STEPS
    assert equal(weights(again), before)


def test_a_loss_that_is_no_number_is_an_error_and_never_saved(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(relatives=True)
    step = loop.PretrainingRun.step

    def breaking(run: Any, batch: Any) -> None:
        if run.progress.step == 4:
            with torch.no_grad():
                model.language_model.model.lm_head.bias.fill_(float("nan"))
        step(run, batch)

    monkeypatch.setattr(loop.PretrainingRun, "step", breaking)
    with pytest.raises(TrainingError, match="masked loss nan, .* before step 5.*--overwrite"):
        pretrain_model(model, plan())
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000000004"]


def test_progress_begins_with_nothing() -> None:
    assert Progress() == Progress(step=0, tokens=0, seconds=0.0, history=[])
