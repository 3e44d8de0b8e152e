"""The paths below /oauth."""

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.oauth.authorize import authorize
from stand_in_gitlab.oauth.client import authenticated
from stand_in_gitlab.oauth.errors import refusal
from stand_in_gitlab.oauth.openid import OpenId
from stand_in_gitlab.oauth.tokens import check_refresh_token, exchange, info, revoke
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.rest.ask import Answer, fields_of, reply
from stand_in_gitlab.rest.auth import token_text
from stand_in_gitlab.rest.refusals import Refusal, no_such_route

NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuth:
    """Answers calls below /oauth."""

    def __init__(self, company: Company, clock: Clock, openid: OpenId) -> None:
        self._company, self._clock, self._openid = company, clock, openid
        self._table = {
            ("GET", "authorize"): self._authorize,
            ("POST", "token"): self._token,
            ("POST", "revoke"): self._revoke,
            ("GET", "token/info"): self._info,
            ("GET", "discovery/keys"): lambda _: reply(openid.keys()),
            ("GET", "userinfo"): self._userinfo,
            ("POST", "userinfo"): self._userinfo,
        }

    def answer(self, call: Call) -> Answer:
        """The answer to a call; `call.segments` are those after /oauth."""
        try:
            handler = self._table.get((call.method, "/".join(call.segments)))
            if handler is None:
                raise no_such_route()
            return handler(call)
        except Refusal as refused:
            answer = reply(refused.body, refused.status)
            answer.headers.update(refused.headers)
            return answer

    def _authorize(self, call: Call) -> Answer:
        return authorize(self._company, call.params, self._clock.now())

    def _token(self, call: Call) -> Answer:
        sent = {**call.params, **fields_of(call.headers, call.body)}
        check_refresh_token(self._company, sent)
        application = authenticated(self._company, call.headers, sent)
        answer = reply(exchange(self._company, self._openid, application, sent, self._clock.now()))
        answer.headers.update(NOT_STORED)
        return answer

    def _revoke(self, call: Call) -> Answer:
        """A wrong application is refused like a foreign token (tokens_controller.rb, validate_presence_of_client)."""
        sent = {**call.params, **fields_of(call.headers, call.body)}
        try:
            application = authenticated(self._company, call.headers, sent)
        except Refusal:
            raise refusal("unauthorized_client") from None
        revoke(self._company, application, sent, self._clock.now())
        return reply({})

    def _userinfo(self, call: Call) -> Answer:
        token = self._company.tokens.get(token_text(call.headers, call.params) or "")
        return reply(self._openid.userinfo(token, self._clock.now()))

    def _info(self, call: Call) -> Answer:
        text = token_text(call.headers, call.params) or call.params.get("access_token")
        return reply(info(self._company, text, self._clock.now()))
