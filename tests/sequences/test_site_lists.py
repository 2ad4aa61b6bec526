"""Lists of sites on the command line."""

import pytest

from peftide.errors import InputError
from peftide.sequences.site_lists import read_sites


def test_sites_and_ranges_count_from_residue_one() -> None:
    assert read_sites(["24", "26-28"], length=30, offset=20, where="--sites") == {4, 6, 7, 8}
    assert read_sites([], length=30, offset=0, where="--sites") == set()


@pytest.mark.parametrize(
    "word", ["0", "31", "9-5", "a", "5-", "28-31", "1-999999999", "9" * 5000, "٣"]
)
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(InputError, match=r"--sites: received .* from 1 to 30"):
        read_sites([word], length=30, offset=0, where="--sites")
