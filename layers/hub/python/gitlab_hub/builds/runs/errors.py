"""Why a build cannot be had or changed: one class per decision of the caller."""

from gitlab_hub.errors import HubError


class BuildFinished(HubError):
    """It has ended, and what has ended is not changed."""

    code = "build_finished"


class BuildNotFinished(HubError):
    """It still runs; only what has ended is run again."""

    code = "build_not_finished"


class AwaitingApproval(HubError):
    """Somebody has to approve it first."""

    code = "awaiting_approval"


class NotAwaitingApproval(HubError):
    """There is nothing to approve."""

    code = "not_awaiting_approval"


class TriggerGone(HubError):
    """The trigger of the build was removed, and with it the place where builds go."""

    code = "trigger_gone"


class RefNotFound(HubError):
    """GitLab knows no such branch, tag or commit in the project."""

    code = "ref_not_found"
