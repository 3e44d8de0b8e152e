"""Every code a verification can give: how bad it is, what it means for the stored credential, what to do about it."""

from dataclasses import dataclass

from gitlab_hub.integrations.model import CredentialStatus


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a code.

    `family` is the one of the three definite codes that it is a finer form of; None = it says nothing about the
    credential, so nothing stored may change because of it.
    """

    hint: str
    family: str | None = None
    stops: bool = False
    """No later step could be answered, or would be welcome."""


CREDENTIALS, PERMISSIONS, RESOURCES = "invalid_credentials", "invalid_permissions", "no_resources"

# From worst to mildest: the first of these that a verification has met is its overall code. What stops everything
# comes first, then the definite refusals in the order in which one must fix them, then trouble that may pass.
FAILURES: dict[str, Meaning] = {
    "invalid_url": Meaning("Give the address of the GitLab itself, such as https://gitlab.example.com.", stops=True),
    "host_not_allowed": Meaning(
        "This address is private or not listed. Whoever deploys the hub can allow it (AllowedPrivateCidrs).",
        stops=True,
    ),
    "tls_error": Meaning(
        "The certificate was not accepted. For a private authority set the CA bundle parameter of the deployment.",
        stops=True,
    ),
    "not_gitlab": Meaning(
        "No GitLab API answered there. Check the address, and any relative URL or sign-on page in front.",
        stops=True,
    ),
    CREDENTIALS: Meaning(
        "GitLab does not take this token. Create a new one and give it here.", CREDENTIALS, stops=True
    ),
    "account_blocked": Meaning(
        "GitLab refuses this user: it is blocked, or must set up two-factor authentication or a new password.",
        PERMISSIONS,
    ),
    "terms_not_accepted": Meaning("Sign in to GitLab as this user once and accept the terms of service.", PERMISSIONS),
    PERMISSIONS: Meaning("The token or its user may not read what is needed here.", PERMISSIONS),
    "unsupported_version": Meaning("The hub needs GitLab 13.9 or newer. Upgrade this GitLab first."),
    "group_not_found": Meaning("There is no such group, or the token may not see it. Check its full path.", RESOURCES),
    RESOURCES: Meaning("The token reaches no project. Add its user to a group or a project.", RESOURCES),
    "no_active_projects": Meaning("Every project the token reaches is archived. Give it an active one.", RESOURCES),
    "jobs_forbidden": Meaning(
        "Pipelines can be read, their jobs cannot. Give the user at least Reporter.", PERMISSIONS
    ),
    "rate_limited": Meaning("GitLab is limiting requests. Try again after the time given.", stops=True),
    "host_unreachable": Meaning("GitLab could not be reached. Check the name, the port and the network.", stops=True),
    "gitlab_unavailable": Meaning("GitLab had an error of its own. Try again later."),
    "unexpected_response": Meaning(
        "GitLab gave an answer that makes no sense. Its administrator can look up the request id."
    ),
}

WARNINGS: dict[str, str] = {
    "expiring_soon": "The token expires within 14 days. Rotate it before then.",
    "missing_permissions": "The fine-grained token lacks a permission that the hub can do without.",
    "unproven_permissions": "What a fine-grained token may write shows at the first try. These permissions are needed.",
    "partial_access": "Some of the sampled projects hide their pipelines. Give the user at least Reporter there.",
    "ci_disabled": "CI/CD is switched off in every sampled project, so there are no pipelines. All else works.",
    "no_pipelines_yet": "None of the sampled projects has a pipeline yet.",
    "shared_rate_limit": "Another credential belongs to the same GitLab user, and GitLab limits requests per user.",
    "overprivileged_token": "The token has the `api` scope; `read_api` is enough for what is switched on.",
}

_NEW = "Create a new one and give it here."
REASONS: dict[str, str] = {
    "token_expired": f"GitLab says that this token has expired. {_NEW}",
    "token_revoked": f"GitLab says that this token was revoked. {_NEW}",
    "unknown": (
        "GitLab does not know this token: it is incomplete or mistyped, belongs to another GitLab, or was deleted. "
        "Check it, or create a new one."
    ),
    "wrong_token_type": (
        "This is a deploy, runner, job or feed token, which the API does not take. Give a personal, group, project or "
        "service-account access token."
    ),
    "impersonation_disabled": (
        "This is an impersonation token, and its GitLab has switched impersonation off. Give another kind of token."
    ),
    "dpop_required": (
        "GitLab wants every request with this user's tokens signed (DPoP), which the hub does not do. Switch it off "
        "for the user, or give a token of a service account."
    ),
}
"""What `invalid_credentials` means where GitLab said why."""

OF_APPLICATION = frozenset({"invalid_client", "unauthorized_client"})
"""Reasons that speak of the OAuth application (RFC 6749, 5.2): its tokens live, and were not even looked at."""

APPLICATION_HINT = (
    "GitLab refuses the OAuth application: its secret was renewed, or its id is wrong. Give the present client_secret "
    "with PATCH /v1/integrations/{id}; nobody has to authorize it again."
)

_SEVERITY = {code: rank for rank, code in enumerate(FAILURES)}


def hint_of(code: str, reason: str | None) -> str:
    """What to do about a failure."""
    return REASONS.get(reason or "", FAILURES[code].hint) if code == CREDENTIALS else FAILURES[code].hint


def severity(code: str) -> int:
    """The rank of a failure, 0 = worst; an unknown one is the mildest."""
    return _SEVERITY.get(code, len(_SEVERITY))


def family(code: str | None) -> str | None:
    """The definite code that `code` is a form of, None where it says nothing about the credential."""
    meaning = FAILURES.get(code or "")
    return meaning.family if meaning else None


def stops(code: str | None) -> bool:
    """Whether it is pointless or unkind to ask GitLab anything further."""
    meaning = FAILURES.get(code or "")
    return meaning is not None and meaning.stops


def credential_status(code: str | None, reason: str | None, stored: str) -> str:
    """What the stored status of a credential becomes after a verification with this overall code."""
    if code is None:
        return CredentialStatus.VALID
    match family(code):
        case "invalid_credentials":
            return CredentialStatus.EXPIRED if reason == "token_expired" else CredentialStatus.REJECTED
        case "invalid_permissions":
            return CredentialStatus.REJECTED
    return stored
