"""Routes: every form of one image gets the same answer; what is wrong is told in three parts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import httpx2
import pytest

from zoo.serve import Server

Png = Callable[..., bytes]


def test_every_form_of_an_image_gets_the_same_bytes(http: httpx2.Client, png: Png) -> None:
    image = png()
    text = base64.b64encode(image).decode()
    answers = [
        http.post("/v1/detect", content=image, headers={"Content-Type": "image/png"}),
        http.post("/v1/detect", content=image),
        http.post("/v1/detect", files={"image": ("image", image)}),
        http.post("/v1/detect", json={"image": text}),
        http.post("/v1/detect", json={"image": f"data:image/png;base64,{text}"}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json() == {
        "file": "image",
        "width": 40,
        "height": 30,
        "model": "flat.toy",
        "weights_sha256": None,
        "detections": [{"box": [0, 0, 20, 30], "score": 0.78431374, "label": 0, "name": "cat"}],
    }


def test_a_name_is_that_of_the_parameter_else_of_the_file(http: httpx2.Client, png: Png) -> None:
    form = {"image": ("street.png", png())}
    assert http.post("/v1/detect", files=form).json()["file"] == "street.png"
    named = http.post("/v1/detect", files=form, params={"file": "other.png"})
    assert named.json()["file"] == "other.png"


@pytest.mark.parametrize(
    ("parameters", "names"),
    [({"score": "0.9"}, []), ({"score": "0.5"}, ["cat"]), ({"model": "other"}, ["cat"])],
)
def test_parameters_are_obeyed(
    parameters: dict[str, str], names: list[str], http: httpx2.Client, png: Png
) -> None:
    answer = http.post("/v1/detect", content=png(), params=parameters).json()
    assert [found["name"] for found in answer["detections"]] == names
    assert answer["model"] == ("other.toy" if "model" in parameters else "flat.toy")


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (404, {"params": {"model": "flatt"}, "content": b"x"}),
        (413, {"content": bytes(1_000_001)}),
        (413, {"content": iter([bytes(600_000)] * 2)}),
        (415, {"content": b"x", "headers": {"Content-Type": "text/html"}}),
        (415, {"content": b"x", "headers": {"Content-Encoding": "gzip"}}),
        (422, {"content": b"no image"}),
        (422, {"content": b""}),
        (422, {"content": b"x", "params": {"score": "nan"}}),
        (422, {"content": b"x", "params": {"max_boxes": "0"}}),
        (422, {"json": {"image": "%%%"}}),
        (422, {"json": {"url": "http://example.com/x.png"}}),
        (400, {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ],
)
def test_what_is_wrong_is_told_in_three_parts(
    status: int, request_: dict[str, object], http: httpx2.Client
) -> None:
    answer = http.post("/v1/detect", **request_)
    assert answer.status_code == status
    body = answer.json()
    assert set(body["error"]) == {"kind", "what", "why", "next"}
    assert all(body["error"].values())
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_what_nothing_reads_is_said_rather_than_left_out(http: httpx2.Client, png: Png) -> None:
    image = {"image": ("x.png", png(40, 30), "image/png")}
    refused = http.post("/v1/detect?scroe=0.5", files=image)
    assert refused.status_code == 422
    assert refused.json()["error"]["what"] == "The parameter 'scroe' can't be used."
    assert refused.json()["error"]["next"] == "Did you mean 'score'?"
    refused = http.post("/v1/detect", files=image, data={"score": "0.8"})
    assert refused.status_code == 422
    assert "a field called 'score', which nothing reads" in refused.json()["error"]["why"]
    assert "/v1/detect?score=0.5" in refused.json()["error"]["next"]
    refused = http.post("/v1/detect", json={"image": "", "score": 0.8})
    assert refused.status_code == 422
    assert "/v1/detect?score=0.5" in refused.json()["error"]["next"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("score=abc", 'It takes a number from 0 to 1; "abc" was given.'),
        ("iou=2", 'It takes a number from 0 to 1; "2" was given.'),
        ("max_boxes=0", 'It takes a whole number from 1 to 10,000; "0" was given.'),
        ("exif=maybe", 'It takes apply or ignore; "maybe" was given.'),
        ("file=", 'It takes 1 to 1,000 characters; "" was given.'),
    ],
)
def test_a_parameter_that_can_t_be_used_is_told_what_it_takes(
    query: str, why: str, http: httpx2.Client, png: Png
) -> None:
    refused = http.post(f"/v1/detect?{query}", content=png(), headers={"Content-Type": "image/png"})
    assert refused.status_code == 422
    error = refused.json()["error"]
    assert (error["kind"], error["why"]) == ("UsageError", why)
    assert error["what"] == f"The parameter '{query.partition('=')[0]}' can't be used."


def test_there_is_nothing_elsewhere(http: httpx2.Client) -> None:
    assert http.get("/nope").status_code == 404
    refused = http.get("/v1/detect")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert http.get("/docs").status_code == 404  # it would load its script from elsewhere


def test_models_are_listed_with_their_classes(http: httpx2.Client) -> None:
    first, second = http.get("/v1/models").json()["models"]
    assert (first["name"], first["default"], first["classes"]) == ("flat.toy", True, ["cat", "dog"])
    assert (second["name"], second["default"]) == ("other.toy", False)


def test_states_and_metrics(http: httpx2.Client, png: Png) -> None:
    http.post("/v1/detect", content=png())
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready"}
    text = http.get("/metrics").text
    assert 'zoo_images_total{model="flat.toy",outcome="predicted"}' in text
    assert 'zoo_requests_total{path="/v1/detect",status="200"}' in text


def test_a_request_id_is_kept_if_it_can_stand_in_a_log(http: httpx2.Client) -> None:
    kept = http.get("/healthz", headers={"X-Request-Id": "trace-7"})
    assert kept.headers["X-Request-Id"] == "trace-7"
    new = http.get("/healthz", headers={"X-Request-Id": 'a"b'})
    assert len(new.headers["X-Request-Id"]) == 32


def test_losses_of_reading_are_in_a_header(http: httpx2.Client) -> None:
    import io

    from PIL import Image

    file = io.BytesIO()
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    answer = http.post("/v1/detect", content=file.getvalue())
    assert answer.headers["X-Image-Lost"] == "frames"


def test_the_document_describes_what_is_there(http: httpx2.Client) -> None:
    document = http.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/detect", "/v1/models", "/metrics", "/healthz", "/readyz",
    }  # fmt: skip
    detect = document["paths"]["/v1/detect"]["post"]
    assert "multipart/form-data" in detect["requestBody"]["content"]
    assert "url" not in json.dumps(detect["requestBody"])
    assert "401" not in detect["responses"]


def test_the_line_is_that_of_zoo_detect(
    serving: Callable[..., Server], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    import zoo
    from zoo.cli.detect_run import Request, run

    folder = Path(str(tmp_path))
    monkeypatch.chdir(folder)
    dataset = zoo.data.read("shapes:val,count=1")
    from PIL import Image

    Image.fromarray(dataset.image(0).pixels.permute(1, 2, 0).numpy()).save("scene.png")
    run(Request(sources=["scene.png"], model="yolox_pico", json_to="out.jsonl"))
    server = serving(zoo.load("yolox_pico"))
    sent = (folder / "scene.png").read_bytes()
    answer = httpx2.post(f"{server.url}/v1/detect", content=sent, params={"file": "scene.png"})
    assert answer.content == (folder / "out.jsonl").read_bytes()
    assert answer.json()["detections"]
