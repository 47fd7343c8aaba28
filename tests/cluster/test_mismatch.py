"""A machine that is not like this one is named before it is given work, with what to install."""

import pytest

from zoo.cluster.mismatch import check_about, check_facts
from zoo.cluster.process import Process
from zoo.errors import ClusterError

HERE = {"detzoo": "0.1.0", "torch": "2.10.0", "numpy": "2.3.1", "machine": "driver"}


def test_a_machine_like_this_one_passes() -> None:
    check_about(HERE, HERE | {"machine": "other"}, name="toy")
    check_facts({"torch": "2"}, {"torch": "2", "processor": "another"}, machine="m", name="toy")


def test_another_version_is_named_with_what_to_install() -> None:
    with pytest.raises(ClusterError) as raised:
        check_about(HERE, HERE | {"torch": "2.9.0", "machine": "node-7"}, name="toy")
    assert str(raised.value).splitlines() == [
        "toy can't be run on the machine node-7.",
        "It differs from this machine, which has torch 2.10.0 (there: 2.9.0).",
        "Install the same on every machine: pip install 'torch==2.10.0'",
    ]


def test_a_machine_without_detzoo_is_named() -> None:
    there = {"torch": "2.10.0", "numpy": "2.3.1", "machine": "bare"}
    with pytest.raises(ClusterError, match=r"detzoo 0\.1\.0 \(there: none\)(.|\n)*detzoo==0\.1\.0"):
        check_about(HERE, there, name="toy")


def test_other_code_is_named_by_its_fingerprint() -> None:
    with pytest.raises(ClusterError, match=r"model's plugin(.|\n)*bbbb(.|\n)*aaaa"):
        check_facts({"code_sha256": "a" * 64}, {"code_sha256": "b" * 64}, machine="m", name="toy")


def test_another_engine_is_named() -> None:
    with pytest.raises(ClusterError, match=r"engine onnxruntime 1\.32 \(there: none\)"):
        check_facts({"engine": "onnxruntime 1.32"}, {}, machine="m", name="toy")


def test_a_process_says_what_is_installed_where_it_runs() -> None:
    about = Process().about(("detzoo", "torch", "no-such-package"))
    assert {"detzoo", "torch", "python", "machine"} == set(about)
