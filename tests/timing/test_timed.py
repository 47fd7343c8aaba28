"""A model is run on batches of real images; its steps are timed apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zoo.errors import ImageError
from zoo.timing.timed import TimedModel, Variant, is_warm


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two images of noise, and one that is tall."""
    folder = tmp_path_factory.mktemp("noise")
    paths = []
    for number, size in enumerate([(64, 48, 3), (64, 48, 3), (96, 32, 3)]):
        noise = np.random.default_rng(number).integers(0, 256, size, np.uint8)
        paths.append(folder / f"{number}.png")
        PIL.Image.fromarray(noise).save(paths[-1])
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def timed(images: list[str]) -> TimedModel:
    """The embedded detector on these."""
    return TimedModel(Variant(model="yolox_pico", images=images, score=0.3))


def test_a_call_has_its_parts(timed: TimedModel) -> None:
    calls = timed.run(2, calls=3, seconds=60)
    assert len(calls) == 3
    for call in calls:
        assert call.read > 0
        parts = (call.preprocess, call.network, call.postprocess)
        assert all(part and part > 0 for part in parts)
        assert sum(part or 0 for part in parts) <= call.seconds


def test_one_call_is_made_when_time_is_over(timed: TimedModel) -> None:
    assert len(timed.run(1, calls=9, seconds=0)) == 1


@pytest.mark.parametrize(
    ("taken", "warm"),
    [
        ([9.0, 5.0], False),
        ([9.0, 5.0, 3.0], False),
        ([9.0, 5.0, 3.0, 1.0, 1.05], True),
        ([1.0, 1.0, 9.0, 1.05], True),
        ([1.0, 1.0, 2.0, 2.0, 2.0], False),
    ],
)
def test_it_is_warm_when_it_gets_no_faster(taken: list[float], warm: bool) -> None:
    assert is_warm(taken) is warm


def test_warming_up_ends(timed: TimedModel) -> None:
    assert not timed.warm_up(1, calls=3, seconds=0)


def test_facts_name_what_computed(timed: TimedModel) -> None:
    facts = timed.facts()
    assert facts.name == "yolox_pico.shapes"
    assert facts.engine.startswith("torch ")
    assert (facts.input, facts.images) == ((320, 320), 3)
    assert facts.gflops is not None
    assert 0.1 < facts.gflops < 10


def test_an_image_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(ImageError, match=r"a\.png"):
        TimedModel(Variant(model="yolox_pico", images=[str(tmp_path / "a.png")]))
