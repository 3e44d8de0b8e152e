"""Registers OAuth applications, and hands out codes and tokens."""

from collections.abc import Sequence

from stand_in_gitlab.company.application_model import SCOPES, Application, Grant
from stand_in_gitlab.company.model import Token
from stand_in_gitlab.company.prng import token_hex
from stand_in_gitlab.company.state import Company

LIFETIME = 7200.0
CODE_LIFETIME = 600.0
REDIRECT_URI = "http://127.0.0.1:8787/v1/integrations/gitlab/callback"


def add_application(
    company: Company,
    name: str,
    redirect_uris: Sequence[str],
    *,
    scopes: Sequence[str] = SCOPES,
    client_id: str | None = None,
    client_secret: str | None = None,
    confidential: bool = True,
) -> Application:
    """Register an application, or another one in the place of that of the same name."""
    for known in [each.client_id for each in company.applications.values() if each.name == name]:
        del company.applications[known]
    made = Application(
        name=name,
        client_id=client_id or token_hex(company.seed, "client id", name, digits=64),
        client_secret=client_secret or f"gloas-{token_hex(company.seed, 'client secret', name, digits=64)}",
        redirect_uris=tuple(redirect_uris),
        scopes=tuple(scopes),
        confidential=confidential,
    )
    company.applications[made.client_id] = made
    return made


def new_grant(
    company: Company,
    application: Application,
    user_id: int,
    redirect_uri: str,
    scopes: tuple[str, ...],
    now: float,
    challenge: tuple[str | None, str | None],
    nonce: str | None = None,
) -> Grant:
    """A fresh code for a user who said yes."""
    grant = Grant(
        code=token_hex(company.seed, "oauth code", company.next_id("oauth code"), digits=64),
        client_id=application.client_id,
        user_id=user_id,
        redirect_uri=redirect_uri,
        scopes=scopes,
        created=now,
        challenge=challenge[0],
        method=challenge[1],
        nonce=nonce,
    )
    company.grants[grant.code] = grant
    return grant


def new_pair(company: Company, client_id: str, user_id: int, scopes: tuple[str, ...], now: float) -> Token:
    """An access token with its refresh token."""
    number = company.next_id("token")
    token = Token(
        id=number,
        value=token_hex(company.seed, "oauth access", number, digits=64),
        name="oauth",
        user_id=user_id,
        scopes=scopes,
        created=now,
        kind="oauth",
        family=number,
        ends=now + LIFETIME,
        refresh=token_hex(company.seed, "oauth refresh", number, digits=64),
        client_id=client_id,
    )
    company.tokens[token.value] = token
    company.refresh_tokens[token.refresh or ""] = token
    return token
