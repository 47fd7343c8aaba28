"""The page as it is sent: its policy allows what is written into it and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx2
import pytest

from zoo.serve.site import page, policy


def hash_of(tag: str) -> str:
    """The hash, as a policy writes it, of the one element of that name in the page."""
    [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", page(), re.DOTALL)
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_names_the_hash_of_what_is_in_the_page(tag: str) -> None:
    assert f"{tag}-src 'sha256-{hash_of(tag)}'" in policy()


def test_the_policy_allows_nothing_else() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in policy().split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert rules["img-src"] == "blob: data:"
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert rules[name] == "'none'"
    assert "unsafe" not in policy()


def test_the_page_is_whole_and_loads_nothing() -> None:
    assert not re.search(r"^@[A-Z]+@$", page(), re.MULTILINE)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page())
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", page().partition("<script>")[0])
    assert page().count("<script") == page().count("</script>") == 1


def test_the_server_sends_it_with_its_policy(http: httpx2.Client) -> None:
    answer = http.get("/")
    assert answer.text == page()
    assert answer.headers["Content-Security-Policy"] == policy()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
