"""Access reviews on pages: made, decided one by one and many at once, closed, and kept as a file."""

from typing import Any

import pytest

from gitlab_hub.console.pages.reviews import decisions_in
from tests.functional.console.console_hub import ANA, ConsoleHub
from tests.functional.console.visitor import Shown, Visitor, links


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


def make(hub: ConsoleHub, visitor: Visitor, **fields: str) -> Shown:
    page = f"{hub.base}/reviews"
    return visitor.submit(
        visitor.get(page), page, **{"title": "Q4 <2026>", "path": "acme", "kind-human": "on", **fields}
    )


def address(shown: Shown) -> str:
    """Where the decisions of a review are sent to."""
    return next(str(one["action"]) for one in shown.elements("form") if one.get("class") == "decisions")


def ids(shown: Shown) -> list[str]:
    return shown.form(address(shown))["items"].split()


def test_a_review_is_made_of_a_path_and_shows_what_is_to_be_decided(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = make(hub, visitor, due="2027-01-31", min_access_level="30", reviewers="ana")
    assert (shown.status, "Q4 <2026>" in shown.text, "0 of 4 decided" in shown.text) == (200, True, True)
    for told in ("@ana", "Developer and up", "human", "acme/shop-Ana", "Ben Ana"):
        assert told in shown.text, told
    assert len(ids(shown)) == 4
    assert "0 of 4" in visitor.get(f"{hub.base}/reviews").text


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"path": "acme/none"}, "not_found"), ({"title": ""}, "invalid_input"), ({"due": "soon"}, "invalid_input"),
     ({"due": "2020-01-01"}, "invalid_input"), ({"reviewers": "nobody"}, "invalid_input")],
)  # fmt: skip
def test_what_is_wrong_with_a_new_review_is_said_with_what_was_given(
    hub: ConsoleHub, visitor: Visitor, fields: dict[str, str], code: str
) -> None:
    shown = make(hub, visitor, **fields)
    values = {str(one.get("name")): one.get("value") for one in shown.elements("input")}
    assert (shown.status >= 400, code in shown.text) == (True, True)
    assert {name: values[name] for name in fields} == fields


def test_decisions_are_taken_one_by_one_with_a_reason(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = make(hub, visitor)
    first, second, *_ = ids(shown)
    chosen = {f"item-{first}": "keep", f"item-{second}": "revoke", "comment": "left the team"}
    decided = visitor.submit(shown, address(shown), **chosen)
    assert "2 decisions taken." in decided.text
    assert "2 of 4 decided" in decided.text
    assert decided.text.count("by t-owner: “left the team”") == 2
    revoked = visitor.get(f"{address(shown).partition('?')[0]}?decision=revoke")
    assert ids(revoked) == [second]


def test_a_role_is_lowered_to_one_that_is_lower(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = make(hub, visitor)
    first = next(str(one["name"]) for one in shown.elements("select") if "level-" in str(one.get("name")))[6:]
    decided = visitor.submit(shown, address(shown), **{f"item-{first}": "change", f"level-{first}": "20"})
    assert ("1 decision taken." in decided.text, "change to Reporter" in decided.text) == (True, True)
    for level, why in (("50", "must be lower than"), ("", "must be lower than"), ("x", "must be lower than")):
        refused = visitor.submit(decided, address(decided), **{f"item-{first}": "change", f"level-{first}": level})
        assert (refused.status, why in refused.text) == (422, True), level
    changed = visitor.get(f"{address(shown).partition('?')[0]}?decision=change")
    assert ids(changed) == [first]
    closed = visitor.submit(changed, f"{address(shown).partition('?')[0]}/close")
    assert "feature_disabled" in closed.text, "a plan was to be made of it"


def test_everything_shown_is_decided_at_once_and_nothing_else(hub: ConsoleHub, visitor: Visitor) -> None:
    page = address(make(hub, visitor))
    narrowed = visitor.get(f"{page}?q=ben")
    assert len(ids(narrowed)) == 2
    decided = visitor.submit(narrowed, address(narrowed), all="keep")
    assert ("2 of 4 decided" in decided.text, "2 decisions taken." in decided.text) == (True, True)
    assert "q=ben" in address(decided)


def test_nothing_chosen_is_nothing_decided(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = make(hub, visitor)
    assert "Nothing was chosen" in visitor.submit(shown, address(shown)).text
    assert "0 of 4 decided" in visitor.submit(shown, address(shown), all="delete").text


def test_nobody_decides_on_their_own_access_and_what_was_chosen_stays_chosen(hub: ConsoleHub, visitor: Visitor) -> None:
    page = address(make(hub, visitor, reviewers="ana"))
    own: list[dict[str, Any]] = [{"integration_id": hub.own, "account_id": ANA}]
    ana = hub.signed_in(hub.token(role="viewer", gitlab_accounts=own)["token"])
    shown = ana.get(page)
    assert ("Access review" in shown.text, "decided" in shown.text.split("Who has what")[0]) == (True, False)
    assert {one.get("action") for one in shown.elements("form")} >= {page}
    refused = ana.submit(shown, page, all="revoke", comment="C")
    assert (refused.status, "self_review" in refused.text) == (403, True)
    mine = [one for one in ids(shown) if visitor.get(f"{page}?q=ben").form(page + "?q=ben")["items"].find(one) < 0]
    again = ana.submit(refused, page, **{f"item-{one}": "keep" for one in ids(shown)})
    checked = [one["name"] for one in again.elements("input") if one.get("type") == "radio" and "checked" in one]
    assert (again.status, len(checked), len(mine)) == (403, 4, 2)


def test_closing_says_what_becomes_of_it(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = make(hub, visitor)
    page = address(shown)
    decided = visitor.submit(shown, page, all="revoke")
    closed = visitor.submit(decided, f"{page}/close")
    assert ("The review is closed" in closed.text, "feature_disabled" in closed.text) == (True, True)
    assert page not in {one.get("action") for one in visitor.get(page).elements("form") if one.get("method") == "post"}
    key = shown.form(page)
    late = visitor.post(page, {**key, "all": "keep"})
    assert (late.status, "review_closed" in late.text) == (409, True)


def test_what_has_no_decision_is_closed_over_only_by_who_says_so(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = make(hub, visitor)
    [sure] = [one for one in shown.elements("input") if one.get("name") == "sure"]
    assert "required" in sure
    assert "4 without a decision stay as they are" in shown.text


def test_the_file_is_the_one_of_the_api_and_is_no_page(hub: ConsoleHub, visitor: Visitor) -> None:
    page = address(make(hub, visitor))
    assert f"{page}/file" in set(links(visitor.get(page)))
    sent = visitor.get(f"{page}/file")
    name = page.rpartition("/")[2]
    assert sent.headers["content-type"] == "text/csv; charset=utf-8"
    assert sent.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    assert (sent.headers["x-content-type-options"], sent.headers["cache-control"]) == ("nosniff", "no-store")
    assert sent.html.startswith("review_id,snapshot_at,")
    assert sent.html.count("\r\n") == 5


def test_the_file_is_for_whoever_is_signed_in(hub: ConsoleHub, visitor: Visitor) -> None:
    path = f"{address(make(hub, visitor))}/file"
    assert Visitor(hub.console).get(path).status == 401


def test_who_is_no_reviewer_sees_nothing_of_it(hub: ConsoleHub, visitor: Visitor) -> None:
    page = address(make(hub, visitor))
    viewer = hub.signed_in(hub.token(role="viewer")["token"])
    for path in (page, f"{page}/file", f"{hub.base}/reviews"):
        assert "permission_denied" in viewer.get(path).text


def test_a_form_takes_what_is_a_decision_and_nothing_else() -> None:
    fields = {"item-1": "keep", "item-2": "end", "item-3": "", "item-": "keep", "items": "1 2", "comment": ""}
    assert decisions_in(fields) == [{"item_id": "1", "decision": "keep"}, {"item_id": "", "decision": "keep"}]
    lowered = {"item-2": "change", "level-2": "20", "level-1": "10"}
    assert decisions_in(lowered) == [{"item_id": "2", "decision": "change", "access_level": 20}]
    assert decisions_in({**fields, "all": "revoke"}) == [
        {"item_id": "1", "decision": "revoke"}, {"item_id": "2", "decision": "revoke"}
    ]  # fmt: skip
    assert len(decisions_in({"all": "keep", "items": " ".join(map(str, range(1000)))})) == 200
