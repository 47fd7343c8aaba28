"""Everything wrong in a card is named with file, line and field."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.registry.nano_card import CARD, refused

Write = Callable[..., Path]
URL_SOURCE = CARD[CARD.index("            - kind: url") : CARD.index("        claims")]
BRANCH = "            - {kind: hub, repo: a/b, revision: main, file: nano.safetensors}\n"
LEAVES = (
    f"            - {{kind: hub, repo: a/b, revision: {'a' * 40}, file: ../nano.safetensors}}\n"
)
NO_PACKAGE = "            - {kind: package, package: ../a, file: nano.safetensors}\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        (
            "sha256: 258fb6c6",
            "sha256: xyz",
            17,
            "cards.nano.weights.coco.files.model[0].sha256",
            "'xyz'",
        ),
        (
            "sha256: 258fb6c6",
            "sha256: 12345678",
            17,
            "cards.nano.weights.coco.files.model[0].sha256",
            "Quote it",
        ),
        (
            URL_SOURCE,
            BRANCH,
            15,
            "cards.nano.weights.coco.files.model[0].revision",
            "a/b/commits/main",
        ),
        (
            URL_SOURCE,
            BRANCH.replace("main", "v1.0"),
            15,
            "cards.nano.weights.coco.files.model[0].revision",
            "'v1.0' is not a full commit",
        ),
        (
            "https://example",
            "ftp://example",
            16,
            "cards.nano.weights.coco.files.model[0].url",
            "is not an http or https address",
        ),
        (
            "https://example",
            "https://[example",
            16,
            "cards.nano.weights.coco.files.model[0].url",
            "names no server",
        ),
        (
            "kind: url",
            "kind: torrent",
            15,
            "cards.nano.weights.coco.files.model[0].kind",
            "torrent",
        ),
        ("value: 25.8", "value: high", 20, "cards.nano.weights.coco.claims[1].value", "'high'"),
        (
            "value: 25.8",
            "value: 400",
            20,
            "cards.nano.weights.coco.claims[1].value",
            "AP is 400, and a share of one hundred",
        ),
        (
            "code: MIT",
            "code: BANANA",
            9,
            "cards.nano.licenses.code",
            "'BANANA' is not an SPDX identifier",
        ),
        (
            "weights: AGPL-3.0",
            "weights: APGL-3.0",
            23,
            "cards.nano.weights.finetuned.licenses.weights",
            "Did you mean 'AGPL-3.0",
        ),
        (
            "[{kind: file, path: mine.safetensors}]",
            "[]",
            22,
            "cards.nano.weights.finetuned.files.model",
            "There is no source",
        ),
        (
            "path: mine.",
            "path: ../mine.",
            22,
            "cards.nano.weights.finetuned.files.model[0].path",
            "leads out of its folder",
        ),
        (
            "path: mine.",
            "path: /mine.",
            22,
            "cards.nano.weights.finetuned.files.model[0].path",
            "is an absolute path",
        ),
        (
            URL_SOURCE,
            LEAVES,
            15,
            "cards.nano.weights.coco.files.model[0].file",
            "leads out of its folder",
        ),
        (
            URL_SOURCE,
            NO_PACKAGE,
            15,
            "cards.nano.weights.coco.files.model[0].package",
            "a package as Python imports it",
        ),
        (
            "path: mine",
            "pth: mine",
            22,
            "cards.nano.weights.finetuned.files.model[0].pth",
            "Did you mean 'path'?",
        ),
        (
            "weights: AGPL",
            "wieghts: AGPL",
            23,
            "cards.nano.weights.finetuned.licenses.wieghts",
            "Did you mean 'weights'?",
        ),
        ("[416, 416]", "[416]", 7, "cards.nano.input.size", "length >= 2"),
        ("[416, 416]", "[416, 0]", 7, "cards.nano.input.size[1]", ">= 1"),
        ("letterbox", "stretch", 7, "cards.nano.input.resize", "'stretch'"),
        ("parameters: 910000", "parameters: many", 8, "cards.nano.parameters", "'many'"),
        ("parameters: 910000", "parameters: -1", 8, "cards.nano.parameters", ">= 0"),
        ("    labels: coco80\n", "", 3, "cards.nano", "'labels' is missing"),
        ("labels: coco80", "labels: [a, b, a]", 5, "cards.nano.labels", "'a' is listed twice"),
        (
            "labels: coco80",
            'labels: [car, "a\\ab"]',
            5,
            "cards.nano.labels[1]",
            r"The class 'a\x07b' has control characters",
        ),
        ("416]", "416], std: [1, 0, 1]", 7, "cards.nano.input.std[1]", "0 can't be a standard"),
        ("416]", "416], std: [1, 1, -1]", 7, "cards.nano.input.std[2]", "-1 can't be a standard"),
        (
            "letterbox, size: [416, 416]",
            "shortest_edge, size: [1333, 800]",
            7,
            "cards.nano.input.size",
            "[shortest, longest]: [800, 1333]",
        ),
        ("labels: coco80", "labels: []", 5, "cards.nano.labels", "empty"),
        ("default: coco", "default: coca", 24, "cards.nano.default", "coco, finetuned"),
        ("acme/net", "net", 4, "cards.nano.architecture", "'net' is not plugin/name."),
        ("acme/net", "Acme/Net", 4, "cards.nano.architecture", "plugin/name"),
        ("  nano:", "  Nano.v1:", 3, "cards.Nano.v1", "not a name"),
        ("finetuned:", "Fine Tuned:", 21, "cards.nano.weights.Fine Tuned", "not a name"),
        ("schema: 2", "schema: 3", 1, "schema", "pip install --upgrade detzoo"),
        ("schema: 2", "schema: 1", 1, "schema", "`files: {model: [SOURCE]}`"),
        ("model:", "tokenizer:", 13, "cards.nano.weights.coco.files", "role 'model'"),
        ("files: {model", "fils: {model", 22, "cards.nano.weights.finetuned.fils", "'files'"),
        (
            "    default:",
            "    requires: [--pre]\n    default:",
            24,
            "cards.nano.requires[0]",
            "--pre",
        ),
        ("    default:", "    wraps: A B\n    default:", 24, "cards.nano.wraps", "'A B'"),
        (
            "        licenses:",
            "        artifacts: {onnx: []}\n        licenses:",
            23,
            "cards.nano.weights.finetuned.artifacts.onnx",
            "There is no source",
        ),
        ("cards:", "crads:", 2, "crads", "Did you mean 'cards'?"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_field(
    write: Write, old: str, new: str, line: int, field: str, says: str
) -> None:
    message = refused(write(CARD.replace(old, new, 1)))
    assert f"Line {line}, field '{field}'" in message
    assert says in message


def test_the_right_card_is_blamed_where_two_are_alike(write: Write) -> None:
    bad = CARD + CARD.partition("cards:\n")[2].replace("nano", "tiny").replace("258fb6c6", "nothex")
    assert re.search(r"Line \d+, field 'cards\.tiny\.weights\.coco", refused(write(bad)))
