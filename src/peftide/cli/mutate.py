"""`peftide mutate`."""

from peftide.cli.streams import say
from peftide.commands.mutate import mutate
from peftide.config import MutateConfig
from peftide.config.unread import Names


def run(config: MutateConfig, given: Names) -> None:
    """Score substitutions, and print the best ones."""
    table = mutate(config, given=given)
    say(table.head(10).to_string(index=False))
    say(f"{len(table):,} mutants, the best {min(config.top, len(table)):,} to order: {config.out}")
