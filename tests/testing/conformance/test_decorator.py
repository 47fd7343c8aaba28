"""The kit as parametrised tests in a plugin's own suite."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from zoo.errors import NameNotFound
from zoo.testing import conformance


def test_a_model_that_is_none_is_named_by_the_first_test_and_not_before() -> None:
    mark = conformance("no_such_model", only=["best_first"])
    [case] = mark.args[1]
    with pytest.raises(NameNotFound, match="no_such_model"):
        case.values[0]()


def test_the_decorators_tests_pass_fail_and_are_expected_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_it.py").write_text(
        dedent("""
        import torch
        from zoo.testing import Model, Toy, conformance


        class Random(Toy):
            def forward(self, batch, targets=None):
                return super().forward(batch, targets) * torch.rand(())


        RANDOM = Model.built_by(Random, labels=["a"])
        REASON = {"deterministic": "It rolls a die."}


        @conformance(RANDOM, only=["deterministic", "best_first", "card_has_a_licence"])
        def test_plain(check):
            check()


        @conformance(RANDOM, only=["deterministic"], expected_failures=REASON)
        def test_expected(check):
            check()


        @conformance(RANDOM, only=["best_first"], expected_failures={"best_first": "It never was."})
        def test_strict(check):
            check()


        NONE = {"card_has_a_licence": "It has none."}


        @conformance(RANDOM, only=["card_has_a_licence"], expected_failures=NONE)
        def test_never_asked(check):
            check()
        """)
    )
    plain = [
        "-q",
        "-rA",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
    ]
    pytest.main([*plain, str(tmp_path / "test_it.py")])
    said = capsys.readouterr().out
    assert "3 failed, 1 passed, 1 skipped, 1 xfailed" in said
    assert "test_it.py::test_plain[Random-deterministic]" in said
    assert "test_it.py::test_expected[Random-deterministic] - It rolls a die." in said
    assert "test_it.py::test_strict[Random-best_first]" in said
    assert "It has no card." in said
    assert "It was expected to fail, and is not applicable: It has no card." in said
