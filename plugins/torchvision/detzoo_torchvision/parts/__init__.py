"""Backbones, necks and heads for composing, made of torchvision's own modules; importing this
imports no torch."""
