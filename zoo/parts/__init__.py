"""Parts: what a detector is composed of, and the one small contract between them.

    pixels --backbone--> maps --neck--> maps --head--> raw --decode--> list[Detections]
             .levels          .levels                     └---loss---> dict[str, Tensor]

All that one part knows of another is a tuple of `Level(channels, stride)`, finest first. A backbone is asked for strides and
says in `levels` which maps it returns; a neck is given levels and says which it returns; a head is given levels and a label
space. A neck or head that can't work with every pyramid says in its constructor what it asks for, `Needs(...).check(levels)`, so
that a misfit is an error when the detector is built. `contract.py` has the three types; `zoo.registry.hookspecs` says how they
are registered.
"""

from zoo.parts.backbone import backbone as backbone
from zoo.parts.batch import Batch as Batch
from zoo.parts.batch import Place as Place
from zoo.parts.batch import Target as Target
from zoo.parts.class_layer import ClassLayer as ClassLayer
from zoo.parts.contract import Backbone as Backbone
from zoo.parts.contract import Head as Head
from zoo.parts.contract import Neck as Neck
from zoo.parts.level import Level as Level
from zoo.parts.level import levels_of as levels_of
from zoo.parts.needs import Needs as Needs
from zoo.parts.pixels import check_pixels as check_pixels
from zoo.parts.protocol import Protocol as Protocol
from zoo.parts.truth import truth_in_input as truth_in_input
