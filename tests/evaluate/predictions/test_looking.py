"""A request knows which images are still to be looked at, and this process looks at those."""

import zoo
from zoo.data import Dataset
from zoo.evaluate.predictions.looking import Request, in_process
from zoo.evaluate.predictions.model_identity import model_identity


def test_only_what_is_not_done_is_looked_at(street: Dataset) -> None:
    model = zoo.load("yolox_pico")
    identity = model_identity(
        model, weights=True, labels=None, classes=(), device=None, progress=False
    )
    request = Request(identity, street, zoo.Protocol(), 4, None, frozenset({1, 3, 6}))
    assert request.todo == [1, 3, 4]
    with in_process(request) as looking:
        looks = list(looking.looks)
    assert [look.record.id for look in looks] == [2, 4, 5]
    assert looking.label_space == model.label_space
    assert looking.facts["device"] == "cpu"
    assert all(look.facts == looking.facts for look in looks)
