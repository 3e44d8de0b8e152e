"""Random plans whose workers are killed: what GitLab has in the end, beside what it has where nobody died."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes.faults import Crash, Plan, faulty
from tests.functional.provisioning.account_hub import account_hub, on
from tests.functional.provisioning.plan_hub import (
    ACME,
    BEN,
    CRAFT,
    GUESTS,
    SHOP,
    TEAM,
    PlanHub,
    grant,
    invite,
    revoke,
    revoke_credential,
    share,
)

LEVELS = (10, 15, 20, 30, 40, 50)
PLACES = (("group", ACME), ("group", TEAM), ("group", GUESTS), ("project", SHOP), ("project", CRAFT))
PEOPLE = tuple(range(20, 44))
MOST_OPERATIONS = 5
LAST_CALL = 30
"""Of a store or of GitLab, at which a worker dies; where a plan needs fewer, it lives."""

MOST_DEATHS = 2
TICKS = 30
Operation = dict[str, Any]


@dataclass
class Told:
    """What came of many plans. `wrong` are the seeds whose plan led elsewhere, or wrote something twice."""

    plans: int = 0
    blocked: int = 0
    deaths: int = 0
    writes: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    wrong: list[int] = field(default_factory=list)


def run(seeds: Iterable[int]) -> Told:
    """Carry out a plan for each seed, once in peace and once with deaths."""
    told = Told()
    for seed in seeds:
        _compare(seed, told)
    return told


def _compare(seed: int, told: Told) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    operations = _operations(dice)
    peace, plan = _applied(operations)
    told.plans += 1
    if plan is None:
        told.blocked += 1
        return
    _ticks(peace, plan)
    dying, same = _applied(operations)
    assert same is not None
    for _ in range(dice.randint(1, MOST_DEATHS)):
        told.deaths += _die(dying, dice)
        dying.now += 400  # A lease of the dead is over by then.
    _ticks(dying, same)
    told.operations.update(one["op"] for one in operations)
    told.writes += len(dying.gitlab.writes)
    if _outcome(dying, same) != _outcome(peace, plan):
        told.wrong.append(seed)


def _outcome(hub: PlanHub, plan: Operation) -> object:
    """All that is to be the same: what GitLab has, what became of each operation, and each write, once."""
    gitlab, found = hub.gitlab, hub.read(plan["id"])
    became = [(one["op"], one["status"], one["error"]) for one in found["operations"]]
    people = {row["username"]: row["state"] for row in gitlab.users.values()}
    written = sorted((method, path, str(body)) for method, path, body in gitlab.writes)
    held = gitlab.state(), gitlab.invited(), gitlab.waiting(), gitlab.credentials
    return found["status"], became, people, held, written


def _applied(operations: list[Operation]) -> tuple[PlanHub, Operation | None]:
    """A company, and a plan that an owner has applied and nobody has taken up; None where it is refused."""
    hub = account_hub()
    hub.gitlab.credentials = _credentials()
    status, body = hub("POST", "", {"operations": operations})
    assert status == 201, body
    plan = body["plan"]
    status, answer = hub.apply(plan, "test")
    assert status in {202, 403}, answer
    hub.provisioner.started = 0
    return hub, plan if status == 202 else None


def _ticks(hub: PlanHub, plan: Operation) -> None:
    """Let ticks come until the plan is over."""
    for _ in range(TICKS):
        if hub.read(plan["id"])["status"] != "applying":
            return
        hub.later()


def _die(hub: PlanHub, dice: random.Random) -> bool:
    """Let a worker die at some call of a store or of GitLab, before or after it took effect; whether it did."""
    at, applied, at_gitlab = dice.randint(1, LAST_CALL), dice.random() < 0.5, dice.random() < 0.5
    if at_gitlab:
        _die_at_request(hub, at, applied=applied)
        worker = hub.worker()
    else:
        fault = Plan(at=at, applied=applied)
        worker = hub.worker(hub.feature(faulty(hub.access, fault), faulty(hub.notes, fault)))
    try:
        hub.tick(worker)
    except Crash:
        return True
    finally:
        hub.gitlab.step, hub.gitlab.after_write = (lambda _method, _path: None), (lambda: None)
    return False


def _die_at_request(hub: PlanHub, at: int, *, applied: bool) -> None:
    seen = 0

    def step(method: str, _path: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at and not (applied and method != "GET"):
            raise Crash

    def after_write() -> httpx.Response | None:
        if seen == at:
            raise Crash
        return None

    hub.gitlab.step, hub.gitlab.after_write = step, after_write


def _credentials() -> dict[str, dict[str, Any]]:
    made = {"created_at": "2026-01-01T00:00:00Z", "expires_at": "2027-01-31", "revoked": False}
    own = {"id": 1, "name": "t1", "user_id": 1, **made}
    personal = {f"personal_access_tokens/{one}": {"id": one, "name": "t", "user_id": one, **made} for one in PEOPLE}
    keys = {f"users/{one}/keys/{one}": {"id": one, "title": "laptop"} for one in PEOPLE}
    deploy = {f"groups/{ACME}/deploy_tokens/4": {"id": 4, "name": "ci", "revoked": False}}
    return {"personal_access_tokens/self": own, "personal_access_tokens/1": own, **personal, **keys, **deploy}


def _operations(dice: random.Random) -> list[Operation]:
    """Some operations, each about another person: a plan has one for each account and resource."""
    people = dice.sample(PEOPLE, MOST_OPERATIONS)
    wanted = dice.randint(1, MOST_OPERATIONS)
    makers = dice.sample(list(MAKERS), wanted)
    return [MAKERS[maker](dice, person) for maker, person in zip(makers, people, strict=False)]


def _place(dice: random.Random) -> dict[str, Any]:
    kind, number = dice.choice(PLACES)
    return {"type": kind, "id": number}


def _grant(dice: random.Random, person: int) -> Operation:
    more: dict[str, Any] = {"expires_at": "2027-03-01"} if dice.random() < 0.3 else {}
    mode = dice.choice(["ensure_at_least", "set_exactly"])
    return grant(person, dice.choice(LEVELS), _place(dice), mode=mode, **more)


def _share(dice: random.Random, _person: int) -> Operation:
    return share(GUESTS, dice.choice(LEVELS[:4]), {"type": "project", "id": dice.choice([SHOP, CRAFT])})


def _revoke(dice: random.Random, person: int) -> Operation:
    kind, number, account = dice.choice([("project", CRAFT, person), ("project", SHOP, BEN), ("group", TEAM, BEN)])
    return revoke(account, None, {"type": kind, "id": number})


MAKERS: dict[str, Callable[[random.Random, int], Operation]] = {
    "grant": _grant,
    "another grant": _grant,
    "revoke": _revoke,
    "share": _share,
    "invite": lambda dice, person: invite(f"new{person}@example.com", dice.choice(LEVELS[:5]), _place(dice)),
    "block": lambda _, person: on("block", person),
    "deactivate": lambda _, person: on("deactivate", person),
    "delete_account": lambda _, person: on("delete_account", person),
    "create_account": lambda _, person: {
        "op": "create_account", "email": f"eve{person}@example.com", "username": f"eve{person}", "name": "Eve Adams",
    },
    "personal token": lambda _, person: revoke_credential("personal_token", person, account_id=person),
    "ssh key": lambda _, person: revoke_credential("ssh_key", person, account_id=person),
    "deploy token": lambda _, __: revoke_credential("deploy_token", 4, resource={"type": "group", "id": ACME}),
}  # fmt: skip
"""What makes an operation; one of another person each time, or of nobody."""
