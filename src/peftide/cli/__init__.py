"""The command line: each command parses into a config, calls one function, and prints."""

from peftide.cli.main import main

__all__ = ["main"]
