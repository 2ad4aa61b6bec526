"""Push and pull against a hub on this machine, by the hub's own client."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from peftide.errors import HubError, InputError
from peftide.exporting.hub import pull_model, push_model
from peftide.predictor import load
from tests.exporting.conftest import Hub

# the hub's client, uploading a large file
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
PAIRS = [("MKTAYIAKQRQISFVKSHFSRQ", "MQIFVKTLTGKTITLEVEPSDT")]


@pytest.fixture
def model(trained: Callable[[str, str], Path]) -> Path:
    return trained("ppi", "lora") / "model"


def test_a_pulled_model_is_the_pushed_one(hub: Hub, model: Path, tmp_path: Path) -> None:
    address = push_model(model, "lab/tiny", public=False, overwrite=False)
    assert address.startswith(hub.address)
    assert hub.private == {"lab/tiny"}
    pull_model("lab/tiny", tmp_path / "pulled")
    files = {path.relative_to(model) for path in model.rglob("*") if path.is_file()}
    pulled = tmp_path / "pulled"
    assert {path.relative_to(pulled) for path in pulled.rglob("*") if path.is_file()} == files
    for path in files:
        assert (pulled / path).read_bytes() == (model / path).read_bytes()
    scores = [
        load(each, device="cpu", threads=1).predict(PAIRS)["score"] for each in (model, pulled)
    ]
    assert scores[0].tolist() == scores[1].tolist()


def test_only_files_of_the_model_are_uploaded(hub: Hub, model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "model")
    (copy / "private.tsv").write_text("id\tsequence\n")
    push_model(copy, "lab/tiny", public=True, overwrite=False)
    assert "private.tsv" not in hub.repositories["lab/tiny"]
    assert not hub.private


def test_a_model_is_replaced_only_on_request_and_whole(hub: Hub, model: Path) -> None:
    push_model(model, "lab/tiny", public=False, overwrite=False)
    hub.repositories["lab/tiny"]["adapter/older.safetensors"] = b"left from before"
    with pytest.raises(InputError, match="holds a model already"):
        push_model(model, "lab/tiny", public=False, overwrite=False)
    push_model(model, "lab/tiny", public=False, overwrite=True)
    assert "adapter/older.safetensors" not in hub.repositories["lab/tiny"]


def test_a_repository_of_something_else_is_left_alone(hub: Hub, model: Path) -> None:
    hub.repositories["lab/data"] = {"table.csv": b"a,b\n"}
    with pytest.raises(InputError, match=r"holds other files, such as table\.csv"):
        push_model(model, "lab/data", public=False, overwrite=True)
    assert hub.repositories["lab/data"] == {"table.csv": b"a,b\n"}


def test_a_changed_file_is_noticed_on_both_ways(hub: Hub, model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "model")
    push_model(copy, "lab/tiny", public=False, overwrite=False)
    hub.repositories["lab/tiny"]["head.safetensors"] += b"x"
    with pytest.raises(InputError, match="was changed"):
        pull_model("lab/tiny", tmp_path / "pulled")
    (copy / "head.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match="was changed"):
        push_model(copy, "lab/other", public=False, overwrite=False)
    assert "lab/other" not in hub.repositories


def test_pickles_are_never_downloaded(hub: Hub, model: Path, tmp_path: Path) -> None:
    push_model(model, "lab/tiny", public=False, overwrite=False)
    hub.repositories["lab/tiny"]["evil.bin"] = b"x"
    pull_model("lab/tiny", tmp_path / "pulled")
    assert not (tmp_path / "pulled" / "evil.bin").exists()


def test_a_repository_without_a_model_is_named(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["lab/esm"] = {"config.json": b"{}"}
    with pytest.raises(InputError, match=r"holds no bundle\.json"):
        pull_model("lab/esm", tmp_path / "pulled")


@pytest.mark.parametrize("line", ["license: CC BY-NC 4.0", "base_model: mini"])
def test_a_card_that_the_hub_refuses_is_one_error(
    line: str, hub: Hub, model: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "model"))
    card = copy / "README.md"
    card.write_text(card.read_text().replace("library_name: peftide", line))
    name = line.split(":")[0]
    with pytest.raises(HubError, match=rf"{name} is not valid\. Correct the lines"):
        push_model(copy, "lab/tiny", public=False, overwrite=False)


def test_a_hub_that_refuses_is_one_error(hub: Hub, model: Path, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="no repository lab/none"):
        pull_model("lab/none", tmp_path / "pulled")
    for code, advice in ((403, "hf auth login"), (413, "Try again later")):
        hub.refusal = code
        with pytest.raises(HubError, match=f"refused lab/tiny.*{code}.*{advice}"):
            push_model(model, "lab/tiny", public=False, overwrite=False)


def test_no_network_is_one_error(
    hub: Hub, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="cannot be reached"):
        push_model(model, "lab/tiny", public=False, overwrite=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="cannot be reached"):
        pull_model("lab/tiny", tmp_path / "pulled")


@pytest.mark.parametrize("name", ["a b/c", "a/b/c", "", "-/x"])
def test_a_name_that_is_none_is_refused(name: str, hub: Hub, model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected OWNER/NAME"):
        push_model(model, name, public=False, overwrite=False)
    with pytest.raises(InputError, match="expected OWNER/NAME"):
        pull_model(name, tmp_path / "pulled")
    assert not hub.repositories
