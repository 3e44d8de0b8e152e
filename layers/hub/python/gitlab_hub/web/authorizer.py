"""The authorizer's decision: it says who calls and denies nobody.

A denial here would be answered by the gateway in a shape of its own; the routes refuse instead (401 in the hub's
envelope), and every request without the context that this leaves behind is refused there.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.web.principal import FAILED, Principal

FAILED_ANSWER = {"isAuthorized": True, "context": FAILED}
"""The answer where the token could not be looked up; the routes turn it into 503."""

_BEARER = re.compile(r"\s*bearer +(\S+)\s*", re.IGNORECASE)


def authorize(event: Mapping[str, Any], principal_of: Callable[[str], Principal | None]) -> dict[str, Any]:
    """Answer an authorizer request (payload 2.0, simple answers); `principal_of` knows the tokens."""
    token = presented_token(event)
    principal = principal_of(token) if token else None
    return {"isAuthorized": True, "context": principal.to_context() if principal else {}}


def presented_token(event: Mapping[str, Any]) -> str | None:
    """Read the bearer token of a request."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    match = _BEARER.fullmatch(headers.get("authorization") or "")
    return match[1] if match else None
