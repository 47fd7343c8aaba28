import sys
from pathlib import Path

import pytest

from zoo.detections import Detections
from zoo.errors import MissingExtra


@pytest.mark.parametrize(
    ("package", "method"), [("pandas", "to_pandas"), ("supervision", "to_supervision")]
)
def test_a_missing_package_says_how_to_install_it(
    package: str, method: str, street: Detections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra) as caught:
        getattr(street, method)()
    assert caught.value.fix == f"pip install 'detzoo[{package}]'"
    assert f"{package} is not installed" in caught.value.case


def test_an_installed_but_broken_package_speaks_for_itself(
    street: Detections, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pandas.py").write_text("import a_part_that_is_gone")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pandas"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_part_that_is_gone"):
        street.to_pandas()
