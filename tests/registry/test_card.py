"""Cards: what each field of the schema is read as."""

from collections.abc import Callable
from pathlib import Path

from tests.registry.nano_card import CARD
from zoo.registry.card import FileSource
from zoo.registry.registry_file import USER, read_registry_file

Write = Callable[..., Path]

FULL = CARD.replace(
    "    default: coco",
    """
    requires: ["transformers>=4.50", "detzoo[plots]"]
    wraps: yolox/nano.coco
    default: coco
""",
).replace(
    "        licenses: {weights: AGPL-3.0}",
    """
        post_load: {frozen_bn_eps: 0.0, prompts: [a, b]}
        recipe: https://example.org/recipe.yaml
        artifacts: {onnx: [{kind: file, path: nano.onnx, sha256: "12345678"}]}
""",
)


def test_a_card_says_what_it_requires_wraps_and_was_trained_by(write: Write) -> None:
    card = read_registry_file(write(FULL), owner=USER).card(0)
    weights = card.weights["finetuned"]
    assert (card.requires, card.wraps) == (
        ["transformers>=4.50", "detzoo[plots]"],
        "yolox/nano.coco",
    )
    assert weights.post_load == {"frozen_bn_eps": 0.0, "prompts": ["a", "b"]}
    assert weights.recipe == "https://example.org/recipe.yaml"
    assert weights.artifacts == {"onnx": [FileSource(path="nano.onnx", sha256="12345678")]}


def test_weights_may_have_files_of_other_roles(write: Write) -> None:
    more = "files: {tokenizer: [{kind: file, path: words.json}], model: ["
    text = CARD.replace("files: {model: [", more)
    files = read_registry_file(write(text), owner=USER).card(0).weights["finetuned"].files
    assert files == {
        "tokenizer": [FileSource(path="words.json")],
        "model": [FileSource(path="mine.safetensors")],
    }


def test_a_model_may_be_told_its_classes_when_it_is_loaded(write: Write) -> None:
    [row] = read_registry_file(write(CARD.replace("coco80", "open")), owner=USER).rows
    assert (row.labels, row.class_names, row.classes) == ("open", (), None)
