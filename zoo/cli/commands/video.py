"""`zoo video`: detects objects in a clip, a camera or a stream, frame by frame.

With `--json`, an object per frame: file (as given), frame (its number), time (seconds), width,
height, model, weights_sha256 and detections, each as in `zoo detect --json`; with `--track`, each
has its track, an id or null. A file that ends in `.jsonl`, and standard output (`-`), get one
object per line. A file appears when it is complete; after Ctrl-C it has the frames so far. With
`--report`, a page of frames that are spread evenly over the clip.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import gallery
from zoo.cli.commands.detect import Font, IouOption, Labels, MaxBoxes, Model, Score
from zoo.cli.options import (
    BatchSize,
    Device,
    Engine,
    Weights,
    batch_size_of,
    labels_of,
    part_of,
    thresholds_of,
)

Source = Annotated[
    str,
    typer.Argument(
        metavar="CLIP|CAMERA|URL|FOLDER",
        help="A file, the number of a camera, rtsp://…, or a folder of images.",
        show_default=False,
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Save the clip with its detections drawn: .mp4, .mov, .mkv or .webm."
    ),
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write one object a frame; - is standard output."),
]
Every = Annotated[
    int,
    typer.Option(
        metavar="COUNT", min=1, help="Look at every COUNT-th frame: 2 is every other one."
    ),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Begin there: 12.5, or 1:02:03.5.")
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End there, likewise.")]
Rate = Annotated[
    float | None,
    typer.Option(metavar="RATE", help="Frames a second of a folder of images; 25 unless given."),
]
Live = Annotated[
    bool | None,
    typer.Option(
        "--live/--no-live",
        help="Drop frames that come too fast; unless given, cameras and streams do.",
        show_default=False,
    ),
]
FFmpeg = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="For FFmpeg, as rtsp_transport=udp.",
        show_default=False,
    ),
]
Sound = Annotated[bool, typer.Option("--sound/--no-sound", help="Keep the sound in --save.")]

Track = Annotated[
    bool, typer.Option("--track", help="Give things ids that they keep from frame to frame.")
]
Tracker = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Track with bytetrack (as --track does), sort, ocsort, cbiou, botsort or a plugin's.",
        show_default=False,
    ),
]


def video(  # noqa: PLR0913 - one parameter an option
    source: Source,
    model: Model = None,
    weights: Weights = None,
    labels: Labels = None,
    score: Score = 0.3,
    iou: IouOption = None,
    max_boxes: MaxBoxes = None,
    save: Save = None,
    json_to: Json = None,
    report: gallery.To = None,
    report_images: gallery.Count = None,
    every: Every = 1,
    start: From = None,
    end: To = None,
    rate: Rate = None,
    live: Live = None,
    sound: Sound = True,
    font: Font = None,
    track: Track = False,
    tracker: Tracker = None,
    device: Device = None,
    engine: Engine = None,
    batch_size: BatchSize = None,
    option: FFmpeg = None,
) -> None:
    """Find things in a clip, a camera or a stream.

    Damage is counted: exit code 1, or 6 if no frame came out. Ctrl-C keeps the frames so far."""
    from zoo.cli.video_run import Opening, Request, run  # deferred: torch

    request = Request(
        source=source,
        model=model,
        weights=weights,
        labels=None if labels is None else labels_of(labels),
        device=device,
        engine=engine,
        protocol=thresholds_of(score=score, iou=iou, max_boxes=max_boxes),
        batch_size=batch_size_of(batch_size),
        part=part_of(every=every, start=start, end=end),
        opening=Opening(rate=rate, live=live, options=option or ()),
        save_to=save,
        sound=sound,
        json_to=json_to,
        **gallery.page_of(report, report_images),
        font=font,
        track=tracker or track,
    )
    raise typer.Exit(run(request))
