"""Labels that a reader takes for a number and a program does not."""

import pytest

from peftide.sequences.near_numbers import beside_number


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("1,5", "1.234,5", "1,234.5"), "a comma"),
        (("1 234", "1\u202f234\xa0567", "12'345.5", "1_000"), "signs between thousands"),
        (("45%", "0.5 %", "3‰"), "a percent sign"),
        (("1.5x10^3", "2 × 10-6", "1.35D+06"), "a power of ten"),
        (("1.5 nM", "1.5nM", "14 kDa", "37°C", "37 °C", "-8.1 kcal/mol"), "a unit"),
        (("<0.5", "≥ 100", "~5", "$5", "=1.5", "'1.5'"), "a sign in front"),
        (("−1.5", "–2"), "another sign for minus"),
        (("1.2*", "5 †"), "a mark behind"),
        (("12±3", "1.5 +/- 0.2", "1.5 (0.2)"), "an uncertainty"),
        (("[1.5]", "(2)", "[ 3, ]"), "brackets"),
        (
            ("np.float64(1.5)", "tensor(1.5)", "tensor([1.5], dtype=x)", "Decimal('1.5')"),
            "the name",
        ),
        (("0x1F",), "hexadecimal"),
        (("inf", "-Infinity".lower()), "infinite"),
        (("1·5",), "a point in the middle"),
    ],
)
def test_what_a_number_has_beside_it(texts: tuple[str, ...], kind: str) -> None:
    assert all(kind in (beside_number(text) or "") for text in texts)


@pytest.mark.parametrize(
    "text",
    ["1", "-1.5e-3", ".5", "5.", "C2", "H", "7TM", "14-3-3", "3.4.21.4", "1.1.1.-", "2024-01-02"]
    + ["GO:0005634", "1 0 1", "1,0,1", "", "10-20", "13/100", "P00001", "nan", "Fe(3)"],
)
def test_numbers_and_names_have_nothing_beside_a_number(text: str) -> None:
    assert beside_number(text) is None
