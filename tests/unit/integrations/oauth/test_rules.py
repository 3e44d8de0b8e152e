"""The rules of an authorization, one by one: derived values, return addresses, cookies, scopes."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitlab_hub.integrations.errors import DuplicateIntegration, InvalidState
from gitlab_hub.integrations.oauth import cookies
from gitlab_hub.integrations.oauth.apply import check_scopes
from gitlab_hub.integrations.oauth.keys import FlowKeys, challenge, digest
from gitlab_hub.integrations.oauth.pending import CallbackContext, PendingAuthorization, authorize_url, check
from gitlab_hub.integrations.oauth.return_urls import ReturnUrls, returned
from gitlab_hub.integrations.oauth.service import AuthorizationStarted, BrowserBound
from gitlab_hub.integrations.verification.refusals import InvalidPermissions
from gitlab_hub.web.errors import Unprocessable

KEYS = FlowKeys(lambda: b"k" * 32)
PENDING = PendingAuthorization(
    flow="f", integration_id="int_1", host_url="https://gitlab.example.com/sub", redirect_uri="https://hub/cb",
    redirect_url=None, initiator="t-1", created_at=1000, browser=None,
)  # fmt: skip
HTTPS, HTTP = "https://hub.example.com", "http://127.0.0.1:8787"


def test_the_challenge_is_gitlabs_own_example() -> None:
    """https://docs.gitlab.com/api/oauth2/#authorization-code-with-proof-key-for-code-exchange-pkce."""
    verifier = "ks02i3jdikdo2k0dkfodf3m39rjfjsdk0wk349rj3jrhf"
    assert challenge(verifier) == "2i0WFA-0AerkjQm4X4oDEhqA17QIAKNjXpagHBXmO_U"


def test_derived_values_are_long_apart_and_bound_to_the_key() -> None:
    values = [KEYS.state("s"), KEYS.ticket("s"), KEYS.verifier("s"), KEYS.state("t")]
    assert {len(value) for value in values} == {43}
    assert len({*values, KEYS.flow("s")}) == 5
    assert KEYS.state("s") == KEYS.state("s") != FlowKeys(lambda: b"j" * 32).state("s")
    assert KEYS.flow("s") not in KEYS.state("s")


def test_the_authorize_url_stays_below_a_relative_url_and_encodes_everything() -> None:
    url = authorize_url(PENDING, state="s&t", verifier="v", client_id="a=b", scopes=("read_api", "read_user"))
    assert url.startswith("https://gitlab.example.com/sub/oauth/authorize?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (asked["state"], asked["client_id"], asked["scope"]) == ("s&t", "a=b", "read_api read_user")
    assert asked["code_challenge"] == challenge("v")


@pytest.mark.parametrize(("context", "newest", "now", "good"), [
    (CallbackContext(), True, 1000, True),
    (CallbackContext(), False, 1000, False),
    (CallbackContext(), True, 1601, False),
    (CallbackContext(), True, 900, False),
    (CallbackContext(token_id="t-1", integration_id="int_1"), True, 1000, True),
    (CallbackContext(token_id="t-2", integration_id="int_1"), True, 1000, False),
    (CallbackContext(token_id="t-1", integration_id="int_2"), True, 1000, False),
    (CallbackContext(issuer="https://gitlab.example.com/sub"), True, 1000, True),
    (CallbackContext(issuer="https://gitlab.example.com"), True, 1000, False),
])  # fmt: skip
def test_who_may_finish(context: CallbackContext, newest: bool, now: int, good: bool) -> None:
    if good:
        check(PENDING, context, newest=newest, now=now)
        return
    with pytest.raises(InvalidState):
        check(PENDING, context, newest=newest, now=now)


@pytest.mark.parametrize("cookies", [(), ("other",), ("é",), ("",), (digest("right"),)])
def test_a_bound_one_needs_its_browser(cookies: tuple[str, ...]) -> None:
    bound = PendingAuthorization(
        **{name: getattr(PENDING, name) for name in PendingAuthorization.__dataclass_fields__}
        | {"browser": digest("right")}
    )
    with pytest.raises(InvalidState):
        check(bound, CallbackContext(cookies=cookies), newest=True, now=1000)
    check(bound, CallbackContext(cookies=("stale", "right")), newest=True, now=1000)


@pytest.mark.parametrize("others", ['prefs={"a": 1}', "x=hello world", "flag", "=", "a=b=c"])
def test_cookies_of_other_sites_on_the_same_host_hide_none_of_ours(others: str) -> None:
    """Cookies know no ports (RFC 6265, 8.5), and browsers send what RFC 6265, 4.1.1 would not let a server set."""
    for text in (f"{others}; {cookies.STRICT_NAME}=mine", f"{cookies.STRICT_NAME}=mine; {others}"):
        assert cookies.read_cookies({"headers": {"Cookie": text}}, HTTPS) == ("mine",)


ALLOWED = ReturnUrls(
    ["https://a.example.com/done", "https://b.example.com/app/", "https://c.example.com", "http://localhost:3000/"]
)


@pytest.mark.parametrize("url", [
    "https://a.example.com/done", "https://a.example.com/done?x=1", "https://A.example.com:443/done",
    "https://b.example.com/app/", "https://b.example.com/app/deep/er?y", "https://c.example.com", "https://c.example.com/",
    "http://localhost:3000/", "http://localhost:3000/any",
])  # fmt: skip
def test_listed_addresses_may_be_returned_to(url: str) -> None:
    assert ALLOWED.checked(url) == url


@pytest.mark.parametrize("url", [
    "https://a.example.com/done/", "https://a.example.com/done/x", "https://a.example.com/donee", "https://a.example.com/",
    "http://a.example.com/done", "https://a.example.com:444/done", "https://a.example.com.evil.example/done",
    "https://a.example.com@evil.example/done", "https://evil.example\\@a.example.com/done", "https://b.example.com/app",
    "https://b.example.com/app/../x", "https://b.example.com/app/%2e%2e/x", "https://b.example.com/app/..%2fx",
    "https://b.example.com/app/%2F%2Fevil", "https://b.example.com/app//x", "https://b.example.com/app/%5c..%5cx",
    "https://b.example.com/apple", "https://c.example.com/x", "//a.example.com/done", "javascript:alert(1)", "/done",
    "https://a.example.com/done#x", "https://a.example.com/do\nne", " https://a.example.com/done", "", "https://",
    "https://a.example.com:x/done", "https://[a.example.com/done", "https://a.example.com/done" + "x" * 2048,
    "https://\uff41.example.com/done",
])  # fmt: skip
def test_nothing_else_may(url: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        ALLOWED.checked(url)
    assert "evil" not in f"{refused.value} {refused.value.details}"


HUB = "https://hub.example.com"


@pytest.mark.parametrize("url", ["/console/connect/done", f"{HUB}/console/int_1?x=y"])
def test_pages_of_the_hubs_own_console_may_be_returned_to(url: str) -> None:
    assert ReturnUrls([]).checked(url, hub=HUB) == f"{HUB}{url.removeprefix(HUB)}"


@pytest.mark.parametrize("url", [
    "/v1/tokens", "/console/../v1/tokens", "/console/%2e%2e/v1", "//evil.example/console/", "/\\evil.example/console/",
    "@evil.example/console/", ".evil.example/console/", "https://hub.example.com.evil.example/console/", "/console",
])  # fmt: skip
def test_nothing_else_of_the_hub_may(url: str) -> None:
    with pytest.raises(Unprocessable):
        ReturnUrls([]).checked(url, hub=HUB)


def test_without_a_list_there_is_no_way_back() -> None:
    assert ReturnUrls([]).checked(None) is None
    with pytest.raises(Unprocessable):
        ReturnUrls(["not a url"]).checked("https://a.example.com/")


def test_what_became_of_it_is_told_in_the_query_alone() -> None:
    url = returned("https://a.example.com/done?gitlab=success&x=%26", "int_1", InvalidState("no"))
    assert url == "https://a.example.com/done?x=%26&gitlab=error&integration_id=int_1&code=invalid_state"
    assert returned("https://a.example.com", "i", None).endswith("?gitlab=success&integration_id=i")
    forged = returned("https://a.example.com/?existing_integration_id=x", "i", DuplicateIntegration("j", removed="i"))
    assert forged == (
        "https://a.example.com/?gitlab=error&integration_id=i&code=duplicate_integration"
        "&existing_integration_id=j&removed_integration_id=i"
    )


@pytest.mark.parametrize(("event", "url", "values"), [
    ({"cookies": ["__Host-ghub-oauth=v"]}, HTTPS, ("v",)),
    ({"cookies": ["ghub-oauth=v"]}, HTTPS, ()),
    ({"cookies": ["ghub-oauth=v"]}, HTTP, ("v",)),
    ({"cookies": ["__Host-ghub-oauth=v.w"]}, HTTPS, ("v", "w")),
    ({"headers": {"Cookie": "x=y; __Host-ghub-oauth=v"}}, HTTPS, ("v",)),
    ({"headers": {"cookie": None}, "cookies": None}, HTTPS, ()),
    ({"cookies": ["__Host-ghub-oauth=", "=", ";;", "\x00", "é=é"]}, HTTPS, ()),
    ({}, HTTPS, ()),
])  # fmt: skip
def test_which_cookies_count(event: dict[str, Any], url: str, values: tuple[str, ...]) -> None:
    assert cookies.read_cookies(event, url) == values


def test_only_plain_http_gets_a_cookie_without_secure() -> None:
    assert len(cookies.new_cookies(["v"], HTTPS)) == 1
    assert [("Secure" in cookie) for cookie in cookies.new_cookies(["v"], HTTP)] == [True, False]
    assert all("Max-Age=0" in cookie for cookie in cookies.new_cookies([], HTTP))


@pytest.mark.parametrize(("granted", "wanted", "writes", "missing"), [
    (None, ("api",), True, None),
    (("read_api",), ("read_api",), False, None),
    (("api",), ("read_api", "read_user"), False, None),
    (("read_api",), ("read_api", "read_user"), False, ["read_user"]),
    (("read_api",), ("api",), True, ["api"]),
    (("read_user",), ("read_user",), False, ["read_api"]),
    ((), ("read_api",), False, ["read_api"]),
])  # fmt: skip
def test_which_scopes_are_missing(
    granted: Any, wanted: tuple[str, ...], writes: bool, missing: list[str] | None
) -> None:
    if missing is None:
        check_scopes(granted, wanted, writes=writes)
        return
    with pytest.raises(InvalidPermissions) as refused:
        check_scopes(granted, wanted, writes=writes)
    assert refused.value.details["missing_scopes"] == missing


def test_what_is_handed_out_does_not_show_itself() -> None:
    assert "secret" not in repr(
        (
            AuthorizationStarted(authorize_url="secret", ticket="secret", ends_at=1),
            BrowserBound(authorize_url="secret", browser="secret"),
        )
    )
