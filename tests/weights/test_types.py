"""Requests for weights: their names, their sources and their files."""

from zoo.registry.card import UrlSource, Weights
from zoo.weights import WeightsRequest

MODEL = UrlSource(url="https://example.org/model.safetensors")
WORDS = UrlSource(url="https://example.org/words.json")
REQUEST = WeightsRequest("a/net", "v1", Weights(files={"tokenizer": [WORDS], "model": [MODEL]}))


def test_the_checkpoint_comes_first_and_has_the_plain_name() -> None:
    requests = REQUEST.every_file()
    assert [request.entry for request in requests] == ["a/net.v1", "a/net.v1:tokenizer"]
    assert [request.sources for request in requests] == [[MODEL], [WORDS]]
    assert {request.model for request in requests} == {"a/net.v1"}


def test_weights_without_a_tag_have_the_name_of_the_model() -> None:
    assert WeightsRequest("a/net", None, REQUEST.weights).entry == "a/net"
