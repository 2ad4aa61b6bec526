"""`peftide init`."""

from peftide.cli.closing import say_next, say_written
from peftide.commands.init import init, training_of
from peftide.config import InitConfig
from peftide.config.unread import Names


def run(config: InitConfig, _given: Names) -> None:
    """Write the file of options, and print the command that trains with it."""
    path = init(config)
    say_written(options=path)
    training = training_of(config)
    absent = [p for p in (training.data, training.sequences) if p is not None and not p.exists()]
    names = " and ".join(map(str, absent))
    hint = f"Replace {names} in {path} with your files first." if absent else ""
    say_next(["peftide", "train", "--config", str(path)], hint=hint)
