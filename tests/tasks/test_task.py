import pytest

from peftide.outcomes import OUTCOMES
from peftide.tasks import TASKS


@pytest.mark.parametrize("name", TASKS)
def test_a_task_asks_a_question_and_has_a_known_outcome(name: str) -> None:
    task = TASKS[name]
    assert task.question.endswith("?")
    assert OUTCOMES[task.outcome.kind] is task.outcome
    assert (task.level == "pair") == (name == "ppi" or name.startswith("pair-"))
    assert (task.level == "residue") == name.startswith("residue")


def test_no_two_tasks_ask_the_same() -> None:
    assert len({task.question for task in TASKS.values()}) == len(TASKS)
