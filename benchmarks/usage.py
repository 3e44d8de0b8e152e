"""How much of everything that AWS charges for a hub uses in a month: measured calls times how often they come."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.measured import Row, hours, idle_run, number, rows, sync
from benchmarks.ticks import OPERATIONS
from tests.unit.template.transformed import resources, source, transformed

HOURS = 730
DAYS = HOURS / 24
MINUTES = HOURS * 60

PIPELINES, DELIVERIES, REQUESTS = 500, 5_000, 1_000
"""A day's load, beside 1,000 projects and 2,000 users (the company of the measured syncs). Every pipeline is built."""

POLLS_A_MINUTE = 15
"""Lambda keeps five long polls of twenty seconds on a queue that is empty. It may keep two on a standard one without a
maximum concurrency ("Configuring scaling behavior for SQS event source mappings"); ours have one."""

MILLISECONDS_A_CALL, MILLISECONDS_BESIDE = 8, 5
"""What a warm function is billed for: its calls to DynamoDB or SQS one after the other, and a little beside them."""

LOG_KB, ACCESS_LOG_KB = 1.0, 0.4
"""A call's lines: Lambda's own three, the hub's one or two; and the gateway's line for a request."""

KEY_CALLS_AN_HOUR = 12
"""DynamoDB asks KMS anew every five minutes for each role and table that is in use ("DynamoDB encryption at rest")."""

PROJECTS, UNITS_OF_A_COUNT = 1_000, 2
"""What it takes to note of a project that GitLab's count of its pipelines was compared."""

CORE_SHARE = 1_024 / 1_769
"""A function of 1,024 MB has so much of a virtual processor, one of 1,769 MB a whole one ("Configure Lambda function
memory"). Processor time was measured on whole ones, on a busy machine: it is rather too much than too little."""

GITLAB_SECONDS, CONNECTIONS, FEW_REQUESTS = 0.05, 16, 200
"""How long GitLab takes to answer. Few requests are made one after the other, many over all connections."""

INVITATIONS_A_SYNC = (1_200 + 200) / 48
"""Beside the requests of the access sync that was measured, each reads a forty-eighth of the lists of invitations and
of groups' own pages."""

LOOKS_A_RUN, LOOK_READS, LOOK_WRITES = 2, 3, 2
"""A tick looks at a run when it is to begin, and a minute later. It reads the integration, the run and its row among
the due ones; that row moves: one is written, one removed."""

QUEUE_REQUESTS = 3
"""A message is sent, received and deleted."""

SNAPSHOTS, SNAPSHOT_SECONDS, SNAPSHOT_READS, SNAPSHOT_MB, KEPT_DAYS = 12, 5, 1_000, 0.1, 400
"""A working day's syncs that find another state; what it takes to read the 10,000 rows of the load, 0.4 KB each, and
how much they are once compressed: a sixth of the estate that `python -m benchmarks --only history` keeps."""

CREDENTIALS_REQUESTS, REQUEST_SECONDS, CREDENTIALS_READS, CREDENTIALS_WRITES = 4_300, 0.017, 7_000, 100
"""What a sync of tokens and keys asks of the load's GitLab: once for each group and project for its access tokens, for
each project for its deploy keys, and for each user for SSH keys. A request takes as long as in an access sync by REST
at 50 ms (1,434 in 24 s). What is stored of each is looked at (a read unit), and the summary is counted (the 10,000 rows
again)."""

YEAR_GB, IDLE_GB = 2.0, 0.01
"""What the tables hold after a year of the load."""

PAIRS_IN_USE = 20
"""Roles and tables in use all day under the load, at most."""

GB = {
    "sync_accounts": 1.0,
    "sync_pipelines": 1.0,
    "deliveries": 0.5,
    "builder": 0.5,
    "caretaker": 1.0,
}


@dataclass(frozen=True, slots=True)
class Use:
    """So much of one thing in a month: without an integration, and under the load. `unit` is a key of the prices."""

    what: str
    unit: str
    idle: float
    load: float


CHOSEN = {"HasConsoleGitLab", "HasDashboard", "HasExportsCatalog"}
"""Conditions of the template that hold only where somebody chose so."""


def everything() -> list[Use]:
    """All of it."""
    return [*_standing(), *_ticks(), *_syncs(), *_deliveries(), *_requests(), *_kept()]


def _standing() -> Iterator[Use]:
    alarms, secrets = len(_always("AWS::CloudWatch::Alarm")), len(_always("AWS::SecretsManager::Secret"))
    yield Use("alarms", "alarm", alarms, alarms)
    yield Use("secrets: master key, owner's token, one for each integration", "secret", secrets, secrets + 1)
    queues = resources("AWS::SQS::Queue")
    polled = [
        queues[name["EventSourceArn"]["Fn::GetAtt"][0]]
        for name in resources("AWS::Lambda::EventSourceMapping").values()
    ]
    fifo = sum(bool(queue.get("FifoQueue")) for queue in polled)
    polls = POLLS_A_MINUTE * MINUTES
    yield Use(
        "polling empty queues", "standard queue request", (len(polled) - fifo) * polls, (len(polled) - fifo) * polls
    )
    yield Use("polling empty FIFO queues", "FIFO queue request", fifo * polls, fifo * polls)


def _always(kind: str) -> list[str]:
    """The resources of a kind that a stack has by default."""
    found = transformed()["Resources"].items()
    return [name for name, one in found if one["Type"] == kind and one.get("Condition") not in CHOSEN]


def _ticks() -> Iterator[Use]:
    measured = {
        (row["function"], row["integrations"]): row for row in rows("Calls to AWS by a tick with nothing to do")
    }
    often = {name: MINUTES / minutes for name, minutes in minutes_between_ticks().items()}
    idle, load = ({name: measured[name, number] for name in often} for number in ("0", "1"))
    total = sum(often.values())
    yield Use("schedules", "schedule", total, total)
    yield Use("ticks", "function call", total, total)
    yield Use(
        "ticks",
        "function GB second",
        *(sum(often[n] * GB[n] * _seconds(_calls(r)) for n, r in of.items()) for of in (idle, load)),
    )
    for unit in ("read", "write"):
        yield Use(
            "ticks",
            f"{unit} unit",
            *(sum(often[n] * number(r, f"{unit} units") for n, r in of.items()) for of in (idle, load)),
        )
    yield Use("ticks", "log GB", *[total * LOG_KB / 1e6] * 2)
    depth = often["caretaker"] * number(idle["caretaker"], "GetQueueAttributes")
    yield Use("counting dead letters", "standard queue request", depth, depth)


def key_calls() -> tuple[float, float]:
    """How often KMS is asked in a month where the tables' key is the account's: idle, and under the load."""
    ticks = (row for row in rows("Calls to AWS by a tick with nothing to do") if row["integrations"] == "0")
    idle = sum(number(row, "tables") for row in ticks)
    return idle * KEY_CALLS_AN_HOUR * HOURS, PAIRS_IN_USE * KEY_CALLS_AN_HOUR * HOURS


def minutes_between_ticks() -> dict[str, float]:
    """How many minutes lie between the ticks of a function, by the template's defaults."""
    parameters = source()["Parameters"]
    found: dict[str, float] = {}
    for name, schedule in resources("AWS::Scheduler::Schedule").items():
        rate = schedule["ScheduleExpression"]
        text = parameters[rate["Ref"]]["Default"] if isinstance(rate, Mapping) else rate
        function = "".join(f"_{c.lower()}" if c.isupper() else c for c in name.removesuffix("FunctionTick")).strip("_")
        found[function] = float(text.removeprefix("rate(").split()[0])
    return found


def _syncs() -> Iterator[Use]:
    parameters = source()["Parameters"]
    for kind, parameter in (("access", "AccessIntervalMinutes"), ("pipelines", "PipelinesIntervalMinutes")):
        row = idle_run() if kind == "pipelines" else sync("access, second")
        runs = MINUTES / parameters[parameter]["Default"]
        what = f"{kind} syncs that find nothing new"
        yield Use(what, "function call", 0, runs)
        beside = INVITATIONS_A_SYNC if kind == "access" else 0
        yield Use(what, "function GB second", 0, runs * sync_seconds(row, beside))
        yield Use(what, "read unit", 0, runs * (number(row, "read units") + LOOKS_A_RUN * LOOK_READS))
        yield Use(
            what,
            "write unit",
            0,
            runs * (number(row, "write units") + number(row, "control units") + LOOKS_A_RUN * LOOK_WRITES),
        )
        yield Use(what, "standard queue request", 0, runs * QUEUE_REQUESTS)
        yield Use(what, "log GB", 0, runs * LOG_KB / 1e6)
        yield Use(what, "secret call", 0, runs)
    yield from _credentials(MINUTES / parameters["CredentialsIntervalMinutes"]["Default"])
    yield Use("pipelines counted once a day", "write unit", 0, PROJECTS * DAYS * UNITS_OF_A_COUNT)
    yield from _new_pipelines()


def _new_pipelines() -> Iterator[Use]:
    """What pipelines cost that begin and end, with their deployments: an hour with some, less one without."""
    idle, active = hours()
    what, count = "new pipelines and their deployments", PIPELINES * DAYS / number(active, "new pipelines")

    def more(*columns: str) -> float:
        runs = number(active, "runs") / number(idle, "runs")
        return sum(number(active, column) - number(idle, column) * runs for column in columns)

    seconds = more("CPU s") / CORE_SHARE + more("requests") * GITLAB_SECONDS
    yield Use(what, "function GB second", 0, count * GB["sync_pipelines"] * seconds)
    yield Use(what, "write unit", 0, count * more("write units", "control units"))
    yield Use(what, "read unit", 0, count * more("read units"))


def sync_seconds(row: Row, requests_beside: float = 0) -> float:
    """How long a function of 1,024 MB takes for a sync: what it computes, and what it waits for GitLab."""
    requests = number(row, "requests") + requests_beside
    at_once = 1 if requests < FEW_REQUESTS else CONNECTIONS
    return number(row, "CPU s") / CORE_SHARE + requests * GITLAB_SECONDS / at_once


def _credentials(runs: float) -> Iterator[Use]:
    what = "credentials syncs that find nothing new"
    yield Use(what, "function call", 0, runs)
    yield Use(what, "function GB second", 0, runs * GB["sync_accounts"] * CREDENTIALS_REQUESTS * REQUEST_SECONDS)
    yield Use(what, "read unit", 0, runs * (CREDENTIALS_READS + LOOKS_A_RUN * LOOK_READS))
    yield Use(what, "write unit", 0, runs * (CREDENTIALS_WRITES + LOOKS_A_RUN * LOOK_WRITES))
    yield Use(what, "standard queue request", 0, runs * QUEUE_REQUESTS)
    yield Use(what, "log GB", 0, runs * LOG_KB / 1e6)
    yield Use(what, "secret call", 0, runs)


def _deliveries() -> Iterator[Use]:
    steps = {row["step"]: row for row in rows("Calls to AWS from a push to its build")}
    (received,) = [
        row
        for row in rows("Receiving webhooks")
        if (row["store"], row["mode"], row["body KB"]) == ("DynamoDB", "token", "2")
    ]
    monthly, built = DELIVERIES * DAYS, PIPELINES * DAYS
    parts = {
        "a delivery accepted": monthly,
        "a delivery that nobody waits for": monthly - built,
        "a delivery that builds": built,
        "a build handed over to a bus": built,
    }
    yield Use("webhooks", "API request", 0, monthly)
    yield Use("webhooks and builds", "function call", 0, sum(parts.values()))
    yield Use(
        "webhooks and builds",
        "function GB second",
        0,
        sum(n * 0.5 * _seconds(number(steps[s], "calls")) for s, n in parts.items()),
    )
    later = {step: count for step, count in parts.items() if step != "a delivery accepted"}
    for unit in ("read", "write"):
        units = sum(n * number(steps[s], f"{unit} units") for s, n in later.items())
        yield Use("webhooks and builds", f"{unit} unit", 0, monthly * number(received, f"{unit} units") + units)
    yield Use("webhooks and builds", "FIFO queue request", 0, QUEUE_REQUESTS * (monthly + built))
    yield Use("webhooks and builds", "log GB", 0, (sum(parts.values()) * LOG_KB + monthly * ACCESS_LOG_KB) / 1e6)


def _requests() -> Iterator[Use]:
    monthly = REQUESTS * DAYS
    yield Use("requests of people and tools", "API request", 0, monthly)
    yield Use("requests of people and tools", "function call", 0, 2 * monthly)
    yield Use("requests of people and tools", "function GB second", 0, 2 * monthly * 0.75 * _seconds(5))
    yield Use("requests of people and tools", "read unit", 0, monthly * 10)
    yield Use("requests of people and tools", "log GB", 0, monthly * (2 * LOG_KB + ACCESS_LOG_KB) / 1e6)


def _kept() -> Iterator[Use]:
    yield from _history()
    yield Use("tables", "table GB", IDLE_GB, YEAR_GB)
    yield Use("point-in-time recovery", "backup GB", IDLE_GB, YEAR_GB)
    kept = [sum(use.idle if idle else use.load for use in _logged() if use.unit == "log GB") for idle in (True, False)]
    yield Use("logs kept for a month", "log GB kept", *kept)


def _history() -> Iterator[Use]:
    """Snapshots of the history of access: so often a day the state is another when a sync ends."""
    snapshots = SNAPSHOTS * DAYS
    yield Use("history of access", "function call", 0, snapshots)
    yield Use("history of access", "function GB second", 0, snapshots * GB["sync_accounts"] * SNAPSHOT_SECONDS)
    yield Use("history of access", "read unit", 0, snapshots * SNAPSHOT_READS)
    yield Use("history of access", "standard queue request", 0, snapshots * QUEUE_REQUESTS)
    yield Use("history of access", "object write", 0, snapshots)
    yield Use("history of access", "object GB", 0, KEPT_DAYS * SNAPSHOT_MB / 1_000)


def _logged() -> Iterator[Use]:
    yield from (*_ticks(), *_syncs(), *_deliveries(), *_requests())


def _calls(row: Row) -> float:
    return sum(number(row, name) for name in OPERATIONS)


def _seconds(calls: float) -> float:
    return (calls * MILLISECONDS_A_CALL + MILLISECONDS_BESIDE) / 1000
