"""What a 404 says: what kind of thing is missing, by which id it was named, and where those that there are are listed.

All of it follows from the route and from the names of what was sent, never from what was found: so nothing tells an
unknown thing from one of somebody else's.
"""

import re
from collections.abc import Collection, Sequence

from gitlab_hub.web.responses import NOT_FOUND
from gitlab_hub.web.route import GUARDED_PARAMETERS

_ONE = "/v1/integrations/{integration_id}"
_LISTS = {
    "integration_id": ("integration", "/v1/integrations"),
    "connection_id": ("integration", "/v1/integrations"),
    "credential_id": ("credential", "/api/connections/{connection_id}/credentials.list"),
    "account_id": ("account", f"{_ONE}/accounts"),
    "group_id": ("group", f"{_ONE}/groups"),
    "project_id": ("project", f"{_ONE}/projects"),
    "pipeline_id": ("pipeline", f"{_ONE}/projects/{{project_id}}/pipelines"),
    "hook_id": ("webhook", f"{_ONE}/webhooks"),
    "trigger_id": ("trigger", "/v1/triggers"),
    "build_id": ("build", "/v1/builds"),
    "delivery_id": ("delivery", "/v1/deliveries"),
    "token_id": ("hub token", "/v1/tokens"),
    "review_id": ("access review", f"{_ONE}/reviews"),
}
"""Parameters that are ids: what each names, and the path that lists these things."""


def nothing_of(names: Sequence[str]) -> str:
    """Say that there is nothing of these ids, by their parameters' names."""
    if not names:
        return NOT_FOUND
    things = " or ".join(f"{_LISTS[name][0]} of this {name}" for name in names)
    lists = " and ".join(dict.fromkeys(f"GET {_LISTS[name][1]}" for name in names))
    return f"There is no {things} that your token may see. See {lists}."


def named(path: str, given: Collection[str]) -> list[str]:
    """The ids that a request can have named what is missing by.

    The last one of a route's path; of one whose path names the integration alone, which was found, those in its query
    and body (`given`).
    """
    last = next((name for name in reversed(re.findall(r"<(\w+)>", path)) if name in _LISTS), None)
    if last is not None and last not in GUARDED_PARAMETERS:
        return [last]
    return [name for name in _LISTS if name in given] or ([] if last is None else [last])
