"""Uploads to the loopback Hub: creates repositories, stores large files, carries out commits.

Answers `POST /api/repos/create`, `…/preupload/main` and `…/commit/main`; for large files the batch
API of Git LFS, https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, with a `PUT` to
another host and its verification; and `POST /api/validate-yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from zoo.testing.hub.repository import ATTRIBUTES, Refused, Repository
from zoo.testing.hub.response import Response, refusal

LFS = ".git/info/lfs/"
STORE = "/lfs-store/"
NO_TOKEN = "Invalid username or password."


@dataclass
class Uploads:
    """The write API. `tokens` lists the owners that each token may write for; if empty, any token
    may write for all."""

    repositories: dict[str, Repository]
    tokens: dict[str, Collection[str]] = field(default_factory=dict)

    def may_read(self, repository: Repository, token: str) -> bool:
        """Whether a token may read the repository."""
        return not repository.private or self._rights(repository.owner, token) is None

    def answer(self, method: str, path: str, token: str, body: bytes, *, endpoint: str) -> Response:
        """The response to a `POST` or `PUT`."""
        if method == "PUT" and path.startswith(STORE):
            return self._store(path.removeprefix(STORE), body)
        if path == "/api/validate-yaml":
            return Response.json({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self._create(json.loads(body), token, endpoint)
        if LFS in path:
            repo, _, action = path.lstrip("/").partition(LFS)
            return self._with_rights(
                repo,
                token,
                lambda repository: self._batch(repository, action, json.loads(body), endpoint),
            )
        owner, name, action = [*path.removeprefix("/api/models/").split("/"), "", ""][:3]
        if action == "preupload":
            return self._with_rights(
                f"{owner}/{name}",
                token,
                lambda repository: Response.json(repository.upload_modes(json.loads(body))),
            )
        if action == "commit":
            return self._with_rights(
                f"{owner}/{name}",
                token,
                lambda repository: self._commit(repository, body, endpoint),
            )
        return refusal(404, None, "Not found")

    def _rights(self, owner: str, token: str) -> Response | None:
        """The refusal if a token may not write an owner's repositories; None if it may."""
        if not token or (self.tokens and token not in self.tokens):
            return refusal(401, None, NO_TOKEN)
        if self.tokens and owner not in self.tokens[token]:
            return refusal(403, None, f'You don\'t have the rights under the namespace "{owner}"')
        return None

    def _with_rights(self, repo: str, token: str, answer: Any) -> Response:
        repository = self.repositories.get(repo)
        if repository is None or not self.may_read(repository, token):
            return refusal(404 if token else 401, "RepoNotFound", "Repository not found")
        response: Response = self._rights(repository.owner, token) or answer(repository)
        return response

    def _create(self, request: dict[str, Any], token: str, endpoint: str) -> Response:
        repo = f"{request['organization']}/{request['name']}"
        if refused := self._rights(request["organization"], token):
            return refused
        address = {"url": f"{endpoint}/{repo}", "id": repo, "name": repo}
        if repo in self.repositories:
            return Response.json(address | {"error": "You already created it"}, status=409)
        repository = Repository(repo, private=request.get("visibility") == "private")
        repository.add(dict(ATTRIBUTES))
        self.repositories[repo] = repository
        return Response.json(address)

    def _batch(
        self, repository: Repository, action: str, request: dict[str, Any], endpoint: str
    ) -> Response:
        if action == "verify":
            present = request["oid"] in repository.large
            return Response.json({}) if present else refusal(404, None, "No such object")
        store = f"http://localhost:{urlsplit(endpoint).port}{STORE}{repository.name}"
        verify = {"href": f"{endpoint}/{repository.name}{LFS}verify", "header": {}}
        objects = []
        for item in request["objects"]:
            upload = {"href": f"{store}/{item['oid']}", "header": {}}
            actions = {"actions": {"upload": upload, "verify": verify}}
            objects.append(item | ({} if item["oid"] in repository.large else actions))
        return Response.json({"transfer": "basic", "objects": objects})

    def _store(self, path: str, body: bytes) -> Response:
        """Stores a large file; whoever knows its URL may write it."""
        repo, _, sha256 = path.rpartition("/")
        repository = self.repositories.get(repo)
        if repository is None or not repository.receive(sha256, body):
            return refusal(400, None, "The content does not match its checksum")
        return Response(b"", {})

    def _commit(self, repository: Repository, body: bytes, endpoint: str) -> Response:
        try:
            commit = repository.change(body)
        except Refused as error:
            return refusal(error.status, None, str(error))
        url = f"{endpoint}/{repository.name}/commit/{commit}"
        return Response.json({"success": True, "commitOid": commit, "commitUrl": url})
