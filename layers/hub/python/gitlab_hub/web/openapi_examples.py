"""Examples of bodies that fields alone do not give: for each way to use a route, and for each refusal."""

from typing import Any

Example = dict[str, Any]

_HOST, _INTEGRATION = "https://gitlab.example.com", "int_0a1b2c3d"
_FEATURES = {"manage_webhooks": True, "report_statuses": True}

NAMED: dict[str, dict[str, Example]] = {
    "StartBody": {
        "By an access token": {
            "host_url": _HOST,
            "auth_mode": "personal_token",
            "access_token": "glpat-…",
            "group": "acme/shop",
        },
        "By an OAuth application": {
            "host_url": _HOST,
            "auth_mode": "oauth_app",
            "client_id": "f1e2d3c4b5a6",
            "client_secret": "gloas-…",  # pragma: allowlist secret
            "features": _FEATURES,
        },
    },
    "PatchBody": {
        "Pause": {"paused": True},
        "Switch features on": {"features": _FEATURES},
        "Another name": {"display_name": "Acme's GitLab"},
    },
    "TriggerBody": {
        "Builds of a project": {
            "integration_id": _INTEGRATION,
            "project_id": 15,
            "events": ["push", "merge_request"],
            "branches": {"include": ["main", "release/*"]},
            "target": {"type": "eventbridge"},
        },
        "Builds of a group's projects": {
            "integration_id": _INTEGRATION,
            "group": "acme/shop",
            "events": ["push"],
            "paths": {"exclude": ["docs/**"]},
            "target": {"type": "eventbridge"},
        },
    },
    "AuthorizeBody": {
        "Begin": {"integration_id": _INTEGRATION, "redirect_url": "https://console.example.com/connected"},
        "Begin, to switch features on": {"integration_id": _INTEGRATION, "features": _FEATURES},
        "Finish, without a browser": {"integration_id": _INTEGRATION, "code": "…", "state": "…"},
    },
}
"""By the name of a body's model."""

_REQUEST = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def _error(message: str, code: str, *, retryable: bool = False) -> Example:
    return {"error": message, "code": code, "retryable": retryable, "request_id": _REQUEST}


ERRORS: dict[str, Example] = {
    "400": _error("The body is not JSON that can be read; check its syntax and nesting.", "invalid_input"),
    "401": _error("Send a valid hub token: Authorization: Bearer ghub_…", "unauthorized"),
    "403": _error("This needs the role admin; your token has the role viewer.", "permission_denied"),
    "404": _error(
        "There is no integration of this integration_id that your token may see. See GET /v1/integrations.", "not_found"
    ),
    "409": _error("Someone else changed this at the same moment; try again.", "conflict", retryable=True),
    "413": _error("Send at most 1,000,000 bytes.", "payload_too_large"),
    "422": _error("Correct the request and send it again: body.host_url must be given.", "invalid_input"),
    "503": _error("The hub cannot reach its storage; try again.", "service_unavailable", retryable=True),
    "default": _error("GitLab is limiting requests. Try again after the time given.", "rate_limited", retryable=True),
}
"""By the status that they come with."""
