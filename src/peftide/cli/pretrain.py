"""`peftide pretrain`."""

from peftide.cli.streams import say
from peftide.commands.pretrain import pretrain
from peftide.config import PretrainConfig
from peftide.config.unread import Names
from peftide.process import keep_freed_memory


def run(config: PretrainConfig, given: Names) -> None:
    """Pretrain, then print the perplexities of the held-out sequences."""
    keep_freed_memory()
    record = pretrain(config, given=given)
    say(f"{'held-out sequences':<22} {'perplexity':>10} {'by sequence':>12}")
    for name, row in record["held_out"].items():
        text = name.replace("_", " ")
        say(f"{text:<22} {row['perplexity']:>10.3f} {row['perplexity_by_sequence']:>12.3f}")
    say(f"{record['tokens']:,} tokens at {record['tokens_per_second']:,}/s: {config.out}")
    if record["status"] == "stopped":
        say(f"stopped by --hours; resume with `peftide pretrain --resume --out {config.out}`")
