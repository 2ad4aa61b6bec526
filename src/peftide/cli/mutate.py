"""`peftide mutate`."""

from peftide.cli.closing import say_next, say_written
from peftide.cli.streams import say
from peftide.commands.mutate import ORDER, PICTURE, SCORES, mutate
from peftide.config import MutateConfig
from peftide.config.unread import Names
from peftide.quantities import count_of

SHOWN = 10


def run(config: MutateConfig, given: Names) -> None:
    """Score substitutions, and print the best ones."""
    table = mutate(config, given=given)
    say(table.head(SHOWN).to_string(index=False))
    if len(table) > SHOWN:
        say(f"… and {len(table) - SHOWN:,} more in {config.out / SCORES}", wrap=False)
    new = table["measured"].tolist().count("no")
    best = f"the best {min(config.top, new):,} of {new:,} that were not measured are to order"
    say(f"{count_of(len(table), 'mutant')}; {best}")
    say_written(
        all_scores=config.out / SCORES, to_order=config.out / ORDER, heat_map=config.out / PICTURE
    )
    say_next(["head", str(config.out / ORDER)])
