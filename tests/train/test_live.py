"""What a run says while it goes on."""

from zoo.progress import Bar
from zoo.train.live import Live, line


def test_a_line_has_the_losses_the_rate_and_the_best_number() -> None:
    row = {"step": 3, "loss": 3.0, "iou": 1.0, "kind": 2.0, "rate": 0.01, "AP": 0.415, "AP50": 0.5}
    assert line(row, "AP") == "loss 3 = iou 1 + kind 2  rate 0.01  AP 41.5"


def test_a_line_is_said_after_a_validation() -> None:
    said: list[str] = []
    with Bar("Training", total=20, show=False) as bar:
        live = Live(bar, best="AP", steps=20, say=said.append)
        live.begin(4)
        live.tell({"step": 10, "loss": 1.0, "kind": 1.0, "rate": 0.1, "images_per_second": 20.0})
        assert said == []
        live.tell({"step": 10, "AP": 0.5})
    assert said == ["step 10/20  loss 1 = kind 1  rate 0.1  20 images/s  AP 50.0"]
