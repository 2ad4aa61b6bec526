"""`peftide embed`."""

from peftide.cli.streams import say
from peftide.commands.embed import embed
from peftide.config import EmbedConfig
from peftide.config.unread import Names


def run(config: EmbedConfig, given: Names) -> None:
    """Embed, then print the number of embeddings."""
    vectors = embed(config, given=given)
    say(f"{len(vectors):,} embeddings: {config.out}")
