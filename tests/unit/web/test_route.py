from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel

from gitlab_hub.web.api import Seed
from gitlab_hub.web.auth import Caller
from gitlab_hub.web.principal import Role
from gitlab_hub.web.route import Directory, Route


class Body(BaseModel):
    n: int


def plain(caller: Caller, seed: Seed, name: Annotated[str, Path()], q: Annotated[str | None, Query()] = None) -> Body:
    return Body(n=1)


def with_body(body: Body) -> None: ...


def with_optional_body(body: Body | None = None) -> None: ...


def with_query_model(query: Annotated[Body, Query()]) -> None: ...


def route(path: str, method: str = "GET", handler: Any = plain) -> Route:
    return Route(method=method, path=path, handler=handler, role=Role.VIEWER)


@pytest.mark.parametrize(
    ("handler", "expected"), [(plain, False), (with_body, True), (with_optional_body, True), (with_query_model, False)]
)
def test_a_handler_shows_whether_it_takes_a_body(handler: Any, expected: bool) -> None:
    assert route("/x", handler=handler).takes_body is expected


def test_a_fixed_path_wins_over_a_parameter() -> None:
    fixed, free = route("/v1/integrations/gitlab"), route("/v1/integrations/<integration_id>")
    for order in ([fixed, free], [free, fixed]):
        directory = Directory(order)
        assert directory.find("GET", "/v1/integrations/gitlab") == (fixed, {})
        assert directory.find("GET", "/v1/integrations/i1") == (free, {"integration_id": "i1"})


def test_what_ends_in_a_suffix_wins_over_an_id_with_that_suffix() -> None:
    whole, table = route("/a/<b>/reviews/<c>"), route("/a/<b>/reviews/<c>.csv")
    for order in ([whole, table], [table, whole]):
        directory = Directory(order)
        assert directory.find("GET", "/a/x/reviews/r1.csv") == (table, {"b": "x", "c": "r1"})
        assert directory.find("GET", "/a/x/reviews/r1") == (whole, {"b": "x", "c": "r1"})
        assert directory.find("GET", "/a/x/reviews/r1xcsv") == (whole, {"b": "x", "c": "r1xcsv"})
        assert directory.find("GET", "/a/x/reviews/.csv") == (whole, {"b": "x", "c": ".csv"})
        assert [found.path for found in directory.ordered] == [table.path, whole.path]


def test_a_parameter_is_one_segment() -> None:
    directory = Directory([route("/a/<b>/c")])
    found = directory.find("GET", "/a/x%2Fy/c")
    assert found is not None
    assert found[1] == {"b": "x%2Fy"}
    for path in ("/a/x/y/c", "/a//c", "/a/x/c/", "/a/x/c\n", "a/x/c"):
        assert directory.find("GET", path) is None
        assert directory.methods(path) == []


def test_another_method_is_told_apart_from_another_path() -> None:
    directory = Directory([route("/a/<b>"), route("/a/<b>", "DELETE")])
    assert directory.find("POST", "/a/x") is None
    assert directory.methods("/a/x") == ["DELETE", "GET"]
