"""The log of deliveries as it is read and replayed over the API."""

import json
from typing import Any

import pytest

from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.web.openapi import document
from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.webhooks.deliveries.log import MAX_INTEGRATIONS, MAX_SCANNED
from tests.fakes.events import Context, http_event
from tests.fakes.faults import Plan, faulty
from tests.functional.webhooks.deliveries.delivery_api import (
    FOREIGN,
    HOOK,
    LIMITED,
    LIST,
    ONE,
    OTHER,
    SECOND,
    DeliveryApi,
    fill,
)
from tests.functional.webhooks.deliveries_hub import NOW, PATH, PUSH, DeliveriesHub, RecordingBuilds


@pytest.fixture
def log() -> DeliveryApi:
    return DeliveryApi(DeliveriesHub(HOOK, SECOND, FOREIGN))


@pytest.mark.parametrize("limit", [1, 5, 200])
def test_deliveries_of_all_integrations_are_listed_newest_first(log: DeliveryApi, limit: int) -> None:
    ids = fill(log)
    assert log.ids(limit=limit) == ids
    mine = [one for one in ids if one.startswith("dlv_0a1b")]
    assert log.ids(limit=limit, integration_id=ONE) == mine
    assert log.ids(limit=limit, principal=LIMITED) == mine


def test_a_list_shows_of_a_delivery_what_is_shown_of_it_alone(log: DeliveryApi) -> None:
    fill(log, 3)
    log.hub.work()
    shown = log(LIST)[1]["deliveries"]
    assert shown == [log(f"{LIST}/{one['id']}")[1]["delivery"] for one in shown]
    assert len(shown) == 3


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_they_are_filtered(log: DeliveryApi, limit: int) -> None:
    ids = fill(log)
    assert log.ids(limit=limit, hook_id=SECOND.id) == ids[1::3]
    assert log.ids(limit=limit, hook_id=SECOND.id, integration_id=ONE) == ids[1::3]
    assert log.ids(limit=limit, hook_id=SECOND.id, integration_id=OTHER) == []
    assert log.ids(limit=limit, event="tag_push") == ids[0::2]
    assert log.ids(limit=limit, since=NOW + 10) == ids[:3]
    assert log.ids(limit=limit, status="handled") == []
    log.hub.work()
    assert log.ids(limit=limit, status="handled") + log.ids(limit=limit, status="ignored") != []
    assert log.ids(limit=limit, status="pending") == []


@pytest.mark.parametrize(
    ("query", "unknown"),
    [
        ({"integration_id": OTHER}, {"integration_id": "int_5"}),
        ({"integration_id": "int_404"}, {"integration_id": "int_5"}),
        ({"hook_id": FOREIGN.id}, {"hook_id": "hook_5_1"}),
        ({"hook_id": "x"}, {"hook_id": "hook_5_1"}),
    ],
)
def test_what_is_foreign_looks_like_what_is_not_there(
    log: DeliveryApi, query: dict[str, Any], unknown: dict[str, Any]
) -> None:
    fill(log)
    assert log(principal=LIMITED, **query)[0] == 404
    assert log(principal=LIMITED, **query) == log(principal=LIMITED, **unknown) == log(**unknown)


def test_a_foreign_delivery_looks_like_none(log: DeliveryApi) -> None:
    foreign = fill(log, 3)[0]
    for method, path in (("GET", f"{LIST}/{foreign}"), ("POST", f"{LIST}/{foreign}/replay")):
        limited = Principal("t", Role.OWNER, frozenset({ONE}))
        expected = log(path.replace(foreign, "dlv_0a1b_404"), method=method, principal=limited)
        assert log(path, method=method, principal=limited) == expected
        assert expected[0] == 404
        assert log(path.replace(foreign, "nonsense"), method=method) == expected
    assert log.hub.rows()[0]["replays"] == 0


def test_a_delivery_shows_what_became_of_it_and_never_its_body(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH | {"user_name": "canary"}, {"Idempotency-Key": "k1"})[1]["delivery_id"]
    log.hub.now += 4
    log.hub.work()
    status, body = log(f"{LIST}/{delivery_id}")
    shown = body["delivery"]
    assert status == 200
    assert (shown["status"], shown["build_ids"], shown["attempts"]) == ("handled", ["bld_0"], 1)
    assert (shown["received_at"], shown["processed_at"], shown["milliseconds"]) == (NOW, NOW + 4, 4000)
    assert shown["headers"]["idempotency-key"] == "k1"
    assert "x-gitlab-token" not in shown["headers"]
    assert "canary" not in str(body)
    assert not {"body", "pk", "sk", "receipt", "queue_group", "by_time_pk", "version"} & set(shown)


def test_a_page_looks_at_a_bounded_number_of_rows(log: DeliveryApi) -> None:
    for number in range(MAX_SCANNED + 5):
        log.hub.now += 1
        log.hub(HOOK, PUSH | {"user_id": number + 1})
    _, body = log(event="merge_request")
    assert body["deliveries"] == []
    assert body["next_cursor"] is not None
    assert log(event="merge_request", cursor=body["next_cursor"])[1]["next_cursor"] is None


def test_over_too_many_integrations_one_has_to_be_named(log: DeliveryApi) -> None:
    log.known.ids = tuple(f"int_{number}" for number in range(MAX_INTEGRATIONS + 1))  # type: ignore[assignment]
    status, body = log()
    assert (status, body["code"]) == (422, "invalid_input")
    assert log(integration_id="int_7")[0] == 200


def test_a_cursor_belongs_to_its_list(log: DeliveryApi) -> None:
    fill(log)
    cursor = log(limit=1)[1]["next_cursor"]
    for query in (
        {"integration_id": ONE},
        {"event": "push"},
        {"since": 5},
        {"status": "pending"},
        {"hook_id": HOOK.id},
    ):
        status, body = log(cursor=cursor, **query)
        assert (status, body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("query", [{"since": "x"}, {"since": -1}, {"limit": 201}, {"status": ""}])
def test_what_cannot_be_meant_is_refused(log: DeliveryApi, query: dict[str, Any]) -> None:
    assert log(**query)[0] == 422


def test_a_replay_decides_again_and_builds_nothing_twice(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.work()
    for number in (1, 2):
        status, body = log(f"{LIST}/{delivery_id}/replay", method="POST")
        assert (status, body["delivery"]["status"], body["delivery"]["replays"]) == (202, "pending", number)
        assert log.hub.queue.sent[-1].once == f"{delivery_id}-{number}"
        log.hub.work()
    assert len(log.hub.builds.asked) == 3
    assert len(log.hub.builds.made) == 1
    shown = log(f"{LIST}/{delivery_id}")[1]["delivery"]
    assert (shown["status"], shown["build_ids"], shown["attempts"]) == ("handled", ["bld_0"], 1)


def test_the_time_that_a_delivery_took_is_measured_and_not_guessed(log: DeliveryApi) -> None:
    log.hub.now = NOW + 0.750
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.now = NOW + 1.125
    log.hub.work()
    shown = log(f"{LIST}/{delivery_id}")[1]["delivery"]
    assert (shown["received_at"], shown["processed_at"], shown["milliseconds"]) == (NOW, NOW + 1, 375)
    assert log(LIST)[1]["deliveries"] == [shown]


def test_a_replay_is_measured_from_its_own_beginning(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.work()
    log.hub.now = NOW + 3_600.5
    assert log(f"{LIST}/{delivery_id}/replay", method="POST")[1]["delivery"]["milliseconds"] is None
    log.hub.now = NOW + 3_602.0
    log.hub.work()
    shown = log(f"{LIST}/{delivery_id}")[1]["delivery"]
    assert (shown["received_at"], shown["processed_at"], shown["milliseconds"]) == (NOW, NOW + 3_602, 1_500)


def test_a_worker_whose_clock_is_behind_took_no_time_at_all(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.now -= 2
    log.hub.work()
    assert log(f"{LIST}/{delivery_id}")[1]["delivery"]["milliseconds"] == 0


def test_a_row_of_an_earlier_release_says_when_and_not_how_long(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.work()
    [row] = log.hub.rows()
    log.hub.table.put({name: value for name, value in row.items() if name != "began_at"} | {"processed_at": NOW})
    for shown in (log(f"{LIST}/{delivery_id}")[1]["delivery"], *log(LIST)[1]["deliveries"]):
        assert (shown["processed_at"], shown["milliseconds"]) == (NOW, None)


def test_builds_of_earlier_rounds_are_not_forgotten(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.work()
    log.hub.builds = RecordingBuilds(wanted=False)
    log.hub.use(log.hub.table, log.hub.queue)
    log(f"{LIST}/{delivery_id}/replay", method="POST")
    log.hub.work()
    shown = log(f"{LIST}/{delivery_id}")[1]["delivery"]
    assert (shown["status"], shown["reasons"], shown["build_ids"]) == ("ignored", ["no_trigger"], ["bld_0"])


def test_a_replay_makes_the_build_that_was_not_made(log: DeliveryApi) -> None:
    log.hub.builds.wanted = False
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.work()
    log.hub.builds.wanted = True
    log(f"{LIST}/{delivery_id}/replay", method="POST")
    log.hub.work()
    assert log(f"{LIST}/{delivery_id}")[1]["delivery"]["build_ids"] == ["bld_0"]


def test_a_replay_whose_message_is_not_taken_is_sent_by_the_sweeper(log: DeliveryApi) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    log.hub.work()
    log.hub.use(log.hub.table, faulty(log.hub.queue, Plan(at=1, error=QueueUnavailable)))
    log.use()
    assert log(f"{LIST}/{delivery_id}/replay", method="POST")[0] == 503
    log.hub.use(log.hub.table, log.hub.queue)
    log.hub.now += 121
    assert log.hub.requeue_job.tick() == 1
    log.hub.work()
    assert len(log.hub.builds.asked) == 2


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.DEVELOPER, 202), (None, 401)])
def test_a_replay_needs_a_developer(log: DeliveryApi, role: Role | None, status: int) -> None:
    delivery_id = log.hub(HOOK, PUSH)[1]["delivery_id"]
    principal = Principal("t", role) if role else None
    assert log(f"{LIST}/{delivery_id}/replay", method="POST", principal=principal)[0] == status


def test_the_whole_api_takes_deliveries_as_the_function_alone_does(log: DeliveryApi) -> None:
    raw = json.dumps(PUSH).encode()
    for path in (PATH, f"{PATH}/{HOOK.id}"):
        for headers in (log.hub.headers(HOOK, raw), {}):
            event = http_event("POST", path, principal=None, headers=headers, raw=raw)
            assert log.api.resolve(event, Context())["statusCode"] in ((202, 200) if headers else (401,))
    assert len(log.hub.rows()) == 1


def test_every_route_is_in_the_document(log: DeliveryApi) -> None:
    paths = document(log.api.routes)["paths"]
    assert set(paths[PATH]["post"]["responses"]) >= {"202"}
    assert len(paths) == 5
