"""Connecting a GitLab with a token: asked for, verified step by step, and kept where every step went well."""

from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Part
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

PATH = "/console/connect"
START = "/v1/integrations/gitlab/start"


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (
        Screen(method="GET", path=PATH, show=form, section="connect"),
        Screen(method="POST", path=PATH, show=connect, section="connect"),
    )


def form(_visit: Visit) -> Outcome:
    """Ask which GitLab, and for a token of it."""
    return Page("connect.html", {"given": {}, "checks": [], "features": choices.FEATURES, "way": "token"})


def connect(visit: Visit) -> Outcome:
    """Connect it; where that is refused, show every step of the verification with what would help."""
    key = visit.fields.get(REPEAT_KEY, "")
    try:
        made = visit.api.call(Ask(part=Part.INTEGRATIONS, path=START, method="POST", body=_body(visit.fields), key=key))
    except ApiRefusal as refusal:
        checks = refusal.details.get("checks", [])
        # The token is not given back: it is pasted once more.
        given = {name: value for name, value in visit.fields.items() if name != "access_token"}
        values = {"given": given, "checks": checks, "features": choices.FEATURES, "way": "token"}
        return Page("connect.html", values, status=refusal.status, problem=refusal)
    return GoTo(f"/console/{made['integration']['id']}")


def chosen(fields: Mapping[str, str]) -> dict[str, Any]:
    """What both ways of connecting ask for."""
    given = {name: fields[name] for name in ("display_name", "group") if fields.get(name)}
    features = {name: fields.get(name) == "on" for name in choices.FEATURES}
    return {"host_url": fields.get("host_url", ""), "features": features, **given}


def _body(fields: Mapping[str, str]) -> dict[str, Any]:
    return {**chosen(fields), "auth_mode": "personal_token", "access_token": fields.get("access_token", "")}
