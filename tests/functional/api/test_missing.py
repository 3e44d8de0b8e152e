"""A 404 says what is missing and where to look, the same for what is unknown and for what is somebody else's."""

import re

import pytest

from gitlab_hub.web.missing import named, nothing_of
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


def test_every_id_in_a_path_names_a_kind_of_thing_and_a_list_of_the_api(hub: ApiHub) -> None:
    lists = {re.sub(r"<(\w+)>", r"{\1}", route.path) for route in hub.routes if route.method == "GET"}
    tried = 0
    for route in hub.routes:
        for name in named(route.path, ()):
            said = nothing_of([name])
            assert f"of this {name} " in said
            assert said.rpartition("See GET ")[2].rstrip(".") in lists
            tried += 1
    assert tried > 50


@pytest.mark.parametrize(("path", "given", "names"), [
    ("/v1/builds/<build_id>", ["integration_id"], ["build_id"]),
    ("/v1/integrations/<integration_id>/grants", ["account_id", "view"], ["account_id"]),
    ("/v1/integrations/<integration_id>/accounts", [], ["integration_id"]),
    ("/v1/deliveries", ["hook_id", "integration_id"], ["integration_id", "hook_id"]),
    ("/v1/tokens", [], []),
])  # fmt: skip
def test_what_can_be_missing(path: str, given: list[str], names: list[str]) -> None:
    assert named(path, given) == names


@pytest.mark.parametrize(("path", "query", "kind"), [
    ("/v1/integrations/int_none", {}, "integration"),
    ("/v1/integrations/int_none/accounts", {}, "integration"),
    ("/v1/triggers/trg_none_1", {}, "trigger"),
    ("/v1/builds/bld_none_1", {}, "build"),
    ("/v1/deliveries/del_none_1", {}, "delivery"),
    ("/v1/builds", {"integration_id": "int_none"}, "integration"),
])  # fmt: skip
def test_it_says_what_kind_of_thing(hub: ApiHub, path: str, query: dict[str, str], kind: str) -> None:
    status, body = hub("GET", path, query=query)
    assert (status, body["code"]) == (404, "not_found")
    assert body["error"].startswith(f"There is no {kind} of this {kind}_id that your token may see. See GET /v1/")


def test_unknown_and_foreign_read_the_same(hub: ApiHub) -> None:
    stranger = Principal("t-stranger", Role.OWNER, frozenset({"int_other"}))
    for name in ("integration_id", "trigger_id", "build_id", "delivery_id"):
        routes = [one for one in hub.routes if one.path.endswith(f"<{name}>") and one.method == "GET" and one.role]
        for route in routes:
            foreign = hub("GET", route.path.replace(f"<{name}>", hub.ids[name]), principal=stranger)
            unknown = hub("GET", route.path.replace(f"<{name}>", "xyz_none_9"))
            assert foreign == unknown
