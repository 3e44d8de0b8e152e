"""Every list comes in pages whose cursors belong to it alone."""

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import newcomer, token
from tests.end_to_end.hub_client import Hub

LISTS = {
    "accounts": "{one}/accounts",
    "groups": "{one}/groups",
    "projects": "{one}/projects",
    "grants": "{one}/grants",
    "pipelines": "{one}/pipelines",
    "repositories": "{one}/repositories",
    "integrations": "/v1/integrations",
    "tokens": "/v1/tokens",
}
EVERY_LIST = pytest.mark.parametrize("name", LISTS)


@pytest.fixture(scope="module", autouse=True)
def _several_of_everything(hub: Hub, gitlab: Running, one: str) -> None:
    for _ in range(3):
        assert hub.call("POST", "/v1/tokens", {"role": "viewer"}).status == 201
    hub.connect(gitlab.base, gitlab.tokens["owner-read"])


@EVERY_LIST
def test_pages_together_are_the_whole_list(hub: Hub, one: str, name: str) -> None:
    path = LISTS[name].format(one=one)
    whole = hub.rows(path)
    size = max(1, len(whole) // 3)
    pages = list(hub.pages(path, limit=size))
    assert len(pages) > 1
    assert max(map(len, pages)) <= size
    assert [row for page in pages for row in page] == whole


@EVERY_LIST
def test_a_cursor_is_good_for_its_list_alone(hub: Hub, one: str, name: str) -> None:
    path = LISTS[name].format(one=one)
    cursor = hub.get(path, limit=1)["next_cursor"]
    others = [LISTS["accounts" if name != "accounts" else "groups"].format(one=one)]
    others += [f"{path}?q=a"] if name in {"accounts", "groups", "projects", "repositories"} else []
    others += [f"{path}?status=failed", f"{path}?updated_after=0"] if name == "pipelines" else []
    others += [f"{path}?account_id=1"] if name == "grants" else []
    for other in others:
        address = f"{other}{'&' if '?' in other else '?'}cursor={cursor}"
        assert hub.call("GET", address).refusal == (400, "invalid_cursor"), other


@EVERY_LIST
def test_a_cursor_of_another_making_is_refused(hub: Hub, one: str, name: str) -> None:
    path = LISTS[name].format(one=one)
    cursor = hub.get(path, limit=1)["next_cursor"]
    first, last = ("A" if cursor[place] != "A" else "B" for place in (0, -3))
    for other in ("x", cursor[:-1], f"{cursor}x", f"{cursor[:-3]}{last}{cursor[-2:]}", f"{first}{cursor[1:]}"):
        assert hub.call("GET", f"{path}?cursor={other}").refusal == (400, "invalid_cursor"), other


@EVERY_LIST
@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", ""])
def test_a_limit_has_bounds(hub: Hub, one: str, name: str, limit: str) -> None:
    assert hub.call("GET", f"{LISTS[name].format(one=one)}?limit={limit}").refusal == (422, "invalid_input")


def test_a_cursor_of_another_integration_is_refused(hub: Hub, lively: Running, one: str) -> None:
    other = hub.connect(lively.base, token(lively, newcomer(lively)))
    for name in ("accounts", "groups", "projects", "grants", "pipelines", "repositories"):
        cursor = hub.get(LISTS[name].format(one=one), limit=1)["next_cursor"]
        path = f"{LISTS[name].format(one=other)}?limit=1&cursor={cursor}"
        assert hub.call("GET", path).refusal == (400, "invalid_cursor"), name


def test_lists_of_an_integration_that_was_never_synced_are_empty(hub: Hub, lively: Running) -> None:
    other = hub.connect(lively.base, token(lively, newcomer(lively)))
    for name in ("accounts", "groups", "projects", "grants", "pipelines"):
        assert hub.get(LISTS[name].format(one=other)) == {name: [], "next_cursor": None}
