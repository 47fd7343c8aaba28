"""Running a model: what can't be done is said before anything is fetched or read."""

import pytest

import zoo
from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.evaluate import predict


@pytest.mark.parametrize("setting", ["wrapper", "engine", "prompts"])
def test_settings_that_nothing_applies_are_refused(street: Dataset, setting: str) -> None:
    protocol = zoo.Protocol(**{setting: "other"})
    with pytest.raises(UsageError, match=f"protocol with {setting}"):
        predict("yolox_nano", data=street, protocol=protocol)
