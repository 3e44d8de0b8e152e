"""Names that people choose in GitLab: whatever they are, they are text on the page and nothing else."""

from functools import cache
from urllib.parse import urlencode

import pytest

from tests.functional.console.console_hub import ConsoleHub
from tests.functional.console.test_screens import addresses, check
from tests.functional.console.visitor import links

PAYLOADS = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title></textarea><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "javascript:alert(1)",
    "&lt;b&gt;&#x3c;b>",
    "\u202egnp.exe",
)
NAME = " ".join(PAYLOADS)
PARAMETERS = (
    "q", "days", "kind", "cursor", "username", "path", "done", "min_access_level", "to", "from", "ref", "name",
    "definition", "project_id", "dataset", "format",
)  # fmt: skip


def test_a_name_is_never_more_than_text() -> None:
    hub = ConsoleHub(NAME)
    visitor, seen = hub.signed_in(), 0
    for address in addresses(hub):
        shown = visitor.get(address)
        assert shown.status == 200, (address, shown.text)
        check(shown)
        assert all(str(one["src"]).startswith("/console/assets/") for one in shown.elements("script"))
        assert [one for one in shown.elements("img") if not str(one["src"]).startswith("/console/assets/")] == []
        assert [link for link in links(shown) if not link.startswith(("/console", "http", "#main"))] == []
        assert shown.elements("b") == []
        seen += NAME in shown.text
    assert seen > 5


@pytest.mark.parametrize(
    "page",
    [
        "",
        "/people",
        "/why",
        "/changes",
        "/plans",
        "/people/1",
        "/groups/10",
        "/pipelines",
        "/pipelines/list",
        "/jobs",
        "/exports",
        "/settings/audit",
        "/deliveries/replay",
    ],
)
def test_what_stands_in_the_address_is_never_more_than_text(page: str) -> None:
    hub = _hub()
    visitor = hub.signed_in()
    for parameter in PARAMETERS:
        shown = visitor.send("GET", f"{hub.base}{page}?{urlencode({parameter: NAME})}")
        assert shown.status < 500, parameter
        check(shown)
        assert all("src" in one for one in shown.elements("script"))


@cache
def _hub() -> ConsoleHub:
    return ConsoleHub()
