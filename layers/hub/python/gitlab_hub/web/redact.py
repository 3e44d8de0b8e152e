"""Taking secrets out of every line before it is written."""

import logging
import re

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

REDACTED = "[redacted]"

# What GitLab, the hub and Standard Webhooks put in front of their tokens.
_PREFIXED = re.compile(
    r"(gl(?:pat|oas|rt|dt|cbt|ft|ptt|soat|imt|agent|ffct|wt|rtr)-|whsec_|ghub_)(?:[\w.~+/=-]|%2B|%2F|%3D)+",
    re.IGNORECASE,
)

# The start of a word; what was encoded for a URL may stand before it.
_START = r"(?:\b|(?<=%[0-9A-Fa-f]{2}))"

# `Authorization: Bearer …`, also with the blank encoded.
_SCHEME = re.compile(rf"{_START}(bearer|basic)((?:\s|\+|%20|\\u0020)+)[^\s\"'\\,;&]+", re.IGNORECASE)

# One blank of a name may be written as dash or underscore: header and field spell the same thing.
_NAMES = "|".join(
    name.replace("_", "[_-]")
    for name in (
        "access_token", "api_token", "authorization", "client_secret", "code_verifier", "job_token", "new_token",
        "owner_token", "password", "private_token", "refresh_token", "secret", "secret_token", "signing_token", "token",
        "x_gitlab_token",
    )
)  # fmt: skip

# A quote as it is, or escaped by JSON (any number of times), or encoded for a URL.
_QUOTE = r"(?:\\*[\"']|%22|%27)"
_BETWEEN = r"\s*(?:=|:|%3D|%3A)\s*(?:%20)*"
_QUOTED = re.compile(rf"({_NAMES})({_QUOTE}?{_BETWEEN})({_QUOTE})(.*?)\3", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(rf"({_NAMES}|{_START}code)((?:=|%3D))((?:(?!%26|%22)[^\s\"'&,;\\}}\])])+)", re.IGNORECASE)
_HEADER = re.compile(rf"({_NAMES})(:\s+)([^\s\"'\\,;\[{{]+)", re.IGNORECASE)
_CODE = re.compile(rf"{_START}(code)({_QUOTE}?{_BETWEEN}{_QUOTE})([0-9a-f]{{32,}})", re.IGNORECASE)


def redact(text: str) -> str:
    """Replace everything that is, or is named like, a secret."""
    text = _PREFIXED.sub(rf"\g<1>{REDACTED}", text)
    text = _SCHEME.sub(rf"\g<1>\g<2>{REDACTED}", text)
    text = _QUOTED.sub(rf"\g<1>\g<2>\g<3>{REDACTED}\g<3>", text)
    text = _BARE.sub(rf"\g<1>\g<2>{REDACTED}", text)
    text = _HEADER.sub(rf"\g<1>\g<2>{REDACTED}", text)
    return _CODE.sub(rf"\g<1>\g<2>{REDACTED}", text)


class RedactingFormatter(LambdaPowertoolsFormatter):
    """The structured log line of Powertools, redacted as a whole: message, extras and stack trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return redact(super().format(record))
