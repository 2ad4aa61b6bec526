"""`peftide export`."""

from peftide.cli.closing import say_next, say_written
from peftide.commands.export import export
from peftide.config import ExportConfig
from peftide.config.unread import Names


def run(config: ExportConfig, given: Names) -> None:
    """Write the graphs, and name the page with code that uses them."""
    folder = export(config, given=given)
    say_written(
        encoder=folder / "encoder.onnx",
        head=folder / "head.onnx",
        how_to_use_them=folder / "README.md",
    )
    say_next(["cat", str(folder / "README.md")])
