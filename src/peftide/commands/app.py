"""`peftide app`: a trained model in; a web page on which people ask it out."""

import threading
from collections.abc import Callable

from peftide.backbones.names import check_backbone
from peftide.commands.explain import recipe_without_variants
from peftide.config import AppConfig
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Names


def app(
    config: AppConfig,
    *,
    given: Names = NOTHING,
    ready: Callable[[str], None] = lambda _address: None,
    stop: threading.Event | None = None,
) -> None:
    """Serve a web page with a trained model until it is interrupted.

    Parameters
    ----------
    given
        Options that the user named; every one is read.
    ready
        Called with the address when the page is served.
    stop
        Ends the call when it is set; None: only an interruption does.

    Raises
    ------
    InputError
        If the run has no such model, the extra is not installed, or the port is taken.
    """
    del given
    recipe_without_variants(config.run)
    check_device(config.device)
    check_backbone(config.backbone)
    # torch and all that stands on it: a refusal above should not wait for them
    from peftide.serving.server import serving

    with serving(config) as address:
        ready(address)
        (stop or threading.Event()).wait()
