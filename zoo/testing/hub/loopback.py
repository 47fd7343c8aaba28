"""A Hugging Face Hub on 127.0.0.1: speaks the Hub's protocol over real HTTP, and fails on demand.

    with LoopbackHub() as hub:
        commit = hub.add("org/repo", {"model.safetensors": weights})
        hub.misbehave("*/model.safetensors", Fault.truncate())
        subprocess.run(["zoo", "pull", "…"], env={**os.environ, "HF_ENDPOINT": hub.endpoint})
        assert hub.bodies("*/model.safetensors") == 2

It answers `HEAD` and `GET /org/repo/resolve/REVISION/FILE` with commit ids, ETags, ranges and,
for weights, the redirect to a CDN on another host; `GET /api/models/R`, `…/revision/REVISION` and
`…/tree/REVISION`; the same of data sets; plain files; and uploads, see `zoo.testing.hub.uploads`.
See https://huggingface.co/docs/hub/api for the original.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote

from zoo.testing.hub.fault import Fault
from zoo.testing.hub.repository import LARGE_SUFFIXES, MAIN, Files, Repository, git_sha1
from zoo.testing.hub.response import Response, refusal
from zoo.testing.hub.server import Answer, Request, Server
from zoo.testing.hub.uploads import Uploads

DATASETS = "datasets/"  # prefix of the names of data sets, as in their URLs


@dataclass
class _Rule:
    glob: str
    method: str
    fault: Fault
    left: int | None


class LoopbackHub:
    """A server that runs inside a `with` statement. Every method may be called while it runs.

    port: a port of 127.0.0.1; 0 is any free one.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._repositories: dict[str, Repository] = {}
        self._uploads = Uploads(self._repositories)
        self._files: dict[str, Response] = {}
        self._redirects: dict[str, str] = {}
        self._rules: list[_Rule] = []
        self._requests: list[Request] = []
        self._server = Server(self._respond, self._record, port=port)

    def __enter__(self) -> LoopbackHub:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """The address to put into `HF_ENDPOINT`; also a proxy, for `HTTP_PROXY`."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, in order."""
        with self._lock:
            return tuple(self._requests)

    def bodies(self, glob: str = "*") -> int:
        """The number of `GET`s of a matching path that returned the file, or a part of it."""
        return sum(
            request.method == "GET" and request.status in (200, 206) and fnmatch(request.path, glob)
            for request in self.requests
        )

    def add(
        self,
        repo: str,
        files: Mapping[str, bytes | Path],
        *,
        revision: str | None = None,
        private: bool = False,
    ) -> str:
        """Commits `files` to a repository and returns the commit id; `main` and, if it is a name,
        `revision` point there.

        repo:     `org/name`, or `datasets/org/name` of a data set.
        revision: of 40 hex digits becomes the commit id itself.
        private:  only tokens that may read it see it; see `allow`.
        """
        contents = {
            name: data if isinstance(data, bytes) else data.read_bytes()
            for name, data in files.items()
        }
        with self._lock:
            repository = self._repositories.setdefault(repo, Repository(repo))
            repository.private = private
            return repository.add(contents, revision=revision)

    def allow(self, token: str, *owners: str) -> None:
        """Lets this token write the repositories of these users and organisations, and read their
        private ones. Until the first call, any token may do everything."""
        with self._lock:
            self._uploads.tokens[token] = frozenset(owners)

    def files(self, repo: str, revision: str = MAIN) -> dict[str, bytes]:
        """The files of a repository at a revision; none if there is no such repository."""
        with self._lock:
            repository = self._repositories.get(repo)
            commit = repository.refs.get(revision, revision) if repository else ""
            return dict(repository.commits.get(commit, {})) if repository else {}

    def add_file(self, path: str, data: bytes | Path, *, etag: str | None = None) -> str:
        """Serves a plain file, as any web server would, and returns its URL; the ETag is its sha256
        unless given."""
        with self._lock:
            self._files["/" + path.lstrip("/")] = _plain(
                data if isinstance(data, bytes) else data.read_bytes(), etag=etag
            )
        return f"{self.endpoint}/{quote(path.lstrip('/'))}"

    def add_redirect(self, path: str, to: str) -> str:
        """Answers `path` with a redirect and returns its URL."""
        with self._lock:
            self._redirects["/" + path.lstrip("/")] = to
        return f"{self.endpoint}/{quote(path.lstrip('/'))}"

    def misbehave(
        self, glob: str, *faults: Fault, times: int | None = 1, method: str = "GET"
    ) -> None:
        """Makes the next responses to matching requests fail, one fault after the other, each
        `times` times (None: always).

        A file that is served through the CDN matches by its CDN path, `/cdn/org/repo/COMMIT/FILE`.
        """
        with self._lock:
            self._rules += [_Rule(glob, method, fault, times) for fault in faults]

    def behave(self) -> None:
        """Removes every fault that has not struck yet."""
        with self._lock:
            self._rules.clear()

    def _record(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)

    def _respond(
        self, method: str, path: str, headers: Mapping[str, str]
    ) -> tuple[Answer, Fault | None]:
        token = headers.get("Authorization", headers.get("authorization", "")).removeprefix(
            "Bearer "
        )
        with self._lock:
            if method in ("POST", "PUT"):
                return self._on_body(method, path, token), self._fault(method, path)
            answer = self._answer(path, token)
            carries_body = answer.status == 200 or method == "HEAD"
            return answer, self._fault(method, path) if carries_body else None

    def _on_body(self, method: str, path: str, token: str) -> Callable[[bytes], Response]:
        """A function that answers an upload, given its body."""

        def answer(body: bytes) -> Response:
            with self._lock:
                return self._uploads.answer(method, path, token, body, endpoint=self.endpoint)

        return answer

    def _fault(self, method: str, path: str) -> Fault | None:
        for rule in self._rules:
            if rule.left != 0 and rule.method in (method, "*") and fnmatch(path, rule.glob):
                rule.left = rule.left and rule.left - 1
                return rule.fault
        return None

    def _answer(self, path: str, token: str) -> Response:
        if path in self._files:
            return self._files[path]
        if path in self._redirects:
            return Response(b"", {"Location": self._redirects[path]}, status=302)
        if path.startswith("/api/models/"):
            return self._api("", path.removeprefix("/api/models/"), token)
        if path.startswith("/api/datasets/"):
            return self._api(DATASETS, path.removeprefix("/api/datasets/"), token)
        if path.startswith("/cdn/"):
            return self._cdn(path.removeprefix("/cdn/"))
        repo, separator, rest = path.lstrip("/").partition("/resolve/")
        if not separator:
            return refusal(404, "EntryNotFound", "Not found")
        revision, _, name = rest.partition("/")
        return self._with_files(
            repo, revision, token, lambda commit, files: self._resolve(repo, commit, files, name)
        )

    def _with_files(
        self, repo: str, revision: str, token: str, answer: Callable[[str, Files], Response]
    ) -> Response:
        repository = self._repositories.get(repo)
        if repository is None or not self._uploads.may_read(repository, token):
            return refusal(401, "RepoNotFound", "Invalid username or password.")
        commit = repository.refs.get(revision, revision)
        if commit not in repository.commits:
            return refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return answer(commit, repository.commits[commit])

    def _resolve(self, repo: str, commit: str, files: Files, name: str) -> Response:
        if name not in files:
            return refusal(404, "EntryNotFound", "Entry not found", commit=commit)
        data = files[name]
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if not name.endswith(LARGE_SUFFIXES):
            return Response(data, headers | {"ETag": f'"{git_sha1(data)}"'})
        sha256 = hashlib.sha256(data).hexdigest()
        # `localhost` is a different host than 127.0.0.1, as the Hub's CDN is: clients must not send
        # their token there.
        location = f"http://localhost:{self._server.port}/cdn/{repo}/{commit}/{quote(name)}"
        linked = {
            "X-Linked-Size": str(len(data)),
            "X-Linked-Etag": f'"{sha256}"',
            "Location": location,
        }
        return Response(b"", headers | linked | {"ETag": f'"{git_sha1(data)}"'}, status=302)

    def _cdn(self, path: str) -> Response:
        """A large file; whoever knows its URL may read it."""
        parts = path.split("/")
        length = 3 if path.startswith(DATASETS) else 2
        repo, commit, name = "/".join(parts[:length]), parts[length], "/".join(parts[length + 1 :])
        return _plain(self._repositories[repo].commits[commit][name])

    def _api(self, kind: str, path: str, token: str) -> Response:
        owner, name, *rest = path.split("/")
        repo = f"{kind}{owner}/{name}"
        revision = "/".join(rest[1:]) or MAIN

        def answer(commit: str, _: Files) -> Response:
            repository = self._repositories[repo]
            tree = rest[:1] == ["tree"]
            return Response.json(repository.tree(commit) if tree else repository.facts(commit))

        return self._with_files(repo, revision, token, answer)


def _plain(data: bytes, *, etag: str | None = None) -> Response:
    return Response(
        data, {"ETag": etag or f'"{hashlib.sha256(data).hexdigest()}"', "Accept-Ranges": "bytes"}
    )
