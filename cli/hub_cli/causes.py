"""Why no answer arrived, in words, and what to do about it. Pure."""

from collections.abc import Callable

import httpx

from hub_cli.problems import Unreachable


def unreachable(error: httpx.HTTPError) -> Unreachable:
    """Say in words why no answer arrived, and what to do."""
    host = error.request.url.host
    said, hint = next(
        (told for fits, told in _CAUSES if fits(error)),
        (f"The connection to {{host}} broke: {type(error).__name__}.", "Try again."),
    )
    return Unreachable(said.format(host=host), hint=hint)


def _is_about_names(error: httpx.HTTPError) -> bool:
    """Of a name that there is not; glibc, macOS and Windows each say so in words of their own."""
    words = ("Name or service", "name resolution", "nodename", "getaddrinfo", "No address associated")
    return isinstance(error, httpx.ConnectError) and any(one in str(error) for one in words)


_CAUSES: tuple[tuple[Callable[[httpx.HTTPError], bool], tuple[str, str]], ...] = (
    (
        lambda error: "CERTIFICATE" in str(error).upper(),
        (
            "The certificate of {host} cannot be trusted.",
            "Is the address right? SSL_CERT_FILE=/path/to/ca.pem names the certificate of a private authority.",
        ),
    ),
    (
        lambda error: isinstance(error, httpx.ConnectTimeout),
        ("{host} does not answer.", "Does it need a VPN, or a proxy (HTTPS_PROXY)?"),
    ),
    (
        lambda error: isinstance(error, httpx.TimeoutException),
        ("{host} did not answer in time.", "Try again; if it stays so, the hub's alarms say more."),
    ),
    (
        lambda error: isinstance(error, httpx.ProxyError),
        ("The proxy does not let through to {host}.", "See HTTPS_PROXY and NO_PROXY."),
    ),
    (_is_about_names, ("There is no host {host}.", "Is the address right? `hub login` stores another one.")),
    (
        lambda error: isinstance(error, httpx.ConnectError),
        ("Nothing answers at {host}.", "Is the hub running, and is the address right?"),
    ),
)
