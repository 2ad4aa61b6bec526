"""`peftide merge`."""

from peftide.cli.closing import say_next, say_written
from peftide.commands.merge import merge
from peftide.config import MergeConfig
from peftide.config.unread import Names


def run(config: MergeConfig, given: Names) -> None:
    """Write the merged checkpoint, and name a command that uses it."""
    folder = merge(config, given=given)
    say_written(checkpoint=folder, how_to_use_it=folder / "README.md")
    say_next(
        ["peftide", "embed", "--backbone", str(folder), "--sequences", "proteins.fasta"]
        + ["--out", "vectors.safetensors"],
        hint="To embed other proteins, pass your own FASTA file as --sequences.",
    )
