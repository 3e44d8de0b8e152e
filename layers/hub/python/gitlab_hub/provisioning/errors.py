"""What plans refuse."""

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import ResourceNotFound


class PlanDrifted(HubError):
    """GitLab is no longer as the plan shows it, or it is not the plan that was shown. `details["operations"]`."""

    code = "plan_drifted"


class PlanExpired(HubError):
    """The plan is too old to be applied."""

    code = "plan_expired"


class PlanBlocked(HubError):
    """Operations of the plan are refused. `details["operations"]` says which, and why."""

    code = "plan_blocked"


class TooManyOperations(HubError):
    """More is to be changed than one plan may hold. `details` has `most` and `wanted`."""

    code = "too_many_operations"


class OutOfSight(ResourceNotFound):
    """The token is not shown the place, or the group that is invited, so what is there cannot be told.

    GitLab answers 404 alike for what is not there and for what the token may not see (lib/api/helpers.rb,
    `find_group!`), so it proves nothing about what is inside.
    """

    code = "out_of_sight"


class PlanNotApplied(HubError):
    """Nothing of the plan was applied, or it is still being applied, so there is nothing to take back."""

    code = "plan_not_applied"
