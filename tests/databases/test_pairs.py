"""Records in any order become one row per pair."""

from collections import Counter

from peftide.databases.pairs import PairRecord, merge_pairs


def test_order_and_repeats_do_not_matter() -> None:
    records = [PairRecord("B", "A", 0.2), PairRecord("C", "A"), PairRecord("A", "B", 0.7)]
    for given in (records, records[::-1]):
        table = merge_pairs(given, Counter(), keep_self=False)
        assert table[["id_a", "id_b", "label", "records"]].to_numpy().tolist() == [
            ["A", "B", 1, 2],
            ["A", "C", 1, 1],
        ]
        assert table["score"].tolist()[0] == 0.7
        assert table["score"].isna().tolist() == [False, True]


def test_contradictions_go_and_are_counted() -> None:
    records = [PairRecord("A", "B"), PairRecord("B", "A", interacts=False), PairRecord("C", "D")]
    records.append(PairRecord("E", "F", interacts=False))
    counts: Counter[str] = Counter()
    table = merge_pairs(records, counts, keep_self=False)
    assert table[["id_a", "label"]].to_numpy().tolist() == [["C", 1], ["E", 0]]
    assert counts == {"reported as interacting and as not interacting": 2}


def test_self_pairs_stay_on_request() -> None:
    counts: Counter[str] = Counter()
    assert merge_pairs([PairRecord("A", "A")], counts, keep_self=False).empty
    assert counts == {"a protein with itself": 1}
    assert len(merge_pairs([PairRecord("A", "A")], Counter(), keep_self=True)) == 1
