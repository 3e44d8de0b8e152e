"""The refusals about triggers: one class per decision of the caller."""

from gitlab_hub.errors import HubError, NotFound


class TriggerNotFound(NotFound):
    """No such trigger."""


class TriggerLimitReached(HubError):
    """The integration has as many triggers as it may have."""

    code = "trigger_limit_reached"
