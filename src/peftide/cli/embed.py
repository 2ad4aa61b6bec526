"""`peftide embed`."""

from peftide.commands.embed import embed
from peftide.config import EmbedConfig


def run(config: EmbedConfig) -> None:
    """Embed, then say how much was written."""
    vectors = embed(config)
    print(f"{len(vectors):,} embeddings: {config.out}")
