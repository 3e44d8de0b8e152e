"""GET /oauth/authorize: the stand-in says yes at once, in the place of a person."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from stand_in_gitlab.company.application_model import Application
from stand_in_gitlab.company.applications import new_grant
from stand_in_gitlab.company.model import User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.oauth.errors import DENIED
from stand_in_gitlab.rest.ask import Answer

METHODS = frozenset({"S256", "plain"})
DEFAULT_SCOPE = "api"


class Unauthorizable(Exception):
    """GitLab shows a page of its own instead of going back to the client."""


def authorize(company: Company, params: Mapping[str, str], now: float) -> Answer:
    """302 back to the client with a code, or with `access_denied` if `standin_deny` is set.

    `standin_user` (an id or a username) is who says yes; an administrator by default.
    """
    try:
        application, scopes = _checked(company, params)
        user = _user(company, params.get("standin_user", ""))
    except Unauthorizable as problem:
        return _page(str(problem))
    back = params["redirect_uri"]
    state = {"state": params["state"]} if "state" in params else {}
    if params.get("standin_deny"):
        return _back(back, {"error": "access_denied", "error_description": DENIED, **state})
    challenge = params.get("code_challenge") or None
    method = params.get("code_challenge_method", "plain") if challenge else None
    nonce = params.get("nonce") or None
    grant = new_grant(company, application, user.id, back, scopes, now, (challenge, method), nonce)
    return _back(back, {"code": grant.code, **state})


def _checked(company: Company, params: Mapping[str, str]) -> tuple[Application, tuple[str, ...]]:
    application = company.applications.get(params.get("client_id", ""))
    if application is None:
        raise Unauthorizable("Client authentication failed due to unknown client.")
    if params.get("redirect_uri") not in application.redirect_uris:
        raise Unauthorizable("The redirect URI included is not valid.")
    if params.get("response_type") != "code":
        raise Unauthorizable("The authorization server does not support this response type.")
    scopes = tuple((params.get("scope") or DEFAULT_SCOPE).split())
    if not set(scopes) <= set(application.scopes):
        raise Unauthorizable("The requested scope is invalid, unknown, or malformed.")
    challenge, method = params.get("code_challenge"), params.get("code_challenge_method", "plain")
    if (challenge and method not in METHODS) or not (challenge or application.confidential):
        raise Unauthorizable("The code challenge method must be S256.")
    return application, scopes


def _user(company: Company, wanted: str) -> User:
    users = [user for user in company.users.values() if user.state == "active"]
    chosen = [user for user in users if wanted in {str(user.id), user.username} or (not wanted and user.is_admin)]
    if not chosen:
        raise Unauthorizable(f"Nobody called {wanted} may sign in.")
    return chosen[0]


def _back(redirect_uri: str, parameters: Mapping[str, str]) -> Answer:
    joint = "&" if "?" in redirect_uri else "?"
    location = f"{redirect_uri}{joint}{urlencode(parameters)}"
    return Answer(302, b"", {"Location": location}, "text/html; charset=utf-8")


def _page(problem: str) -> Answer:
    """GitLab's error page has status 200."""
    body = f"<!DOCTYPE html><html><body><h1>An error has occurred</h1><p>{escape(problem)}</p></body></html>"
    return Answer(200, body.encode(), content_type="text/html; charset=utf-8")
