"""Counters: what a scrape reads is what was counted, in series that no client can make up."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from zoo.serve import Server
from zoo.serve.metrics import CONTENT_TYPE, Metrics


def samples(text: bytes | str) -> dict[tuple[str, ...], float]:
    """The value of each series, by its name and the values of its labels, which are
    sorted."""
    read = text.decode() if isinstance(text, bytes) else text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(read)
        for sample in family.samples
    }


def test_requests_are_counted_by_path_and_status() -> None:
    metrics = Metrics()
    for status, seconds in ((200, 0.003), (200, 0.3), (422, 40.0)):
        metrics.request("/v1/detect", status, seconds)
    values = samples(metrics.text())
    assert values["zoo_requests_total", "/v1/detect", "200"] == 2
    assert values["zoo_requests_total", "/v1/detect", "422"] == 1
    below = {
        most: values["zoo_request_seconds_bucket", most, "/v1/detect"]
        for most in ("0.005", "0.25", "0.5", "30.0", "+Inf")
    }
    assert below == {"0.005": 1, "0.25": 1, "0.5": 2, "30.0": 2, "+Inf": 3}
    assert round(values["zoo_request_seconds_sum", "/v1/detect"], 3) == 40.303


def test_images_and_batches_are_counted_by_model() -> None:
    metrics = Metrics()
    metrics.image("a", "predicted", 0.02)
    metrics.image("a", "failed")
    metrics.batch("a", 4, 0.2)
    metrics.batch("b", 1, 0.1)
    values = samples(metrics.text())
    assert values["zoo_images_total", "a", "predicted"] == 1
    assert values["zoo_images_total", "a", "failed"] == 1
    assert values["zoo_wait_seconds_count", "a"] == 1  # of the one that did not fail
    assert values["zoo_batch_images_sum", "a"] == 4
    assert values["zoo_predict_seconds_count", "b"] == 1


def test_a_watched_number_is_read_when_it_is_asked_for() -> None:
    metrics, waiting = Metrics(), [3, 5]
    metrics.watch("zoo_waiting", "In line.", lambda: waiting[0], "a")
    metrics.watch("zoo_waiting", "In line.", lambda: waiting[1], "b")
    metrics.watch("zoo_inside", "Inside.", lambda: sum(waiting))
    assert samples(metrics.text())["zoo_inside",] == 8
    waiting[0] = 0
    values = samples(metrics.text())
    assert [values["zoo_waiting", "a"], values["zoo_waiting", "b"]] == [0, 5]
    assert values["zoo_inside",] == 5


def test_two_servers_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.request("/", 200, 0.1)
    assert ("zoo_requests_total", "/", "200") not in samples(second.text())


def test_a_scrape_is_what_happened(serving: Callable, flat: Callable, png: Callable) -> None:
    running: Server = serving(flat(), max_batch=1)
    with httpx2.Client(base_url=running.url) as client:
        for content in (png(), png(), b"no image"):
            client.post("/v1/detect", content=content)
        for name in ("/a", "/b%1b%0a", '/c"} 1'):
            client.get(name)
        scraped = client.get("/metrics")
    assert scraped.headers["Content-Type"] == CONTENT_TYPE
    values = samples(scraped.text)
    assert values["zoo_requests_total", "/v1/detect", "200"] == 2
    assert values["zoo_requests_total", "/v1/detect", "422"] == 1
    assert values["zoo_requests_total", "other", "404"] == 3
    assert values["zoo_images_total", "flat.toy", "predicted"] == 2
    assert values["zoo_batch_images_sum", "flat.toy"] == 4  # and two gray ones before the first
    assert values["zoo_waiting_images", "flat.toy"] == 0
    assert values["zoo_requests_inside",] == 0
    paths = {key[1] for key in values if key[0] == "zoo_requests_total"}
    assert paths == {"/v1/detect", "other"}
