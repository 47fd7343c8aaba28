"""A page asks nobody for anything, and data can't break out of where it stands."""

import base64
import hashlib
import json
import re

from zoo.pages import json_in_html, one_file

HOSTILE = "</script><b>&\u2028@STYLE@"


def page() -> str:
    data = json.dumps({"name": HOSTILE}, ensure_ascii=False)
    return one_file("zoo.gallery", title="<Toys> & @DATA@", json=data, scripts=["state.js"])


def hash_of(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_its_own_style_and_script_alone() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page())
    style = re.search(r"<style>(.*?)</style>", page(), re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page(), re.DOTALL)
    assert policy
    assert style
    assert script
    assert "default-src 'none'" in policy[1]
    assert f"style-src 'sha256-{hash_of(style[1])}'" in policy[1]
    assert f"script-src 'sha256-{hash_of(script[1])}'" in policy[1]
    assert "unsafe" not in policy[1]


def test_the_title_is_text_and_nothing_is_filled_in_twice() -> None:
    assert "<title>&lt;Toys&gt; &amp; @DATA@</title>" in page()


def test_data_closes_no_tag_and_reads_as_the_same() -> None:
    text = json_in_html(json.dumps(HOSTILE, ensure_ascii=False))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == HOSTILE
    held = re.search(r'id="data">(.*?)</script>', page(), re.DOTALL)
    assert held
    assert json.loads(held[1]) == {"name": HOSTILE}
