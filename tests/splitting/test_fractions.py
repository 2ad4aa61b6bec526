import numpy as np
import pytest

from peftide.errors import InputError
from peftide.splitting.fractions import check_fractions


def test_a_part_may_be_left_out() -> None:
    np.testing.assert_allclose(check_fractions((0.7, 0, 0.3)), [0.7, 0, 0.3])


@pytest.mark.parametrize(
    "fractions", [(), (1.0,), (0.8, 0.2), (0.8, 0.1, 0.2), (1.1, -0.1, 0), (0, 0.5, 0.5), (1, 0, 0)]
)
def test_what_is_no_division_is_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"--fractions: received .*expected shares .* 0.8,0.1,0.1"):
        check_fractions(fractions)
