"""detzoo: pick any object detector by name, run it on images, and publish your own.

Importing this imports nothing heavy: each name below is looked up when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.detections import Detections as Detections
    from zoo.detectors import Detector as Detector
    from zoo.detectors import Protocol as Protocol
    from zoo.detectors import Target as Target
    from zoo.detectors.compose import compose as compose
    from zoo.detectors.load import load as load
    from zoo.engines.export import export as export
    from zoo.errors import ZooError as ZooError
    from zoo.evaluate.compare import compare as compare
    from zoo.evaluate.evaluate import evaluate as evaluate
    from zoo.labels import LabelSpace as LabelSpace
    from zoo.publish.push import push as push
    from zoo.registry.hookspecs import hookimpl as hookimpl
    from zoo.registry.shared_catalogue import catalogue as catalogue
    from zoo.timing.benchmark import benchmark as benchmark
    from zoo.train.train import train as train
    from zoo.video.detect import detect_video as detect_video

__version__ = "0.1.0"

_HOME = {
    "Detections": "zoo.detections",
    "Detector": "zoo.detectors",
    "LabelSpace": "zoo.labels",
    "Protocol": "zoo.detectors",
    "Target": "zoo.detectors",
    "ZooError": "zoo.errors",
    "benchmark": "zoo.timing",
    "catalogue": "zoo.registry",
    "compare": "zoo.evaluate",
    "compose": "zoo.detectors",
    "detect_video": "zoo.video",
    "export": "zoo.engines",
    "hookimpl": "zoo.registry.hookspecs",
    "load": "zoo.detectors",
    "push": "zoo.publish",
}

# Imported when they are first used, as in `zoo.labels.get("coco80")`. `zoo.evaluate` and
# `zoo.train` are packages that can be called: zoo/callable_module.py says how and why.
_PACKAGES = (
    *("boxes", "cluster", "contract", "data", "detections", "detectors", "draw", "engines"),
    *("errors", "evaluate", "gallery", "images", "inference", "labels", "leaderboard", "pages"),
    *("publish", "registry", "serve", "testing", "timing", "train", "video", "weights"),
)

__all__ = [
    "Detections",
    "Detector",
    "LabelSpace",
    "Protocol",
    "Target",
    "ZooError",
    "__version__",
    "benchmark",
    "catalogue",
    "compare",
    "compose",
    "detect_video",
    "evaluate",
    "export",
    "hookimpl",
    "load",
    "push",
    "train",
]


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return import_module(f"zoo.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}; it has {', '.join(__all__)}")
    globals()[name] = getattr(import_module(_HOME[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    return __all__
