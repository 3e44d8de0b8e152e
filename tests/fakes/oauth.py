"""A GitLab that gives tokens and takes them away: what is single-use works once, a stolen rotation kills the family.

It stands on the scripted GitLab, so the real client talks to it. Every call that uses something up is counted, and may
lose its answer or never arrive.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.fakes.gitlab import CANARY, ScriptedGitLab, answer

CLIENT = "app-1"
CLIENT_SECRET = "gloas-canary-5Vb2Lq9XcT"  # pragma: allowlist secret
REDIRECT = "https://hub.example.com/v1/integrations/gitlab/callback"
LIFE = 7200


@dataclass
class Pair:
    """One row of GitLab's table of tokens."""

    access: str
    refresh: str
    user: int
    scopes: list[str]
    alive: bool = True


@dataclass
class Code:
    """One authorization that somebody gave."""

    challenge: str
    redirect_uri: str
    user: int
    scopes: list[str]
    pair: Pair | None = None


@dataclass
class Fault:
    """What happens to the n-th call of a path from now on: `lost` = done and not answered, else the error alone."""

    path: str
    error: Exception | httpx.Response
    lost: bool = False
    times: int = 1


@dataclass
class Pat:
    """One access token of a person."""

    token: str
    family: int
    alive: bool = True
    rotated: bool = False
    scopes: list[str] = field(default_factory=lambda: ["api"])
    created_at: str = "2025-01-01T00:00:00Z"
    expires_at: str | None = "2025-08-20"


class OAuthGitLab(ScriptedGitLab):
    """The stateful part: an application, codes, pairs, and access tokens that rotate themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.users = {}
        self.codes: dict[str, Code] = {}
        self.pairs: list[Pair] = []
        self.pats = {CANARY: Pat(token=CANARY, family=1)}
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.spent: list[dict[str, str]] = []
        self.client_secret: str | None = CLIENT_SECRET
        self.grants: list[str] | None = None
        self.registered = {"api", "read_api", "read_user"}
        self.on_call: Callable[[str], None] = lambda _path: None
        self.on_done: Callable[[str], None] = lambda _path: None
        self.slow: dict[str, float] = {}
        self._number = 0
        self._refresh_users()
        self.script |= {
            "/oauth/token": self._token,
            "/oauth/revoke": self._revoke,
            "/oauth/token/info": self._info,
            "/personal_access_tokens/self": self._pat,
            "/personal_access_tokens/self/rotate": self._rotate,
        }

    @property
    def refreshes(self) -> int:
        """How often a refresh was asked for."""
        return sum(form.get("grant_type") == "refresh_token" for form in self.spent)

    @property
    def trades(self) -> int:
        """How often a code was offered."""
        return sum(form.get("grant_type") == "authorization_code" for form in self.spent)

    @property
    def living(self) -> list[Pair]:
        """The pairs that still work."""
        return [pair for pair in self.pairs if pair.alive]

    def approve(self, authorize_url: str, *, user: int = 7) -> tuple[str, str]:
        """Say yes as a user; gives the code and the state that the browser brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == REDIRECT
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = f"code-canary-{self._next()}"
        # Doorkeeper's scope checker: by name, whatever includes what.
        assert set(query["scope"].split()) <= self.registered, "The requested scope is invalid, unknown, or malformed."
        scopes = query["scope"].split() if self.grants is None else self.grants
        self.codes[code] = Code(query["code_challenge"], query["redirect_uri"], user, scopes)
        return code, query["state"]

    def lose(self, path: str, *, times: int = 1) -> None:
        """Do what is asked and let nobody know."""
        self.faults.append(Fault(path, httpx.ReadTimeout("lost"), lost=True, times=times))

    def fail(self, path: str, error: Exception | httpx.Response, *, times: int = 1) -> None:
        """Do nothing and answer with a fault."""
        self.faults.append(Fault(path, error, times=times))

    def expire(self) -> None:
        """Let every access token end, as after two hours; refresh tokens go on."""
        self.users = {token: user for token, user in self.users.items() if token in self.pats}

    def secrets(self) -> list[str]:
        """Everything that may stand nowhere but in the secret."""
        pairs = [value for pair in self.pairs for value in (pair.access, pair.refresh)]
        verifiers = [form["code_verifier"] for form in self.spent if "code_verifier" in form]
        return [*pairs, *self.codes, *verifiers, CLIENT_SECRET, *self.pats]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v4")
        self.on_call(path)
        await asyncio.sleep(self.slow.get(path, 0))
        made = await self._answered(path, request)
        self.on_done(path)
        return made

    async def _answered(self, path: str, request: httpx.Request) -> httpx.Response:
        if path in ("/oauth/token", "/oauth/revoke"):
            self.requests.append(request)
            return self._faulty(path, request)
        if "authorization" not in request.headers:
            self.requests.append(request)
            return answer(401, {"message": "401 Unauthorized"})
        if any(fault.path == path for fault in self.faults) or path == "/oauth/token/info":
            self.requests.append(request)
            return self._faulty(path, request)
        return await super()._answer(request)

    def _faulty(self, path: str, request: httpx.Request) -> httpx.Response:
        step = self.script[path]
        fault = next((fault for fault in self.faults if fault.path == path), None)
        if fault is None:
            return step(request) if callable(step) else answer()
        fault.times -= 1
        if fault.times == 0:
            self.faults.remove(fault)
        if fault.lost and callable(step):
            step(request)
        elif path == "/oauth/token":
            self.spent.append(_form(request))
        if isinstance(fault.error, Exception):
            raise fault.error
        return fault.error

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = _form(request)
        self.spent.append(form)
        assert "authorization" not in request.headers
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        dead = {"error": "invalid_grant", "error_description": f"no {form.get('refresh_token')}"}
        # Doorkeeper looks at a refresh token before it looks at the application (refresh_token_request.rb).
        if form["grant_type"] == "refresh_token" and self._of(form["refresh_token"]) is None:
            return answer(400, dead)
        if form.get("client_id") != CLIENT or form.get("client_secret") != self.client_secret:
            return answer(401, {"error": "invalid_client", "error_description": "no"})
        pair = self._trade(form) if form["grant_type"] == "authorization_code" else self._renew(form)
        if pair is None:
            return answer(400, dead)
        return answer(200, {
            "access_token": pair.access, "refresh_token": pair.refresh, "token_type": "Bearer",
            "expires_in": LIFE, "scope": " ".join(pair.scopes), "created_at": 1_750_000_000,
        })  # fmt: skip

    def _trade(self, form: dict[str, str]) -> Pair | None:
        code = self.codes.get(form["code"])
        if code is None:
            return None
        if code.pair is not None:
            code.pair.alive = False
            self._refresh_users()
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
            return None
        if form["redirect_uri"] != code.redirect_uri:
            return None
        code.pair = self._issue(code.user, code.scopes)
        return code.pair

    def _renew(self, form: dict[str, str]) -> Pair | None:
        old = self._of(form["refresh_token"])
        if old is None:
            return None
        old.alive = False
        return self._issue(old.user, old.scopes)

    def _of(self, refresh_token: str) -> Pair | None:
        return next((pair for pair in self.pairs if pair.refresh == refresh_token and pair.alive), None)

    def _issue(self, user: int, scopes: list[str]) -> Pair:
        number = self._next()
        pair = Pair(f"access-canary-{number}", f"refresh-canary-{number}", user, scopes)
        self.pairs.append(pair)
        self._refresh_users()
        return pair

    def _revoke(self, request: httpx.Request) -> httpx.Response:
        """By either token, but an access token that has run out is not looked at; the answer is the same.

        The application is looked at first (doorkeeper, tokens_controller.rb, validate_presence_of_client).
        """
        form = _form(request)
        token = form["token"]
        if form.get("client_id") != CLIENT or form.get("client_secret") != self.client_secret:
            return answer(403, {"error": "unauthorized_client"})
        for pair in self.pairs:
            if token == pair.refresh or (token == pair.access and token in self.users):
                pair.alive = False
        self._refresh_users()
        return answer(200, {})

    def _info(self, request: httpx.Request) -> httpx.Response:
        token = _bearer(request)
        pair = next((pair for pair in self.pairs if pair.access == token and token in self.users), None)
        if pair is None:
            # Not a 401: to that route, a dead token is a request that makes no sense (token_info_controller.rb).
            return answer(400, {"error": "invalid_request"})
        return answer(200, {"resource_owner_id": pair.user, "scope": pair.scopes, "expires_in": 7000})

    def _pat(self, request: httpx.Request) -> httpx.Response:
        pat = self.pats.get(_bearer(request))
        if pat is None:
            return answer(404)
        if request.method == "DELETE":
            pat.alive = False
            self._refresh_users()
            return httpx.Response(204)
        facts = {"active": True, "revoked": False, "scopes": pat.scopes, "user_id": 7}
        return answer(200, facts | {"created_at": pat.created_at, "expires_at": pat.expires_at})

    def _rotate(self, request: httpx.Request) -> httpx.Response:
        self.calls.append("rotate")
        pat = self.pats[_bearer(request)]
        if pat.rotated:
            for one in self.pats.values():
                one.alive = one.alive and one.family != pat.family
            self._refresh_users()
            return answer(401, {"message": "401 Unauthorized"})
        pat.alive, pat.rotated = False, True
        token = f"glpat-canary-rotated-{self._next()}"
        expires_at = str(_json(request).get("expires_at"))
        self.pats[token] = Pat(token=token, family=pat.family, scopes=pat.scopes, expires_at=expires_at)
        self._refresh_users()
        return answer(201, {"id": 9, "token": token, "scopes": pat.scopes, "expires_at": expires_at, "active": True})

    def _refresh_users(self) -> None:
        pairs = {pair.access: pair.user for pair in self.pairs if pair.alive}
        self.users = {pat.token: 7 for pat in self.pats.values() if pat.alive} | pairs

    def _next(self) -> str:
        self._number += 1
        return f"{self._number:04d}-Rk7WmQ2z"


def _form(request: httpx.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def _json(request: httpx.Request) -> dict[str, Any]:
    made: dict[str, Any] = httpx.Response(200, content=request.content).json()
    return made


def _bearer(request: httpx.Request) -> str:
    return request.headers["authorization"].removeprefix("Bearer ")
