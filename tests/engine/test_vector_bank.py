import numpy as np
import torch

from peftide.engine.vector_bank import VectorBank


def test_a_bank_gives_the_last_vectors() -> None:
    bank = VectorBank(torch.zeros(5, 3))
    bank.hold(np.array([1, 4]), torch.ones(2, 3))
    bank.keep()
    bank.hold(np.array([4]), torch.full((1, 3), 2.0))
    bank.keep()
    assert bank.of(np.array([4, 0, 1]))[:, 0].tolist() == [2.0, 0.0, 1.0]


def test_new_vectors_count_once_they_are_kept() -> None:
    bank = VectorBank(torch.zeros(2, 3))
    bank.hold(np.array([0]), torch.ones(1, 3))
    assert not bank.of(np.array([0, 1])).any()
    assert not bank.state()["vectors"].any()
    bank.hold(np.array([1]), torch.ones(1, 3))  # the step is repeated
    bank.keep()
    assert bank.of(np.array([0, 1]))[:, 0].tolist() == [0.0, 1.0]


def test_its_vectors_are_copies() -> None:
    bank = VectorBank(torch.zeros(2, 3))
    bank.of(np.array([0])).fill_(7.0)
    assert not bank.vectors.any()


def test_another_bank_takes_its_state() -> None:
    bank, other = VectorBank(torch.randn(4, 2)), VectorBank(torch.zeros(4, 2))
    other.restore(bank.state())
    assert torch.equal(other.vectors, bank.vectors)
