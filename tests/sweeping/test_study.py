from pathlib import Path
from typing import Any

import optuna
import pytest

from peftide.config import SweepConfig
from peftide.errors import InputError
from peftide.sweeping.space import Space, as_text, space_of
from peftide.sweeping.study import (
    FOLDER,
    PURPOSE,
    READY,
    REASON,
    SurplusTrial,
    finished,
    has_queue,
    next_sampler,
    numbers_of,
    open_study,
    require_queued,
    take_up,
)

SPACE = space_of({"lora_r": ["1", "2", "4"]})
DATA = {"t.tsv": "0" * 64}


def config(folder: Path, **changes: Any) -> SweepConfig:
    return SweepConfig(task="ppi", out=folder, space=folder / "space.yaml", **changes)


def opened(folder: Path, space: Space = SPACE, **changes: Any) -> optuna.Study:
    return open_study(config(folder, **changes), space, folder=folder, data=DATA)


def test_a_study_is_found_again(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.add_trial(
        optuna.trial.create_trial(
            value=0.5,
            params={"lora_r": 1},
            distributions={"lora_r": optuna.distributions.CategoricalDistribution([1, 2, 4])},
        )
    )
    assert len(opened(tmp_path).trials) == 1


@pytest.mark.parametrize(
    ("space", "data", "said"),
    [
        (space_of({"lora_r": ["1", "2"]}), DATA, "another space"),
        (SPACE, {"t.tsv": "1" * 64}, "another data"),
    ],
)
def test_a_study_of_something_else_is_refused(
    tmp_path: Path, space: Space, data: dict[str, str], said: str
) -> None:
    opened(tmp_path)
    with pytest.raises(InputError, match=said):
        open_study(config(tmp_path), space, folder=tmp_path, data=data)


def test_a_study_of_another_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    theirs = optuna.create_study(study_name="peftide", storage=url)
    theirs.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with pytest.raises(InputError, match="not of `peftide sweep`"):
        opened(tmp_path, storage=url)


def test_a_study_that_another_worker_makes_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    theirs = optuna.create_study(study_name="peftide", storage=url)
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:  # the other worker is ready
            purpose = {"task": "ppi", "space": as_text(SPACE), "data": [*DATA.values()]}
            theirs.set_user_attr(PURPOSE, purpose)
            theirs.enqueue_trial({"lora_r": 2})
            theirs.set_user_attr(READY, True)

    monkeypatch.setattr("peftide.sweeping.study.time.sleep", pause)
    study = opened(tmp_path, storage=url, search="grid", trials=3)
    assert len(paused) == 3
    values = [trial.system_attrs["fixed_params"]["lora_r"] for trial in study.get_trials()]
    assert sorted(values) == [1, 2, 4]


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/a.db", "nonsense", "mysql://a@b/c"])
def test_a_database_that_cannot_be_opened_is_an_input_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="--storage"):
        opened(tmp_path, storage=url)


def test_a_file_that_is_no_database_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("not a database, but long enough to be read as one" * 50)
    with pytest.raises(InputError, match="--storage"):
        opened(tmp_path)


def test_a_range_has_no_grid(tmp_path: Path) -> None:
    space = space_of({"learning_rate": {"low": "1e-4", "high": "1e-3"}})
    with pytest.raises(InputError, match="learning_rate"):
        opened(tmp_path, space, search="grid")


def test_an_interrupted_trial_is_queued_once(tmp_path: Path) -> None:
    study = opened(tmp_path)
    mine, failed = study.ask(), study.ask()
    for trial in (mine, failed):
        trial.suggest_categorical("lora_r", [1, 2, 4])
    failed.set_user_attr(REASON, "no memory")  # and killed before it was told so
    for _ in range(2):
        take_up(study, config(tmp_path), SPACE)
    waiting = study.get_trials(states=(optuna.trial.TrialState.WAITING,))
    assert len(waiting) == 1
    assert SPACE["lora_r"].suggest(study.ask()) == mine.params["lora_r"]
    assert [one.number for one in finished(study)] == [failed.number]
    assert numbers_of(study) == {0: 0, 1: 1, 2: 0}


def test_in_a_shared_database_only_own_trials_are_taken_up(tmp_path: Path) -> None:
    shared = config(tmp_path, storage=f"sqlite:///{tmp_path / 'shared.db'}")
    study = open_study(shared, SPACE, folder=tmp_path, data=DATA)
    for folder in (tmp_path, tmp_path / "b", None):
        trial = study.ask()
        if folder is not None:
            trial.set_user_attr(FOLDER, str(folder))
    take_up(study, shared, SPACE)
    states = [one.state.name for one in study.get_trials()]
    assert states == ["FAIL", "RUNNING", "RUNNING", "WAITING"]


@pytest.mark.parametrize("search", ["random", "tpe"])
def test_an_interrupted_study_draws_what_it_would_have_drawn(tmp_path: Path, search: str) -> None:
    space = space_of(
        {name: {"low": "0.1", "high": "0.9"} for name in ("lora_dropout", "learning_rate")}
    )

    def draw(folder: Path, *, interrupted_at: int) -> list[dict[str, float]]:
        """Draw the values of trials; one of them is left after its first value."""
        study = opened(folder, space, search=search)
        take_up(study, config(folder), space)
        while len(finished(study)) < 14:
            study.sampler = next_sampler(study, config(folder, search=search))
            trial = study.ask()
            if trial.number == interrupted_at:
                space["lora_dropout"].suggest(trial)
                return draw(folder, interrupted_at=-1)
            values = [one.suggest(trial) for one in space.values()]
            study.tell(trial, values[0] - values[1])
        return [trial.params for trial in finished(study)]

    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = draw(tmp_path / "whole", interrupted_at=-1)
    assert draw(tmp_path / "broken", interrupted_at=12) == whole
    assert len({values["learning_rate"] for values in whole}) == 14


def test_an_interrupted_grid_has_every_combination_once(tmp_path: Path) -> None:
    space = space_of({"lora_r": ["1", "2", "4"], "lora_alpha": ["1", "2"]})
    for interrupted in (True, True, False):
        study = opened(tmp_path, space, search="grid", trials=5)
        take_up(study, config(tmp_path), space)
        while has_queue(study):
            trial = study.ask()
            values = [one.suggest(trial) for one in space.values()]
            if interrupted and trial.number in (1, 4):
                break
            study.tell(trial, sum(values))
    tried = [tuple(trial.params.values()) for trial in finished(study)]
    assert len(tried) == len({*tried}) == 5


def test_a_trial_for_which_no_combination_is_left_counts_as_if_it_never_was(
    tmp_path: Path,
) -> None:
    """Another worker may take the last one between a look at the queue and the next trial."""
    study = opened(tmp_path, search="grid", trials=3)
    for _ in range(3):
        trial = study.ask()
        require_queued(trial)
        study.tell(trial, SPACE["lora_r"].suggest(trial))
    surplus = study.ask()
    with pytest.raises(SurplusTrial):
        require_queued(surplus)
    study.tell(surplus, state=optuna.trial.TrialState.FAIL)
    take_up(study, config(tmp_path), SPACE)
    assert not has_queue(study)
    assert len(finished(study)) == 3
    assert numbers_of(study) == {0: 0, 1: 1, 2: 2}
