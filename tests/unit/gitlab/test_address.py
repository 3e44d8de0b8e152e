import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import InvalidUrl


@pytest.mark.parametrize(
    ("url", "base_url", "host", "port"),
    [
        ("https://gitlab.com", "https://gitlab.com", "gitlab.com", 443),
        ("https://gitlab.com/", "https://gitlab.com", "gitlab.com", 443),
        ("HTTPS://GitLab.Example.COM:443/", "https://gitlab.example.com", "gitlab.example.com", 443),
        ("https://gitlab.example.com:8443", "https://gitlab.example.com:8443", "gitlab.example.com", 8443),
        ("https://example.com/gitlab", "https://example.com/gitlab", "example.com", 443),
        ("https://example.com/a/b-c_d.e~f//", "https://example.com/a/b-c_d.e~f", "example.com", 443),
        ("https://example.com/gitlab/api/v4/", "https://example.com/gitlab", "example.com", 443),
        ("https://gitlab.com/api/v4", "https://gitlab.com", "gitlab.com", 443),
        ("http://gitlab", "http://gitlab", "gitlab", 80),
        ("http://127.0.0.1:8929", "http://127.0.0.1:8929", "127.0.0.1", 8929),
        ("https://[2606:4700:0:0::1]:8443/x", "https://[2606:4700::1]:8443/x", "2606:4700::1", 8443),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example", 443),
    ],
)
def test_a_base_url_is_read_into_one_normal_form(url: str, base_url: str, host: str, port: int) -> None:
    address = Address.parse(url, allow_http=True)
    assert (address.base_url, address.host, address.port) == (base_url, host, port)
    assert Address.parse(address.base_url, allow_http=True) == address


def test_plain_http_needs_the_deployers_word() -> None:
    with pytest.raises(InvalidUrl):
        Address.parse("http://gitlab.example.com", allow_http=False)


def test_api_paths_stand_under_the_relative_url() -> None:
    address = Address.parse("https://example.com/gitlab", allow_http=False)
    assert address.origin == "https://example.com"
    assert address.api("/user") == "https://example.com/gitlab/api/v4/user"
    assert address.api("/groups/a%2Fb") == "https://example.com/gitlab/api/v4/groups/a%2Fb"
    assert address.url("/oauth/token/info") == "https://example.com/gitlab/oauth/token/info"


@pytest.mark.parametrize(
    "path",
    ["user", "//evil.example/x/../y", "/../x", "/a/..", "/a/./b", "/a/%2e%2e/b", "/a%2f..%2fb", "/a?b=c", "/a#b",
     "/a b", "/a\\b", "/a\r\nHost: x", "/ü", ""],
)  # fmt: skip
def test_a_path_cannot_leave_its_place(path: str) -> None:
    with pytest.raises(ValueError, match="A path"):
        Address.parse("https://example.com", allow_http=False).api(path)


@given(st.text(max_size=80) | st.from_regex(r"https?://[!-~]{0,40}", fullmatch=True))
def test_anything_is_either_read_or_refused(url: str) -> None:
    try:
        address = Address.parse(url, allow_http=True)
    except InvalidUrl:
        return
    assert Address.parse(address.base_url, allow_http=True) == address
    assert set(address.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-:")


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://bücher.example", "xn--"),
        ("https://gitlab.com ", "without spaces"),
        ("https://me@gitlab.com", "no user name"),
        ("https://gitlab.com?x", "no query"),
        ("gitlab.com", "Write https://gitlab.com."),
        ("GitLab.example.com:8443/sub/", "Write https://gitlab.example.com:8443/sub."),
        ("gitlab.example.com/api/v4", "Write https://gitlab.example.com."),
        ("//gitlab.com", "starts with https://.$"),
        ("ftp://gitlab.com", "https://"),
        ("https://gitlab.com:70000", "65535"),
        ("https://2130706433", "four plain decimal numbers"),
        ("https://gitlab.com.", "trailing dot"),
    ],
)
def test_a_refusal_says_what_to_write_instead(url: str, hint: str) -> None:
    with pytest.raises(InvalidUrl, match=hint):
        Address.parse(url, allow_http=True)


@pytest.mark.parametrize("url", [
    "https://user:hunter2@gitlab.com", "https://gitlab.com?private_token=hunter2", "gitlab.com/%hunter2",
    "glpat-hunter2", "glpat-hunter2.01.x1", "hunter2",
])  # fmt: skip
def test_a_refusal_does_not_repeat_the_url(url: str) -> None:
    with pytest.raises(InvalidUrl) as refused:
        Address.parse(url, allow_http=True)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["a" * 64 + ".com", ".".join(["a" * 60] * 5), "a..b", ".a", "-a.com", "a-.com", "a_b.com", "a.com."]
)
def test_odd_names_are_refused(host: str) -> None:
    with pytest.raises(InvalidUrl):
        Address.parse(f"https://{host}", allow_http=True)


def test_a_very_long_url_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        Address.parse("https://example.com/" + "a" * 3000, allow_http=True)
