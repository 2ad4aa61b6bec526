"""`peftide embed`."""

import argparse

from peftide.cli.arguments import parse_config
from peftide.config import EmbedConfig
from peftide.workflows.embed import embed


def run(arguments: argparse.Namespace) -> None:
    """Embed, then say how much was written."""
    config = parse_config(EmbedConfig, arguments)
    vectors = embed(config)
    print(f"{len(vectors):,} embeddings: {config.out}")
