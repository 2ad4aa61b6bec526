from peftide import outcomes
from peftide.outcomes import columns


def test_the_names_of_columns_are_part_of_the_package() -> None:
    names = ("COUNTED", "TRUTH", "PROBABILITY_OF", "BETWEEN_CLASSES")
    assert [getattr(outcomes, name) for name in names] == [getattr(columns, name) for name in names]
