"""Where things lie in the pipelines table.

| partition | sort key | what |
|---|---|---|
| `<integration>#projects` | project | a project that the sync knows |
| `<integration>#cursors` | project | how far its pipelines were read; apart, so that no listing overwrites it |
| `<integration>#pipelines#<project>` | pipeline | a pipeline, without its jobs |
| `<integration>#jobs#<project>` | `<pipeline>#<jobs or bridges>#<n>` | packed jobs or bridges of a pipeline |
| `<integration>#owed` | `<project>#<pipeline>` | a pipeline that is to be asked for again |
| `<integration>#hints` | `<project>#<pipeline>` | that a message about a pipeline is on its way, and when it is due |
| `<integration>#changed` | `<project>#<day>#<pipeline>` | a pipeline that figures do not count yet as it is |
| `<integration>#figures#<day>` | project | the figures of a project's day |
| `<integration>#days` | day | the figures of a day, of all projects together |
| `<integration>#changed_days` | day | a day of which that is not up to date |
| `<integration>#alerts` | project | a project that may have got better or worse |
| `<integration>#environments` | `<project>#<environment>` | an environment |
| `<integration>#deployments#<project>` | deployment | a deployment |
| `<integration>#deployment_states` | project | how far its deployments were read |
| `<integration>#deployments_due` | project | a project that may have deployed |
| `<integration>#changes` | `<day>#<project>` | what a project's deployments to production of a day came to |
| `<integration>#figures` | `version` | of which release the figures are |

Jobs have a partition of their own because a query pays for every byte it passes over: a list of pipelines must not
read their jobs.
"""

from collections.abc import Iterator

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.storage.ports import Key, Table
from gitlab_hub.storage.rows import query_all
from gitlab_hub.sync.fence import fence_partition

BY_CHANGE = "by_change"


def projects_pk(integration_id: str) -> str:
    """The partition of an integration's projects."""
    return f"{integration_id}#projects"


def cursors_pk(integration_id: str) -> str:
    """The partition of an integration's watermarks."""
    return f"{integration_id}#cursors"


def pipelines_pk(integration_id: str, project_id: int) -> str:
    """The partition of a project's pipelines."""
    return f"{integration_id}#pipelines#{project_id}"


def jobs_pk(integration_id: str, project_id: int) -> str:
    """The partition of a project's jobs."""
    return f"{integration_id}#jobs#{project_id}"


def chunk_key(integration_id: str, project_id: int, pipeline_id: int, part: str, number: int) -> Key:
    """The key of one packed chunk of `part`: "jobs" or "bridges"."""
    return jobs_pk(integration_id, project_id), f"{padded(pipeline_id)}#{part}#{number:03d}"


def hints_pk(integration_id: str) -> str:
    """The partition of the marks of hints."""
    return f"{integration_id}#hints"


def hint_key(integration_id: str, project_id: int, pipeline_id: int) -> Key:
    """The key of the mark of a hint."""
    return hints_pk(integration_id), f"{padded(project_id)}#{padded(pipeline_id)}"


def owed_pk(integration_id: str) -> str:
    """The partition of the pipelines that are to be asked for again."""
    return f"{integration_id}#owed"


def owed_key(integration_id: str, project_id: int, pipeline_id: int) -> Key:
    """The key of one of them."""
    return owed_pk(integration_id), f"{padded(project_id)}#{padded(pipeline_id)}"


def change_sk(changed_at: int, project_id: int, pipeline_id: int) -> str:
    """The place of a pipeline in the integration's feed of changes (`changed_at` in milliseconds)."""
    return f"{changed_at:013d}#{padded(project_id)}#{padded(pipeline_id)}"


# Figures. Days are in UTC and written as in "2026-11-30".


def changed_pk(integration_id: str) -> str:
    """The partition of the pipelines that changed since their day was counted."""
    return f"{integration_id}#changed"


def changed_key(integration_id: str, project_id: int, day: str, pipeline_id: int) -> Key:
    """The key of the mark that a pipeline of a day has changed."""
    return changed_pk(integration_id), f"{padded(project_id)}#{day}#{padded(pipeline_id)}"


def figures_pk(integration_id: str, day: str) -> str:
    """The partition of a day's figures, project by project."""
    return f"{integration_id}#figures#{day}"


def days_pk(integration_id: str) -> str:
    """The partition of the days' figures, of all projects together."""
    return f"{integration_id}#days"


def changed_days_pk(integration_id: str) -> str:
    """The partition of the days that are to be added up again."""
    return f"{integration_id}#changed_days"


def alerts_pk(integration_id: str) -> str:
    """The partition of the projects that alerts are to look at."""
    return f"{integration_id}#alerts"


def figures_version_key(integration_id: str) -> Key:
    """The key of what says by which release's rules the figures were made."""
    return f"{integration_id}#figures", "version"


# Deployments.


def environments_pk(integration_id: str) -> str:
    """The partition of an integration's environments."""
    return f"{integration_id}#environments"


def deployments_pk(integration_id: str, project_id: int) -> str:
    """The partition of a project's deployments."""
    return f"{integration_id}#deployments#{project_id}"


def deployment_feed(integration_id: str) -> str:
    """Where deployments stand in the index by change, apart from pipelines."""
    return f"{integration_id}#deployments"


def deployment_states_pk(integration_id: str) -> str:
    """The partition of what says how far deployments were read."""
    return f"{integration_id}#deployment_states"


def deployments_due_pk(integration_id: str) -> str:
    """The partition of the projects that may have deployed."""
    return f"{integration_id}#deployments_due"


def changes_pk(integration_id: str) -> str:
    """The partition of what deployments to production came to, day by day."""
    return f"{integration_id}#changes"


# Which partitions hold something of an integration.


def partitions(table: Table, integration_id: str) -> Iterator[str]:
    """Every partition of an integration: those of its projects first, the list of projects itself last."""
    for item in query_all(table, projects_pk(integration_id), attributes=("id", "sk")):
        yield pipelines_pk(integration_id, item["id"])
        yield jobs_pk(integration_id, item["id"])
        yield deployments_pk(integration_id, item["id"])
    days = (days_pk(integration_id), changed_days_pk(integration_id))
    for pk in days:
        for item in query_all(table, pk, attributes=("sk",)):
            yield figures_pk(integration_id, item["sk"])
    yield from (*days, changed_pk(integration_id), alerts_pk(integration_id))
    yield figures_version_key(integration_id)[0]
    yield from (changes_pk(integration_id), deployments_due_pk(integration_id), deployment_states_pk(integration_id))
    yield environments_pk(integration_id)
    yield cursors_pk(integration_id)
    yield hints_pk(integration_id)
    yield fence_partition(integration_id)
    yield owed_pk(integration_id)
    yield projects_pk(integration_id)
