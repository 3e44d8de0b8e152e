"""Pushes as GitLab sends them: of any size, and with the headers of either way of proving them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

RECORDED = Path(__file__).parents[1] / "tests/data/gitlab/webhooks/push.json"
COMMITS = 20
"""GitLab sends no more of them."""

BYTES_PER_COMMIT = 2_000

FILES = ("app", "lib", "spec", "config", "docs")


def push(
    size: int, *, project_id: int = 15, path: str = "mike/diaspora", branch: str = "master", sha: str = ""
) -> bytes:
    """A push of about `size` bytes: the recorded one with as many files in its commits as that takes."""
    draw = Random(size)
    body: dict[str, Any] = json.loads(RECORDED.read_text())
    example, after = body["commits"][0], sha or body["after"]
    body |= {"project_id": project_id, "after": after, "checkout_sha": after}
    body |= {"ref": f"refs/heads/{branch}", "commits": []}
    body["project"] |= {"id": project_id, "path_with_namespace": path}
    count = min(COMMITS, max(1, (size - len(_spelled(body))) // BYTES_PER_COMMIT))
    commits = [{**example, "id": f"{draw.getrandbits(160):040x}", "modified": []} for _ in range(count)]
    body |= {"commits": commits, "total_commits_count": count}
    for number, name in enumerate(_names(draw, size - len(_spelled(body)))):
        commits[number % count]["modified"].append(name)
    return _spelled(body)


def token_headers(token: str, key: str) -> dict[str, str]:
    """The headers of a call through a hook that has a token; `key` is the delivery's own."""
    return {**_headers(), "X-Gitlab-Token": token, "Idempotency-Key": key}


def signed_headers(secret: str, raw: bytes, key: str, at: int) -> dict[str, str]:
    """The headers of a call that is signed as Standard Webhooks says."""
    text = f"{key}.{at}.".encode() + raw
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), text, hashlib.sha256)
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {**_headers(), "webhook-id": key, "webhook-timestamp": str(at), "webhook-signature": signature}


def _headers() -> Mapping[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/18.2.0",
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Instance": "https://gitlab.example.com",
    }


def _names(draw: Random, size: int) -> Iterator[str]:
    """Names of files that take so many bytes of a body together."""
    while size > 0:
        name = f"{draw.choice(FILES)}/{draw.choice(FILES)}/module_{draw.getrandbits(32):08x}.py"
        size -= len(name) + 3
        yield name


def _spelled(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
