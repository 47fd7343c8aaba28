"""A registry file with one card, `nano`, and the error that a changed one leads to."""

from pathlib import Path

import pytest

from zoo.errors import CardError
from zoo.registry.registry_file import USER, read_registry_file

CARD = """\
schema: 2
cards:
  nano:
    architecture: acme/net
    labels: coco80
    arguments: {depth: 0.33, deep: {er: [1, 2]}}
    input: {resize: letterbox, size: [416, 416]}
    parameters: 910000
    licenses: {code: MIT}
    weights:
      coco:
        megabytes: 3.5
        files:
          model:
            - kind: url
              url: https://example.org/nano.pth
              sha256: 258fb6c6
        claims:
          - {dataset: other, metric: AP, value: 99, source: elsewhere}
          - {dataset: coco_val2017, metric: AP, value: 25.8, source: README}
      finetuned:
        files: {model: [{kind: file, path: mine.safetensors}]}
        licenses: {weights: AGPL-3.0}
    default: coco
"""


def refused(path: Path, owner: str = USER) -> str:
    with pytest.raises(CardError) as caught:
        read_registry_file(path, owner=owner)
    assert str(path) in str(caught.value)
    return str(caught.value)
