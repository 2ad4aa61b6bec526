"""`peftide embed`."""

from peftide.commands.embed import embed
from peftide.config import EmbedConfig
from peftide.config.unread import Names


def run(config: EmbedConfig, given: Names) -> None:
    """Embed, then print the number of embeddings."""
    vectors = embed(config, given=given)
    print(f"{len(vectors):,} embeddings: {config.out}")
