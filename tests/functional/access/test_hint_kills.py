"""A worker that processes hints and dies, or meets a fault, at any call: the message returns and nothing is lost."""

from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError, HostUnreachable, RateLimited, Unauthorized, Unavailable
from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, every_call, faulty, unavailable
from tests.functional.access.company import ADMIN, BESIDE, BOT, JANE, MEMBER, OLE, group, member, project, user
from tests.functional.access.hinted_company import NEW, HintedCompany

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])


def changed(who: SyncTarget) -> tuple[HintedCompany, dict[str, Any]]:
    """A synced company where somebody joined, left and rose since, and the message about it."""
    company = HintedCompany(who)
    company.script["/groups/1/members"] = [
        member(JANE, "jane", 40),
        member(NEW, "new"),
        member(BOT, "project_8_bot_ab12", 10),
    ]
    company.script[f"/users/{NEW}"] = user(NEW, "new")
    company.script["/groups/1/projects"] = [project(NEW, "acme/fresh"), project(8, "acme/store")]
    company.script["/groups/1"] = group(1, "acme", visibility="public", shared_with_groups=[])
    company.hint_worker.access.group("i1", 1)
    [message] = company.hint_worker.queue.take()
    return company, message


def leaving(who: SyncTarget) -> tuple[HintedCompany, dict[str, Any]]:
    """A synced company where somebody left a project since, and the message about it."""
    company = HintedCompany(who)
    company.script["/projects/8/members"] = [member(JANE, "jane")]
    del company.script[f"/projects/8/members/{BOT}"]
    company.hint_worker.access.project("i1", 8)
    [message] = company.hint_worker.queue.take()
    return company, message


SCENARIOS = pytest.mark.parametrize("scenario", [changed, leaving])


def rows(company: HintedCompany) -> list[Any]:
    """Everything stored of GitLab."""
    return [row for row in company.table.dump() if row["pk"].startswith("i1#") and row["pk"] not in BESIDE]


def whole(scenario: Any, who: SyncTarget) -> tuple[list[Any], list[Any]]:
    """The rows before and after an undisturbed worker."""
    company, message = scenario(who)
    before = rows(company)
    company.hint_worker.handler().handle(message, remaining=company.hint_worker.remaining)
    return before, rows(company)


@SCENARIOS
@WHO
@BEFORE_OR_AFTER
def test_a_kill_at_any_call_to_the_table_loses_nothing(scenario: Any, who: SyncTarget, *, applied: bool) -> None:
    before, after = whole(scenario, who)
    assert before != after
    for plan in every_call(applied=applied, repeat=True):
        company, message = scenario(who)
        view = faulty(company.table, plan)
        with suppress(Crash):
            company.hint_worker.handler(table=view).handle(message, remaining=company.hint_worker.remaining)
        assert kept(before, rows(company), after), plan
        # Whoever dies does not delete the message: the queue delivers it again.
        company.hint_worker.handler().handle(message, remaining=company.hint_worker.remaining)
        company.hint_worker.work()
        assert rows(company) == after, plan
    assert plan.at > 6


@SCENARIOS
@WHO
@BEFORE_OR_AFTER
def test_a_fault_at_any_call_to_the_table_only_delays(scenario: Any, who: SyncTarget, *, applied: bool) -> None:
    _, after = whole(scenario, who)
    for plan in every_call(applied=applied, error=unavailable):
        company, message = scenario(who)
        try:
            company.hint_worker.handler(table=faulty(company.table, plan)).handle(message, remaining=lambda: 900.0)
        except StorageUnavailable:
            assert plan.at == 1, "only a mark that could not be taken away"
            company.hint_worker.handler().handle(message, remaining=lambda: 900.0)
        company.hint_worker.work()
        assert rows(company) == after, plan


@SCENARIOS
@WHO
@pytest.mark.parametrize(
    "error",
    [Unavailable("down", http_status=502), HostUnreachable("gone"), RateLimited("later", retry_after=60)],
    ids=lambda error: error.code,
)
def test_a_fault_at_any_request_only_delays(scenario: Any, who: SyncTarget, error: GitLabError) -> None:
    _, after = whole(scenario, who)
    company, message = scenario(who)
    handled = company.gitlab.requests
    company.hint_worker.handler().handle(message, remaining=lambda: 900.0)
    for at in range(1, company.gitlab.requests - handled + 1):
        company, message = scenario(who)
        fail_at(company, at, error)
        company.hint_worker.handler().handle(message, remaining=lambda: 900.0)
        company.hint_worker.work()
        # Where the list of users fails, accounts are what member lists tell, as in a run: the next one knows more.
        assert access(rows(company)) == access(after), f"request {at}: {company.gitlab.paths[-1]}"


@SCENARIOS
@WHO
def test_a_refused_token_at_any_request_removes_nothing_and_passes_no_verdict(scenario: Any, who: SyncTarget) -> None:
    before, after = whole(scenario, who)
    for at in range(1, 9):
        company, message = scenario(who)
        fail_at(company, at, Unauthorized("no", http_status=401))
        company.hint_worker.handler().handle(message, remaining=lambda: 900.0)
        assert kept(before, rows(company), after)
        assert (company.hint_worker.queue.sent, company.hint_worker.targets.verdicts) == ([], [])


def fail_at(company: HintedCompany, at: int, error: GitLabError) -> None:
    """Let one request fail."""
    answer, first = company.gitlab._answer, company.gitlab.requests

    def fails(path: str, params: Any) -> Any:
        if company.gitlab.requests - first + 1 == at:
            company.gitlab.requests += 1
            raise error
        return answer(path, params)

    company.gitlab._answer = fails  # type: ignore[method-assign]  # the script is the test's own


def access(stored: list[Any]) -> list[Any]:
    """Rows, of accounts their ids only."""
    return [row["id"] if row["pk"] == "i1#accounts" else row for row in stored]


def kept(before: list[Any], now: list[Any], after: list[Any]) -> bool:
    """Say whether no row is gone that was to stay."""
    places = {(row["pk"], row["sk"]) for row in now}
    return all((row["pk"], row["sk"]) in places for row in after if row in before)


def test_the_scenarios_are_what_they_say() -> None:
    _, after = whole(changed, ADMIN)
    assert [row["account_id"] for row in after if row["sk"].startswith("group#000000000001#")] == [JANE, BOT, NEW]
    _, after = whole(leaving, ADMIN)
    assert [row["account_id"] for row in after if row["sk"].startswith("project#000000000008#")] == [JANE]
    assert OLE in [row["id"] for row in after if row["pk"] == "i1#accounts"]
