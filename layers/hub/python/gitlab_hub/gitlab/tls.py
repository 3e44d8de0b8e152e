"""The TLS context: certificates are always verified."""

import ssl
from functools import lru_cache

import certifi

from gitlab_hub.gitlab.errors import TlsError

_PEM = "-----BEGIN"


@lru_cache(maxsize=8)
def context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """Build a context that trusts the public authorities and those of `ca_bundle` (a file's path, or PEM text).

    Building one takes a tenth of a second, so it happens on first use, once per bundle.
    """
    trust = ssl.create_default_context(cafile=certifi.where())
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_bundle is not None:
        _add(trust, ca_bundle)
    return trust


def _add(trust: ssl.SSLContext, ca_bundle: str) -> None:
    is_text = ca_bundle.lstrip().startswith(_PEM)
    try:
        trust.load_verify_locations(cadata=ca_bundle) if is_text else trust.load_verify_locations(cafile=ca_bundle)
    except (OSError, ValueError):
        raise TlsError("The CA bundle this installation is configured with is not a readable PEM file.") from None
