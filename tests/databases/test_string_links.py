"""The forms in which STRING exports links."""

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from peftide.config import DataConfig
from peftide.databases.pairs import PairRecord
from peftide.databases.string_links import read_string
from peftide.errors import InputError

LINKS = """protein1 protein2 combined_score
9606.ENSP1 9606.ENSP2 950
9606.ENSP2 9606.ENSP1 950
9606.ENSP1 9606.ENSP3 699
10090.ENSM1 10090.ENSM2 800
"""
DETAILED = """protein1 protein2 neighborhood fusion experimental combined_score
9606.ENSP1 9606.ENSP2 0 0 120 950
9606.ENSP1 9606.ENSP3 0 0 720 760
"""
PAGE = (
    "#node1\tnode2\tnode1_string_id\tnode2_string_id\tcombined_score\n"
    "CDK1\tCCNB1\t9606.ENSP1\t9606.ENSP2\t0.999\n"
    "CDK1\tPLK1\t9606.ENSP1\t9606.ENSP3\t0.4\n"
)


def read(text: str, **options: Any) -> tuple[list[PairRecord], dict[str, int]]:
    path = Path("links.txt.gz")
    path.write_bytes(gzip.compress(text.encode()))
    counts: Counter[str] = Counter()
    config = DataConfig(source="string", input=(path,), out=Path("out"), **options)
    return list(read_string(path, config, counts)), dict(counts)


def test_links_of_high_confidence_are_the_default() -> None:
    found, counts = read(LINKS)
    assert [(each.id_a, each.id_b, each.score) for each in found] == [
        ("9606.ENSP1", "9606.ENSP2", 950),
        ("9606.ENSP2", "9606.ENSP1", 950),
        ("10090.ENSM1", "10090.ENSM2", 800),
    ]
    assert counts == {"score below 700": 1}


def test_organism_and_score_are_chosen() -> None:
    found, counts = read(LINKS, taxon=9606, min_score=100)
    assert len(found) == 3
    assert counts == {"another organism": 1}


def test_one_channel_is_read() -> None:
    found, _ = read(DETAILED, channel="experimental")
    assert [(each.id_b, each.score) for each in found] == [("9606.ENSP3", 720)]


def test_the_table_of_the_web_page_has_shares_for_scores() -> None:
    found, counts = read(PAGE)
    assert [(each.id_a, each.id_b, round(each.score or 0)) for each in found] == [
        ("9606.ENSP1", "9606.ENSP2", 999)
    ]
    assert counts == {"score below 700": 1}


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a b c\n", {}, "no column protein1"),
        (LINKS, {"channel": "experimental"}, r"no column experimental.*links\.detailed"),
        (LINKS + "9606.ENSP1 9606.ENSP2 high\n", {}, r"links\.txt\.gz:6: received"),
        (LINKS + "9606.ENSP1\n", {}, r"links\.txt\.gz:6: received"),
    ],
)
def test_another_form_is_refused(text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text, **options)


def test_a_lowest_score_on_the_scale_of_the_web_page_is_refused() -> None:
    with pytest.raises(InputError, match=r"--min-score: received 0\.7; .*such as 700 for 0\.7"):
        read(LINKS, min_score=0.7)
