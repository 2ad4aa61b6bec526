"""`peftide embed`."""

from peftide.config import EmbedConfig
from peftide.workflows.embed import embed


def run(config: EmbedConfig) -> None:
    """Embed, then say how much was written."""
    vectors = embed(config)
    print(f"{len(vectors):,} embeddings: {config.out}")
