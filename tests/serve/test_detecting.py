"""A request that can't be answered ends: the queue is full, the model or the body is late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

Png = Callable[..., bytes]


def test_a_full_queue_says_when_to_come_again(serving: Callable, flat: Callable, png: Png) -> None:
    free, began, warm = threading.Event(), threading.Event(), threading.Event()

    def hold(images: object) -> None:
        if warm.is_set():
            began.set()
            assert free.wait(20)

    server = serving(flat(on_batch=hold), queue=2)
    warm.set()
    with ThreadPoolExecutor(2) as pool:
        post = lambda: httpx2.post(f"{server.url}/v1/detect", content=png(), timeout=30)  # noqa: E731
        waiting = [pool.submit(post) for _ in range(2)]
        assert began.wait(20)
        while "zoo_requests_inside 2.0" not in httpx2.get(f"{server.url}/metrics").text:
            pass
        refused = httpx2.post(f"{server.url}/v1/detect", content=png())
        free.set()
        assert [one.result().status_code for one in waiting] == [200, 200]
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert post().status_code == 200


def test_a_model_that_hangs_costs_a_request_its_time_and_the_server_its_health(
    serving: Callable, flat: Callable, png: Png
) -> None:
    free, warm = threading.Event(), threading.Event()
    server = serving(flat(on_batch=lambda images: warm.is_set() and free.wait(20)), timeout=0.2)
    warm.set()
    late = httpx2.post(f"{server.url}/v1/detect", content=png())
    assert late.status_code == 504
    while httpx2.get(f"{server.url}/healthz").status_code == 200:
        pass
    free.set()


def test_a_poisoned_image_fails_alone_over_http(
    serving: Callable, flat: Callable, png: Png
) -> None:
    def poison(images: list) -> None:
        if any(int(image[0, 0, 0]) == 7 for image in images):
            raise RuntimeError("poison")

    server = serving(flat(on_batch=poison), max_wait_ms=100)
    grays = [7 if place % 5 == 0 else 100 + place for place in range(20)]
    post = lambda gray: httpx2.post(  # noqa: E731
        f"{server.url}/v1/detect", content=png(gray=gray), timeout=30
    )
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, grays))
    for gray, answer in zip(grays, answers, strict=True):
        assert answer.status_code == (500 if gray == 7 else 200)
        if gray == 7:
            assert "poison" in answer.json()["error"]["why"]
        else:
            assert round(answer.json()["detections"][0]["score"] * 255) == gray


def test_pixels_beyond_the_limit_are_not_decoded(
    serving: Callable, flat: Callable, png: Png
) -> None:
    from zoo.images import Limits

    server = serving(flat(), limits=Limits(pixels=1000))
    answer = httpx2.post(f"{server.url}/v1/detect", content=png())
    assert answer.status_code == 422
    assert "the limit is 1,000" in answer.json()["error"]["why"]
    assert "--limit pixels=" in answer.json()["error"]["next"]


def test_urls_are_fetched_only_where_they_are_allowed(
    serving: Callable, flat: Callable, monkeypatch: pytest.MonkeyPatch, png: Png
) -> None:
    server = serving(flat(), allow_urls=True)
    private = httpx2.post(f"{server.url}/v1/detect", json={"url": f"{server.url}/"})
    assert private.status_code == 422
    assert "not public" in private.json()["error"]["why"]
    monkeypatch.setattr("zoo.serve.detecting.fetch", lambda url, limits: png())
    answer = httpx2.post(f"{server.url}/v1/detect", json={"url": "https://images.example/a.png"})
    assert answer.json()["file"] == "https://images.example/a.png"
