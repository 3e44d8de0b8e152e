"""Connecting a GitLab by an OAuth application: kept first, then authorized at GitLab by whoever comes back here."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Part
from gitlab_hub.console.pages.connect import PATH as CONNECT
from gitlab_hub.console.pages.connect import START, chosen
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

PATH, DONE = f"{CONNECT}/application", f"{CONNECT}/done"
SECTION = "connect"
_AUTHORIZE = "/v1/integrations/gitlab/authorize"
_WORD = re.compile(r"\w{1,100}", re.ASCII)


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (
        Screen(method="GET", path=PATH, show=form, section=SECTION),
        Screen(method="POST", path=PATH, show=connect, section=SECTION),
        Screen(method="GET", path=DONE, show=done, section=SECTION),
        Screen(method="POST", path=f"{ONE}/authorize", show=authorize, section=SECTION),
    )


def form(_visit: Visit) -> Outcome:
    """Ask which GitLab, and for an application there."""
    return Page("connect.html", {"given": {}, "checks": [], "features": choices.FEATURES, "way": "application"})


def connect(visit: Visit) -> Outcome:
    """Keep the application, and lead to GitLab; where that is refused, say why."""
    fields = visit.fields
    body = {
        **chosen(fields),
        "auth_mode": "oauth_app",
        "client_id": fields.get("client_id", ""),
        "client_secret": fields.get("client_secret", ""),
    }
    key = fields.get(REPEAT_KEY, "")
    try:
        made = visit.api.call(Ask(part=Part.INTEGRATIONS, path=START, method="POST", body=body, key=key))
    except ApiRefusal as refusal:
        checks = refusal.details.get("checks", [])
        # The secret is not given back: it is pasted once more.
        given = {name: value for name, value in fields.items() if name != "client_secret"}
        values = {"given": given, "checks": checks, "features": choices.FEATURES, "way": "application"}
        return Page("connect.html", values, status=refusal.status, problem=refusal)
    return _to_gitlab(visit, made["integration"]["id"], redirect_uri=made["redirect_uri"])


def authorize(visit: Visit) -> Outcome:
    """Begin an authorization of an application that is kept: its first one, or another with what is to be allowed."""
    features = {name: True for name in choices.FEATURES if visit.fields.get(name) == "on"}
    return _to_gitlab(visit, visit.integration_id, features=features)


def done(visit: Visit) -> Outcome:
    """Where GitLab has led back to: on to what is connected, or what became of it."""
    told = {name: visit.query.get(name, "") for name in ("integration_id", "code", "existing_integration_id")}
    told = {name: value if _WORD.fullmatch(value) else "" for name, value in told.items()}
    if visit.query.get("gitlab") == "success" and told["integration_id"]:
        return GoTo(f"/console/{told['integration_id']}?done=authorized")
    return Page("not_authorized.html", told)


def _to_gitlab(
    visit: Visit, integration_id: str, *, redirect_uri: str = "", features: Mapping[str, bool] | None = None
) -> Page:
    """The page with the way to GitLab: a link, as a form may lead to pages of the hub alone (`form-action 'self'`)."""
    body: dict[str, Any] = {"integration_id": integration_id, "redirect_url": DONE}
    if features:
        body["features"] = features
    key = visit.fields.get(REPEAT_KEY, "")
    begun = visit.api.call(Ask(part=Part.OAUTH, path=_AUTHORIZE, method="POST", body=body, key=key))
    values = {"connect_url": begun["connect_url"], "ends_at": begun["state_expires_at"]}
    return Page("authorize.html", {**values, "redirect_uri": redirect_uri, "of": integration_id})
