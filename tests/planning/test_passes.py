from collections.abc import Callable

import numpy as np
import pytest
import torch

from peftide.packing import PackedBatch
from peftide.planning.passes import PassMeter
from tests.planning.conftest import Begin


def test_what_enters_above_the_cut_comes_out_as_from_the_whole(begin: Begin) -> None:
    begun = begin("regression", "lora")
    sequences = begun.setting.problem.dataset.proteins.sequences
    whole, upper = (PassMeter(begun.setting.encoder, sequences, cut=cut) for cut in (0, 1))
    few = np.array([0, 3, 5])
    expected = whole.forward(whole.entering(few))
    assert torch.allclose(upper.forward(upper.entering(few)), expected, atol=1e-5)
    assert upper.below(upper.packed(few)).shape == (upper.tokens[few].sum(), 32)


@pytest.mark.parametrize(("method", "cut"), [("lora", 1), ("full", 0)])
def test_every_pass_costs_time_and_leaves_no_gradient(begin: Begin, method: str, cut: int) -> None:
    begun = begin("regression", method)
    meter = PassMeter(
        begun.setting.encoder, begun.setting.problem.dataset.proteins.sequences, cut=cut
    )
    pieces = [np.arange(8), np.arange(8, 24)]
    costs = [meter.forward_cost(pieces), meter.graph_cost(pieces)]
    costs += [meter.below_cost(pieces)] if cut else []
    assert all(cost.of(np.array([1.0, 300, 9000, 10])).cpu > 0 for cost in costs)
    assert all(parameter.grad is None for parameter in begun.setting.model.parameters())
    assert not begun.setting.model.training


def test_samples_are_as_short_as_time_allows(begin: Begin) -> None:
    begun = begin("regression", "lora")
    meter = PassMeter(
        begun.setting.encoder, begun.setting.problem.dataset.proteins.sequences, cut=0
    )
    meter.seconds_per_token = 1.0  # nothing is affordable
    (shortest, *_) = meter._samples([np.arange(24)], 1.0)
    assert meter.tokens[shortest].sum() <= 160


def test_a_part_of_a_large_piece_stands_for_it(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("regression", "full", max_tokens=60)
    meter = PassMeter(
        begun.setting.encoder, begun.setting.problem.dataset.proteins.sequences, cut=0
    )
    run: list[int] = []

    def weigh(work: object, _device: object) -> object:
        return type("Used", (), {"grown_bytes": 1000 * run[-1]})

    monkeypatch.setattr("peftide.planning.passes.weighed", weigh)
    piece = np.arange(24)
    for affordable in (10_000, 120):
        meter.seconds_per_token = 15.0 / (3.0 * affordable)
        batches = meter._batches(piece)
        chosen, room = [batches[-1]], affordable - meter.tokens[batches[-1]].sum()
        for batch in reversed(batches[:-1]):
            if meter.tokens[batch].sum() <= room:
                chosen.append(batch)
                room -= meter.tokens[batch].sum()
        run.append(int(sum(meter.tokens[batch].sum() for batch in chosen)))
        # as if memory were 1,000 bytes a token
        assert meter.graph_bytes(piece) == pytest.approx(1000 * meter.tokens[piece].sum())


def test_what_shapes_leave_in_memory_is_seen_for_every_kind_of_pass(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("regression", "lora")
    sequences = begun.setting.problem.dataset.proteins.sequences
    meter = PassMeter(begun.setting.encoder, sequences, cut=1)
    run: dict[str, int] = {}

    def counted(name: str) -> Callable[[PackedBatch], None]:
        def one_pass(batch: PackedBatch) -> None:
            run[name] = run.get(name, 0) + sum(batch.lengths)

        return one_pass

    for name in ("below", "forward", "graph"):
        monkeypatch.setattr(meter, name, counted(name))
    monkeypatch.setattr("peftide.planning.passes.held_bytes", lambda _device: sum(run.values()))
    everyone = [np.arange(0, 12), np.arange(12, 24)]
    # as if each token left one byte
    assert meter.kept_bytes(everyone, everyone[:1]) == sum(run.values())
    tokens = meter.tokens[:24].sum()
    assert run == {"below": tokens, "forward": tokens, "graph": meter.tokens[:12].sum()}
