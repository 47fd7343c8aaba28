"""Parts that compose into a detector by stride and channels: backbones, necks and heads, whichever plugin they come from."""

from zoo.parts.backbone import backbone as backbone
from zoo.parts.level import Level as Level
from zoo.parts.level import levels_of as levels_of
