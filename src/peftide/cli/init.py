"""`peftide init`."""

from peftide.cli.closing import free_path, say_next, say_written
from peftide.commands.init import columns_of, init, training_of
from peftide.config import InitConfig
from peftide.config.unread import Names
from peftide.splitting.files import TABLE


def run(config: InitConfig, _given: Names) -> None:
    """Write the file of options, and print the command that trains with it."""
    path = init(config)
    say_written(options=path)
    training = training_of(config)
    absent = [p for p in (training.data, training.sequences) if p is not None and not p.exists()]
    names = " and ".join(map(str, absent))
    hint = f"Replace {names} in {path} with your files first." if absent else ""
    train = ["peftide", "train", "--config", str(path)]
    columns = columns_of(training)
    if not columns or training.split_column in columns:
        say_next(train, hint=hint)
        return
    parts = free_path("parts")
    split = ["peftide", "split", "--input", str(training.data), "--out", str(parts)]
    split += ["--sequences", str(training.sequences)] if training.sequences else []
    # all variants of one protein are similar, so only their sites can be held out
    split += ["--kind", "position"] if training.mutant_column in columns else []
    hint = f"{training.data} has no column split, so no row would be held out: split it first."
    say_next(split, [*train, "--data", str(parts / TABLE)], hint=hint)
