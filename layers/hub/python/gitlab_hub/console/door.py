"""The door: signing in with a hub token or a one-time link, and signing out."""

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.console.forms import FORM_KEY, check_origin, fields_of, is_same, own_path
from gitlab_hub.console.links import Link, LinkStore
from gitlab_hub.console.rendering import Renderer
from gitlab_hub.console.responses import BrowserResponse, page_response, redirect
from gitlab_hub.console.sessions import COOKIE, LONGEST_SECONDS, Sessions, Tokens
from gitlab_hub.web.call import Call
from gitlab_hub.web.cookies import host_cookie, sent_cookies
from gitlab_hub.web.errors import PermissionDenied
from gitlab_hub.web.tokens import KnownToken

SIGN_IN, SIGN_OUT, LINK = "/console/sign-in", "/console/sign-out", "/console/link/"
DOOR_COOKIE = "__Host-hub-door"
"""Ties the form of the sign-in to the browser that was shown it: there is no session yet that could do so."""

_DOOR_SECONDS = 3600
_LONGEST_TOKEN = 400


class Door:
    """Lets people in and out."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        links: LinkStore,
        tokens: Tokens,
        audit: Audit,
        renderer: Renderer,
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> None:
        self._sessions, self._links, self._tokens = sessions, links, tokens
        self._audit, self._renderer, self._new_secret = audit, renderer, new_secret

    def answer(self, call: Call) -> BrowserResponse | None:
        """Answer a request at the door; None where it goes further in."""
        if call.path == SIGN_IN:
            return self._sign_in(call) if call.method == "POST" else self.form(call, to=_asked_for(call))
        if call.path == SIGN_OUT and call.method == "POST":
            return self._sign_out(call)
        if call.path.startswith(LINK):
            ticket = call.path.removeprefix(LINK)
            return self._use_link(call, ticket) if call.method == "POST" else self._show_link(call, ticket)
        return None

    def form(self, call: Call, *, to: str, status: int = HTTPStatus.OK, problem: str | None = None) -> BrowserResponse:
        """Show the form that a token is pasted into."""
        return self._page(call, "sign_in.html", {"to": to, "problem": problem}, status)

    def _sign_in(self, call: Call) -> BrowserResponse:
        fields = _checked_fields(call)
        presented, to = fields.get("token", ""), own_path(fields.get("to"))
        token = self._tokens.known(presented) if 0 < len(presented) <= _LONGEST_TOKEN else None
        if token is None:
            problem = "This hub token is not valid: mistyped, revoked or expired. An owner can make a new one."
            return self.form(call, to=to, status=HTTPStatus.UNAUTHORIZED, problem=problem)
        return self._let_in(call, token, to)

    def _show_link(self, call: Call, ticket: str) -> BrowserResponse:
        # Looked at, not used up: what only previews a link must not take it away from whoever it is for.
        link = self._links.find(ticket)
        token = None if link is None else self._maker(link)
        if link is None or token is None:
            return self._gone(call)
        return self._page(call, "link.html", {"token": token, "ends_at": link.ends_at}, HTTPStatus.OK)

    def _use_link(self, call: Call, ticket: str) -> BrowserResponse:
        _checked_fields(call)
        link = self._links.use(ticket)
        token = None if link is None else self._maker(link)
        return self._gone(call) if token is None else self._let_in(call, token, own_path(None))

    def _maker(self, link: Link) -> KnownToken | None:
        """The token that made a link, if it is good now."""
        token = self._tokens.known_by_id(link.token_id)
        return token if token is not None and link.is_of(token) else None

    def _gone(self, call: Call) -> BrowserResponse:
        problem = "This link was used or has expired, or its hub token has. Make another link, or paste a hub token."
        return self.form(call, to=own_path(None), status=HTTPStatus.GONE, problem=problem)

    def _let_in(self, call: Call, token: KnownToken, to: str) -> BrowserResponse:
        for before in session_ids(call.event):
            self._sessions.end(before)
        self._audit.record(AuditAction.CONSOLE_SIGN_IN, actor=token.principal.token_id, integration_id=None)
        cookie = host_cookie(COOKIE, self._sessions.begin(token), seconds=LONGEST_SECONDS)
        return redirect(to, cookies=(cookie, host_cookie(DOOR_COOKIE, "", seconds=0)))

    def _sign_out(self, call: Call) -> BrowserResponse:
        check_origin(call)
        for session_id in session_ids(call.event):
            session = self._sessions.find(session_id)
            if session is not None:
                if not session.has_made(fields_of(call).get(FORM_KEY, "")):
                    raise PermissionDenied("You have signed in again since this page was opened; load it again.")
                actor = session.principal.token_id
                self._audit.record(AuditAction.CONSOLE_SIGN_OUT, actor=actor, integration_id=None)
            self._sessions.end(session_id)
        return redirect(SIGN_IN, cookies=(host_cookie(COOKIE, "", seconds=0),))

    def _page(self, call: Call, template: str, values: Mapping[str, Any], status: int) -> BrowserResponse:
        known = _door_key(call)
        form_key = known or self._new_secret()
        html = self._renderer.page(template, {"form_key": form_key, "path": call.path, **values})
        cookies = () if known else (host_cookie(DOOR_COOKIE, form_key, seconds=_DOOR_SECONDS),)
        return page_response(html, status=status, cookies=cookies)


def session_ids(event: Mapping[str, Any]) -> list[str]:
    """The session that a browser says it has. There is one; whoever sends several gets none of them."""
    found = {value for name, value in sent_cookies(event) if name == COOKIE and value}
    return list(found) if len(found) == 1 else []


def _door_key(call: Call) -> str:
    return next((value for name, value in sent_cookies(call.event) if name == DOOR_COOKIE), "")


def _checked_fields(call: Call) -> dict[str, str]:
    check_origin(call)
    fields = fields_of(call)
    if not is_same(fields.get(FORM_KEY, ""), _door_key(call)):
        raise PermissionDenied("This form has become too old, or cookies are off; load the page again.")
    return fields


def _asked_for(call: Call) -> str:
    return own_path((call.query().get("to") or [""])[-1])


def sign_in_url(to: str) -> str:
    """The sign-in that leads on to a path."""
    return f"{SIGN_IN}?{urlencode({'to': to})}"
