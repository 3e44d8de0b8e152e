"""Signing in with a hub token, a one-time link or GitLab, and signing out."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.console.forms import FORM_KEY, check_origin, fields_of, is_same, own_path
from gitlab_hub.console.gitlab_sign_in import BEGIN, FINISH, LIFE_SECONDS, GitLabSignIn, Provider, integrations_at
from gitlab_hub.console.gitlab_sign_in import COOKIE as GITLAB_COOKIE
from gitlab_hub.console.hub_api import ApiOf
from gitlab_hub.console.links import Link, LinkStore
from gitlab_hub.console.people import Person
from gitlab_hub.console.rendering import Renderer, url_with
from gitlab_hub.console.responses import BrowserResponse, page_response, redirect
from gitlab_hub.console.sessions import COOKIE, LONGEST_SECONDS, Session, Sessions, Tokens
from gitlab_hub.web.call import Call
from gitlab_hub.web.cookies import host_cookie, sent_cookies
from gitlab_hub.web.errors import PermissionDenied
from gitlab_hub.web.principal import Principal
from gitlab_hub.web.tokens import KnownToken

SIGN_IN, SIGN_OUT, LINK = "/console/sign-in", "/console/sign-out", "/console/link/"
FORM_COOKIE = "__Host-hub-sign-in"
"""Ties the form of the sign-in to the browser that was shown it: there is no session yet that could do so."""

_FORM_SECONDS = 3600
_LONGEST_TOKEN = 400


class SignIn:
    """Lets people in and out."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        links: LinkStore,
        tokens: Tokens,
        audit: Audit,
        renderer: Renderer,
        api_of: ApiOf,
        gitlab: GitLabSignIn | None = None,
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> None:
        """`gitlab`: None where nobody signs in with GitLab."""
        self._sessions, self._links, self._tokens = sessions, links, tokens
        self._audit, self._renderer, self._new_secret = audit, renderer, new_secret
        self._api_of, self._gitlab = api_of, gitlab

    def answer(self, call: Call) -> BrowserResponse | None:
        """Answer a request of these paths; None for any other."""
        if call.path == SIGN_IN:
            return self._sign_in(call) if call.method == "POST" else self.form(call, to=_asked_for(call))
        if self._gitlab is not None and call.method == "GET" and call.path in (BEGIN, FINISH):
            return self._to_gitlab(call, self._gitlab) if call.path == BEGIN else self._from_gitlab(call, self._gitlab)
        if call.path == SIGN_OUT and call.method == "POST":
            return self._sign_out(call)
        if call.path.startswith(LINK):
            ticket = call.path.removeprefix(LINK)
            return self._use_link(call, ticket) if call.method == "POST" else self._show_link(call, ticket)
        return None

    def form(self, call: Call, *, to: str, status: int = HTTPStatus.OK, problem: str | None = None) -> BrowserResponse:
        """Show the form that a token is pasted into."""
        at_gitlab = None if self._gitlab is None else url_with(BEGIN, to=to)
        return self._page(call, "sign_in.html", {"to": to, "problem": problem, "at_gitlab": at_gitlab}, status)

    def caller_of(self, call: Call, session: Session) -> Principal:
        """Say who does something: of somebody from GitLab also in integrations that they could not see at the sign-in.

        Where they are not known by their account, they could decide on their own access. Raises ApiRefusal.
        """
        if self._gitlab is None or session.person is None:
            return session.principal
        provider = self._gitlab.provider
        located = self._located(call, session.person, provider) or session.person
        return provider.principal_of(located) or session.principal

    def _sign_in(self, call: Call) -> BrowserResponse:
        fields = _checked_fields(call)
        presented, to = fields.get("token", ""), own_path(fields.get("to"))
        token = self._tokens.known(presented) if 0 < len(presented) <= _LONGEST_TOKEN else None
        if token is None:
            problem = "This hub token is not valid: mistyped, revoked or expired. An owner can make a new one."
            return self.form(call, to=to, status=HTTPStatus.UNAUTHORIZED, problem=problem)
        return self._let_in_token(call, token, to)

    def _to_gitlab(self, call: Call, gitlab: GitLabSignIn) -> BrowserResponse:
        if call.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            # Nobody is signed in by what another site links to.
            return self.form(call, to=_asked_for(call))
        address, value = gitlab.begin(call, _asked_for(call))
        # GitLab leads back from another site, which a strict cookie would not come along with.
        return redirect(address, cookies=(host_cookie(GITLAB_COOKIE, value, seconds=LIFE_SECONDS, same_site="Lax"),))

    def _from_gitlab(self, call: Call, gitlab: GitLabSignIn) -> BrowserResponse:
        over = host_cookie(GITLAB_COOKIE, "", seconds=0, same_site="Lax")
        try:
            answer = self._let_in_person(call, *gitlab.finish(call), gitlab.provider)
        except PermissionDenied as refusal:
            answer = self.form(call, to=own_path(None), status=HTTPStatus.FORBIDDEN, problem=str(refusal))
        return replace(answer, cookies=(*answer.cookies, over))

    def _let_in_person(self, call: Call, person: Person, to: str, provider: Provider) -> BrowserResponse:
        located = self._located(call, person, provider)
        principal = None if located is None else provider.principal_of(located)
        if located is None or principal is None:
            raise PermissionDenied(
                f"GitLab knows you as @{person.username}, and none of your groups there may come in here. Whoever runs "
                "the hub names groups in ConsoleRoles."
            )
        after = {"username": person.username, "gitlab": person.issuer, "role": principal.role.value}
        return self._let_in(call, principal.token_id, lambda: self._sessions.begin_of(located), to, after=after)

    def _located(self, call: Call, person: Person, provider: Provider) -> Person | None:
        """Somebody with the integrations of this moment in which they are; None for whom no rule is about."""
        principal = provider.principal_of(person)
        if principal is None:
            return None
        api = self._api_of(principal, call.event["requestContext"])
        return replace(person, integration_ids=tuple(integrations_at(api, provider.issuer)))

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
        return self._gone(call) if token is None else self._let_in_token(call, token, own_path(None))

    def _maker(self, link: Link) -> KnownToken | None:
        """The token that made a link, if it is good now."""
        token = self._tokens.known_by_id(link.token_id)
        return token if token is not None and link.is_of(token) else None

    def _gone(self, call: Call) -> BrowserResponse:
        problem = "This link was used or has expired, or its hub token has. Make another link, or paste a hub token."
        return self.form(call, to=own_path(None), status=HTTPStatus.GONE, problem=problem)

    def _let_in_token(self, call: Call, token: KnownToken, to: str) -> BrowserResponse:
        return self._let_in(call, token.principal.token_id, lambda: self._sessions.begin(token), to)

    def _let_in(self, call: Call, actor: str, begin: Callable[[], str], to: str, **details: Any) -> BrowserResponse:
        for before in session_ids(call.event):
            self._sessions.end(before)
        self._audit.record(AuditAction.CONSOLE_SIGN_IN, actor=actor, integration_id=None, **details)
        cookie = host_cookie(COOKIE, begin(), seconds=LONGEST_SECONDS)
        return redirect(to, cookies=(cookie, host_cookie(FORM_COOKIE, "", seconds=0)))

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
        known = _known_form_key(call)
        form_key = known or self._new_secret()
        html = self._renderer.page(template, {"form_key": form_key, "path": call.path, **values})
        cookies = () if known else (host_cookie(FORM_COOKIE, form_key, seconds=_FORM_SECONDS),)
        return page_response(html, status=status, cookies=cookies)


def session_ids(event: Mapping[str, Any]) -> list[str]:
    """The session that a browser says it has. There is one; whoever sends several gets none of them."""
    found = {value for name, value in sent_cookies(event) if name == COOKIE and value}
    return list(found) if len(found) == 1 else []


def _known_form_key(call: Call) -> str:
    return next((value for name, value in sent_cookies(call.event) if name == FORM_COOKIE), "")


def _checked_fields(call: Call) -> dict[str, str]:
    check_origin(call)
    fields = fields_of(call)
    if not is_same(fields.get(FORM_KEY, ""), _known_form_key(call)):
        raise PermissionDenied("This form has become too old, or cookies are off; load the page again.")
    return fields


def _asked_for(call: Call) -> str:
    return own_path((call.query().get("to") or [""])[-1])


def sign_in_url(to: str) -> str:
    """The sign-in that leads on to a path."""
    return f"{SIGN_IN}?{urlencode({'to': to})}"
