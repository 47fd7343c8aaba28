"""The types that all modules agree on.

- `Batch`, `InputTransform`, `Preprocess`: images as a network takes them, and how they get there.
- `Target`: the annotated objects of one image, as `loss` takes them.
- `Predictor`, `OptionalMembers`: what detecting, evaluating and timing need of a model, and use if
  it is there.
- `Protocol`, `Thresholds`: the settings of a run, and of one `decode`.
- `ClassLayer`: a layer with rows per class, for `zoo.load(…, labels=…)`.
- `pytree_dataclass`, `is_exporting`: outputs of a network that can be exported.
- `Backbone`, `Neck`, `Head`, `FeatureLevel`: the parts that a detector is composed of.

How parts fit together:

    pixels --backbone--> maps --neck--> maps --head--> outputs --decode--> list[Detections]
             .levels          .levels                     └---loss---> dict[str, Tensor]

A part knows of another only a tuple of `FeatureLevel(channels, stride)`, finest first. A backbone
takes strides and states in `levels` which maps it returns; a neck takes levels and states which it
returns; a head takes levels and a label space. A neck or head that can't work with every pyramid
checks it in its constructor, by `LevelRequirements(...).check(levels)`, so that a misfit is an
error when the detector is built. `zoo.registry.hookspecs` says how parts are registered.
"""

from zoo.contract.batch import Batch as Batch
from zoo.contract.batch import InputTransform as InputTransform
from zoo.contract.batch import Preprocess as Preprocess
from zoo.contract.batch import check_pixels as check_pixels
from zoo.contract.class_layer import ClassLayer as ClassLayer
from zoo.contract.feature_level import FeatureLevel as FeatureLevel
from zoo.contract.feature_level import LevelRequirements as LevelRequirements
from zoo.contract.feature_level import levels_of as levels_of
from zoo.contract.outputs import is_exporting as is_exporting
from zoo.contract.outputs import pytree_dataclass as pytree_dataclass
from zoo.contract.parts import Backbone as Backbone
from zoo.contract.parts import Count as Count
from zoo.contract.parts import Head as Head
from zoo.contract.parts import Neck as Neck
from zoo.contract.parts import Positive as Positive
from zoo.contract.parts import Positives as Positives
from zoo.contract.parts import backbone as backbone
from zoo.contract.predictor import OptionalMembers as OptionalMembers
from zoo.contract.predictor import Predictor as Predictor
from zoo.contract.protocol import Protocol as Protocol
from zoo.contract.protocol import Thresholds as Thresholds
from zoo.contract.shares import count_in_batch as count_in_batch
from zoo.contract.target import Target as Target
from zoo.contract.target import targets_to_input as targets_to_input
