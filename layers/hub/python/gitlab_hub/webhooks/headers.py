"""The headers of a delivery, as GitLab sent them: a proxy may have doubled some on their way; pure."""

from collections.abc import Mapping

SEPARATORS = (",", ", ")


def as_sent(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with every value once.

    A proxy that adds what is there already makes two headers of one, and the gateway joins them by a comma (API
    Gateway, "Working with AWS Lambda proxy integrations for HTTP APIs": duplicate headers are combined with commas).
    A signature over its own id and a token would then fit nothing, and GitLab would switch the hook off.
    """
    return {name: undoubled(value) for name, value in headers.items()}


def undoubled(value: str) -> str:
    """A value that stands there twice, once; any other one as it is."""
    for separator in SEPARATORS:
        half, odd = divmod(len(value) - len(separator), 2)
        if half > 0 and not odd and value == f"{value[:half]}{separator}{value[:half]}":
            return value[:half]
    return value
