"""`peftide screen`."""

import json

from peftide.cli.closing import say_next, say_written
from peftide.cli.streams import say
from peftide.commands.screen import screen
from peftide.config import ScreenConfig
from peftide.config.unread import Names
from peftide.quantities import byte_size, count_of, duration

ROW_BYTES = 40
"""Size of a hit in the file, about."""
TWICE = "; a pair has two rows if both proteins are among the best partners of each other"
VIEW = 'import pandas; print(pandas.read_parquet({}).nlargest(20, "probability"))'


def run(config: ScreenConfig, given: Names) -> None:
    """Screen, then print the number of hits and how to look at them."""
    result = screen(config, given=given)
    say(
        f"{count_of(result.proteins, 'protein')} × {count_of(result.partners, 'partner')}: "
        f"{count_of(result.pairs, 'pair')}"
    )
    if config.dry_run:
        say(f"time to score them: {duration(result.seconds)}, after encoding")
        say(f"hits: at most {result.hits:,}, about {byte_size(result.hits * ROW_BYTES)}")
        return
    rate = result.pairs / max(result.seconds, 1e-9)
    say(f"scored in {duration(result.seconds)} ({rate:,.0f} pairs/s)")
    say(count_of(result.hits, "hit") + (TWICE if config.top_k and not config.against else ""))
    if result.recall is not None:
        say(f"recall of the short list: {result.recall:.1%} of the best pairs, by a random sample")
    say_written(hits=result.path)
    say_next(["python", "-c", VIEW.format(json.dumps(str(result.path)))])
