"""A repository of the loopback Hub: its commits, its uploaded large files, and its descriptions in
the Hub's API."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

LARGE_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".onnx", ".parquet")
MAIN = "main"
ATTRIBUTES = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
Files = dict[str, bytes]


class Refused(Exception):
    """A commit that the Hub rejects, with the HTTP status of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Repository:
    """The commits by id, oldest first, and the branches and tags.

    large: uploaded large files by sha256; a commit that names one makes it a file.
    """

    name: str
    private: bool = False
    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The user or organisation in its name."""
        return self.name.partition("/")[0]

    def add(self, files: Files, *, revision: str | None = None) -> str:
        """Commits these files and no others; `main` and, if it is a name, `revision` point
        there."""
        commit_id = revision if revision and is_commit(revision) else None
        commit = commit_id or _commit_id(self.name, len(self.commits), files)
        self.commits[commit] = files
        self.refs[MAIN] = commit
        if revision and not commit_id:
            self.refs[revision] = commit
        return commit

    def change(self, lines: bytes) -> str:
        """Carries out a commit in the client's format, a JSON object per line: all or nothing.

        Raises: Refused if the branch has moved on, or a large file was never uploaded.
        """
        steps = [json.loads(line) for line in lines.splitlines() if line.strip()]
        head = self.refs.get(MAIN, "")
        files = dict(self.commits.get(head, {}))
        for step in steps:
            value = step["value"]
            match step["key"]:
                case "header":
                    if value.get("parentCommit") not in (None, head):
                        raise Refused(412, "A commit has happened since. Please refresh.")
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    if value["oid"] not in self.large:
                        raise Refused(400, f"LFS pointer to a missing object: {value['path']}")
                    files[value["path"]] = self.large[value["oid"]]
                case "deletedFile":
                    files.pop(value["path"], None)
        return self.add(files)

    def receive(self, sha256: str, data: bytes) -> bool:
        """Stores a large file if it has that sha256; returns whether it has."""
        is_intact = hashlib.sha256(data).hexdigest() == sha256
        if is_intact:
            self.large[sha256] = data
        return is_intact

    def upload_modes(self, request: Mapping[str, object]) -> dict[str, object]:
        """The upload mode of each file, and the id of the file of that name on the branch."""
        files = self.commits.get(self.refs.get(MAIN, ""), {})
        paths = [str(file["path"]) for file in request["files"]]  # type: ignore[attr-defined]
        return {
            "files": [
                {
                    "path": path,
                    "uploadMode": "lfs" if path.endswith(LARGE_SUFFIXES) else "regular",
                    "shouldIgnore": False,
                    "oid": _oid(path, files[path]) if path in files else None,
                }
                for path in paths
            ]
        }

    def facts(self, commit: str) -> dict[str, object]:
        """The API's description of the repository at a commit."""
        return {
            "_id": commit[:24],
            "id": self.name,
            "modelId": self.name,
            "sha": commit,
            "private": self.private,
            "gated": False,
            "siblings": [{"rfilename": name} for name in self.commits[commit]],
        }

    def tree(self, commit: str) -> list[dict[str, object]]:
        """The API's description of each file of a commit."""
        return [_tree_entry(*item) for item in self.commits[commit].items()]


def is_commit(revision: str) -> bool:
    """Whether a revision is a full commit id."""
    return len(revision) == 40 and all(digit in "0123456789abcdef" for digit in revision)


def git_sha1(data: bytes) -> str:
    """The id that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _oid(path: str, data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if path.endswith(LARGE_SUFFIXES) else git_sha1(data)


def _tree_entry(name: str, data: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "file",
        "path": name,
        "size": len(data),
        "oid": git_sha1(data),
    }
    if name.endswith(LARGE_SUFFIXES):
        entry["lfs"] = {"oid": _oid(name, data), "size": len(data), "pointerSize": 134}
    return entry


def _commit_id(repo: str, number: int, files: Files) -> str:
    digest = hashlib.sha1(f"{repo} {number}".encode(), usedforsecurity=False)
    for name, data in sorted(files.items()):
        digest.update(name.encode() + hashlib.sha256(data).digest())
    return digest.hexdigest()
