"""Who a client is, and whether it can prove it."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from stand_in_gitlab.company.application_model import Application
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.oauth.errors import refusal


def authenticated(company: Company, headers: Mapping[str, str], sent: Mapping[str, Any]) -> Application:
    """The application behind the id and secret, in HTTP Basic or in the body; invalid_client otherwise.

    Public applications have no secret to show.
    """
    client_id, secret = _basic(headers) or (str(sent.get("client_id", "")), str(sent.get("client_secret", "")))
    application = company.applications.get(client_id)
    if application is None:
        raise refusal("invalid_client")
    if not hmac.compare_digest(application.client_secret, secret) and (application.confidential or secret):
        raise refusal("invalid_client")
    return application


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise refusal("invalid_client") from None
    return unquote(name), unquote(secret)
