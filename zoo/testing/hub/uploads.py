"""The uploads of the loopback Hub: repositories made, large files taken in, commits carried out.

`POST /api/repos/create`, `…/preupload/main` and `…/commit/main`; of large files the batch API of
Git LFS, https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, with a `PUT` to another
host, and its verification; and `POST /api/validate-yaml`.
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
    """The API for writing: each token may write for the owners it stands for."""

    repositories: dict[str, Repository]
    tokens: dict[str, Collection[str]] = field(default_factory=dict)

    def may_read(self, repository: Repository, token: str) -> bool:
        """Whether whoever has that token sees the repository."""
        return not repository.private or self._rights(repository.owner, token) is None

    def answer(self, method: str, path: str, token: str, body: bytes, *, endpoint: str) -> Response:
        """The answer to a `POST` or `PUT`."""
        if method == "PUT" and path.startswith(STORE):
            return self._store(path.removeprefix(STORE), body)
        if path == "/api/validate-yaml":
            return Response.json({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self._create(json.loads(body), token, endpoint)
        if LFS in path:
            repo, _, what = path.lstrip("/").partition(LFS)
            return self._with_rights(
                repo, token, lambda known: self._batch(known, what, json.loads(body), endpoint)
            )
        owner, name, what = [*path.removeprefix("/api/models/").split("/"), "", ""][:3]
        if what == "preupload":
            return self._with_rights(
                f"{owner}/{name}",
                token,
                lambda known: Response.json(known.upload_modes(json.loads(body))),
            )
        if what == "commit":
            return self._with_rights(
                f"{owner}/{name}", token, lambda known: self._commit(known, body, endpoint)
            )
        return refusal(404, None, "Not found")

    def _rights(self, owner: str, token: str) -> Response | None:
        """The refusal of a token for an owner's repositories; None where it may."""
        if not token or (self.tokens and token not in self.tokens):
            return refusal(401, None, NO_TOKEN)
        if self.tokens and owner not in self.tokens[token]:
            return refusal(403, None, f'You don\'t have the rights under the namespace "{owner}"')
        return None

    def _with_rights(self, repo: str, token: str, answer: Any) -> Response:
        known = self.repositories.get(repo)
        if known is None or not self.may_read(known, token):
            return refusal(404 if token else 401, "RepoNotFound", "Repository not found")
        made: Response = self._rights(known.owner, token) or answer(known)
        return made

    def _create(self, asked: dict[str, Any], token: str, endpoint: str) -> Response:
        repo = f"{asked['organization']}/{asked['name']}"
        if refused := self._rights(asked["organization"], token):
            return refused
        address = {"url": f"{endpoint}/{repo}", "id": repo, "name": repo}
        if repo in self.repositories:
            return Response.json(address | {"error": "You already created it"}, status=409)
        made = Repository(repo, private=asked.get("visibility") == "private")
        made.add(dict(ATTRIBUTES))
        self.repositories[repo] = made
        return Response.json(address)

    def _batch(
        self, known: Repository, what: str, asked: dict[str, Any], endpoint: str
    ) -> Response:
        if what == "verify":
            present = asked["oid"] in known.large
            return Response.json({}) if present else refusal(404, None, "No such object")
        store = f"http://localhost:{urlsplit(endpoint).port}{STORE}{known.name}"
        verify = {"href": f"{endpoint}/{known.name}{LFS}verify", "header": {}}
        objects = []
        for item in asked["objects"]:
            upload = {"href": f"{store}/{item['oid']}", "header": {}}
            actions = {"actions": {"upload": upload, "verify": verify}}
            objects.append(item | ({} if item["oid"] in known.large else actions))
        return Response.json({"transfer": "basic", "objects": objects})

    def _store(self, place: str, body: bytes) -> Response:
        """Takes in a large file, for whoever was told where to put it."""
        repo, _, sha256 = place.rpartition("/")
        known = self.repositories.get(repo)
        if known is None or not known.receive(sha256, body):
            return refusal(400, None, "The content does not match its checksum")
        return Response(b"", {})

    def _commit(self, known: Repository, body: bytes, endpoint: str) -> Response:
        try:
            commit = known.change(body)
        except Refused as error:
            return refusal(error.status, None, str(error))
        url = f"{endpoint}/{known.name}/commit/{commit}"
        return Response.json({"success": True, "commitOid": commit, "commitUrl": url})
