import numpy as np

from peftide.splitting.groups import join_linked


def test_chains_of_links_are_one_group() -> None:
    groups = join_linked(6, np.array([[0, 1], [4, 1], [2, 5]]))
    assert groups[0] == groups[1] == groups[4]
    assert groups[2] == groups[5]
    assert len(set(groups.tolist())) == 3


def test_without_links_everything_is_alone() -> None:
    assert join_linked(3, np.zeros((0, 2), dtype=np.int64)).tolist() == [0, 1, 2]
