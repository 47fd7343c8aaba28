"""Detects in clips, cameras and streams: yields frames in order with their times, and saves clips
with the detections drawn into them."""

from zoo.video.clip import Clip as Clip
from zoo.video.clip import Losses as Losses
from zoo.video.clip import VideoWarning as VideoWarning
from zoo.video.detect import Frame as Frame
from zoo.video.detect import VideoSource as VideoSource
from zoo.video.detect import VideoStream as VideoStream
from zoo.video.detect import detect_video as detect_video
from zoo.video.save import ClipWriter as ClipWriter
from zoo.video.track import Tracker as Tracker
