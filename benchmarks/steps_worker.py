"""What every step from a push to its build asks of AWS: the real entries, one after the other, over the stand-in.

`python -m benchmarks.steps_worker` prints, for every step, how often it called which operation, and the units that its
tables were billed for. Each step is done twice and the second time is counted: clients, keys and triggers are there by
then, as they are in an instance that is warm.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.children import Dynamo
from benchmarks.pushes import push, token_headers
from benchmarks.quiet import logging_to_nowhere
from benchmarks.seeds import BUILT, a_credential, a_hook, a_trigger, an_integration
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.composition import entries
from gitlab_hub.integrations.rows import credential_item, integration_item
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.events import Context, http_event, sqs_event

BODY_BYTES = 2_000
CALLS = "calls"
UNITS = ("read_units", "write_units")
LEFT_MS = 120_000
"""A worker begins nothing that it could not finish."""


class Steps:
    """A hub with one hook and one trigger, and the way of a push through it."""

    def __init__(self) -> None:
        self._deliveries = deliveries = DynamoTable("deliveries")
        self._hook, self._secrets = a_hook("token"), entries.get_container().hook_secrets
        self._token = self._secrets.token(self._hook.id, 1)
        HookStore(deliveries).create(self._hook, self._secrets.fingerprint(self._token))
        TriggerStore(deliveries).add(a_trigger())
        integration = an_integration()
        credential = credential_item(a_credential(), integration.host_url)
        DynamoTable("integrations").write([integration_item(integration), credential])
        self._dynamo = Dynamo.named()

    def counted(self) -> dict[str, Mapping[str, int]]:
        """How often each step called what."""
        built = [self._steps(f"{BUILT}/{number}", number) for number in range(2)][-1]
        ignored = [self._steps(f"other/{number}", number + 2) for number in range(2)][-1]
        return {
            "a delivery accepted": built["accepted"],
            "the same again": built["again"],
            "a delivery that builds": built["worked on"],
            "a delivery that nobody waits for": ignored["worked on"],
            "a build handed over to a bus": built["started"],
        }

    def _steps(self, branch: str, number: int) -> dict[str, Mapping[str, int]]:
        raw = push(BODY_BYTES, branch=branch, sha=f"{number + 1:040x}").decode()
        headers = token_headers(self._token, f"steps-{number}")
        event = http_event("POST", f"/v1/webhooks/gitlab/{self._hook.id}", principal=None, headers=headers, raw=raw)
        accepted, answer = self._calls_of(lambda: entries.webhooks_api()(event, Context()))
        delivery_id = json.loads(answer["body"])["delivery_id"]
        again, _ = self._calls_of(lambda: entries.webhooks_api()(event, Context()))
        message = sqs_event({"schema": 1, "delivery_id": delivery_id})
        worked_on, left = self._calls_of(lambda: entries.deliveries()(message, Context(LEFT_MS)))
        start = self._start(delivery_id)
        started, left_too = self._calls_of(lambda: entries.builder()(start, Context(LEFT_MS)))
        if left["batchItemFailures"] or left_too["batchItemFailures"]:
            raise ValueError("A worker failed; its log says why.")
        return {"accepted": accepted, "again": again, "worked on": worked_on, "started": started}

    def _start(self, delivery_id: str) -> dict[str, Any]:
        row = self._deliveries.get(f"DELIVERY#{delivery_id}", "DELIVERY") or {}
        return sqs_event(*({"schema": 1, "start": build_id} for build_id in row["build_ids"]))

    def _calls_of(self, work: Callable[[], dict[str, Any]]) -> tuple[Mapping[str, int], dict[str, Any]]:
        before = self._bill()
        answer = work()
        return self._bill() - before, answer

    def _bill(self) -> Counter[str]:
        bills = self._dynamo.bills()
        units = {unit: sum(bill.get(unit, 0) for bill in bills.values()) for unit in UNITS}
        return Counter({**bills.get(CALLS, {}), **units})


if __name__ == "__main__":
    with logging_to_nowhere():
        counts = Steps().counted()
    print(json.dumps(counts))
