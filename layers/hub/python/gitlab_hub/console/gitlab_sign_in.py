"""Signing in with GitLab: OpenID Connect's authorization code flow with PKCE, bound to the browser that began it.

What belongs to a sign-in follows from one random secret, which only that browser's cookie holds: the state and the
nonce that GitLab gives back, and the PKCE verifier that it never sees before the code is exchanged. So nothing is
stored before somebody has signed in, and an answer without the cookie is nobody's.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gitlab_hub.console.forms import is_same, number, own_path
from gitlab_hub.console.hub_api import Ask, HubApi, Part
from gitlab_hub.console.people import Person, Rule, person_of, principal_of
from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import HostUnreachable
from gitlab_hub.gitlab.fields import mapping
from gitlab_hub.gitlab.oauth import TOKEN_PATH, Application, code_fields, grant_of
from gitlab_hub.web.call import Call
from gitlab_hub.web.cookies import sent_cookies
from gitlab_hub.web.errors import PermissionDenied
from gitlab_hub.web.principal import Principal

if TYPE_CHECKING:
    # Whoever signs in with a token must not pay for loading an HTTP client.
    from gitlab_hub.gitlab.client import GitLab

BEGIN, FINISH = "/console/sign-in/gitlab", "/console/sign-in/gitlab/callback"
COOKIE = "__Host-hub-gitlab"
LIFE_SECONDS = 600
PATIENCE_SECONDS = 15.0
"""How long GitLab may take, all together: a function has 29 seconds, and looks for integrations afterwards."""
SCOPE = "openid"
_DISCOVERY, _USERINFO = "/.well-known/openid-configuration", "/oauth/userinfo"
_LONGEST, _MOST_SECONDS = 1_000, 10**12
_SKEW_SECONDS = 60
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The GitLab that people sign in with. `issuer`: its external URL; `rules`: who gets which role."""

    issuer: str
    client_id: str
    rules: tuple[Rule, ...]

    def principal_of(self, person: Person) -> Principal | None:
        """What somebody may do here and now; None where no rule is about them."""
        return principal_of(person, self.rules, self.issuer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sign-in under way, as the browser's cookie has it. `began_at`: unix seconds; `to`: where it leads."""

    secret: str = field(repr=False)
    began_at: int
    to: str

    @property
    def state(self) -> str:
        """What GitLab gives back with its answer (RFC 6749, 10.12)."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What GitLab writes into the ID token (OpenID Connect Core, 3.1.2.1)."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The PKCE verifier, 43 characters (RFC 7636, 4.1)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """Its S256 challenge (RFC 7636, 4.2)."""
        return _encoded(hashlib.sha256(self.verifier.encode()).digest())

    def to_cookie(self) -> str:
        """Spell it for the cookie."""
        return f"{self.secret}.{self.began_at}.{_encoded(self.to.encode())}"

    @classmethod
    def from_cookie(cls, text: str) -> "Attempt | None":
        """Read a cookie; None for what `to_cookie` has not spelled."""
        parts = text.split(".")
        if len(parts) != 3 or not parts[0]:  # noqa: PLR2004 - the three above
            return None
        began_at = number(parts[1], most=_MOST_SECONDS)
        try:
            to = base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4)).decode()
        except ValueError:
            return None
        return None if began_at is None else cls(secret=parts[0], began_at=began_at, to=own_path(to))

    def _derived(self, purpose: str) -> str:
        return _encoded(hashlib.sha256(f"gitlab-hub sign-in {purpose}\n{self.secret}".encode()).digest())


class GitLabSignIn:
    """Sends people to GitLab, and finds out who comes back."""

    def __init__(
        self,
        provider: Provider,
        *,
        open_gitlab: Callable[[str], "GitLab"],
        client_secret: Callable[[], str | None],
        verified_claims: Callable[..., Mapping[str, Any]],
        base_url: Callable[[Mapping[str, Any]], str],
        now: Callable[[], float],
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        """`open_gitlab`: a client for the provider with an access token; `base_url`: of the hub, by an event.

        `verified_claims`: that of `id_tokens`, whose cryptography is loaded when somebody comes back from GitLab.
        """
        self.provider = provider
        self._open, self._client_secret, self._base_url = open_gitlab, client_secret, base_url
        self._verified_claims, self._now, self._new_secret = verified_claims, now, new_secret

    def begin(self, call: Call, to: str) -> tuple[str, str]:
        """Begin a sign-in that leads to a path of the console: where the browser goes, and what its cookie holds."""
        # A cookie has 4 KB; an address of the console that would fill it is not worth the sign-in.
        to = to if len(to) <= _LONGEST else own_path(None)
        attempt = Attempt(secret=self._new_secret(), began_at=int(self._now()), to=to)
        query = {
            "client_id": self.provider.client_id,
            "redirect_uri": self._redirect_uri(call),
            "response_type": "code",
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.provider.issuer}/oauth/authorize?{urlencode(query)}", attempt.to_cookie()

    def finish(self, call: Call) -> tuple[Person, str]:
        """Find out who has signed in, and where they wanted to go.

        Raises PermissionDenied where the answer is not this browser's or not GitLab's, and GitLabError where GitLab
        cannot be asked.
        """
        answer = {name: values[-1] for name, values in call.query().items()}
        attempt = self._attempt(call, answer.get("state", ""))
        # Who names himself in an answer has to be the one that was asked (RFC 9207, 2.4).
        if answer.get("iss", self.provider.issuer) != self.provider.issuer:
            raise PermissionDenied("Another GitLab has answered than the one that was asked. Sign in again.")
        code = answer.get("code", "")
        if "error" in answer or not 0 < len(code) <= _LONGEST:
            raise PermissionDenied("GitLab let nobody in: you or GitLab said no. Sign in again, or paste a hub token.")
        person = asyncio.run(self._person_in_time(attempt, code, self._redirect_uri(call)))
        return person, attempt.to

    def _attempt(self, call: Call, state: str) -> Attempt:
        known = [value for name, value in sent_cookies(call.event) if name == COOKIE]
        attempt = Attempt.from_cookie(known[0]) if len(known) == 1 else None
        if (
            attempt is None
            or not is_same(state, attempt.state)
            or not -_SKEW_SECONDS <= self._now() - attempt.began_at <= LIFE_SECONDS
        ):
            raise PermissionDenied(
                "This sign-in was begun in another browser, is finished already, or took longer than ten minutes. "
                "Sign in again."
            )
        return attempt

    async def _person_in_time(self, attempt: Attempt, code: str, redirect_uri: str) -> Person:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._person(attempt, code, redirect_uri)
        except TimeoutError:
            raise HostUnreachable("GitLab took too long to say who you are. Sign in again.") from None

    async def _person(self, attempt: Attempt, code: str, redirect_uri: str) -> Person:
        provider = self.provider
        async with self._open("") as gitlab:
            document = mapping((await gitlab.get(_DISCOVERY, outside_api=True, anonymous=True)).body)
            keys_path = path_of_keys(document, provider.issuer)
            application = Application(client_id=provider.client_id, client_secret=self._client_secret())
            fields = code_fields(application, code=code, verifier=attempt.verifier, redirect_uri=redirect_uri)
            reply = await gitlab.form(TOKEN_PATH, fields)
            access_token, id_token = grant_of(reply).access_token, mapping(reply.body).get("id_token")
            keys = mapping((await gitlab.get(keys_path, outside_api=True, anonymous=True)).body)
        claims = self._verified_claims(
            id_token if isinstance(id_token, str) else "", keys,
            issuer=provider.issuer, client_id=provider.client_id, nonce=attempt.nonce, now=self._now(),
        )  # fmt: skip
        async with self._open(access_token) as gitlab:
            told = mapping((await gitlab.get(_USERINFO, outside_api=True)).body)
        person = person_of(claims, told, provider.rules, provider.issuer)
        if person is None:
            raise PermissionDenied("GitLab's userinfo is about somebody else than its ID token. Sign in again.")
        return person

    def _redirect_uri(self, call: Call) -> str:
        return f"{self._base_url(call.event)}{FINISH}"


def integrations_at(api: HubApi, issuer: str) -> Iterator[str]:
    """The integrations of a GitLab, of those that the caller sees. Raises ApiRefusal."""
    at, cursor = Address.parse(issuer, allow_http=True), None
    while True:
        page = api.call(Ask(part=Part.INTEGRATIONS, path="/v1/integrations", query={"limit": _PAGE, "cursor": cursor}))
        yield from (one["id"] for one in page["integrations"] if Address.parse(one["host_url"], allow_http=True) == at)
        cursor = page["next_cursor"]
        if cursor is None:
            return


def path_of_keys(document: Mapping[str, Any], issuer: str) -> str:
    """Where a provider's discovery document says that its keys are, as a path of it. Raises PermissionDenied.

    Its issuer has to be the one that was asked (OpenID Connect Discovery, 4.3), and its keys lie with it: a GitLab
    names its own addresses only (doorkeeper-openid_connect, discovery_controller.rb).
    """
    keys = document.get("jwks_uri")
    if document.get("issuer") != issuer or not isinstance(keys, str) or not keys.startswith(f"{issuer}/"):
        raise PermissionDenied(
            "GitLab calls itself by another address than ConsoleGitLabUrl: give the external URL that it has."
        )
    path = keys.removeprefix(issuer)
    try:
        Address.parse(issuer, allow_http=True).url(path)
    except ValueError:
        raise PermissionDenied("GitLab's discovery document names no usable address of its keys.") from None
    return path


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
