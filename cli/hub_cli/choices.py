"""The values that the API knows for some options; its description (`GET /openapi.json`) lists the same."""

from enum import StrEnum


class AccountKind(StrEnum):
    """What an account is of."""

    HUMAN = "human"
    SERVICE_ACCOUNT = "service_account"
    PROJECT_BOT = "project_bot"
    GROUP_BOT = "group_bot"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class AccountStatus(StrEnum):
    """Whether an account may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"
    PENDING = "pending"
    UNKNOWN = "unknown"


class CredentialKind(StrEnum):
    """What opens a GitLab."""

    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - the name of a kind
    IMPERSONATION_TOKEN = "impersonation_token"  # noqa: S105
    GROUP_TOKEN = "group_token"  # noqa: S105
    PROJECT_TOKEN = "project_token"  # noqa: S105
    SERVICE_ACCOUNT_TOKEN = "service_account_token"  # noqa: S105
    DEPLOY_TOKEN = "deploy_token"  # noqa: S105
    DEPLOY_KEY = "deploy_key"
    SSH_KEY = "ssh_key"


class Risk(StrEnum):
    """What is risky about a token or key."""

    NO_EXPIRY = "no_expiry"
    EXPIRES_SOON = "expires_soon"
    EXPIRED_NOT_REVOKED = "expired_not_revoked"
    UNUSED_90_DAYS = "unused_90_days"
    NEVER_USED = "never_used"
    SCOPE_API = "scope_api"
    OWNER_LEVEL = "owner_level"
    OWNER_BLOCKED = "owner_blocked"
    OWNER_LEFT = "owner_left"
    CAN_PUSH = "can_push"
    OLDER_THAN_YEAR = "older_than_year"


class ChangeKind(StrEnum):
    """What has changed."""

    ACCOUNT_ADDED = "account_added"
    ACCOUNT_REMOVED = "account_removed"
    ACCOUNT_CHANGED = "account_changed"
    GRANT_ADDED = "grant_added"
    GRANT_REMOVED = "grant_removed"
    GRANT_CHANGED = "grant_changed"
    SHARE_ADDED = "share_added"
    SHARE_REMOVED = "share_removed"
    SHARE_CHANGED = "share_changed"
    RESOURCE_ADDED = "resource_added"
    RESOURCE_REMOVED = "resource_removed"
    RESOURCE_MOVED = "resource_moved"
    RESOURCE_CHANGED = "resource_changed"


class By(StrEnum):
    """By which kind of way access comes."""

    DIRECT = "direct"
    OWNER = "owner"
    INHERITED = "inherited"
    SHARED = "shared"
    IMPLIED = "implied"


class SyncKind(StrEnum):
    """What is read of a GitLab."""

    ACCESS = "access"
    PIPELINES = "pipelines"
    CREDENTIALS = "credentials"


class PipelineStatus(StrEnum):
    """How a pipeline or job stands."""

    CREATED = "created"
    WAITING_FOR_RESOURCE = "waiting_for_resource"
    PREPARING = "preparing"
    WAITING_FOR_CALLBACK = "waiting_for_callback"
    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELING = "canceling"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    MANUAL = "manual"
    SCHEDULED = "scheduled"
    UNKNOWN = "unknown"


class FailureClass(StrEnum):
    """What a job failed of."""

    SCRIPT = "script"
    INFRA = "infra"
    TIMEOUT = "timeout"
    CONFIG = "config"
    QUOTA = "quota"
    POLICY = "policy"
    UNKNOWN = "unknown"


class RefClass(StrEnum):
    """What a pipeline ran for."""

    DEFAULT_BRANCH = "default_branch"
    MERGE_REQUEST = "merge_request"
    TAG = "tag"
    OTHER = "other"


class GroupBy(StrEnum):
    """What figures are told apart by."""

    PROJECT = "project"
    REF_CLASS = "ref_class"
    SOURCE = "source"


class DeploymentStatus(StrEnum):
    """How a deployment stands."""

    CREATED = "created"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    BLOCKED = "blocked"


class Tier(StrEnum):
    """What an environment is for."""

    PRODUCTION = "production"
    STAGING = "staging"
    TESTING = "testing"
    DEVELOPMENT = "development"
    OTHER = "other"


class DoraBy(StrEnum):
    """What figures of deployments are told apart by."""

    PROJECT = "project"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class DeliveryStatus(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    HANDLED = "handled"
    IGNORED = "ignored"
    FAILED = "failed"


class BuildStatus(StrEnum):
    """How a build stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"


class RequestStatus(StrEnum):
    """How a request for access stands."""

    PENDING = "pending"
    APPROVED = "approved"
    ACTIVE = "active"
    ENDED = "ended"
    DENIED = "denied"
    EXPIRED = "expired"
    FAILED = "failed"


class Role(StrEnum):
    """What a hub token may do."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    ADMIN = "admin"
    OWNER = "owner"


class Mode(StrEnum):
    """What a grant does where there is a role already."""

    AT_LEAST = "ensure_at_least"
    EXACTLY = "set_exactly"


class Dataset(StrEnum):
    """What can be exported."""

    PIPELINES = "pipelines"
    JOBS = "jobs"
    DEPLOYMENTS = "deployments"
    ACCOUNTS = "accounts"
    GRANTS = "grants"
    CHANGES = "changes"
    GITLAB_CREDENTIALS = "gitlab_credentials"


class FileFormat(StrEnum):
    """How the files of an export are written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Decision(StrEnum):
    """What a review decides about access."""

    KEEP = "keep"
    REVOKE = "revoke"
    CHANGE = "change"


class DecisionFilter(StrEnum):
    """What was decided, or that nothing was."""

    KEEP = "keep"
    REVOKE = "revoke"
    CHANGE = "change"
    NONE = "none"


class HookScope(StrEnum):
    """What a webhook hangs on."""

    PROJECT = "project"
    GROUP = "group"
    SYSTEM = "system"


class HookEvent(StrEnum):
    """What a webhook tells of."""

    PUSH = "push"
    TAG_PUSH = "tag_push"
    MERGE_REQUEST = "merge_request"
    PIPELINE = "pipeline"
    JOB = "job"
    DEPLOYMENT = "deployment"
    RELEASE = "release"
    NOTE = "note"
    MEMBER = "member"
    PROJECT = "project"
    SUBGROUP = "subgroup"


class Verification(StrEnum):
    """How a delivery proves itself."""

    SIGNATURE = "signature"
    TOKEN = "token"  # noqa: S105 - the name of a way
