"""A pipeline is drawn with a column for each stride, and a mark above a part that does not fit."""

from textwrap import dedent

from zoo.contract import FeatureLevel
from zoo.detectors.diagram import Stage, draw

BACKBONE = Stage("backbone", "resnet", (FeatureLevel(64, 8), FeatureLevel(128, 16)))


def test_channels_stand_below_their_stride_and_a_dot_where_there_is_no_map() -> None:
    neck = Stage("neck", "fpn", (FeatureLevel(32, 16), FeatureLevel(32, 32)), note="small")
    assert draw([BACKBONE, neck, Stage("head", "fcos")]) == dedent("""\
                  stride     8    16    32
        backbone  resnet    64   128     ·
        neck      fpn        ·    32    32  small
        head      fcos""")


def test_a_flaw_stands_above_its_part() -> None:
    lines = draw([BACKBONE, Stage("head", "fcos", flaw="it needs one map")]).split("\n")
    assert lines[2].strip() == "✗  it needs one map"
    assert lines[3] == "head      fcos"


def test_without_maps_there_is_no_line_of_strides() -> None:
    assert draw([Stage("head", "fcos")]) == "head  fcos"
