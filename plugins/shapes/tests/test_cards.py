"""The cards: their networks, and weights that are there without a network and find shapes."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import detzoo_shapes
import pytest
import torch
from detzoo_shapes import dataset
from detzoo_shapes.outlines import NAMES
from safetensors.torch import load_file

import zoo
from zoo.registry.card import Card, PackageSource

FOLDER = Path(detzoo_shapes.__file__).parent
OF_SHAPES = ("yolox_pico", "retinanet_pico", "fasterrcnn_pico")
MODELS = (*OF_SHAPES, "cells_nano")
CELLS = Path(__file__).parents[4] / "shared" / "data" / "bccd_voc" / "BCCD"
needs_cells = pytest.mark.skipif(not CELLS.exists(), reason="../shared/data/bccd_voc is not here")
MOST = 2_000_000  # bytes of a file of weights


def card(name: str) -> Card:
    return zoo.catalogue().resolve(f"shapes/{name}").entry.card


def source(name: str) -> PackageSource:
    weights = card(name).default_weights()
    assert weights is not None
    [found] = weights.files["model"]
    assert isinstance(found, PackageSource)
    return found


def test_the_plugin_has_these_models() -> None:
    rows = [entry.name for entry in map(zoo.catalogue().resolve, MODELS)]
    assert [name.rpartition("/")[2].partition(".")[0] for name in rows] == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_the_weights_are_small_and_the_cards_own(name: str) -> None:
    content = (FOLDER / source(name).file).read_bytes()
    assert len(content) <= MOST
    assert hashlib.sha256(content).hexdigest() == source(name).sha256
    weights = card(name).default_weights()
    assert weights is not None
    assert weights.megabytes == pytest.approx(len(content) / 1e6, abs=0.01)


@pytest.mark.parametrize("name", MODELS)
def test_float16_is_widened_to_the_same_numbers(name: str) -> None:
    stored = load_file(FOLDER / source(name).file)
    state = zoo.load(name).state_dict()
    assert state.keys() == stored.keys()
    for key, tensor in state.items():
        assert tensor.dtype != torch.float16
        assert torch.equal(tensor, stored[key].to(tensor.dtype))
    assert any(tensor.dtype == torch.float16 for tensor in stored.values())


@pytest.mark.parametrize("name", MODELS)
def test_the_card_is_true_of_its_network(name: str) -> None:
    model, about = zoo.load(name), card(name)
    assert about.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert about.input is not None
    assert model.input_size(480, 640) == tuple(about.input.size)
    assert model.label_space.names == (NAMES if name in OF_SHAPES else ("Platelets", "RBC", "WBC"))


@pytest.mark.parametrize("name", OF_SHAPES)
def test_offline_it_finds_what_is_in_scenes_it_never_learnt(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    report = zoo.evaluate(name, data="shapes:test,count=24", resamples=0)
    assert report.ap > 0.5


@needs_cells
def test_offline_it_finds_cells_it_never_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    data = zoo.data.read(f"voc:{CELLS},split=test").subset(range(12))
    report = zoo.evaluate("cells_nano", data=data, resamples=0)
    assert report.ap50 > 0.8


@pytest.fixture(scope="module")
def _rendered_once() -> Iterator[None]:
    """Scenes are kept, 250 MB of them: an evaluation looks at each three times, and three models
    are measured on the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "encoded", cache(dataset.encoded))
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_rendered_once")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        *((name, "shapes:test") for name in OF_SHAPES),
        pytest.param("cells_nano", f"voc:{CELLS},split=test", marks=needs_cells),
    ],
)
def test_the_claimed_precision_is_what_the_test_split_gives(name: str, data: str) -> None:
    weights = card(name).default_weights()
    assert weights is not None
    claimed = {claim.metric: claim.value for claim in weights.claims}
    report = zoo.evaluate(name, data=data, resamples=0)
    assert 100 * report.ap == pytest.approx(claimed["AP"], abs=0.2)
    assert 100 * report.ap50 == pytest.approx(claimed["AP50"], abs=0.2)
