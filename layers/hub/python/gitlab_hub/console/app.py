"""The console: from a gateway event to a page, with every check that no screen may forget."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from gitlab_hub.audit.log import begin_request
from gitlab_hub.console.assets import BASE, Assets
from gitlab_hub.console.forms import FORM_KEY, check_origin, fields_of
from gitlab_hub.console.hub_api import ApiOf, ApiRefusal
from gitlab_hub.console.rendering import Renderer
from gitlab_hub.console.responses import BrowserResponse, file_response, page_response, redirect
from gitlab_hub.console.screens import Download, GoTo, Page, Screen, ScreenDirectory, Visit
from gitlab_hub.console.sessions import Session, Sessions
from gitlab_hub.console.sign_in import SignIn, session_ids, sign_in_url
from gitlab_hub.errors import HubError
from gitlab_hub.web.call import Call, check_path, check_query
from gitlab_hub.web.errors import NoSuchPath, PermissionDenied
from gitlab_hub.web.status import status_of


class Console:
    """Answers browsers."""

    def __init__(
        self,
        screens: Iterable[Screen],
        *,
        sign_in: SignIn,
        sessions: Sessions,
        api_of: ApiOf,
        renderer: Renderer,
        assets: Assets,
        now: Callable[[], float],
    ) -> None:
        self._directory = ScreenDirectory(screens)
        self._sign_in, self._sessions, self._api_of = sign_in, sessions, api_of
        self._renderer, self._assets, self._now = renderer, assets, now

    def resolve(self, event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        """Answer one request; what nobody foresaw is raised to the entry."""
        call = Call.of(event)
        begin_request(call.request_id)
        session: Session | None = None
        try:
            check_path(call)
            check_query(call)
            answer = self._without_session(call)
            if answer is None:
                screen, parameters = self._found(call)
                session = self._session(call, in_use=not screen.is_poll)
                answer = self._refused(call) if session is None else self._shown(call, session, screen, parameters)
        except ApiRefusal as refusal:
            answer = self._problem(call, session, refusal.status, refusal)
        except HubError as error:
            answer = self._problem(call, session, status_of(error), error)
        return answer.to_gateway(call)

    def failure(self, request_id: str) -> dict[str, Any]:
        """Say that the console failed, in words that need nothing of what may be broken."""
        text = f"The console failed at this. Try again, and give the id {request_id} to whoever runs the hub."
        answer = BrowserResponse(
            status=HTTPStatus.INTERNAL_SERVER_ERROR, body=text.encode(), headers={"content-type": "text/plain"}
        )
        return answer.to_gateway(Call(method="GET", path="", request_id=request_id, headers={}, event={}))

    def _without_session(self, call: Call) -> BrowserResponse | None:
        if call.path.startswith(BASE):
            found = self._assets.response(call.path) if call.method == "GET" else None
            if found is None:
                raise NoSuchPath("There is no such file.")
            return found
        return self._sign_in.answer(call)

    def _found(self, call: Call) -> tuple[Screen, dict[str, str]]:
        found = self._directory.find(call.method, call.path.removesuffix("/") or call.path)
        if found is None:
            raise NoSuchPath("There is no such page.")
        return found

    def _session(self, call: Call, *, in_use: bool) -> Session | None:
        ids = session_ids(call.event)
        return self._sessions.find(ids[0], in_use=in_use) if ids else None

    def _refused(self, call: Call) -> BrowserResponse:
        """Ask who it is; the page that was asked for comes afterwards."""
        if _is_fragment(call):
            headers = {"hx-redirect": sign_in_url(_page_of(call))}
            return BrowserResponse(status=HTTPStatus.UNAUTHORIZED, headers=headers)
        if call.method == "GET" and call.headers.get("sec-fetch-site") == "cross-site" and not session_ids(call.event):
            # A strict cookie stays away from a link on another site; the same page, asked for by itself, gets it.
            return page_response(self._renderer.page("reload.html", {"to": _whole_path(call)}))
        to = _whole_path(call) if call.method == "GET" else _page_of(call)
        return self._sign_in.form(call, to=to, status=HTTPStatus.UNAUTHORIZED)

    def _shown(self, call: Call, session: Session, screen: Screen, parameters: Mapping[str, str]) -> BrowserResponse:
        fields: Mapping[str, str] = {}
        caller = session.principal
        if call.method == "POST":
            check_origin(call)
            fields = fields_of(call)
            if not session.has_made(fields.get(FORM_KEY, "")):
                raise PermissionDenied(
                    "You have signed in again since this page was opened; load it again and repeat the step."
                )
            caller = self._sign_in.caller_of(call, session)
        visit = Visit(
            session=session,
            api=self._api_of(caller, call.event["requestContext"]),
            path=call.path,
            parameters=parameters,
            query={name: values[-1].strip() for name, values in call.query().items()},
            fields=fields,
            now=self._now(),
            is_fragment=_is_fragment(call),
        )
        outcome = screen.show(visit)
        if isinstance(outcome, GoTo):
            return redirect(outcome.path)
        if isinstance(outcome, Download):
            return file_response(outcome.name, outcome.media, outcome.text)
        return self._page(visit, screen.section, outcome)

    def _page(self, visit: Visit, section: str, page: Page) -> BrowserResponse:
        values = {**_frame(visit.session, visit.path, visit.integration_id, section), "problem": page.problem}
        html = self._renderer.page(page.template, {**values, "visit": visit, **page.values})
        return page_response(html, status=page.status)

    def _problem(
        self, call: Call, session: Session | None, status: int, error: HubError | ApiRefusal
    ) -> BrowserResponse:
        frame = _frame(session, call.path, _integration_in(call.path), "")
        html = self._renderer.page(
            "problem.html", {**frame, "status": status, "error": error, "request": call.request_id}
        )
        return page_response(html, status=status)


def _frame(session: Session | None, path: str, integration_id: str, section: str) -> dict[str, Any]:
    """What every page needs."""
    return {
        "session": session,
        "form_key": session.form_key if session else "",
        "repeat_key": secrets.token_hex(16),
        "path": path,
        "integration_id": integration_id,
        "section": section,
    }


def _is_fragment(call: Call) -> bool:
    return call.headers.get("hx-request") == "true"


def _integration_in(path: str) -> str:
    """The integration of a page, also where the page itself cannot be shown."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[2].startswith("int_") else ""  # noqa: PLR2004 - /console/int_…


def _whole_path(call: Call) -> str:
    raw = call.event.get("rawQueryString")
    return f"{call.path}?{raw}" if raw else call.path


def _page_of(call: Call) -> str:
    """The page that a form or a piece of a page belongs to."""
    integration_id = _integration_in(call.path)
    return f"/console/{integration_id}" if integration_id else "/console"
