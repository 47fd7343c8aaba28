"""A request knows which images are still to be looked at, and this process outputs at those."""

import zoo
from zoo.data import Dataset
from zoo.evaluate.predictions.model_identity import model_identity
from zoo.evaluate.predictions.run_model import RunRequest, in_process


def test_only_what_is_not_done_is_looked_at(street: Dataset) -> None:
    model = zoo.load("yolox_pico")
    identity = model_identity(
        model, weights=True, labels=None, classes=(), device=None, progress=False
    )
    request = RunRequest(identity, street, zoo.Protocol(), 4, None, frozenset({1, 3, 6}))
    assert request.todo == [1, 3, 4]
    with in_process(request) as model_run:
        outputs = list(model_run.outputs)
    assert [output.record.id for output in outputs] == [2, 4, 5]
    assert model_run.label_space == model.label_space
    assert model_run.facts["device"] == "cpu"
    assert all(output.facts == model_run.facts for output in outputs)
