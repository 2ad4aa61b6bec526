from peftide.sequences import sequence_hash
from tests.conftest import random_sequences


def test_a_hash_is_the_beginning_of_sha256() -> None:
    assert sequence_hash("MKV") == "06101e170c22fd1e"  # `printf MKV | sha256sum`


def test_sequences_have_hashes_of_their_own() -> None:
    sequences = random_sequences(500)
    assert len({sequence_hash(sequence) for sequence in sequences}) == 500
