"""Signing in with GitLab: who comes in as what, for how long, and that it is off where nobody asks for it."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gitlab_hub.console.gitlab_sign_in import BEGIN, COOKIE, FINISH, LIFE_SECONDS
from gitlab_hub.web.principal import GITLAB_SIGN_IN_SECONDS
from tests.fakes.gitlab import HOST
from tests.fakes.queue import MemoryFunction
from tests.functional.console.console_hub import ConsoleHub
from tests.functional.console.sign_in_flow import CALLBACK, SESSION, SignInFlow, is_refused
from tests.functional.console.test_screens import addresses
from tests.functional.console.visitor import Shown, Visitor, links


def test_a_member_of_a_named_group_is_in_with_its_role_where_they_wanted_to_be(flow: SignInFlow) -> None:
    visitor, user = flow.visitor(), flow.member(0)
    [link] = [one for one in links(visitor.get(f"{flow.hub.base}/people?q=a")) if one.startswith(BEGIN)]
    assert dict(parse_qsl(urlsplit(link).query)) == {"to": f"{flow.hub.base}/people?q=a"}
    answer = flow.sign_in(visitor, user, f"{flow.hub.base}/people?q=a")
    assert (answer.status, answer.headers["location"]) == (303, f"{flow.hub.base}/people?q=a")
    assert {line.partition("=")[0] for line in answer.set_cookies if "Max-Age=0" in line} >= {COOKIE}
    shown = visitor.get(f"{flow.hub.base}/people?q=a")
    assert (shown.status, f"@{user.username}" in shown.text, "admin" in shown.text) == (200, True, True)
    assert "permission_denied" in visitor.get(f"{flow.hub.base}/settings/tokens").text


def test_gitlab_is_asked_with_pkce_for_the_least_scope_and_leads_back_to_the_hub(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    first, second = flow.begin(visitor), flow.begin(visitor)
    assert {**first, "state": "", "nonce": "", "code_challenge": ""} == {
        "client_id": flow.application.client_id, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid",
        "state": "", "nonce": "", "code_challenge": "", "code_challenge_method": "S256",
    }  # fmt: skip
    secrets = [one[name] for one in (first, second) for name in ("state", "nonce", "code_challenge")]
    assert (len(set(secrets)), {len(one) for one in secrets}) == (6, {43})


def test_the_cookie_of_a_sign_in_comes_along_from_gitlab_and_no_script_sees_it(flow: SignInFlow) -> None:
    sent = flow.visitor().send("GET", BEGIN)
    [cookie] = sent.set_cookies
    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert flags == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", f"Max-Age={LIFE_SECONDS}"}
    value = cookie.partition("=")[2].partition(";")[0]
    assert value.partition(".")[0] not in sent.headers["location"]


def test_the_log_says_who_came_with_which_role(flow: SignInFlow) -> None:
    user = flow.member(0)
    flow.sign_in(flow.visitor(), user)
    _, log = flow.hub("GET", "/v1/audit-log", query={"action": "console.sign_in"})
    line = log["entries"][0]
    assert (line["actor"], line["after"]) == (
        f"gitlab:{user.id}@{urlsplit(HOST).netloc}", {"username": user.username, "gitlab": HOST, "role": "admin"}
    )  # fmt: skip


def test_nothing_secret_is_shown_or_stored(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    answer = flow.come_back(visitor, path)
    shown = visitor.get(flow.hub.base)
    tokens = [token.value for token in flow.app.company.tokens.values() if token.client_id]
    secrets = [flow.application.client_secret, dict(parse_qsl(urlsplit(path).query))["code"], *tokens]
    seen = repr([flow.hub.tables["integrations"].dump(), answer, shown.html, visitor.cookies])
    assert [one for one in secrets if one in seen] == []


def test_whoever_is_in_no_named_group_stays_outside(flow: SignInFlow) -> None:
    visitor, user = flow.visitor(), flow.member(1)
    assert is_refused(flow, visitor, flow.sign_in(visitor, user), f"@{user.username}, and none of your groups")


def test_a_member_of_a_group_above_is_a_member_of_what_is_below(flow: SignInFlow) -> None:
    company = flow.app.company
    below = next(one for one in company.groups.values() if one.parent_id is not None)
    above = company.ancestors(below.id)[-1]
    flow.configure(f"{below.full_path.upper()}=viewer")
    visitor = flow.visitor()
    assert flow.sign_in(visitor, flow.member(flow.groups.index(above.full_path))).status == 303
    assert visitor.get(flow.hub.base).status == 200


def test_a_role_may_be_limited_to_integrations(flow: SignInFlow) -> None:
    flow.configure("{0}=admin@" + flow.hub.own)
    visitor = flow.visitor()
    flow.sign_in(visitor, flow.member(0))
    pages = [visitor.get(f"/console/{one}").status for one in (flow.hub.own, flow.hub.other)]
    assert pages == [200, 404]


def accounts_told(flow: SignInFlow, act: Callable[[], Shown]) -> set[str | None]:
    """As which accounts the API knows whoever does something on a page of accesses."""
    callers, functions = list[Mapping[str, str]](), flow.hub.container.functions
    access = functions["access"]

    def listening(event: Mapping[str, Any]) -> dict[str, Any]:
        callers.append(event["requestContext"]["authorizer"]["lambda"])
        return access.ask(event)

    functions["access"] = MemoryFunction(listening)
    try:
        assert act().status < 400
    finally:
        functions["access"] = access
    return {one.get("gitlab_accounts") for one in callers}


def test_nobody_decides_on_their_own_access(flow: SignInFlow) -> None:
    """In the integrations of the GitLab that they come from, the API knows them by their account there."""
    visitor, user = flow.visitor(), flow.member(0)
    flow.sign_in(visitor, user)
    mine = " ".join(f"{one}:{user.id}" for one in sorted((flow.hub.own, flow.hub.other)))
    assert accounts_told(flow, lambda: visitor.get(flow.hub.base)) == {mine}


def test_nobody_does_so_either_in_what_came_within_reach_since_the_sign_in(flow: SignInFlow) -> None:
    flow.configure("{0}=admin@" + flow.hub.own)
    visitor, user = flow.visitor(), flow.member(0)
    flow.sign_in(visitor, user)
    flow.configure("{0}=admin")
    moved, page = Visitor(flow.hub.console), f"/console/{flow.hub.other}/exports"
    moved.cookies.update(visitor.cookies)
    form = {"form_key": moved.get(page).form("/console/sign-out")["form_key"], "dataset": "accounts", "format": "csv"}
    mine = " ".join(f"{one}:{user.id}" for one in sorted((flow.hub.own, flow.hub.other)))
    assert accounts_told(flow, lambda: moved.post(page, form)) == {mine}


def test_a_limit_holds_on_every_page_for_an_owner_too(flow: SignInFlow) -> None:
    flow.configure("{0}=owner@" + flow.hub.own)
    visitor = flow.visitor()
    flow.sign_in(visitor, flow.member(0))
    pages = [one.replace(flow.hub.own, flow.hub.other) for one in addresses(flow.hub) if flow.hub.own in one]
    silent = {one.rpartition(flow.hub.other)[2] for one in pages if "not_found" not in visitor.get(one).text}
    # An empty form, and two lists of the hub's own that hold what is within the limit.
    assert silent == {"/why", "/settings/tokens", "/settings/audit?action=hook.create&days=7&reach=all"}
    whole = [visitor.get(one).html for one in ("/console", f"{flow.hub.base}/settings/audit?reach=all")]
    assert [one for one in whole if flow.hub.other in one] == []


# ---- What ends it


def test_the_rules_of_the_moment_count(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    flow.sign_in(visitor, flow.member(0))
    flow.configure("{0}=viewer")
    moved = Visitor(flow.hub.console)
    moved.cookies.update(visitor.cookies)
    assert ("viewer" in moved.get(flow.hub.base).text, moved.get(f"{flow.hub.base}/exports").status) == (True, 200)
    flow.configure("{1}=owner")
    gone = Visitor(flow.hub.console)
    gone.cookies.update(visitor.cookies)
    assert (gone.get(flow.hub.base).status, flow.sessions()) == (401, [])


def test_it_ends_after_four_hours_of_work(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    flow.sign_in(visitor, flow.member(0))
    seen = []
    for _ in range(GITLAB_SIGN_IN_SECONDS // 1_800):
        flow.hub.clock += 1_800
        seen.append(visitor.get("/console").status)
    assert (set(seen[:-1]), seen[-1]) == ({200}, 401)


def test_signing_out_ends_it(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    flow.sign_in(visitor, flow.member(0))
    visitor.submit(visitor.get(flow.hub.base), "/console/sign-out")
    assert (SESSION in visitor.cookies, flow.sessions()) == (False, [])


def test_it_is_off_unless_the_stack_names_a_gitlab() -> None:
    visitor = Visitor(ConsoleHub().console)
    assert "Sign in with GitLab" not in visitor.get("/console/sign-in").text
    assert [visitor.send("GET", path).status for path in (BEGIN, f"{FINISH}?code=c&state=s")] == [404, 404]
