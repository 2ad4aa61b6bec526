"""Options of `peftide embed`."""

from pathlib import Path

import pytest

from peftide.config import EmbedConfig
from peftide.errors import InputError


def test_no_map_is_drawn_unless_a_folder_is_named() -> None:
    config = EmbedConfig(out=Path("v.h5"))
    assert (config.map, config.data, config.projection) == (None, None, "pca")


def test_an_unknown_projection_is_refused() -> None:
    with pytest.raises(InputError, match="--projection"):
        EmbedConfig(out=Path("v.h5"), projection="tsne")  # type: ignore[arg-type]
