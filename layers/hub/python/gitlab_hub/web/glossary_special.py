"""Fields that mean something else, or something narrower, in one schema: `Schema.field` → text and example."""

from typing import Any

from gitlab_hub.web.glossary import NOTHING
from gitlab_hub.web.glossary_plans import PLANS
from gitlab_hub.web.glossary_requests import REQUESTS
from gitlab_hub.web.glossary_reviews import REVIEWS

_GITLAB_STATUS = (
    "GitLab's status: created, waiting_for_resource, preparing, waiting_for_callback, pending, running, success, "
    "failed, canceling, canceled, skipped, manual, scheduled, or a later one."
)
_FIELDS = {"fields": [{"field": "query.limit", "problem": "less_than_equal", "message": "must be at most 200"}]}
_SEVERAL = ("IntegrationView", "IntegrationDetail")
_TOKENS = ("TokenView", "MadeToken")

SPECIAL: dict[str, tuple[str, Any]] = {
    **PLANS,
    **REVIEWS,
    **REQUESTS,
    "EndedSync.kind": ("Which sync: access, pipelines or credentials.", "access"),
    "EndedSync.status": ("How it ended: idle (it read everything it could), suspect or failed.", "idle"),
    "EndedSync.progress": ("How far it came.", NOTHING),
    "EndedSync.counts": ("What it read, wrote and removed, and how many requests it took.", {"accounts": 120}),
    "EndedSync.suspected": ("Dataset: rows that it did not dare to remove.", {"grants": 40}),
    "EndedSync.last_error": ("Why it failed; null where it did not.", NOTHING),
    "SyncHistory.syncs": ("Syncs that have ended.", NOTHING),
    "SyncProgress.done": ("Parts of GitLab that were read, or given up.", 83),
    "SyncProgress.total": ("All parts, as far as they were known.", 83),
    **{
        f"{name}.status": ("active, inactive (waits for its authorization), error or paused.", "active")
        for name in _SEVERAL
    },
    **{f"{name}.role": ("viewer, developer, admin or owner.", "viewer") for name in (*_TOKENS, "NewToken", "WhoAmI")},
    **{f"{name}.id": ("Id of the hub token.", "0a1b2c3d4e5f6071") for name in _TOKENS},  # pragma: allowlist secret
    **{
        f"{name}.id": ("GitLab's id.", 42)
        for name in (
            "AccountAnswer",
            "AccountView",
            "GroupAnswer",
            "ProjectAnswer",
            "PlaceAnswer",
            "ResourceAnswer",
            "EdgeAnswer",
            "ExplainedAccount",
            "MemberRoleAnswer",
            "PipelineView",
            "JobView",
            "FoundJob",
            "TreePipeline",
            "TreeBridge",
            "UserView",
            "RunnerView",
            "RepositoryView",
        )
    },
    **{
        f"{name}.status": (_GITLAB_STATUS, "success")
        for name in ("PipelineView", "JobView", "FoundJob", "TreePipeline", "TreeBridge")
    },
    **{
        f"{name}.created_at": ("When it was created, an ISO 8601 time.", "2026-11-29T12:00:00Z")
        for name in ("CredentialView", "CredentialDetail")
    },
    "FigureAnswer.name": ("What is counted.", "without_second_factor"),
    "FigureAnswer.url": (
        "The list of what is counted; null: there is none.",
        "/v1/integrations/int_0a1b2c3d/accounts?external=true",
    ),
    "AccessCompleteness.status": ("How the last access sync stands: idle, running, suspect, failed …", "idle"),
    "query.overdue": ("true: only what is past its date and still there; false: only others.", NOTHING),
    "CapabilityView.name": ("A stable word for it.", "pipelines"),
    "CapabilityView.role": ("The lowest role the token's user needs where it is used; null: none.", "Reporter"),
    "AcceptBody.kind": ("Which sync: access, pipelines or credentials.", "access"),
    "GitLabCredentialAnswer.account_id": (
        "GitLab's id of the user that it acts as; null: it acts as nobody (deploy tokens and keys).",
        42,
    ),
    "GitLabCredentialAnswer.expires_at": (
        "The first moment without it, in unix seconds; null: it does not end.",
        1790000000,
    ),
    "GitLabCredentialAnswer.kind": ("What sort of token or key it is.", "project_token"),
    "GitLabCredentialAnswer.resource": (
        "The group or project that it was made for; null: none, or GitLab does not tell.",
        NOTHING,
    ),
    "GitLabCredentialAnswer.status": ("active, expired or revoked.", "active"),
    "GitLabCredentialAnswer.web_url": (
        "The page in GitLab where it is listed, or that of its account.",
        "https://gitlab.example.com/acme/shop/-/settings/access_tokens",
    ),
    "GitLabCredentialAnswer.id": ("GitLab's id, unique among those of its kind; of access tokens, among all.", 1876),
    "query.resource": ("A full path, or `group:7` or `project:15` by GitLab's id.", "acme/shop"),
    "GitLabCredentialList.read_at": (
        "When they were last read, in unix seconds: it is done once a day; null: not yet.",
        1790000000,
    ),
    "UnseenAnswer.kind": ("The kind of credentials.", "impersonation_token"),
    "UnseenAnswer.reason": (
        "Why, and what would show them.",
        "GitLab shows impersonation tokens to administrators only.",
    ),
    "query.risk": ("Only those with this risk.", "no_expiry"),
    "AccountView.kind": ("human, service_account, project_bot, group_bot or unknown.", "human"),
    "AccountAnswer.name": ("The person's or bot's name.", "Jane Doe"),
    "AuthorizeBody.code": ("What GitLab gave to the browser, with `state`.", "…"),
    "AuthorizeBody.state": ("What GitLab gave to the browser, with `code`.", "…"),
    "BuildError.code": (
        "Why: target_access_denied, target_not_found, target_refused or target_unavailable.",
        "target_not_found",
    ),
    "BuildView.id": ("Id of the build.", "build_0a1b2c3d_77"),
    "BuildView.status": ("pending, running, success, failed or canceled.", "running"),
    **{
        f"{name}.target": ("Where it runs, as the trigger says.", {"type": "eventbridge"})
        for name in ("BuildView", "WantedBuildView", "TriggerView")
    },
    "CheckView.code": ("What was found; null: nothing wrong.", NOTHING),
    "CredentialDetail.deleted_at": ("When it was removed, an ISO 8601 time.", NOTHING),
    "CredentialDetail.disabled_at": ("When GitLab was found to refuse it, an ISO 8601 time.", NOTHING),
    "CredentialDetail.status": ("valid, expiring, expired, rejected, refresh_failed or unknown.", "valid"),
    "DeliveryView.size": ("Bytes of the body as it came.", 4096),
    "DeliveryView.milliseconds": ("From being received to being done, in milliseconds.", 240),
    "DeliveryView.action": ("What happened, of events that have an action.", "open"),
    "DeliveryView.reasons": (
        "Why so. asks_gitlab: something changed, and a sync reads from GitLab what. All are in docs/operations.md.",
        ["asks_gitlab"],
    ),
    "DeliveryView.id": ("Id of the delivery.", "del_0a1b2c3d_5e6f"),
    "EmailAnswer.source": (
        "Where GitLab has it: account (what it signs in with), public (on its profile), commit, or a list's name.",
        "account",
    ),
    "Error.details": ("For programs. Of 422: `fields`, each with `field`, `problem`, `message`, `allowed`.", _FIELDS),
    **{
        f"{name}.kind": (
            "direct, owner (of a personal namespace), inherited, shared or implied (administrator).",
            "direct",
        )
        for name in ("GrantAnswer", "PathAnswer")
    },
    **{
        f"{name}.since": ("Since when the membership exists, in unix seconds; null: GitLab does not say.", 1790000000)
        for name in ("GrantAnswer", "PathAnswer")
    },
    "Explanation.paths": ("Every way to the access, the best first; none: no access.", NOTHING),
    "ExplainedAccount.name": ("The person's or bot's name.", "Jane Doe"),
    "HttpsTarget.url": ("Where to; the deployer allows hosts.", "https://ci.example.com/hooks/gitlab"),
    "TellerAnswer.group_id": ("GitLab's id of the top-level group whose list it is; null: the instance's.", 12),
    "TellerAnswer.read_at": ("When the list was last read to its end, in unix seconds; null: never.", 1790000000),
    "IdentityAnswer.provider": ("The identity provider.", "saml"),
    "IncidentView.kind": ("What it is: docs/operations.md lists all.", "credential_expiring"),
    "InvitationAnswer.created_by": ("Name of who sent the invitation, as GitLab shows it.", "Jane Doe"),
    "InvitationAnswer.status": ("pending: nobody has answered yet.", "pending"),
    "MemberRoleAnswer.name": ("Name of the custom role.", "Auditor"),
    "ReasonView.code": ("A stable word for programs; docs/builds.md explains each.", "branch_fits"),
    "ReportStatusBody.name": ("Under what name.", "gitlab-hub"),
    "ReportView.status": ("What GitLab was told.", "success"),
    "ReportView.error": ("Why it shows no newer one.", NOTHING),
    "RepositoryHook.id": ("Id of the hub's webhook.", "hook_0a1b2c3d_77"),
    "RepositoryHook.status": ("As in `get_webhook`.", "active"),
    "RepositoryView.external_id": ("The id once more, as a text.", "15"),
    "DryRunBody.event": ("Name of the event, GitLab's or ours.", "push"),
    "RunnerView.description": ("GitLab's description of the runner.", "shared-1"),
    "SyncState.status": ("idle, queued, running, parked (waits for GitLab's limit), suspect or failed.", "idle"),
    "SyncStates.kinds": ("access, pipelines and credentials.", NOTHING),
    "TokenAnswer.status": ("valid, expiring, expired, rejected, refresh_failed or unknown.", "valid"),
    "TriggerView.id": ("Id of the trigger.", "trg_0a1b2c3d_77"),
    "TriggerEnvelope.warnings": ("What keeps it from what it is for; all is looked at when it is made or changed.", []),
    "DryRunAnswer.warnings": ("Why the build would fail at its target.", []),
    "WarningView.code": (
        "What it is: no_webhook, place_unchecked, report_statuses_off, or why the target is refused.",
        "no_webhook",
    ),
    "WarningView.message": ("What to do about it.", "No webhook brings these events: push. Register one."),
    "VerificationView.code": ("The worst of the codes; null: all is well.", NOTHING),
    "WebhookBody.target": ("The project or group by full path or id; system needs none.", "acme/shop"),
    "WebhookView.id": ("Id of the webhook.", "hook_0a1b2c3d_77"),
    "WebhookView.parent_id": ("Id of the webhook of the group that this one stands in for.", NOTHING),
    "WebhookView.status": ("active, temporarily_disabled, disabled, missing, drifted or manual.", "active"),
    "Health.version": ("Version of the hub.", "1.0.0"),
    "SigningSecret.version": ("Counts the secrets of the trigger.", 2),
    "query.code": ("What the hub exchanges for tokens.", "…"),
    "query.error": ("Why GitLab did not authorize.", "access_denied"),
    "query.event": ("Only this event.", "push"),
    "query.kind": ("Only accounts of this kind.", "human"),
    "query.source": ("Only what was started so.", "push"),
    "query.state": ("What the hub gave to GitLab.", "…"),
    "query.status": ("Only those with this status.", "failed"),
    "query.visibility": ("Only those of this visibility.", "private"),
    "query.archived": ("true: only archived ones, false: only others.", NOTHING),
    "query.is_admin": ("true: only administrators, false: only others; who is neither is unknown.", NOTHING),
    "query.external": ("true: only external accounts, false: only others; what is unknown is neither.", NOTHING),
    "query.two_factor_enabled": (
        "true: only with a second factor, false: only without; what is unknown is neither.",
        NOTHING,
    ),
    "query.without_grants": (
        "true: only accounts without a direct grant, false: only the others. A page may be short, or empty, and go on.",
        NOTHING,
    ),
    "query.path": ("The full path of a group or project, in any case.", "acme/shop"),
    "query.expiring_within_days": ("Only what ends within so many days, and what is overdue.", 30),
    "query.min_access_level": ("Only this level and those above it.", 40),
    "query.limit": ("How many items a page has at most.", 50),
    "query.cursor": (
        "`next_cursor` of the page before; a list takes its own cursors only, with the same filters.",
        "q83v…",
    ),
    "query.since": ("Only what came since then, in unix seconds.", 1790000000),
    "query.until": ("Only what was noticed then or earlier, in unix seconds.", 1790000000),
    "query.created_after": ("Only what was created then or later, in unix seconds.", 1790000000),
    "query.created_before": ("Only what was created then or earlier, in unix seconds.", 1790000000),
    "query.updated_after": (
        "What the hub saw change then or later, in unix seconds; in the order of the changes.",
        1790000000,
    ),
    "query.updated_before": ("Only what the hub saw change then or earlier, in unix seconds.", 1790000000),
}
