"""What the API shows of deployments and environments. Times are unix seconds."""

from pydantic import BaseModel, ConfigDict, Field

_TIME = 1_790_000_000


class Shown(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore")


class DeploymentView(Shown):
    """A deployment."""

    id: int = Field(description="GitLab's id of it.", examples=[501])
    iid: int | None = Field(None, description="Its number within the project.", examples=[12])
    project_id: int
    environment_id: int = Field(description="GitLab's id of the environment.", examples=[4])
    environment: str | None = Field(None, description="What the environment is called.", examples=["production"])
    tier: str | None = Field(
        None,
        description="The environment's tier: production, staging, testing, development or other; unknown where it was "
        "gone before it was read; null until it is.",
        examples=["production"],
    )
    status: str = Field(description="As GitLab says it.", examples=["success"])
    ref: str | None = None
    sha: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    finished_at: int | None = Field(
        None, description="When its job ended, else when it was last changed, in unix seconds.", examples=[_TIME]
    )
    pipeline_id: int | None = Field(None, description="The pipeline that deploys; null: none does.", examples=[9001])
    job_id: int | None = Field(None, description="The job that deploys; null: none does.", examples=[77])
    username: str | None = None


class DeploymentList(BaseModel):
    """A page of deployments."""

    deployments: list[DeploymentView] = Field(description="The deployments of this page.")
    next_cursor: str | None


class EnvironmentView(Shown):
    """An environment."""

    id: int = Field(description="GitLab's id of it.", examples=[4])
    project_id: int
    name: str | None = Field(None, description="What it is called.", examples=["production"])
    slug: str | None = Field(None, description="Its name for addresses.", examples=["production"])
    tier: str = Field(
        description="production, staging, testing, development or other; unknown where it was gone before it was read.",
        examples=["production"],
    )
    state: str | None = Field(None, description="available, stopping or stopped.", examples=["available"])
    external_url: str | None = Field(None, description="Where it can be seen.", examples=["https://acme.example"])
    created_at: int | None = None
    updated_at: int | None = None
    deleted_at_source: int | None = None


class EnvironmentList(BaseModel):
    """A page of environments."""

    environments: list[EnvironmentView] = Field(description="The environments of this page.")
    next_cursor: str | None
