"""What commands say on standard error."""

import pytest

from zoo.cli import message
from zoo.cli.message import in_shell


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ('Name a file of your own: weights="file:PATH".', "Name a file of your own: --weights file:PATH."),
        ("Take random weights, weights=False.", "Take random weights, --weights random."),
        ('Name it: zoo.load("yolox_nano", weights="hub:a/b")', "Name it: zoo detect IMAGE --model yolox_nano --weights hub:a/b"),
        ('zoo.load("yolox_nano")', "zoo detect IMAGE --model yolox_nano"),
        ("It was asked for with weights='v2'.", "It was asked for with --weights v2."),
        ("Lower it: score=0.25, batch_size=4", "Lower it: --score 0.25, --batch-size 4"),
        ('That fits: neck_arguments={"channels": 256}', "That fits: --set neck.channels=256"),
        ('backbone_arguments={"size": [224, 224], "x": 2}', "--set backbone.size=[224,224] --set backbone.x=2"),
        ('Name them: labels=["helmet", "vest"]', "Name them: --labels helmet,vest"),
        ('neck="fpn"', "--neck fpn"),
        ('To leave such pictures out: on_error="skip".', "To leave such pictures out: --on-error skip."),
    ],
)
def test_advice_for_python_is_said_in_the_words_of_the_shell(python: str, shell: str) -> None:
    assert in_shell(python) == shell


@pytest.mark.parametrize("text", ["ZOO_OFFLINE=1 zoo list", "score 0.3, weights of yolox_nano.coco", "a=b, my_score=3"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert in_shell(text) == text


def test_errors_and_warnings_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    message.error("It broke.")
    message.warning("It creaks.")
    assert capsys.readouterr().err == "Error: It broke.\nWarning: It creaks.\n"
