"""Everything that is wrong with a request is said before a model is built."""

from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.pretraining.options import check_options
from tests.pretraining.conftest import config_of


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "--steps: received 0; expected 1 or more"),
        ({"mask_fraction": 1.0}, "--mask-fraction: received 1.0; expected above 0, below 1"),
        ({"mask_span": 0.5}, "--mask-span"),
        ({"learning_rate": float("nan")}, "--learning-rate: received nan"),
        ({"learning_rate": float("inf")}, "--learning-rate: received inf"),
        ({"hours": 0.0}, "--hours"),
        ({"cluster_power": 1.1}, "--cluster-power: received 1.1; expected from 0 to 1"),
        ({"decay_fraction": -0.1}, "--decay-fraction"),
        ({"weight_decay": -1.0}, "--weight-decay"),
        ({"held_out": 0}, "--held-out"),
        ({"seed": -1}, "--seed: received -1"),
        ({"row_tokens": 31}, "--row-tokens: received 31, expected 32 or more"),
        ({"width": 36}, r"--width: received 36, expected a multiple of .* \(8\)"),
        ({"relatives_weight": -0.1}, "--relatives-weight: received -0.1; expected 0 or more"),
        ({"relatives_weight": float("nan")}, "--relatives-weight: received nan"),
        ({"profiles_weight": 0.0}, "--profiles-weight: received 0.0; expected a number above 0"),
        ({"profiles_weight": 2.0}, "--profiles-weight: .* without --alignments"),
        ({"alignments": Path("absent.tsv")}, "absent.tsv: no such file"),
        ({"local_heads": True, "backbone": "mini"}, "--local-heads: .* with --backbone"),
        ({"initializer_range": 0.0}, "--initializer-range: received 0.0; expected a number above"),
        ({"exclude": Path("absent.txt")}, "absent.txt: no such file"),
        ({"precision": "int8"}, "--precision: received int8"),
        ({"device": "gpu"}, "--device: received 'gpu'"),
        ({"backbone": "minni"}, "--backbone: .*Did you mean mini"),
        ({"sequences": (Path("absent.fasta"),)}, "absent.fasta: no such file"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_options(config_of(tmp_path, **changes))


def test_all_that_is_wrong_is_one_error(tmp_path: Path) -> None:
    changes = {"row_tokens": 31, "profiles_weight": 2.0, "clusters": Path("absent.tsv")}
    with pytest.raises(InputError, match="3 problems") as caught:
        check_options(config_of(tmp_path, **changes))
    for name in ("--row-tokens", "--profiles-weight", "absent.tsv"):
        assert name in str(caught.value)


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_relatives_need_rows_in_pairs_and_others_to_tell_them_from(
    tmp_path: Path, rows: int
) -> None:
    with pytest.raises(InputError) as caught:
        check_options(config_of(tmp_path, rows=rows, relatives_weight=0.1))
    said = f"--rows: received {rows}, expected an even number from 4 up, because --relatives-weight"
    assert said in str(caught.value)
    assert "problems" not in str(caught.value)
    check_options(config_of(tmp_path, rows=rows))
    check_options(config_of(tmp_path, rows=4, relatives_weight=0.1))
