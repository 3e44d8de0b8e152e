from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.link_header import following, next_cursor, with_smaller_pages
from gitlab_hub.gitlab.messages import RawResponse, Request

URL = "https://gitlab.example/gitlab/api/v4/projects"
REQUEST = Request(method="GET", url=URL, query=(("membership", "true"), ("per_page", "100")))


def answer(**headers: str) -> RawResponse:
    return RawResponse(
        status=200, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=b"[]"
    )


@pytest.mark.parametrize(
    "link",
    [
        f'<{URL}?page=2&per_page=100>; rel="next"',
        f'<{URL}?page=9>; rel="last", <{URL}?page=2&per_page=100>; rel="next"',
        f"<{URL}?page=2&per_page=100>;rel=next",
        f'<{URL}?page=2&per_page=100>; title="a, b"; REL="prefetch next"',
        '<https://GITLAB.example:443/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '</gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<?page=2&per_page=100>; rel="next"',
        '<https://elsewhere.example/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<http://gitlab.example:443/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<https://gitlab.example:8443/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<https://gitlab.example/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<http://10.0.0.7/internal/projects?page=2&per_page=100#rows>; rel="next"',
        '<https://user@gitlab.example/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<//elsewhere.example/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
        '<https://[::1/projects?page=2&per_page=100>; rel="next"',
        '<https://gitlab.example:x/gitlab/api/v4/projects?page=2&per_page=100>; rel="next"',
    ],
)  # fmt: skip
def test_the_next_page_is_the_query_of_the_link(link: str) -> None:
    assert next_cursor(answer(link=link), REQUEST) == "page=2&per_page=100"


@pytest.mark.parametrize(
    "link", [f'<{URL}>; rel="next"', f'<{URL}?>; rel="next"', f'<{URL}?x={"y" * 5000}>; rel="next"']
)
def test_a_link_that_leads_nowhere_is_an_error_and_not_the_end(link: str) -> None:
    with pytest.raises(UnexpectedResponse):
        next_cursor(answer(link=f'{link}; rel="next"'), REQUEST)


@pytest.mark.parametrize(
    "headers",
    [{}, {"link": f'<{URL}?page=1>; rel="first"'}, {"link": f'<{URL}?page=1>; rel="nextish"'}, {"link": "garbage"},
     {"x_next_page": ""}, {"x_next_page": "two"}, {"link": f'<{URL}?page=1>; rel="prev"; title="next"'}],
)  # fmt: skip
def test_without_a_next_page_the_list_ends(headers: dict[str, str]) -> None:
    assert next_cursor(answer(**headers), REQUEST) is None


def test_a_page_number_stands_in_for_a_missing_or_useless_link() -> None:
    expected = "membership=true&per_page=100&page=2"
    assert next_cursor(answer(x_next_page="2"), REQUEST) == expected
    assert next_cursor(answer(link=f'<{URL}>; rel="next"', x_next_page="2"), REQUEST) == expected


def test_a_numbered_page_is_no_keyset_page() -> None:
    base = (("pagination", "keyset"), ("per_page", "100"))
    assert following(base, "page=2&pagination=keyset") == (("per_page", "100"), ("page", "2"))
    assert following(base, "id_after=7") == (*base, ("id_after", "7"))


@pytest.mark.parametrize("place", ["id_after=7", "id_before=7", "cursor=eyJpZCI6IjcifQ", "page_token=abc"])
def test_a_place_behind_a_keyset_is_no_numbered_page_though_gitlab_names_page_one(place: str) -> None:
    base = (("pagination", "keyset"), ("per_page", "100"))
    name, _, value = place.partition("=")
    link = f"{place}&order_by=id&page=1&pagination=keyset&per_page=100"
    assert dict(following(base, link)) == {**dict(base), name: value, "order_by": "id"}
    numbered = {"per_page": "100", name: value, "order_by": "id", "page": "2"}
    assert dict(following(base, f"{place}&order_by=id&page=2&per_page=100")) == numbered


def test_a_filter_stays_as_exact_as_it_was_asked_for() -> None:
    base = (("updated_after", "2026-11-30T04:00:00.500Z"), ("sort", "asc"), ("per_page", "100"))
    link = "id=7&page=2&per_page=100&sort=asc&updated_after=2026-11-30T04%3A00%3A00%2B00%3A00"
    assert dict(following(base, link)) == {**dict(base), "id": "7", "page": "2"}


def test_a_filter_that_gitlab_has_split_is_not_asked_for_twice() -> None:
    base = (("per_page", "20"), ("status", "client_failure"))
    link = "hook_id=1&id=5&page=2&per_page=20&status%5B%5D=client_failure"
    assert dict(following(base, link)) == {**dict(base), "hook_id": "1", "id": "5", "page": "2"}


def test_a_filter_that_the_link_forgot_stays() -> None:
    base = (("membership", "true"), ("per_page", "100"), ("page", "1"))
    assert following(base, "page=2&scope%5B%5D=a&scope%5B%5D=b") == (
        ("membership", "true"), ("per_page", "100"), ("page", "2"), ("scope[]", "a"), ("scope[]", "b"),
    )  # fmt: skip


def test_a_cursor_with_absurdly_many_fields_is_refused() -> None:
    with pytest.raises(UnexpectedResponse):
        following((), "&".join(f"a{number}=1" for number in range(200)))


@given(st.text(max_size=200))
def test_no_link_breaks_the_reader(link: str) -> None:
    try:
        cursor = next_cursor(answer(link=link), REQUEST)
    except UnexpectedResponse:
        return
    assert cursor is None or len(cursor) <= 4096


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"per_page": "100"}, {"per_page": "50"}),
        ({"per_page": "100", "page": "4"}, {"per_page": "50", "page": "7"}),
        ({"per_page": "30", "page": "3"}, {"per_page": "20", "page": "4"}),
        ({"per_page": "20", "page": "3"}, {"per_page": "20", "page": "3"}),
        ({"per_page": "100", "page": "x"}, {"per_page": "100", "page": "x"}),
        ({"a": "b"}, {"a": "b"}),
    ],
)
def test_pages_get_smaller(query: dict[str, str], expected: dict[str, str]) -> None:
    assert dict(with_smaller_pages(tuple(query.items()))) == expected


@given(st.integers(21, 100), st.integers(1, 1000))
def test_smaller_pages_skip_no_row(size: int, page: int) -> None:
    smaller = dict(with_smaller_pages((("page", str(page)), ("per_page", str(size)))))
    first = (int(smaller["page"]) - 1) * int(smaller["per_page"])
    assert first <= (page - 1) * size < first + int(smaller["per_page"])


def test_queries_survive_being_written_and_read() -> None:
    request = Request(method="GET", url=URL, query=(("q", "a&b=c d/ü"), ("flag", "true")))
    assert tuple(parse_qsl(request.target.partition("?")[2])) == request.query
