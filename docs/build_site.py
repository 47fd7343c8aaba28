"""Builds the documentation as a site: `build/site/index.html` opens from a disk; its search needs
a server, such as `python -m http.server -d build/site`.

Every page stands where it stands in the repository, so that links are the same in both. A link or an
anchor that leads nowhere, or a page that no list names, stops the build.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
SETTINGS = Path(__file__).parent / "site.yaml"
LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+\.md)\)")
GROUP = re.compile(r"\*\*([^*:]+):\*\*\n((?:.+\n)+)")


def pages() -> list[Path]:
    """Every page, and what pages show or link to."""
    names = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/site.css")
    single = [ROOT / name for name in names]
    shown = [path for folder in ("images", "howto") for path in (ROOT / "docs" / folder).rglob("*")]
    plugins = [*(ROOT / "plugins").glob("*/README.md"), *(ROOT / "plugins").glob("*/recipes/*")]
    files = [*single, *(ROOT / "docs").rglob("*.md"), *shown, *plugins]
    return sorted({path for path in files if path.is_file()})


def navigation() -> list[dict[str, Any]]:
    """Groups of pages: those of README.md; the reference is whole, and plugins have theirs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree: list[dict[str, Any]] = [{"Home": "README.md"}]
    for group, lines in GROUP.findall(readme):
        linked = [path for _, path in LINK.findall(lines)]
        if group == "Reference":
            linked += _listed("docs/reference/index.md")
        if group == "Explanation":
            linked += _listed("docs/adr/README.md")
        tree.append({group: list(dict.fromkeys(linked))})
    plugins = [str(path.relative_to(ROOT)) for path in (ROOT / "plugins").glob("*/README.md")]
    tree.append({"Plugins": sorted(plugins)})
    tree.append({"Project": ["CHANGELOG.md", "CONTRIBUTING.md"]})
    return tree


def _listed(page: str) -> list[str]:
    """The pages that an index lists, itself first."""
    folder = Path(page).parent
    links = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    return [page, *(str(folder / path) for _, path in links if "/" not in path)]


def stage(folder: Path) -> None:
    """Copies every page into an empty folder, at its place."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in pages():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def build(to: Path) -> int:
    """Builds the site into a folder; returns the exit code of MkDocs."""
    source = to.parent / f"{to.name}-source"
    stage(source)
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    settings |= {"docs_dir": str(source), "site_dir": str(to), "nav": navigation()}
    written = source.with_suffix(".yaml")
    written.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-f", str(written)]
    # Zensical, its successor, could not build this yet.
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, check=False, env=environment).returncode


def main() -> int:
    """Builds, and says where to look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "site", help="the folder")
    to = parser.parse_args().to.resolve()
    to.parent.mkdir(parents=True, exist_ok=True)
    code = build(to)
    if code == 0:
        print(
            f"Open {to / 'index.html'} in a browser, or, to search it: python -m http.server -d {to}"
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
