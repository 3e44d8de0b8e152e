"""What callers send about builds. Unknown fields are refused."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, model_validator

from gitlab_hub.builds.statuses import MAX_DESCRIPTION
from gitlab_hub.web.rules import rule

MAX_REF = 1024
MAX_ID = 2**63 - 1
_NOT_IN_REFS = frozenset(" ~^:?*[\\\x7f")


class Body(BaseModel):
    """A body that takes what it names and nothing else."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _is_ref(ref: str) -> str:
    """A name that git takes (git-check-ref-format): no expression that GitLab would evaluate, no path to leave by."""
    parts = ref.split("/")
    bad = (
        ".." in ref or "@{" in ref or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )
    if bad or ref.startswith("-") or ref.endswith(".") or any(each in _NOT_IN_REFS or each < " " for each in ref):
        raise rule("must be the name of a branch or a tag")
    return ref


Ref = Annotated[str, Field(min_length=1, max_length=MAX_REF), AfterValidator(_is_ref)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{7,64}$")]
Url = Annotated[str, Field(max_length=2048, pattern=r"^https?://[!-~]+$")]


class BuildBody(Body):
    """Ask for a build of a branch, a tag or a commit; `project_id` is for triggers of a group."""

    trigger_id: Annotated[str, Field(min_length=1, max_length=200)]
    ref: Ref | None = None
    sha: Sha | None = None
    project_id: Annotated[StrictInt, Field(ge=1, le=MAX_ID)] | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "BuildBody":
        if self.ref is None and self.sha is None:
            raise rule("needs a ref or a sha")
        return self


class ReportBody(Body):
    """Say how far a build is."""

    status: Literal["pending", "running", "success", "failed", "canceled"]
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] | None = None
    target_url: Url | None = None
