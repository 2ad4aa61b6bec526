"""`peftide mutate`."""

import numpy as np

from peftide.cli.closing import free_path, say_next, say_written
from peftide.cli.streams import say
from peftide.commands.mutate import ORDER, PICTURE, SCORES, mutate
from peftide.config import MutateConfig
from peftide.config.unread import Names
from peftide.outputs import read_record
from peftide.quantities import count_of, number
from peftide.work_folder import RECORD

SHOWN = 10


def run(config: MutateConfig, given: Names) -> None:
    """Score substitutions, and print the best ones."""
    table = mutate(config, given=given)
    say(table.head(SHOWN).to_string(index=False))
    if len(table) > SHOWN:
        say(f"… and {len(table) - SHOWN:,} more in {config.out / SCORES}", wrap=False)
    changes = np.asarray(table["change"])
    known = read_record(config.out / RECORD)["wild_type"]
    above = count_of(int((changes > 0).sum()), "mutant")
    start = f"wild type: {table.columns[1]} {number(known[table.columns[1]])}"
    end = f"; {above} of {len(table):,} above it" if known["in_train"] else ", not in train"
    say(start + end)
    new = table["measured"].tolist().count("no")
    best = f"the best {min(config.top, new):,} of {new:,} that were not measured are to order"
    say(f"{count_of(len(table), 'mutant')}; {best}")
    say_written(
        all_scores=config.out / SCORES, to_order=config.out / ORDER, heat_map=config.out / PICTURE
    )
    run = str(config.run)
    say_next(
        ["peftide", "train", "--config", f"{run}/config.yaml", "--out", str(free_path(run))],
        hint="Once new variants are measured, add them to the training table and train again:",
    )
