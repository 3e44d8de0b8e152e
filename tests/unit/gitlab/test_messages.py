import pytest

from gitlab_hub.gitlab.messages import RawResponse, Request, merge_headers, query_of, segment


def test_headers_are_found_in_lower_case_and_repeated_ones_are_joined() -> None:
    raw = [(b"Link", b"<a>"), (b"LINK", b"<b>"), (b"X-Odd", b"\xff")]
    assert merge_headers(raw, without="glpat-x") == {"link": "<a>, <b>", "x-odd": "ÿ"}


def test_a_header_that_a_proxy_has_doubled_counts_once() -> None:
    raw = [
        (b"Content-Type", b"application/json"),
        (b"content-type", b"application/json"),
        (b"Link", b""),
        (b"Link", b""),
    ]
    assert merge_headers(raw, without="glpat-x") == {"content-type": "application/json", "link": ""}


def test_a_header_that_echoes_the_token_is_dropped() -> None:
    assert merge_headers([(b"X-Request-Id", b"glpat-x"), (b"Age", b"1")], without="glpat-x") == {"age": "1"}


def test_parameters_are_spelled_as_gitlab_reads_them() -> None:
    assert query_of({"a": True, "b": False, "c": 1, "d": "True"}) == (
        ("a", "true"),
        ("b", "false"),
        ("c", "1"),
        ("d", "True"),
    )
    assert query_of(None) == ()


def test_a_full_path_is_one_segment() -> None:
    assert segment("group/sub group") == "group%2Fsub%20group"
    assert segment(7) == "7"


@pytest.mark.parametrize(
    ("given", "kept"), [("01J-a.b:c_D", "01J-a.b:c_D"), ("a b", None), ("", None), ("x" * 129, None)]
)
def test_a_request_id_is_kept_only_if_it_is_sane(given: str, kept: str | None) -> None:
    assert RawResponse(status=200, headers={"x-request-id": given}, body=b"").request_id == kept


def test_bodies_and_headers_are_not_shown() -> None:
    answer = RawResponse(status=200, headers={"set-cookie": "canary"}, body=b"canary")
    request = Request(method="POST", url="https://gitlab.example", body=b"canary")
    assert "canary" not in f"{answer!r} {request!r}"
