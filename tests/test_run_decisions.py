from pathlib import Path

from peftide.config import TrainConfig, from_mapping, read_yaml
from peftide.run_decisions import decided, settled_token_budget
from peftide.run_folder import RunFolder, open_run


def begun_run(folder: Path) -> RunFolder:
    table = folder / "t.tsv"
    table.write_text("sequence\tlabel\nMKT\t1\n")
    config = TrainConfig(task="regression", train=table, out=folder / "run")
    with open_run(config, [table]) as run:
        return run


def test_a_decision_is_kept(tmp_path: Path) -> None:
    run = begun_run(tmp_path)
    assert decided(run, "trunk_cache", lambda: False) is False
    assert decided(run, "trunk_cache", lambda: True) is False
    assert decided(RunFolder(tmp_path / "none"), "trunk_cache", lambda: True) is True


def test_the_token_budget_is_chosen_once_and_written_down(tmp_path: Path) -> None:
    run = begun_run(tmp_path)
    assert settled_token_budget(run, lambda: 64, precision="fp32") == 64
    assert settled_token_budget(run, lambda: 65, precision="fp32") == 64
    kept = from_mapping(TrainConfig, read_yaml(run.config))
    assert (kept.max_tokens, kept.precision) == (64, "fp32")
