"""Settings: the integration and its past syncs, hub tokens, and the audit log."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gitlab_hub.audit.model import AuditAction
from gitlab_hub.console import choices, ranges, times
from gitlab_hub.console.forms import REPEAT_KEY, choice, json_field, number
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit
from gitlab_hub.web.principal import Role

SECTION = "settings"
WAS = "was"
"""The field that says what the form has shown."""
_PAGE = 50
_RUNS = 10
_MOST_ID = 2**53


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/settings"
    return (
        Screen(method="GET", path=one, show=integration, section=SECTION),
        Screen(method="POST", path=one, show=change, section=SECTION),
        Screen(method="GET", path=f"{one}/tokens", show=tokens, section=SECTION),
        Screen(method="POST", path=f"{one}/tokens", show=make_token, section=SECTION),
        Screen(method="POST", path=f"{one}/tokens/<token_id>", show=revoke_token, section=SECTION),
        Screen(method="GET", path=f"{one}/audit", show=audit_log, section=SECTION),
    )


def integration(visit: Visit) -> Outcome:
    """The integration: its name, what it may do, and how its syncs have gone."""
    return _integration(visit)


def change(visit: Visit) -> Outcome:
    """Change its name, what it may do, or pause it; and go on."""
    body = _changes(visit.fields)
    try:
        if body:
            visit.patch(Part.INTEGRATIONS, "", body)
    except ApiRefusal as refusal:
        return _integration(visit, refusal)
    return GoTo(f"{visit.path}?done=changed")


def tokens(visit: Visit) -> Outcome:
    """The hub tokens, without their secrets."""
    return _tokens(visit)


def make_token(visit: Visit) -> Outcome:
    """Make a token and show it: on this page, and never again."""
    try:
        ask = Ask(
            part=Part.OPERATIONS, path="/v1/tokens", method="POST", body=_new_token(visit),
            key=visit.fields.get(REPEAT_KEY, ""),
        )  # fmt: skip
        made = visit.api.call(ask)
    except ApiRefusal as refusal:
        return _tokens(visit, refusal)
    return _tokens(visit, made=made)


def revoke_token(visit: Visit) -> Outcome:
    """Revoke a token: it is useless from then on, and so are its sessions."""
    choice(visit.fields, "verb", ("revoke",))
    visit.api.call(Ask(part=Part.OPERATIONS, path=f"/v1/tokens/{visit.parameters['token_id']}", method="DELETE"))
    return GoTo(f"/console/{visit.integration_id}/settings/tokens?done=revoked")


def audit_log(visit: Visit) -> Outcome:
    """Who did what, the newest first: to this integration, or to everything that one may see."""
    filters = {name: visit.query.get(name, "") for name in ("actor", "action", "reach", "days")}
    days = number(filters["days"], most=ranges.MOST)
    query = {
        "integration_id": "" if filters["reach"] == "all" else visit.integration_id,
        "actor": filters["actor"],
        "action": filters["action"],
        # A cursor belongs to its list, so where that begins must not move while somebody turns pages.
        "since": visit.query.get("since") or (int(visit.now) // 86_400 * 86_400 - days * 86_400 if days else None),
    }
    found = visit.api.load(
        Ask(
            part=Part.OPERATIONS, path="/v1/audit-log",
            query={**query, "limit": _PAGE, "cursor": visit.query.get("cursor")},
        )
    )  # fmt: skip
    values = {"found": found, "filters": filters, "since": query["since"], "actions": sorted(AuditAction)}
    return Page("audit.html", {**values, "day_choices": ranges.CHOICES})


def _told(one: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows of an integration, as it sends it back."""
    features = {name: one["features"][name] for name in choices.FEATURES}
    return {"display_name": one["display_name"], "paused": one["status"] == "paused", "features": features}


def _changes(fields: Mapping[str, str]) -> dict[str, Any]:
    """What somebody has changed in the form. What they left as it was shown may be otherwise by now, and stays so."""
    told = json_field(fields, WAS)
    was: dict[str, Any] = told if isinstance(told, dict) else {}
    shown = was.get("features")
    before: dict[str, Any] = shown if isinstance(shown, dict) else {}
    plain = {"display_name": fields.get("display_name", ""), "paused": fields.get("paused") == "on"}
    features = {name: fields.get(name) == "on" for name in choices.FEATURES}
    changed: dict[str, Any] = {name: value for name, value in plain.items() if was.get(name) != value}
    if switched := {name: is_on for name, is_on in features.items() if before.get(name) is not is_on}:
        changed["features"] = switched
    return changed


def _integration(visit: Visit, refusal: ApiRefusal | None = None) -> Page:
    found = visit.api.load_all(
        {
            "integration": visit.ask(Part.INTEGRATIONS, ""),
            "history": visit.ask(Part.INTEGRATIONS, "/sync/history", limit=_RUNS),
        }
    )
    if (problem := found["integration"].problem) is not None:
        raise problem
    one = found["integration"]["integration"]
    values = {**found, "one": one, "told": _told(one), "given": visit.fields, "features": choices.FEATURES}
    status = refusal.status if refusal else HTTPStatus.OK
    return Page("settings.html", {**values, "done": visit.query.get("done")}, status=status, problem=refusal)


def _tokens(visit: Visit, refusal: ApiRefusal | None = None, *, made: dict[str, Any] | None = None) -> Page:
    query = {"limit": _PAGE, "cursor": visit.query.get("cursor")}
    found = visit.api.load(Ask(part=Part.OPERATIONS, path="/v1/tokens", query=query))
    # After a token was made the form is empty again; after a refusal it is not.
    values = {"found": found, "made": made, "given": {} if made else visit.fields, "roles": tuple(Role)}
    status = refusal.status if refusal else HTTPStatus.OK
    return Page("tokens.html", {**values, "done": visit.query.get("done")}, status=status, problem=refusal)


def _new_token(visit: Visit) -> dict[str, Any]:
    fields = visit.fields
    body: dict[str, Any] = {"role": fields.get("role", "")}
    if label := fields.get("label"):
        body["label"] = label
    if fields.get("only_here") == "on":
        body["integration_ids"] = [visit.integration_id]
    if until := fields.get("until"):
        body["expires_at"] = times.end_of(until)
    if account := fields.get("account_id"):
        person = number(account, most=_MOST_ID)
        body["gitlab_accounts"] = [
            {"integration_id": visit.integration_id, "account_id": account if person is None else person}
        ]
    return body
