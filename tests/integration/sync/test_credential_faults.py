"""The inventory where GitLab refuses or fails, and workers die: nothing is lost, and what is unseen is named."""

from typing import Any

import pytest

from gitlab_hub.access.credentials.store import OWN_TOKEN, CredentialStore
from gitlab_hub.integrations.permissions import need_of
from gitlab_hub.sync.asides import MOST_REFUSED
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.credential_rows import assert_whole, noted, real, shown_to, stored, synced
from tests.integration.sync.stored_rows import reach
from tests.integration.sync.test_fine_grained import granted

OWNER = "owner-read"


def change_everything(company: Running) -> None:
    """One of each comes, one of each goes, and a project with all that it has."""
    group, project = company.truth("groups")[0]["id"], company.truth("projects")[0]["id"]
    rows = company.truth("credentials")
    for kind in ("deploy_token", "deploy_key", "ssh_key"):
        company.change("end_credential", kind=kind, id=next(row["id"] for row in rows if row["kind"] == kind))
    *_, human = (row for row in rows if row["kind"] == "personal_token" and row["status"] == "active")
    company.change("end_credential", kind="personal_token", id=human["id"])
    company.change("add_access_token", user_id=human["user_id"])
    company.change("add_access_token", user_id=2, impersonation=True)
    company.change("add_deploy_token", source="group", source_id=group)
    company.change("add_deploy_key", project_id=project, can_push=True)
    company.change("add_ssh_key", user_id=2)


def asked(hub: SyncHub, ending: str) -> int:
    return sum(url.path.endswith(ending) for url in hub.requests)


@pytest.mark.parametrize("token", ["admin", OWNER])
def test_what_came_and_went_is_found(fresh: Running, token: str) -> None:
    hub = synced(SyncHub(fresh, token))
    change_everything(fresh)
    hub.sync(Kind.ACCESS)
    hub.sync(Kind.CREDENTIALS)
    assert stored(hub) == (real(hub) if token == "admin" else real(hub, shown_to(hub, token)))
    assert_whole(hub)


@pytest.mark.parametrize("token", ["admin", "group", "service"])
def test_a_token_that_is_read_before_its_account_is_there_once_when_that_is_known(fresh: Running, token: str) -> None:
    hub = SyncHub(fresh, token)
    hub.sync(Kind.CREDENTIALS)
    early = stored(hub)
    assert {where[0] for where in early} & {"group_token", "project_token", "service_account_token"} == set()
    synced(hub)
    again = stored(hub)
    assert again == (real(hub) if token == "admin" else real(hub, shown_to(hub, token)))
    numbers = [where[1] for where in again if where[0].endswith("_token") and where[0] != "deploy_token"]
    assert len(numbers) == len(set(numbers))
    assert {where[1] for where in early if where[0] == "personal_token"} <= set(numbers)


def test_which_token_is_the_hubs_own_outlives_an_outage_of_the_page_that_tells_it(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, OWNER))
    store = CredentialStore(hub.rows[Kind.CREDENTIALS], ID)
    own = store.noted(OWN_TOKEN)
    fresh.fault("status", status=503, path="/personal_access_tokens/self", times=0)
    hub.sync(Kind.CREDENTIALS)
    assert (store.noted(OWN_TOKEN), bool(own)) == (own, True)


def test_what_service_accounts_are_not_asked_for_is_said(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, OWNER, group="support-1/reports-3"))
    assert "service_account_token" in {note.stage for note in noted(hub)}


def test_an_administrators_run_asks_no_more_than_it_has_to(fresh: Running) -> None:
    hub = SyncHub(fresh)
    hub.sync(Kind.ACCESS)
    hub.requests.clear()
    hub.sync(Kind.CREDENTIALS)
    located = asked(hub, "/deploy_tokens")
    assert located > 1
    assert (asked(hub, "/access_tokens"), asked(hub, "/groups/1/service_accounts"), asked(hub, "/deploy_keys")) == (
        0, 0, 1,
    )  # fmt: skip
    hub.requests.clear()
    hub.sync(Kind.CREDENTIALS)
    # Whose every deploy token is was found out before.
    assert asked(hub, "/deploy_tokens") == 1
    humans = {row["user_id"] for row in fresh.truth("credentials") if row["kind"] in {
        "personal_token", "impersonation_token"}}  # fmt: skip
    assert asked(hub, "/impersonation_tokens") == len(humans)


def test_an_owners_run_asks_only_where_it_may_read(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, OWNER))
    levels = fresh.control("GET", f"ground-truth/visibility?token={OWNER}")["projects"]
    kept = [number for number, level in levels.items() if level >= 40]
    assert asked(hub, "/access_tokens") <= len(kept) + len(fresh.truth("groups"))
    assert [url for url in hub.requests if url.path.endswith("/impersonation_tokens")] == []


@pytest.mark.parametrize(("status", "word"), [(401, "forbidden"), (403, "forbidden"), (404, "gone"), (500, "failed")])
def test_one_refusal_is_named_and_nothing_of_its_source_goes(fresh: Running, status: int, word: str) -> None:
    token = fresh.truth("credentials")
    hub = synced(SyncHub(fresh, OWNER))
    before = stored(hub)
    number = next(where[3] for where in before if where[0] in {"project_token", "group_token"})
    kind = next(where[0] for where in before if where[0] in {"project_token", "group_token"})
    fresh.fault("status", status=status, path=f"/{kind.partition('_')[0]}s/{number}/access_tokens", times=0)
    hub.sync(Kind.CREDENTIALS)
    assert (stored(hub), len(token) > 0) == (before, True)
    assert_whole(hub)
    assert [(one.status, (one.resource or {})["id"]) for one in noted(hub) if one.stage == kind and one.resource] == [
        (word, number)
    ]
    fresh.control("DELETE", "faults")
    hub.sync(Kind.CREDENTIALS)
    assert [one for one in noted(hub) if one.resource] == []


def test_accounts_that_are_not_there_say_nothing_of_the_others_keys(fresh: Running) -> None:
    hub = SyncHub(fresh, OWNER)
    hub.sync(Kind.ACCESS)
    mine = real(hub, shown_to(hub, OWNER))
    holders = sorted({facts[3] for where, facts in mine.items() if where[0] == "ssh_key" and facts[3]})
    ids = sorted(row["id"] for row in hub.rows[Kind.ACCESS].dump() if row["pk"] == f"{ID}#accounts")
    for number in [one for one in ids if one != holders[-1]]:
        fresh.fault("status", status=404, path=f"/users/{number}/keys", times=0)
    hub.sync(Kind.CREDENTIALS)
    assert {facts[3] for where, facts in stored(hub).items() if where[0] == "ssh_key"} == {holders[-1]}
    assert {note.status for note in noted(hub) if note.stage == "ssh_key"} == {"gone"}


def test_too_many_requests_only_put_the_run_off(fresh: Running) -> None:
    hub = SyncHub(fresh, OWNER)
    hub.sync(Kind.ACCESS)
    fresh.fault("rate_limited", path="/keys", times=3, retry_after=90)
    run = hub.sync(Kind.CREDENTIALS)
    assert run.counts["rate_limited"] == 3
    assert stored(hub) == real(hub, shown_to(hub, OWNER))
    assert_whole(hub)


def test_a_token_that_is_no_good_any_more_ends_the_run(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, OWNER))
    before = stored(hub)
    fresh.fault("unauthorized", path="/api/", times=0)
    run = hub.sync(Kind.CREDENTIALS)
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "invalid_credentials")
    assert (stored(hub), hub.targets.verdicts[-1]) == (before, "rejected")


def test_a_fine_grained_token_is_told_which_permissions_are_missing(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, "fine-grained"))
    assert_whole(hub)
    reasons = {note.stage: note.reason for note in noted(hub) if note.key.isdecimal()}
    assert "SSH Key: Read" in reasons["ssh_key"]
    assert "Resource Access Token: Read" in reasons["group_token"]
    assert "Deploy Token: Read" in reasons["group_deploy_token"]
    assert {where[0] for where in stored(hub)} == {"personal_token"}


NEED = need_of("credentials")


def test_the_published_permissions_show_what_the_user_may_see(fresh: Running) -> None:
    hub = SyncHub(fresh, OWNER)
    hub.sync(Kind.ACCESS)
    granted(fresh, hub, "least", (*NEED.permissions, *NEED.better_with))
    hub.sync(Kind.CREDENTIALS)
    assert_whole(hub)
    assert stored(hub) == real(hub, shown_to(hub, OWNER))
    assert [note for note in noted(hub) if note.key.isdecimal() and note.status == "forbidden"] == []


@pytest.mark.parametrize("permission", NEED.permissions)
def test_without_one_of_those_that_are_needed_nothing_goes_and_its_name_is_told(
    fresh: Running, permission: str
) -> None:
    hub = synced(SyncHub(fresh, OWNER))
    before = stored(hub)
    granted(fresh, hub, "less", tuple({*NEED.permissions, *NEED.better_with} - {permission}))
    hub.sync(Kind.CREDENTIALS)
    assert_whole(hub)
    assert before.keys() - stored(hub).keys() == set()
    kind = permission.partition(":")[0].lower()
    assert permission in {note.stage: note.reason for note in noted(hub)}[f"{kind}_token"]


def test_an_administrator_who_is_limited_to_a_group_reads_what_is_in_it(fresh: Running) -> None:
    group = next(row for row in fresh.truth("groups") if row["parent_id"] is None)
    hub = synced(SyncHub(fresh, "admin-read", group=group["full_path"]))
    groups, projects = reach(hub)

    def is_inside(row: dict[str, Any]) -> bool:
        if row["kind"] in {"personal_token", "impersonation_token"}:
            return bool(row["user_id"] == 1 and row["kind"] == "personal_token")
        if row["kind"] == "ssh_key":
            return ("ssh_key", row["id"], None, None) in stored(hub)
        return row["source_id"] in (groups if row["source"] == "group" else projects)

    assert stored(hub) == real(hub, is_inside)
    assert {where[0] for where in stored(hub)} >= {"personal_token", "ssh_key", "group_token"}
    assert_whole(hub)


def test_an_administrators_fine_grained_token_without_the_lists_fails_no_run(fresh: Running) -> None:
    hub = SyncHub(fresh, "admin")
    hub.sync(Kind.ACCESS)
    granted(fresh, hub, "little", need_of("access").permissions)
    hub.sync(Kind.CREDENTIALS)
    assert_whole(hub)
    told = {note.stage: note.reason for note in noted(hub)}
    assert "Personal Access Token: Read" in told["personal_token"]
    assert "Deploy Token: Read" in told["deploy_token"]
    assert "Deploy Key: Read" in told["deploy_key"]


def test_where_all_are_refused_it_is_said_once_and_few_are_asked() -> None:
    many = ("--users", "30", "--groups", "3", "--projects", "3", "--pipelines", "0", "--jobs", "1", "--seed", "6")
    with running("--frozen", "--epoch", EPOCH, *many) as company:
        company.fault("status", status=403, path="/keys$", times=0)
        hub = synced(SyncHub(company))
        assert asked(hub, "/keys") == MOST_REFUSED
        assert [note.key for note in noted(hub) if note.stage == "ssh_key" and not note.key.isdecimal()] == ["all"]


def test_a_list_that_is_suddenly_empty_is_suspect_and_may_be_accepted(fresh: Running) -> None:
    hub = synced(SyncHub(fresh))
    before = stored(hub)
    fresh.fault("empty_list", path="/personal_access_tokens$", times=0)
    fresh.fault("status", status=404, path=r"/personal_access_tokens/\d+$", times=0)
    run = hub.sync(Kind.CREDENTIALS)
    assert (run.status, stored(hub)) == (RunStatus.SUSPECT, before)
    hub.service.accept(ID, Kind.CREDENTIALS, actor="t1")
    assert hub.work(Kind.CREDENTIALS).status is RunStatus.IDLE
    assert {where[0] for where in stored(hub)} <= {"impersonation_token", "deploy_token", "deploy_key", "ssh_key"}


def queued(past: SyncHub) -> tuple[SyncHub, dict[str, Any]]:
    """A hub with a run queued, and that run's message."""
    hub = past.clone()
    hub.service.request(ID, [Kind.CREDENTIALS])
    [message] = hub.queues[Kind.CREDENTIALS].take()
    return hub, message


@pytest.mark.parametrize("token", ["admin", OWNER])
def test_a_kill_at_any_call_converges(fresh: Running, token: str) -> None:
    past = synced(SyncHub(fresh, token))
    change_everything(fresh)
    past.sync(Kind.ACCESS)
    now = real(past) if token == "admin" else real(past, shown_to(past, token))
    gone = {where for where in stored(past) if where not in now}
    undisturbed = Plan()
    hub, message = queued(past)
    with hub.failing(undisturbed):
        hub.engine(Kind.CREDENTIALS).handle(message, remaining=hub.remaining)
    assert stored(hub) == now
    for at in range(1, len(undisturbed.calls) + 1, 11):
        hub, message = queued(past)
        plan = Plan(at=at, applied=at % 2 == 0, repeat=True)
        try:
            with hub.failing(plan):
                hub.engine(Kind.CREDENTIALS).handle(message, remaining=hub.remaining)
        except Crash:
            pass
        assert {where for where in stored(past) if where not in stored(hub)} <= gone, f"killed at call {at}"
        hub.now += LEASE_SECONDS
        hub.engine(Kind.CREDENTIALS).handle(message, remaining=hub.remaining)
        assert (hub.work(Kind.CREDENTIALS).status, stored(hub)) == (RunStatus.IDLE, now), f"killed at call {at}"


def test_it_waits_for_the_access_sync(fresh: Running) -> None:
    hub = SyncHub(fresh, OWNER)
    hub.service.request(ID, [Kind.CREDENTIALS, Kind.ACCESS])
    messages = hub.queues[Kind.CREDENTIALS].take()
    hub.engine(Kind.CREDENTIALS).handle(messages[0], remaining=hub.remaining)
    assert hub.run(Kind.CREDENTIALS).status is RunStatus.PARKED
    assert stored(hub) == {}
    hub.engine(Kind.ACCESS).handle(messages[1], remaining=hub.remaining)
    assert hub.work(Kind.CREDENTIALS).status is RunStatus.IDLE
    assert stored(hub) == real(hub, shown_to(hub, OWNER))


def test_a_project_that_is_gone_takes_its_credentials_along(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, OWNER))
    gone = next(where[3] for where in stored(hub) if where[2] == "project")
    fresh.change("remove_project", id=gone)
    hub.sync(Kind.ACCESS)
    hub.sync(Kind.CREDENTIALS)
    assert [where for where in stored(hub) if where[2:] == ("project", gone)] == []
