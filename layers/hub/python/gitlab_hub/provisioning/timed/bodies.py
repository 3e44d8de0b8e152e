"""What callers send to requests for access and to policies."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, StrictBool, StrictInt, StringConstraints, model_validator

from gitlab_hub.provisioning.request_fields import AccountId, Level, Note, ResourceBody
from gitlab_hub.provisioning.timed.policies import MOST_BREAK_GLASS_MINUTES, Callers, Policy
from gitlab_hub.provisioning.timed.wanted import MOST_MINUTES, Wanted
from gitlab_hub.web.principal import Role
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

Minutes = Annotated[StrictInt, Field(ge=1, le=MOST_MINUTES, examples=[60])]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]


class AccessRequestBody(RequestBody):
    """Ask for access for a while: for an account by its id or username, in a group or project."""

    account_id: AccountId | None = None
    username: Annotated[Name | None, Field(description="In the place of account_id.", examples=["ana"])] = None
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The level to have.")]
    minutes: Annotated[Minutes | None, Field(description="How long, from the approval on.")] = None
    until: Annotated[
        StrictInt | None,
        Field(
            ge=1, le=10**11, description="In the place of minutes: until when, in unix seconds.", examples=[1790000000]
        ),
    ] = None
    reason: Annotated[Note, Field(description="Why; whoever approves reads it.", examples=["OPS-1234"])]
    break_glass: Annotated[
        StrictBool, Field(description="Take it at once, without an approval, where a policy allows that.")
    ] = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.account_id is None) == (self.username is None):
            raise rule("needs an account_id or a username")
        if (self.minutes is None) == (self.until is None):
            raise rule("needs minutes or until")
        return self

    @property
    def wanted(self) -> Wanted:
        """What is asked for."""
        return Wanted(
            account_id=self.account_id,
            username=self.username,
            resource_type=self.resource.type,
            resource_id=self.resource.id,
            full_path=self.resource.full_path,
            access_level=self.access_level,
            seconds=None if self.minutes is None else self.minutes * 60,
            until=self.until,
            reason=self.reason,
            break_glass=self.break_glass,
        )


class RequestDecisionBody(RequestBody):
    """Decide about a request, or end it."""

    comment: Annotated[Note | None, Field(description="Why, for whoever reads it later.", examples=["fine"])] = None


class RequestersBody(RequestBody):
    """Some hub tokens: all of these roles, and those of these ids."""

    roles: Annotated[list[Role], Field(max_length=4, default_factory=list)]
    token_ids: Annotated[list[Name], Field(max_length=100, default_factory=list)]

    @property
    def callers(self) -> Callers:
        """The tokens."""
        return Callers(roles=tuple(map(str, self.roles)), token_ids=tuple(self.token_ids))


class ApproversBody(RequestersBody):
    """Who approves, and how many of them it takes."""

    count: Annotated[StrictInt, Field(ge=1, le=10)] = 1


class PolicyBody(RequestBody):
    """Who may ask for what, for how long, and who approves."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    name: Name
    enabled: StrictBool = True
    resources: Annotated[list[Annotated[Name, Field(max_length=255)]], Field(min_length=1, max_length=100)]
    max_access_level: Level
    max_minutes: Minutes
    requesters: RequestersBody
    approvers: ApproversBody
    break_glass: StrictBool = False
    review_within_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.break_glass:
            return self
        if self.max_minutes > MOST_BREAK_GLASS_MINUTES:
            raise rule(f"is for break-glass, which lasts {MOST_BREAK_GLASS_MINUTES} minutes at most")
        if self.review_within_minutes is None:
            raise rule("is for break-glass, and needs review_within_minutes")
        return self

    @property
    def policy(self) -> Policy:
        """The policy."""
        return Policy(
            id=self.id,
            name=self.name,
            enabled=self.enabled,
            resources=tuple(self.resources),
            max_access_level=self.max_access_level,
            max_minutes=self.max_minutes,
            requesters=self.requesters.callers,
            approvers=self.approvers.callers,
            approver_count=self.approvers.count,
            break_glass=self.break_glass,
            review_within_minutes=self.review_within_minutes,
        )


class PoliciesBody(RequestBody):
    """All policies, in the order in which they are tried; they take the place of those there are."""

    policies: Annotated[list[PolicyBody], Field(max_length=100)]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if len({one.id for one in self.policies}) < len(self.policies):
            raise rule("names a policy twice")
        return self


# The same as answers.


class RequestersView(BaseModel):
    """Some hub tokens."""

    roles: list[str]
    token_ids: list[str]


class ApproversView(RequestersView):
    """Who approves."""

    count: int


class PolicyView(BaseModel):
    """One policy."""

    id: str
    name: str
    enabled: bool
    resources: list[str]
    max_access_level: int
    max_minutes: int
    requesters: RequestersView
    approvers: ApproversView
    break_glass: bool
    review_within_minutes: int | None

    @classmethod
    def of(cls, policy: Policy) -> "PolicyView":
        """Show a policy."""
        asking, deciding = policy.requesters, policy.approvers
        return cls(
            id=policy.id,
            name=policy.name,
            enabled=policy.enabled,
            resources=list(policy.resources),
            max_access_level=policy.max_access_level,
            max_minutes=policy.max_minutes,
            requesters=RequestersView(roles=list(asking.roles), token_ids=list(asking.token_ids)),
            approvers=ApproversView(
                roles=list(deciding.roles), token_ids=list(deciding.token_ids), count=policy.approver_count
            ),
            break_glass=policy.break_glass,
            review_within_minutes=policy.review_within_minutes,
        )


class PolicyList(BaseModel):
    """All policies, in their order."""

    policies: list[PolicyView]
