from peftide.backbones.origin import Origin
from tests.conftest import TINY


def test_origin_says_whether_weights_are_random():
    assert Origin(TINY, "esm", None, "0").is_random
    assert not Origin("lab/model", "esm", "1", "0").is_random
