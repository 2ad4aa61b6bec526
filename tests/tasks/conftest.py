"""The rows and options of the tests of outcomes."""

from tests.outcomes.conftest import reading, rows

__all__ = ["reading", "rows"]
