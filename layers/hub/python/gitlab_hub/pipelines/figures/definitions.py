"""What each figure counts, in words: whoever reads a number finds its rule beside it."""

from typing import Literal

from gitlab_hub.web.errors import Unprocessable

Figure = Literal["summary", "trend", "queue", "duration", "failures", "flaky", "mttr", "cost", "dora"]
DefinitionName = Literal["hub", "gitlab", "dx"]

_RATE_HUB = (
    "success / (success + failed), by the status at which a pipeline first ended, whatever was retried later; canceled "
    "and skipped ones are shown apart. A pipeline counts on the day (UTC) on which it was created, a child pipeline as "
    "one of its own."
)
_RATE_GITLAB = (
    "success / all pipelines, by their last status. A pipeline counts on the day (UTC) on which it started; one that "
    "started more than 7 days after its creation is left out. Queue times are not told."
)
_RATE_DX = (
    "success / (success + failed), where a pipeline has the status that counts most among all attempts of its jobs: "
    "failed, canceled, success, running, in this order. It counts on the day (UTC) on which it was created."
)
_PERCENTILES = " Percentiles are within 0.5 %."
_DURATION = " Durations are those of finished pipelines."
_TIMES = _DURATION + " Queue times are those of jobs." + _PERCENTILES

DEFINITIONS: dict[Figure, dict[DefinitionName, str]] = {
    "summary": {"hub": _RATE_HUB + _TIMES, "gitlab": _RATE_GITLAB + _DURATION + _PERCENTILES, "dx": _RATE_DX + _TIMES},
    "trend": {"hub": _RATE_HUB + _TIMES, "gitlab": _RATE_GITLAB + _DURATION + _PERCENTILES, "dx": _RATE_DX + _TIMES},
    "queue": {
        "hub": "Seconds that jobs waited for a runner (GitLab's queued_duration), all attempts. Percentiles are within "
        "0.5 %.",
        "gitlab": "Seconds that jobs waited for a runner (GitLab's queued_duration), all attempts; GitLab tells it by "
        "runner (group_by=runner). Percentiles are within 0.5 %.",
    },
    "duration": {
        "hub": "Seconds that finished pipelines ran, as GitLab says; with group_by=job, each attempt of a job. "
        "Percentiles are within 0.5 %, means are exact.",
        "gitlab": "Seconds that finished pipelines ran, on the day (UTC) on which they started. Percentiles are within "
        "0.5 %.",
    },
    "failures": {
        "hub": "Failed attempts of jobs, by the class of GitLab's failure_reason and by the job's name. A reason that "
        "the hub does not know, or that GitLab does not give, is of the class unknown."
    },
    "flaky": {
        "hub": "Jobs that failed (not for a reason of the class infra) and succeeded on the same commit of the same "
        "project within the range; rate is the share of such commits among all on which the job failed or succeeded, "
        "wasted minutes are what the failed attempts on them ran."
    },
    "mttr": {
        "hub": "On the default branch: from the end of the first failed pipeline after a successful one to the end of "
        "the next successful pipeline that was created behind that end. Pipelines count by their status at their "
        "first end, child pipelines with their parents. Both have to lie in the range."
    },
    "cost": {
        "hub": "Minutes that jobs ran, all attempts, times the price of a minute on their type of runner. Retried: in "
        "attempts that were retried. Flaky: in failed attempts (not infra) of jobs that succeeded in the same pipeline."
    },
    "dora": {
        "hub": "Deployments to environments of the tier production, on the day (UTC) on which they ended. Counted are "
        "successful ones, once for each environment and commit: to go back to an earlier commit is a rollback. Lead "
        "time: from the merge of each merge request to the deployment that brought it, but for the first deployment to "
        "an environment. Change failure rate: the share that a failed deployment or a rollback followed there. Time to "
        "restore: from the end of that failed deployment to the end of the next successful one, of a rollback from the "
        "deployment that it took back. What lies more than 90 days apart does not belong together.",
        "gitlab": "Deployments to environments of the tier production, on the day (UTC) on which they ended. Counted "
        "are all successful ones. Lead time: the median from the merge of a merge request to the end of the deployment "
        "that brought it, but for the first deployment to an environment. GitLab's change failure rate and time to "
        "restore are those of its incidents, which the hub does not read.",
    },
}
"""Figure → definition → its text; the definitions that a figure does not have are refused."""


def text_of(figure: Figure, name: DefinitionName) -> str:
    """The text of a figure's definition. Raises Unprocessable where the figure has no such definition."""
    found = DEFINITIONS[figure].get(name)
    if found is None:
        allowed = " or ".join(DEFINITIONS[figure])
        message = f"query.definition is {allowed} for {figure}."
        fields = [{"field": "query.definition", "problem": "unfit", "message": message}]
        raise Unprocessable(message, details={"fields": fields, "allowed": list(DEFINITIONS[figure])})
    return found
