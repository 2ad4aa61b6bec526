import json

from peftide.planning.plan import Plan


def test_a_plan_is_plain_json() -> None:
    plan = Plan({}, {}, {"trained": 1}, {}, {}, {"peak": 2}, {}, fits=True, notes=("said",))
    read = json.loads(json.dumps(plan.as_json()))
    assert (read["parameters"], read["fits"], read["notes"]) == ({"trained": 1}, True, ["said"])
    assert read["format_version"] == 1
