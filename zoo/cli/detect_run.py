"""Runs `zoo detect`: a line per image, results and annotated images, while the network runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, TypeAlias

from zoo.cli import gallery, output, stderr
from zoo.cli.annotated import Annotated, replaced_in
from zoo.cli.exit_code import exit_code
from zoo.cli.image_ids import ImageIds
from zoo.cli.options import weights_of
from zoo.cli.results import STANDARD_OUTPUT, json_list
from zoo.detections import Detections
from zoo.detections.convert.coco import met_ids
from zoo.detections.convert.json import object_of
from zoo.detectors import Protocol, load
from zoo.detectors.detector import BasePredictor
from zoo.draw import draw, save
from zoo.errors import ImageError, OfflineError, SourceError, UsageError
from zoo.fonts import letters_of
from zoo.gallery import Collection
from zoo.images import Image, Limits, Source, expand
from zoo.images.read import is_url
from zoo.inference.detect import OnResult, stream
from zoo.progress import Bar
from zoo.text import pluralize

# Whole, so that no plugin's models of these names stand in their way.
DEFAULT, EMBEDDED = "yolox/yolox_nano", "shapes/yolox_pico"
Write: TypeAlias = Callable[[Detections], None]
Add: TypeAlias = Callable[[object], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `zoo detect`; no model is `DEFAULT`, or `EMBEDDED` where that can't be had."""

    sources: Sequence[str]
    model: str | None = None
    weights: str | None = None
    labels: str | Sequence[str] | None = None
    device: str | None = None
    engine: str | None = None
    protocol: Protocol = field(default_factory=lambda: Protocol(score=0.3))
    batch_size: int | Literal["auto"] = "auto"
    exif: Literal["apply", "ignore"] = "apply"
    on_error: Literal["raise", "skip"] = "skip"
    json_to: str | None = None
    coco_to: str | None = None
    coco_images: Path | None = None
    save_to: Path | None = None
    font: Path | None = None
    report_to: Path | None = None
    report_images: int = gallery.IMAGES
    limits: Limits = field(default_factory=Limits.in_force)


def run(asked: Request) -> int:
    """Runs the request; returns 0, 1 if some images could not be read, or 6 if none could.

    Whatever can be found wrong without the model is found before it is loaded.
    """
    _check_places(asked)
    ids = ImageIds.read(asked.coco_images) if asked.coco_to else None
    images = list(chain.from_iterable(expand(source) for source in asked.sources))
    _check_originals(asked, images)
    if ids:
        ids.check(source for source in images if _is_there(source))
    with ExitStack() as stack:
        add_json = stack.enter_context(json_list(asked.json_to)) if asked.json_to else None
        add_coco = stack.enter_context(json_list(asked.coco_to)) if asked.coco_to else None
        saving = _Saving(Annotated(asked.save_to, images), asked.font) if asked.save_to else None
        detector = loaded(
            asked.model,
            weights=asked.weights,
            labels=asked.labels,
            device=asked.device,
            engine=asked.engine,
        )
        if ids:
            ids.check_classes(str(detector.name), detector.label_space)
        left_out: Counter[str] = Counter()
        writers = list(_writers(detector, add_json, add_coco, ids, left_out, saving))
        page = _Page(asked, images) if asked.report_to else None
        if page:
            writers.append(page.add)
        if STANDARD_OUTPUT not in (asked.json_to, asked.coco_to):
            writers.append(_print_line)
        looks: list[OnResult] = [saving] if saving else []
        looks += [page.look_at] if page else []
        failed = _look(asked, detector, images, writers, looks)
        if page:
            page.write(detector, failed)
    _say_left_out(left_out)
    _say(failed, len(images), asked)
    return exit_code([ImageError.exit_code] * len(failed), some_done=len(failed) < len(images))


def loaded(
    model: str | None,
    *,
    weights: str | None,
    labels: str | Sequence[str] | None,
    device: str | None,
    engine: str | None = None,
) -> BasePredictor:
    """The model that was named. If none was, the default; if its weights can't be had on this
    machine, the one that comes with the zoo, which is said, as random weights are."""
    try:
        detector = load(
            model or DEFAULT,
            weights=weights_of(weights),
            labels=labels,
            device=device,
            engine=engine,
        )
    except (SourceError, OfflineError):
        if model or weights or labels:
            raise
        detector = load(EMBEDDED, device=device, engine=engine)
        classes = ", ".join(detector.label_space.names)
        stderr.warning(
            f"No --model was named, and the weights of yolox_nano can't be had here. "
            f"{detector.name} comes with the zoo and is used instead; it knows only: {classes}."
        )
    if detector.weights is None:
        stderr.warning(f"{detector.name} has random weights: what it sees means nothing.")
    return detector


def _check_places(asked: Request) -> None:
    """Refuses outputs that get in each other's way, and a font that is none or not drawn with.

    Raises: UsageError.
    """
    if asked.font and not asked.save_to:
        raise UsageError(
            "--font was given.", "It is for --save, which was not.", "Add --save annotated"
        )
    if asked.font:
        letters_of(12, asked.font)
    if asked.coco_images and not asked.coco_to:
        raise UsageError(
            "--coco-images was given.",
            "It is for --coco, which was not.",
            "Add --coco results.json",
        )
    taken: dict[Path, str] = {}
    places = {"--json": asked.json_to, "--coco": asked.coco_to, "--report": asked.report_to}
    for option, to in places.items():
        if not to:
            continue
        if (before := taken.setdefault(Path(to).resolve(), option)) != option:
            case, fix = f"Both would be written to '{to}'.", "Name a file of its own for each."
            raise UsageError(f"{before} and {option} were given.", case, fix)


def _check_originals(asked: Request, images: Sequence[Source]) -> None:
    """Raises UsageError if an output would replace one of the input images."""
    originals = {Path(image).absolute() for image in images if isinstance(image, str)}
    files = {
        Path(to).absolute()
        for to in (asked.json_to, asked.coco_to, asked.report_to)
        if to and str(to) != STANDARD_OUTPUT
    }
    if replaced := sorted(files & originals):
        raise UsageError(
            f"Results can't be written to '{replaced[0]}'.",
            "That is one of the images.",
            "Name another file.",
        )
    if asked.save_to and (inside := replaced_in(asked.save_to, images)):
        case = f"'{inside[0]}' is where annotated images are to be, and would be replaced."
        raise UsageError(
            f"Annotated images can't be saved in '{asked.save_to}'.",
            case,
            "Name another folder: --save annotated",
        )


def _is_there(source: Source) -> bool:
    """Whether it may be read; reading says of a file that is missing, or a pattern without any."""
    return not isinstance(source, str) or is_url(source) or Path(source).is_file()


def _look(
    asked: Request,
    detector: BasePredictor,
    images: Sequence[Source],
    writers: Sequence[Write],
    looks: Sequence[OnResult],
) -> Sequence[ImageError]:
    """Sends the detections of each image to every writer; returns the errors of skipped ones."""
    failed: list[ImageError] = []
    with Bar("Detecting", total=len(images)) as bar:

        def skip(error: ImageError) -> None:
            failed.append(error)
            stderr.warning(error)
            bar.advance()

        def looked(image: Image, detections: Detections) -> None:
            for look in looks:
                look(image, detections)

        for detections in stream(
            detector,
            images,
            protocol=asked.protocol,
            batch_size=asked.batch_size,
            exif=asked.exif,
            limits=asked.limits,
            on_failure=skip if asked.on_error == "skip" else None,
            on_result=looked if looks else None,
        ):
            for write in writers:
                write(detections)
            bar.advance()
    return failed


def _writers(
    detector: BasePredictor,
    add_json: Add | None,
    add_coco: Add | None,
    ids: ImageIds | None,
    left_out: Counter[str],
    saving: _Saving | None,
) -> Iterator[Write]:
    if add_json:
        yield _json_writer(add_json, detector, saving)
    if add_coco and ids:
        yield _coco_writer(add_coco, ids, left_out)


def _print_line(detections: Detections) -> None:
    height, width = detections.size or (0, 0)
    counts = Counter(detections.class_names)
    summary = ", ".join(f"{name} x{count}" for name, count in counts.most_common()) or "nothing"
    output.line(f"{detections.source}  {width}x{height}  {summary}")


def _json_writer(add: Add, detector: BasePredictor, saving: _Saving | None) -> Write:
    sha256 = detector.weights.sha256 if detector.weights else None

    def write(detections: Detections) -> None:
        saved = saving.path_of(detections) if saving else None
        add(object_of(detections, model=detector.name, weights_sha256=sha256, saved=saved))

    return write


def _coco_writer(add: Add, ids: ImageIds, left_out: Counter[str]) -> Write:
    """left_out: counts the detections of classes that the annotations do not have, by class
    name."""

    def write(detections: Detections) -> None:
        for row in detections.to_coco(
            image_id=ids.of(detections.source or ""), label_space=ids.label_space
        ):
            add(row)
        if ids.label_space is not None:
            known = met_ids(detections.label_space, ids.label_space)
            left_out.update(
                detections.label_space.names[label]
                for label in detections.labels.tolist()
                if label not in known
            )

    return write


def _say_left_out(left_out: Counter[str]) -> None:
    """Notes on detections that are not in the COCO results."""
    if left_out:
        names = ", ".join(name for name, _ in left_out.most_common(5)) + (
            " …" if len(left_out) > 5 else ""
        )
        classes = pluralize(len(left_out), "class", "classes")
        stderr.warning(
            f"{pluralize(left_out.total(), 'detection')} of {classes} that the annotations do not "
            f"have "
            f"{'is' if left_out.total() == 1 else 'are'} not in the COCO results: {names}."
        )


class _Page(Collection):
    """The page of `--report`."""

    def __init__(self, asked: Request, images: Sequence[Source]) -> None:
        super().__init__(len(images), most=asked.report_images)
        self._asked = asked

    def look_at(self, image: Image, detections: Detections) -> None:
        """Makes the JPEG of an image that is to be shown."""
        self.look(image.pixels, detections)

    def write(self, detector: BasePredictor, failed: Sequence[ImageError]) -> None:
        """Writes the page of everything that was detected."""
        for error in failed:
            self.fail(error)
        asked = self._asked
        gallery.write_page(self, detector, asked.protocol, asked.report_to or Path())


class _Saving:
    """Saves an annotated image for each, and knows where until it is asked."""

    def __init__(self, annotated: Annotated, font: Path | None) -> None:
        self._annotated = annotated
        self._font = font
        self._saved: dict[int, str] = {}

    def __call__(self, image: Image, detections: Detections) -> None:
        path = self._annotated.path_for(detections.source or "image.png")
        try:
            save(draw(image.pixels, detections, font=self._font), path)
        except MemoryError:
            stderr.warning(
                f"There is not enough memory to draw on '{detections.source}': it was not saved."
            )
        else:
            self._saved[id(detections)] = str(path)  # the same object comes to the writers

    def path_of(self, detections: Detections) -> str | None:
        """Where the annotated image is."""
        return self._saved.pop(id(detections), None)


def _say(failed: Sequence[ImageError], total: int, asked: Request) -> None:
    if failed and len(failed) == total:
        stderr.error("No image could be read.")
    elif failed:
        stderr.warning(f"{len(failed)} of {pluralize(total, 'image')} could not be read.")
    saved = asked.save_to if len(failed) < total else None  # the folder is made for the first image
    for what, to in (
        ("Results", asked.json_to),
        ("COCO results", asked.coco_to),
        ("Annotated images", saved),
    ):
        if to and str(to) != STANDARD_OUTPUT:
            output.line(f"{what}: {to}", err=True)
