"""The version of peftide, for records and the command line."""

__version__ = "0.1.0"
