"""`peftide app`."""

from peftide.cli.streams import complain, say
from peftide.commands.app import app
from peftide.config import AppConfig
from peftide.config.unread import Names

ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def run(config: AppConfig, given: Names) -> None:
    """Serve the page; print its address."""
    if config.host not in ON_THIS_MACHINE:
        complain(
            f"note: --host {config.host} lets other machines ask the model; "
            "there is no password and no encryption"
        )
    app(config, given=given, ready=lambda address: say(f"open {address} (Ctrl+C stops it)"))
