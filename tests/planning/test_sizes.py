from dataclasses import replace

from peftide.planning.sizes import COPIES, Sizes
from peftide.planning.sizes import memory_of as memory


def test_memory_by_hand() -> None:
    sizes = Sizes(held=100, trained=10, graph=50, forward=5, rows=7, stored=0, room=0)
    found = memory(sizes, {"validation": 1, "scoring": 2, "saving": 3})
    assert found == {
        "held throughout": 100,
        "encoding": 112,
        "training": 150 + COPIES * 10,
        "validation": 113 + COPIES * 10,
        "scoring": 114,
        "saving": 103,
    }
    assert not sizes.is_kept
    assert replace(sizes, stored=2, room=2).is_kept
