import pytest

from peftide.pretraining.schedule import rate_factor


def rates(steps: int, warmup_steps: int, decay_fraction: float) -> list[float]:
    options = {"steps": steps, "warmup_steps": warmup_steps, "decay_fraction": decay_fraction}
    return [rate_factor(step, **options) for step in range(steps)]


def test_the_rate_rises_stays_and_falls_in_a_line() -> None:
    found = rates(20, 4, 0.5)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert set(found[4:11]) == {1.0}
    assert found[11:] == pytest.approx([k / 10 for k in range(9, 0, -1)])


def test_without_warm_up_and_descent_the_rate_is_constant() -> None:
    assert rates(10, 0, 0.0) == [1.0] * 10


@pytest.mark.parametrize(("warmup_steps", "decay_fraction"), [(0, 1.0), (50, 1.0), (50, 0.3)])
def test_every_step_learns_and_none_above_the_peak(
    warmup_steps: int, decay_fraction: float
) -> None:
    assert all(0 < rate <= 1 for rate in rates(30, warmup_steps, decay_fraction))


def test_a_longer_training_has_the_same_rates_up_to_the_descent() -> None:
    """So a run that is not yet in it can be lengthened."""
    short, long = rates(100, 10, 0.3), rates(200, 10, 0.3)
    assert short[:70] == long[:70]


def test_steps_behind_the_end_learn_nothing() -> None:
    assert rate_factor(25, steps=20, warmup_steps=2, decay_fraction=0.3) == 0.0
