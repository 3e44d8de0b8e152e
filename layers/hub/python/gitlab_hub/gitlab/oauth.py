"""The OAuth token endpoint without any I/O: what is asked of it, and what its answer says.

https://docs.gitlab.com/api/oauth2/ : an access token lives for two hours, and a refresh ends both old tokens at once.
"""

from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import mapping, number
from gitlab_hub.gitlab.options import Reply
from gitlab_hub.gitlab.tokens import sendable

TOKEN_PATH, REVOKE_PATH, INFO_PATH = "/oauth/token", "/oauth/revoke", "/oauth/token/info"
_TYPE = "bearer"
_LONGEST_LIFE = 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The OAuth application that was registered in GitLab; one that is not confidential has no secret."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)

    def fields(self) -> dict[str, str]:
        """How it proves itself in a form (RFC 6749, 2.3.1)."""
        secret = {} if self.client_secret is None else {"client_secret": self.client_secret}
        return {"client_id": self.client_id} | secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A pair of tokens as the endpoint gave it; no `seconds` = GitLab did not say how long the access token lives.

    No `refresh_token` = there was none that can be used. A renewal goes on with the one before then (RFC 6749, 6); a
    first pair without one is none, as GitLab always gives it.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: tuple[str, ...] | None
    seconds: int | None


def code_fields(application: Application, *, code: str, verifier: str, redirect_uri: str) -> dict[str, str]:
    """Ask for the tokens of an authorization code (RFC 6749, 4.1.3; RFC 7636, 4.5)."""
    return {
        "grant_type": "authorization_code",
        **application.fields(),
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }


def refresh_fields(application: Application, refresh_token: str) -> dict[str, str]:
    """Ask for the successor of a pair (RFC 6749, 6)."""
    return {"grant_type": "refresh_token", **application.fields(), "refresh_token": refresh_token}


def revoke_fields(application: Application, access_token: str, refresh_token: str | None) -> dict[str, str]:
    """Ask for a pair's end (RFC 7009), by the refresh token where there is one.

    GitLab looks at no access token that has run out, and says 200 all the same; its refresh token would live on.
    """
    if refresh_token is None:
        return {**application.fields(), "token": access_token, "token_type_hint": "access_token"}
    return {**application.fields(), "token": refresh_token, "token_type_hint": "refresh_token"}


def grant_of(reply: Reply) -> Grant:
    """Read a successful answer. Raises UnexpectedResponse where there is no usable token in it.

    A token of another type than the one that is asked with is none either (RFC 6749, 7.1).
    """
    body = mapping(reply.body)
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not _usable(access) or str(body.get("token_type", _TYPE)).lower() != _TYPE:
        raise UnexpectedResponse(
            "GitLab's token endpoint answered without a token.",
            http_status=reply.http_status,
            request_id=reply.request_id,
        )
    return Grant(
        access_token=str(access),
        refresh_token=str(refresh) if _usable(refresh) else None,
        scopes=_scopes(body.get("scope")),
        seconds=_seconds(body.get("expires_in")),
    )


def _usable(token: Any) -> bool:
    return isinstance(token, str) and sendable(token)


def _scopes(listed: Any) -> tuple[str, ...] | None:
    if isinstance(listed, str):
        return tuple(listed.split())
    return tuple(str(scope) for scope in listed) if isinstance(listed, list) else None


def _seconds(value: Any) -> int | None:
    found = number(value, least=1, most=None)
    return None if found is None else min(found, _LONGEST_LIFE)
