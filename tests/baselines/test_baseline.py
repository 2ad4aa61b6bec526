from peftide.baselines import BASELINES


def test_a_baseline_suits_levels_and_kinds() -> None:
    assert BASELINES["degree"].suits("pair", "continuous")
    assert not BASELINES["degree"].suits("sequence", "continuous")
    assert not BASELINES["positive_degree"].suits("pair", "categorical")
    assert BASELINES["residue_letter"].suits("residue", "categorical")
    assert not BASELINES["composition"].suits("residue", "categorical")
