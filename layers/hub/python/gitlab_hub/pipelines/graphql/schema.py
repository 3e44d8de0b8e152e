"""Whether a GitLab's GraphQL has all that is asked of it about pipelines. Pure."""

from dataclasses import dataclass
from typing import Any

from gitlab_hub.gitlab.fields import mapping, number, part
from gitlab_hub.gitlab.graphql import GraphQLQuery, GraphQLReply
from gitlab_hub.gitlab.graphql_batches import LEAST_LIMIT
from gitlab_hub.pipelines.graphql.queries import PLAIN

SCHEMA = GraphQLQuery(
    "SchemaForPipelines",
    """
    queryComplexity { limit }
    query: __type(name: $query) { fields { name args { name } } }
    project: __type(name: $project) { fields { name args { name } } }
    pipeline: __type(name: $pipeline) { fields { name } }
    pipelines: __type(name: $pipelines) { fields { name } }
    jobs: __type(name: $jobs) { fields { name } }
    """,
    "$query: String!, $project: String!, $pipeline: String!, $pipelines: String!, $jobs: String!",
)
SCHEMA_VALUES = {
    "query": "Query", "project": "Project", "pipeline": "Pipeline", "pipelines": "PipelineConnection",
    "jobs": "CiJobConnection",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schema:
    """Whether this GitLab's GraphQL has all that is of use here: asked for, never told from a version."""

    is_enough: bool = False
    limit: int = LEAST_LIMIT
    """What a query of this token may cost."""

    @classmethod
    def of(cls, reply: GraphQLReply) -> "Schema":
        """Read what `SCHEMA` was answered with; what it does not say is not there."""
        if reply.errors:
            return cls()
        query, project = (_arguments(reply.data.get(name)) for name in ("query", "project"))
        pipeline, pipelines, jobs = (_arguments(reply.data.get(name)) for name in ("pipeline", "pipelines", "jobs"))
        enough = (
            "ids" in query.get("projects", ())
            and {"updatedAfter", "updatedBefore", "source"} <= set(project.get("pipelines", ()))
            and {"jobsEnabled", "webUrl"} <= project.keys()
            and {*PLAIN.split(), "user", "jobs"} <= pipeline.keys()
            and "count" in pipelines.keys() & jobs.keys()
        )
        return cls(enough, max(LEAST_LIMIT, number(part(reply.data, "queryComplexity").get("limit")) or 0))


def _arguments(described: Any) -> dict[str, list[str]]:
    """The fields of a type with their arguments."""
    found = mapping(described).get("fields")
    fields = [mapping(one) for one in found] if isinstance(found, list) else []
    return {str(one.get("name")): _names(one.get("args")) for one in fields}


def _names(args: Any) -> list[str]:
    return [str(mapping(one).get("name")) for one in args] if isinstance(args, list) else []
