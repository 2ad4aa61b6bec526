"""A setting ready to train, shared with the tests of training."""

from tests.training.conftest import build

__all__ = ["build"]
