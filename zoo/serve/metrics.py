"""Counts a server's requests, images and batches for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
IMAGES = (1, 2, 4, 8, 16, 32, 64)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._requests = Counter(
            "zoo_requests", "Requests answered.", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "zoo_request_seconds",
            "From a request's headers to the end of its answer.",
            ("path",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._images = Counter(
            "zoo_images",
            "Images predicted, or failed.",
            ("model", "outcome"),
            registry=self._registry,
        )
        self._waited = Histogram(
            "zoo_wait_seconds",
            "From an image's arrival to the start of its batch.",
            ("model",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._batches = Histogram(
            "zoo_batch_images",
            "Images that ran together.",
            ("model",),
            buckets=IMAGES,
            registry=self._registry,
        )
        self._ran = Histogram(
            "zoo_predict_seconds",
            "For a batch in the predictor.",
            ("model",),
            buckets=SECONDS,
            registry=self._registry,
        )

    def request(self, path: str, status: int, seconds: float) -> None:
        """Counts an answered request. path: a route of the server, so that clients can't add labels
        of their own."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def image(self, model: str, outcome: str, waited: float | None = None) -> None:
        """Counts an image. outcome: `predicted` or `failed`."""
        self._images.labels(model, outcome).inc()
        if waited is not None:
            self._waited.labels(model).observe(waited)

    def batch(self, model: str, images: int, seconds: float) -> None:
        """Counts a batch."""
        self._batches.labels(model).observe(images)
        self._ran.labels(model).observe(seconds)

    def watch(self, name: str, help_text: str, value: Callable[[], float], model: str = "") -> None:
        """Adds a gauge whose value is computed when the metrics are read."""
        gauge = self._gauge(name, help_text, ("model",) if model else ())
        (gauge.labels(model) if model else gauge).set_function(value)

    def text(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, help_text: str, labels: tuple[str, ...]) -> Gauge:
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, help_text, labels, registry=self._registry)
        return self._gauges[name]
