"""A result goes to the Hub whole or not at all, and comes back by name, card and all."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo
from zoo.errors import IntegrityError, NameNotFound, OfflineError, PushError, UsageError
from zoo.publish.push import push
from zoo.testing import Fault, LoopbackHub

TOKEN = "hf_secret"
WHOLE = {
    ".gitattributes",
    "README.md",
    "card.yaml",
    "model.safetensors",
    "recipe.yaml",
    "report.json",
    "run.json",
}


@pytest.mark.usefixtures("token")
def test_what_was_pushed_is_loaded_by_name_from_its_commit(hub: LoopbackHub, result: Path) -> None:
    made = push(result, "org/Helmets.v2", license="MIT")
    assert set(hub.files("org/Helmets.v2")) == WHOLE
    detector = zoo.load(made.name)
    assert detector.name == "Helmets.v2.trained"
    assert detector.weights is not None
    place = f"hub:org/Helmets.v2@{made.revision}:model.safetensors"
    assert (detector.weights.source, detector.weights.revision) == (place, made.revision)
    same = zoo.load(result).state_dict()
    assert all(torch.equal(same[name], value) for name, value in detector.state_dict().items())
    assert detector.label_space.names == ("helmet", "vest")


@pytest.mark.usefixtures("token")
def test_a_second_push_replaces_the_first_which_stays_in_the_history(
    hub: LoopbackHub, result: Path, copied: Callable[[], Path]
) -> None:
    first = push(result, "org/helmets")
    assert push(result, "org/helmets").revision == first.revision  # nothing is new
    other = copied()
    (other / "report.json").unlink()
    second = push(other, "org/helmets", license="MIT")
    assert second.revision != first.revision
    assert set(hub.files("org/helmets")) == WHOLE - {"report.json"}
    assert set(hub.files("org/helmets", first.revision)) == WHOLE
    assert hub.bodies("/lfs-store/*") == 0
    sent = [request for request in hub.requests if request.method == "PUT"]
    assert len(sent) == 1  # the weights are the same


@pytest.mark.usefixtures("token")
def test_a_second_push_without_a_licence_keeps_the_first_ones_and_says_so(
    hub: LoopbackHub, result: Path, caplog: pytest.LogCaptureFixture
) -> None:
    push(result, "org/helmets", license="MIT", data_license="CC0-1.0")
    assert caplog.text == ""
    again = push(result, "org/helmets")
    assert (again.licenses.weights, again.licenses.data) == ("MIT", "CC0-1.0")
    assert "org/helmets keeps MIT, as an earlier push stated" in caplog.text
    assert "--data-license" in caplog.text
    page = hub.files("org/helmets")["README.md"].decode()
    assert "- of the weights: MIT" in page
    assert "not stated" not in page.partition("- of the code")[0]
    caplog.clear()
    other = push(result, "org/helmets", license="Apache-2.0", data_license="MIT")
    assert (other.licenses.weights, other.licenses.data) == ("Apache-2.0", "MIT")
    assert caplog.text == ""


@pytest.mark.usefixtures("token")
def test_a_private_repository_is_read_with_a_token_alone(
    hub: LoopbackHub, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(result, "org/secret", private=True)
    assert zoo.load("hub:org/secret").name == "secret.trained"
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_HOME", str(result.parent / "other"))
    with pytest.raises(zoo.ZooError, match="missing, private or gated"):
        zoo.load("hub:org/secret")
    push(result, "org/open", token=TOKEN)
    with pytest.raises(PushError, match="exists and is public"):
        push(result, "org/open", private=True, token=TOKEN)


def test_a_token_is_asked_for_before_anything_is_sent(hub: LoopbackHub, result: Path) -> None:
    with pytest.raises(PushError, match="there is none") as error:
        push(result, "org/helmets")
    assert "--token-file" in error.value.fix
    assert hub.requests == ()


@pytest.mark.parametrize(
    ("token", "repo", "case"),
    [("hf_old", "org/helmets", "does not know"), (TOKEN, "other/helmets", "belongs to 'other'")],
)
def test_without_rights_the_case_is_said(
    hub: LoopbackHub, result: Path, token: str, repo: str, case: str
) -> None:
    with pytest.raises(PushError, match=case):
        push(result, repo, token=token)
    assert hub.files(repo) == {}


@pytest.mark.usefixtures("token")
def test_a_folder_without_a_result_is_none(hub: LoopbackHub, tmp_path: Path) -> None:
    with pytest.raises(NameNotFound, match="no run has ended there"):
        push(tmp_path, "org/helmets")
    assert hub.requests == ()


@pytest.mark.usefixtures("token")
def test_weights_that_are_not_those_of_the_card_stay_here(
    hub: LoopbackHub, copied: Callable[[], Path]
) -> None:
    folder = copied()
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-4] + b"oops")
    with pytest.raises(IntegrityError):
        push(folder, "org/helmets")
    assert hub.requests == ()


def test_names_and_licences_are_checked_first(result: Path) -> None:
    for repo in ("helmets", "org/", "org/a b", "org/a/b", "../x"):
        with pytest.raises(UsageError, match="OWNER/NAME"):
            push(result, repo)
    with pytest.raises(UsageError, match="Did you mean 'MIT'"):
        push(result, "org/helmets", license="mitt")


def test_offline_nothing_is_published(result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(OfflineError, match="unset ZOO_OFFLINE"):
        push(result, "org/helmets", token=TOKEN)


@pytest.mark.usefixtures("token")
def test_what_broke_off_is_completed_by_a_second_push(hub: LoopbackHub, result: Path) -> None:
    hub.misbehave("/lfs-store/*", Fault.reset(), times=None, method="PUT")
    with pytest.raises(PushError, match="Nothing was published"):
        push(result, "org/helmets")
    assert set(hub.files("org/helmets")) == {".gitattributes"}
    hub.behave()
    push(result, "org/helmets")
    assert set(hub.files("org/helmets")) == WHOLE
