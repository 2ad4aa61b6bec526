from peftide.baselines.letters import OTHER, STANDARD_RESIDUES, letter_codes


def test_the_twenty_letters_have_their_place_in_either_case():
    assert letter_codes(STANDARD_RESIDUES).tolist() == list(range(20))
    assert letter_codes(STANDARD_RESIDUES.lower()).tolist() == list(range(20))


def test_every_other_letter_shares_one_code_and_keeps_its_position():
    assert letter_codes("AUXBZOJ-*é☃C").tolist() == [0, *[OTHER] * 10, 1]


def test_an_empty_sequence_has_no_codes():
    assert letter_codes("").shape == (0,)
