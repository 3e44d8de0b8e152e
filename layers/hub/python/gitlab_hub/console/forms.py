"""Forms: what they carry, and whether a page of the hub's own has sent them."""

import hmac
import json
import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qs, urlsplit

from gitlab_hub.web.call import Call
from gitlab_hub.web.errors import PermissionDenied, Unprocessable

FORM_KEY = "form_key"
"""The field that proves that the page was made for this browser."""
REPEAT_KEY = "repeat_key"
"""The field that makes a form take effect once, however often it is sent."""

_HOME = "/console"
_PATH = re.compile(r"/console(/[A-Za-z0-9_][A-Za-z0-9_.~-]*)*(\?[A-Za-z0-9_.~&=%+@:-]*)?")
_MOST_FIELDS = 500
_MOST_DIGITS = 18


def fields_of(call: Call) -> dict[str, str]:
    """The fields of a form; of a repeated one the last.

    Raises InvalidJson, PayloadTooLarge or Unprocessable for what no page of the console sends.
    """
    try:
        found = parse_qs(call.body(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Unprocessable(f"A form has at most {_MOST_FIELDS} fields.") from None
    return {name: values[-1].strip() for name, values in found.items()}


def check_origin(call: Call) -> None:
    """Refuse what another site has sent. Raises PermissionDenied.

    Browsers say where a request comes from (W3C, Fetch Metadata: `Sec-Fetch-Site`), and no script can change that. One
    that does not say so names the origin of every POST (Fetch, 3.2).
    """
    site = call.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        origin = call.headers.get("origin")
        is_own = origin is None or urlsplit(origin).netloc == call.headers.get("host")
    if not is_own:
        raise PermissionDenied("Another site has sent this form; open the console and do it there.")


def is_same(given: str, wanted: str) -> bool:
    """Compare two keys; nothing is no key."""
    return bool(wanted) and hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())


def own_path(given: str | None) -> str:
    """A path of the console to go to, as somebody asked for it; anything else is its first page."""
    return given if given and _PATH.fullmatch(given) else _HOME


def number(text: str, *, most: int) -> int | None:
    """Read a whole number from 0 to `most` in plain digits; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return None
    return int(text) if int(text) <= most else None


def choice(fields: Mapping[str, str], name: str, choices: Collection[str]) -> str:
    """Read which of several things is to be done. Raises Unprocessable for none of them: nothing is done by mistake."""
    chosen = fields.get(name, "")
    if chosen not in choices:
        raise Unprocessable(f"The form does not say what to do: {', '.join(choices)}. Load the page again.")
    return chosen


def as_json(value: object) -> str:
    """Spell a value for a hidden field."""
    return json.dumps(value, separators=(",", ":"))


def json_field(fields: Mapping[str, str], name: str) -> object:
    """Read a hidden field that `as_json` has spelled; None for anything else."""
    try:
        return json.loads(fields.get(name, ""))
    except (ValueError, RecursionError):
        return None
