"""Every record says by what it was made."""

import json
from importlib.metadata import version

import peftide
from peftide.environment import environment


def test_a_record_has_the_versions_that_are_installed() -> None:
    record = json.loads(json.dumps(environment(3, command="train")))
    assert (record["seed"], record["command"]) == (3, "train")
    assert record["versions"]["torch"] == version("torch")


def test_the_version_is_that_of_the_package() -> None:
    assert peftide.__version__ == version("peftide")
