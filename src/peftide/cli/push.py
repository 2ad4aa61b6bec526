"""`peftide push`."""

from peftide.cli.closing import say_next
from peftide.cli.streams import say
from peftide.commands.push import push
from peftide.config import PushConfig
from peftide.config.unread import Names


def run(config: PushConfig, given: Names) -> None:
    """Upload the model, and name its address and the command that downloads it."""
    address = push(config, given=given)
    say(f"model: {address}", wrap=False)
    say_next(["peftide", "pull", config.repository, "--out", "pulled"])
