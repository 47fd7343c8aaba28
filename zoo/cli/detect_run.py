"""Runs `zoo detect`: writes a line per image, results and annotated images while the network
runs."""

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
from zoo.cli.outputs import check_distinct, check_font
from zoo.cli.results import STANDARD_OUTPUT, json_list
from zoo.detections import Detections
from zoo.detections.convert.coco import met_ids
from zoo.detections.convert.json import object_of
from zoo.detectors import Protocol, load
from zoo.detectors.detector import BasePredictor
from zoo.draw import draw, save
from zoo.errors import ImageError, NameNotFound, OfflineError, SourceError, UsageError
from zoo.gallery import Collection
from zoo.images import Image, Limits, Source, expand
from zoo.images.read import is_url
from zoo.inference.detect import OnResult, stream
from zoo.progress import Bar
from zoo.text import is_are, pluralize

# Qualified names, as other plugins may have models of the same names.
DEFAULT_MODEL, BUNDLED_MODEL = "yolox/yolox_nano", "shapes/yolox_pico"
MAX_CLASSES_SHOWN = 5  # in a warning
Write: TypeAlias = Callable[[Detections], None]
Add: TypeAlias = Callable[[object], None]


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """The options of every command that detects with one model. Without a name, `DEFAULT_MODEL` is
    loaded, or `BUNDLED_MODEL` if its weights can't be fetched."""

    model: str | None = None
    weights: str | None = None
    labels: str | Sequence[str] | None = None
    device: str | None = None
    engine: str | None = None
    protocol: Protocol = field(default_factory=lambda: Protocol(score=0.3))
    batch_size: int | Literal["auto"] = "auto"


@dataclass(frozen=True, kw_only=True)
class Request(ModelRequest):
    """The options of `zoo detect`."""

    sources: Sequence[str]
    exif: Literal["apply", "ignore"] = "apply"
    on_error: Literal["raise", "skip"] = "skip"
    json_to: str | None = None
    coco_to: str | None = None
    coco_images: Path | None = None
    save_to: Path | None = None
    font: Path | None = None
    report_to: Path | None = None
    report_images: int = gallery.DEFAULT_IMAGES
    limits: Limits = field(default_factory=Limits.in_force)


def run(request: Request) -> int:
    """Runs the request; returns the exit code: 0, 1 if some images can't be read, 6 if none can.

    Checks everything that does not need the model before it loads the model.
    """
    _check_outputs(request)
    ids = ImageIds.read(request.coco_images) if request.coco_to else None
    images = list(chain.from_iterable(expand(source) for source in request.sources))
    _check_originals(request, images)
    if ids:
        ids.check(source for source in images if _is_there(source))
    with ExitStack() as stack:
        add_json = stack.enter_context(json_list(request.json_to)) if request.json_to else None
        add_coco = stack.enter_context(json_list(request.coco_to)) if request.coco_to else None
        saving = (
            _Saving(Annotated(request.save_to, images), request.font) if request.save_to else None
        )
        detector = load_or_default(request)
        if ids:
            ids.check_classes(str(detector.name), detector.label_space)
        left_out: Counter[str] = Counter()
        writers = list(_writers(detector, add_json, add_coco, ids, left_out, saving))
        page = _Page(request, images) if request.report_to else None
        if page:
            writers.append(page.add)
        if STANDARD_OUTPUT not in (request.json_to, request.coco_to):
            writers.append(_print_line)
        on_results: list[OnResult] = [saving] if saving else []
        on_results += [page.look_at] if page else []
        failed = _detect(request, detector, images, writers, on_results)
        if page:
            page.write(detector, failed)
    _warn_of_left_out(left_out)
    _print_summary(failed, len(images), request)
    return exit_code([ImageError.exit_code] * len(failed), some_done=len(failed) < len(images))


def load_or_default(request: ModelRequest) -> BasePredictor:
    """The named model, else the default; falls back to the bundled model, with a warning, if the
    default's weights can't be fetched. Warns of random weights too."""
    name = request.model or DEFAULT_MODEL
    try:
        detector = load(
            name,
            weights=weights_of(request.weights),
            labels=request.labels,
            device=request.device,
            engine=request.engine,
        )
    except NameNotFound as error:
        if request.model:
            raise
        raise NameNotFound(
            "No --model was named.",
            f"The default is {name}, and no plugin that is loaded has it.",
            "Name one that zoo list shows: --model NAME",
        ) from error
    except (SourceError, OfflineError) as error:
        if request.model or request.weights or request.labels:
            error.fix_cli += "" if request.model else "\nOr name another model: --model NAME"
            raise
        detector = load(BUNDLED_MODEL, device=request.device, engine=request.engine)
        classes = ", ".join(detector.label_space.names)
        stderr.warning(
            "No --model was named, and the weights of yolox_nano can't be had here. "
            f"{detector.name} comes with the zoo and is used instead; it knows only: {classes}."
        )
    if detector.weights is None:
        stderr.warning(f"{detector.name} has random weights: what it sees means nothing.")
    return detector


def _check_outputs(request: Request) -> None:
    """Raises: UsageError for two outputs to one file, an option without the output that it is for,
    or a font that can't be read."""
    check_font(request.font, request.save_to, option="--save", example="annotated")
    if request.coco_images and not request.coco_to:
        raise UsageError(
            "--coco-images was given.",
            "It is for --coco, which was not.",
            "Add --coco results.json",
        )
    check_distinct(
        {"--json": request.json_to, "--coco": request.coco_to, "--report": request.report_to}
    )


def _check_originals(request: Request, images: Sequence[Source]) -> None:
    """Raises UsageError if an output would replace one of the input images."""
    originals = {Path(image).absolute() for image in images if isinstance(image, str)}
    files = {
        Path(to).absolute()
        for to in (request.json_to, request.coco_to, request.report_to)
        if to and str(to) != STANDARD_OUTPUT
    }
    if replaced := sorted(files & originals):
        raise UsageError(
            f"Results can't be written to '{replaced[0]}'.",
            "That is one of the images.",
            "Name another file.",
        )
    if request.save_to and (inside := replaced_in(request.save_to, images)):
        case = f"'{inside[0]}' is where annotated images are to be, and would be replaced."
        raise UsageError(
            f"Annotated images can't be saved in '{request.save_to}'.",
            case,
            "Name another folder: --save annotated",
        )


def _is_there(source: Source) -> bool:
    """Whether the source may exist. Reading reports a missing file, or a pattern that matches
    none."""
    return not isinstance(source, str) or is_url(source) or Path(source).is_file()


def _detect(
    request: Request,
    detector: BasePredictor,
    images: Sequence[Source],
    writers: Sequence[Write],
    on_results: Sequence[OnResult],
) -> Sequence[ImageError]:
    """Passes the detections of each image to every writer; returns the errors of skipped images."""
    failed: list[ImageError] = []
    with Bar("Detecting", total=len(images)) as bar:

        def skip(error: ImageError) -> None:
            failed.append(error)
            stderr.warning(error)
            bar.advance()

        def notify(image: Image, detections: Detections) -> None:
            for on_result in on_results:
                on_result(image, detections)

        for detections in stream(
            detector,
            images,
            protocol=request.protocol,
            batch_size=request.batch_size,
            exif=request.exif,
            limits=request.limits,
            on_failure=skip if request.on_error == "skip" else None,
            on_result=notify if on_results else None,
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
    """left_out: receives the number of detections per class that the annotations do not have."""

    def write(detections: Detections) -> None:
        for row in detections.to_coco(
            image_id=ids.of(detections.source or ""), label_space=ids.label_space
        ):
            add(row)
        if ids.label_space is not None:
            category_ids = met_ids(detections.label_space, ids.label_space)
            left_out.update(
                detections.label_space.names[label]
                for label in detections.labels.tolist()
                if label not in category_ids
            )

    return write


def _warn_of_left_out(left_out: Counter[str]) -> None:
    """Warns of detections that are not in the COCO results."""
    if left_out:
        names = ", ".join(name for name, _ in left_out.most_common(MAX_CLASSES_SHOWN))
        more = " …" if len(left_out) > MAX_CLASSES_SHOWN else ""
        classes = pluralize(len(left_out), "class", "classes")
        stderr.warning(
            f"{pluralize(left_out.total(), 'detection')} of {classes} that the annotations do not "
            f"have {is_are(left_out.total())} not in the COCO results: {names}{more}."
        )


class _Page(Collection):
    """The page of `--report`."""

    def __init__(self, request: Request, images: Sequence[Source]) -> None:
        super().__init__(len(images), most=request.report_images)
        self._request = request

    def look_at(self, image: Image, detections: Detections) -> None:
        """Encodes the image as JPEG, if it may be on the page."""
        self.look(image.pixels, detections)

    def write(self, detector: BasePredictor, failed: Sequence[ImageError]) -> None:
        """Writes the page, with the images that could not be read."""
        for error in failed:
            self.fail(error)
        request = self._request
        gallery.write_page(self, detector, request.protocol, request.report_to or Path())


class _Saving:
    """Saves annotated images, and keeps the path of each until `path_of` returns it."""

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
            self._saved[id(detections)] = str(path)  # the writers get the same object

    def path_of(self, detections: Detections) -> str | None:
        """The path of the annotated image; None if it was not saved."""
        return self._saved.pop(id(detections), None)


def _print_summary(failed: Sequence[ImageError], total: int, request: Request) -> None:
    if failed and len(failed) == total:
        stderr.error("No image could be read.")
    elif failed:
        stderr.warning(f"{len(failed)} of {pluralize(total, 'image')} could not be read.")
    # without any image there is no folder
    saved = request.save_to if len(failed) < total else None
    for title, to in (
        ("Results", request.json_to),
        ("COCO results", request.coco_to),
        ("Annotated images", saved),
    ):
        if to and str(to) != STANDARD_OUTPUT:
            output.line(f"{title}: {to}", err=True)
