"""What whole journeys ask of AWS, from the first call to the last."""

from collections.abc import Mapping

from benchmarks import reads, steps
from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

Journeys = Mapping[str, int]
REFRESH, IDLE_SYNC = "a token pair renewed", "a sync of pipelines that finds nothing new, five projects"
BUILD, PAGE = "a webhook to its build, on a bus", "a page of a list"


def journeys() -> Journeys:
    """Calls to AWS by journey, in instances that are warm."""
    with dynamo() as store:
        worked: Journeys = answer_of("benchmarks.journeys_worker", AWS_ENDPOINT_URL=store.endpoint, **ENVIRONMENT)
    way, read = steps.counted(), reads.counted_at(1)
    built = ("a delivery accepted", "a delivery that builds", "a build handed over to a bus")
    page = ("authorizer, before every route but the open ones", "GET /v1/integrations/<integration_id>/accounts")
    return {
        **worked,
        BUILD: sum(steps.calls_of(way[step]) for step in built),
        PAGE: sum(int(read[call]["requests"] + read[call]["secrets"]) for call in page),
    }


def journeys_table(counts: Journeys) -> str:
    """One row for every journey."""
    return table(("journey", "calls to AWS"), [[journey, str(calls)] for journey, calls in counts.items()])
