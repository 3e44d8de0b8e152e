"""The routes by which an OAuth application is authorized: one for callers of the hub, two for browsers."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, Field, SecretStr

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.integrations.errors import AuthorizationDenied
from gitlab_hub.integrations.oauth import cookies
from gitlab_hub.integrations.oauth.cookies import failure_page, redirect_to, success_page
from gitlab_hub.integrations.oauth.keys import digest
from gitlab_hub.integrations.oauth.pending import CallbackContext, PendingAuthorization, unknown_state
from gitlab_hub.integrations.oauth.return_urls import ReturnUrls, returned
from gitlab_hub.integrations.oauth.service import OAuthFlow
from gitlab_hub.integrations.requests import FeaturesBody, chosen
from gitlab_hub.integrations.views import IntegrationView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.call import Call
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.responses import HttpResponse
from gitlab_hub.web.validation import RequestBody

AUTHORIZE = "/v1/integrations/gitlab/authorize"
CONNECT = "/v1/integrations/gitlab/connect"
CALLBACK = "/v1/integrations/gitlab/callback"

_LONGEST = 2048

Text = Annotated[str, Field(min_length=1, max_length=_LONGEST)]
Hidden = Annotated[SecretStr, Field(min_length=1, max_length=_LONGEST)]
Ticket = Annotated[str, Path()]
Given = Annotated[str | None, Query(max_length=_LONGEST)]


class AuthorizeBody(RequestBody):
    """Begin an authorization, or finish one with what GitLab gave (`code` and `state` together).

    `redirect_url` is one that the deployment allows, or a page of the hub's console, whose path is enough.
    `features` given to begin with are switched on or off at the end, and GitLab is asked for the scopes they need.
    """

    integration_id: Annotated[str, Field(min_length=1, max_length=100)]
    redirect_url: Text | None = None
    features: FeaturesBody | None = None
    code: Hidden | None = None
    state: Hidden | None = None


class AuthorizationStartedAnswer(BaseModel):
    """Where to authorize. `connect_url` binds the browser that opens it, and is good for one opening."""

    authorize_url: str
    connect_url: str
    state_expires_at: int


class AuthorizedAnswer(BaseModel):
    """The integration that works from now on."""

    integration: IntegrationView


class OAuthRoutes:
    """Authorizing OAuth applications. `base_url` is the hub's own address, from its configuration."""

    def __init__(
        self,
        flow: OAuthFlow,
        *,
        exists: Callable[[str], bool],
        base_url: Callable[[], str],
        return_urls: ReturnUrls,
        now: Callable[[], float],
    ) -> None:
        self._flow, self._exists, self._base_url = flow, exists, base_url
        self._return_urls, self._now = return_urls, now

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            # The answer has the state in it, so it is never kept; a repeated call derives it again.
            Route(method="POST", path=AUTHORIZE, handler=self.authorize, role=Role.ADMIN, secret_answer=True,
                  summary="Begin or finish the authorization of an OAuth application"),
            Route(method="GET", path=f"{CONNECT}/<ticket>", handler=self.connect, role=None, raw=self._connect,
                  is_page=True, status=HTTPStatus.FOUND, operation="open_connect_link",
                  summary="Go to GitLab in a browser that is bound to it"),
            Route(method="GET", path=CALLBACK, handler=self.callback, role=None, raw=self._callback,
                  is_page=True, status=HTTPStatus.SEE_OTHER, operation="finish_authorization",
                  summary="Come back from GitLab"),
        ]  # fmt: skip

    def authorize(
        self, body: AuthorizeBody, caller: Caller, seed: Seed
    ) -> AuthorizationStartedAnswer | AuthorizedAnswer:
        """Begin an authorization, or finish it with the code and the state that GitLab gave."""
        if not (caller.can_see(body.integration_id) and self._exists(body.integration_id)):
            raise NotFound("There is no such integration.")
        if body.code is None and body.state is None:
            return self._begin(body, caller, seed)
        if body.code is None or body.state is None or body.redirect_url is not None or body.features is not None:
            raise Unprocessable(
                "To begin, give integration_id, and redirect_url and features if wanted; to finish, code and state."
            )
        state, code = body.state.get_secret_value(), body.code.get_secret_value()
        finished = self._flow.finished(body.integration_id, state=state, seed=seed)
        if finished is None:
            context = CallbackContext(token_id=caller.token_id, integration_id=body.integration_id)
            finished = self._flow.finish(self._flow.consume_state(state, context), code=code, state=state)
            self._flow.note_finished(body.integration_id, state=state, seed=seed)
        return AuthorizedAnswer(integration=IntegrationView.of(finished, now=int(self._now())))

    def connect(self, ticket: Ticket) -> Response[str]:
        """Bind the browser and send it to GitLab."""
        raise NotImplementedError(ticket)

    def callback(
        self, state: Given = None, code: Given = None, error: Given = None, iss: Given = None
    ) -> Response[str]:
        """Finish the authorization and send the browser back to where it came from."""
        raise NotImplementedError(state, code, error, iss)

    def _begin(self, body: AuthorizeBody, caller: Caller, seed: str) -> AuthorizationStartedAnswer:
        started = self._flow.begin(
            body.integration_id,
            redirect_uri=self._base_url() + CALLBACK,
            redirect_url=self._return_urls.checked(body.redirect_url, hub=self._base_url()),
            features=chosen(body.features),
            caller=caller,
            seed=seed,
        )
        connect_url = f"{self._base_url()}{CONNECT}/{started.ticket}"
        return AuthorizationStartedAnswer(
            authorize_url=started.authorize_url, connect_url=connect_url, state_expires_at=started.ends_at
        )

    def _connect(self, call: Call) -> HttpResponse:
        try:
            opened = self._flow.open(call.path.rpartition("/")[2])
        except HubError as error:
            return failure_page(error)
        others = cookies.read_cookies(call.event, self._base_url())
        bound = cookies.new_cookies((opened.browser, *others), self._base_url())
        return redirect_to(HTTPStatus.FOUND, opened.authorize_url, bound)

    def _callback(self, call: Call) -> HttpResponse:
        base_url, query = self._base_url(), _query(call.event)
        context = CallbackContext(cookies=cookies.read_cookies(call.event, base_url), issuer=query.get("iss"))
        try:
            state = query.get("state")
            if not state:
                raise unknown_state()
            pending = self._flow.consume_state(state, context)
        except HubError as error:
            # Nobody knows whose authorization this is, so nobody is sent anywhere.
            return failure_page(error)
        failed = self._finished(pending, query, state)
        left = cookies.new_cookies([one for one in context.cookies if digest(one) != pending.browser], base_url)
        if pending.redirect_url is None:
            return success_page(left) if failed is None else failure_page(failed, left)
        url = returned(pending.redirect_url, pending.integration_id, failed)
        return redirect_to(HTTPStatus.SEE_OTHER, url, left)

    def _finished(self, pending: PendingAuthorization, query: Mapping[str, str], state: str) -> HubError | None:
        """Finish what GitLab has sent back; what went wrong, if anything."""
        code = query.get("code")
        if "error" in query or not code:
            return AuthorizationDenied(
                "GitLab did not authorize this: somebody said no, or the application has other settings there."
            )
        try:
            self._flow.finish(pending, code=code, state=state)
        except HubError as error:
            return error
        return None


def _query(event: Mapping[str, Any]) -> dict[str, str]:
    """The parameters as the gateway gives them; a repeated one is joined by commas, and so is no state of ours."""
    return {str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()}
