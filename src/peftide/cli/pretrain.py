"""`peftide pretrain`."""

import shlex

from peftide.cli.closing import beside, say_next, say_written
from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.pretrain import pretrain
from peftide.config import PretrainConfig
from peftide.config.unread import Names
from peftide.files import is_pipe
from peftide.process import keep_freed_memory
from peftide.run_folder import resume_command


def run(config: PretrainConfig, given: Names) -> None:
    """Pretrain, then print the perplexities of the held-out sequences."""
    keep_freed_memory()
    record = pretrain(config, given=given)
    rows = [
        [name.replace("_", " ")]
        + [f"{row[column]:.3f}" for column in ("perplexity", "perplexity_by_sequence")]
        for name, row in record["held_out"].items()
    ]
    say("\n".join(aligned([["held-out sequences", "perplexity", "by sequence"], *rows])))
    stopped = record["status"] == "stopped"
    if stopped:
        say("stopped by --hours", style="strong")
    say(f"{record['tokens']:,} tokens at {record['tokens_per_second']:,}/s")
    say_written(backbone=config.out)
    say_next(*([shlex.split(resume_command(config))] if stopped else next_commands(config)))


def next_commands(config: PretrainConfig) -> list[list[str]]:
    """Return the command that embeds the corpus; none if it was a pipe."""
    corpus = config.sequences[0]
    if is_pipe(corpus):
        return []
    words = ["peftide", "embed", "--backbone", str(config.out), "--sequences", str(corpus)]
    return [[*words, "--out", str(beside(config.out, ".safetensors"))]]
