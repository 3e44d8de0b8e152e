"""`python -m benchmarks.costs`: what a hub costs a month, written to docs/costs.md."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks import usage
from benchmarks.measured import number, sync
from benchmarks.prices import ALWAYS_FREE, PRICES
from benchmarks.tables import table
from benchmarks.usage import Use

DOCUMENT = Path(__file__).parents[1] / "docs" / "costs.md"
WHOLE_FROM = 10
"""From here on an amount is told without its fractions."""

SPARED_POLLS = 3 / 5
"""Of five polls, on a queue that may have two."""

QUEUES = ("standard queue request", "FIFO queue request")

TEXT = """# Costs

What a month costs at list prices of us-east-1 (2026-11-29), in dollars. Written by `python -m benchmarks.costs` from
calls that were measured on the real bundle ([benchmarks/results.md](../benchmarks/results.md)) and the template as it
stands. How often each comes, and what is assumed where nothing could be measured, stands in `benchmarks/usage.py`, the
prices in `benchmarks/prices.py`.

**Idle** is a stack without an integration. **Load** is one integration with 1,000 projects and 2,000 users; a day has
{pipelines} pipelines, {deliveries:,} webhooks, {pipelines} builds and {requests:,} requests. Everything is synced as
often as the defaults say, by GraphQL where it may be used, and a year has passed.

{total}

“Always free” takes off what every account has for nothing every month, for good, and nothing that ends after a year.

## What it is made of

{lines}

## What is extra

| choice | a month |
|---|---|
| `Dashboard=true` | $3.00; nothing for the first three of an account |
| `Tracing=true` | $5.00 per million calls: ${tracing:.2f} for the ticks alone |
| `TablesUseKms=true` | ${keys[0]:.2f}, under the load ${keys[1]:.2f} |
| another integration | $0.40 for its secret, and its syncs |
| `ConsoleGitLabUrl` | ${client:.2f} for the secret of its OAuth application |
| a private GitLab | NAT or endpoints: [deploying.md](deploying.md#a-gitlab-in-a-private-network) |
| the first sync of the load above | ${first:.2f}, once |
| shorter `AccessIntervalMinutes`, `PipelinesIntervalMinutes` | twice as often is twice the syncs' lines |

## What is left of an idle hub, and why

The goal for an idle hub is $2 at list prices; it costs ${idle:.2f}. This is what it consists of:

- **Polling, ${polls:.2f}.** Lambda polls every queue all month, with five long polls of twenty seconds. It can go down
  to two on a quiet standard queue, but not where a maximum concurrency is set ([scaling of SQS event
  sources][scaling]), and without one two queues could take all ten executions of a fresh account. Four queues are the
  fewest that keep syncs, webhooks and builds out of each other's way; FIFO keeps the pushes of one ref in order.
- **{alarms} alarms, ${alarmed:.2f}**, one for each thing that a person does something about
  ([operations.md](operations.md#alarms)); every account has ten for nothing. An alarm is billed for each metric that
  it reads, so metric math would save nothing, and a composite alarm costs five times as much ([CloudWatch
  pricing][cloudwatch]).
- **Two secrets, ${secrets:.2f}.** The function that looks tokens up must not be able to read the master key, and a
  right on a secret is one on all of it. CloudFormation cannot make a `SecureString` of Parameter Store, which would be
  free.
- **Ticks, ${ticked:.2f}.** Four functions look every minute for work that is due or was left over. Rules on
  a schedule are on no price list, but [AWS calls them legacy][rules]; a Scheduler's group also counts its starts, and
  their silence is an alarm.

What would save more, and what would be lost by it:

{savings}

All but the third and the last together would bring it to ${lowest:.2f}.

[scaling]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
[cloudwatch]: https://aws.amazon.com/cloudwatch/pricing/
[rules]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
"""


def price(uses: Sequence[Use], *, load: bool, free: bool = False) -> float:
    """What so much costs; `free` takes off what is always free."""
    amounts: defaultdict[str, float] = defaultdict(float)
    for use in uses:
        amounts[use.unit] += use.load if load else use.idle
    if free:
        # What is free of queues is a million requests of both kinds: the dearer ones are not taken off first.
        left = ALWAYS_FREE["standard queue request"]
        for unit in QUEUES:
            taken = min(left, amounts[unit])
            amounts[unit], left = amounts[unit] - taken, left - taken
        for unit in amounts.keys() & ALWAYS_FREE.keys() - set(QUEUES):
            amounts[unit] = max(0.0, amounts[unit] - ALWAYS_FREE[unit])
    return sum(amount * PRICES[unit] for unit, amount in amounts.items())


def first_sync() -> float:
    """What the first syncs of the load cost."""
    total = 0.0
    for kind in ("access", "pipelines"):
        row = sync(f"{kind}, first")
        total += usage.sync_seconds(row) * PRICES["function GB second"]
        total += number(row, "read units") * PRICES["read unit"]
        total += (number(row, "write units") + number(row, "control units")) * PRICES["write unit"]
    return total


def document() -> str:
    """The whole page."""
    uses = usage.everything()
    columns = ("", "idle", "load")
    totals = [
        ["list prices", *(f"{price(uses, load=load):.2f}" for load in (False, True))],
        ["without what is always free", *(f"{price(uses, load=load, free=True):.2f}" for load in (False, True))],
    ]
    alarms = next(int(use.idle) for use in uses if use.unit == "alarm")
    ticks = next(use.idle for use in uses if (use.what, use.unit) == ("ticks", "function call"))
    idle, secrets, standard = price(uses, load=False), _idle(uses, "secrets"), _idle(uses, "polling empty queues")
    scheduled = _idle(uses, "schedules")
    ticked = scheduled + _idle(uses, "ticks")
    return TEXT.format(
        pipelines=usage.PIPELINES,
        deliveries=usage.DELIVERIES,
        requests=usage.REQUESTS,
        total=table(columns, totals),
        lines=table(("what", "of", "idle: so many", "$", "load: so many", "$"), [_line(use) for use in uses]),
        tracing=ticks * PRICES["trace"],
        first=first_sync(),
        keys=[calls * PRICES["key call"] for calls in usage.key_calls()],
        alarms=alarms,
        idle=idle,
        polls=_idle(uses, "polling empty"),
        alarmed=_idle(uses, "alarms"),
        secrets=secrets,
        client=PRICES["secret"],
        ticked=ticked,
        savings=_savings(uses),
        # With every second tick, half of the schedules and of their logs are gone already.
        lowest=idle - secrets - standard * SPARED_POLLS - ticked / 2 - scheduled / 2 - _tick_logs(uses) / 4,
    )


def _savings(uses: Sequence[Use]) -> str:
    """What else would make an idle hub cheaper, and what each of that takes away."""
    standard, scheduled = _idle(uses, "polling empty queues"), _idle(uses, "schedules")
    told = (
        ("the two secrets as a `SecureString` each, made by a function of the stack", _idle(uses, "secrets"),
         "a function that can write secrets must work at every update; the versions that Secrets Manager keeps"),
        ("no maximum concurrency on the two queues of syncs: Lambda may keep two polls then", standard * SPARED_POLLS,
         "a burst of syncs may take all executions of an account, also those that webhooks need"),
        ("one queue for both syncs", standard / 2,
         "one function has the rights of both; a long first sync of pipelines holds up access"),
        ("ticks every two minutes", (scheduled + _idle(uses, "ticks")) / 2,
         "what is due begins a minute later, and access by the minute ends a minute later"),
        ("rules of EventBridge instead of schedules", scheduled,
         "one count of all starts, whose silence is an alarm; AWS calls such rules legacy"),
        ("Lambda's own lines of each call left out of the logs (`SystemLogLevel: WARN`)", _tick_logs(uses) / 2,
         "how long a call took, and its memory, in the logs; metrics keep the durations"),
        ("one alarm in place of the six about syncs, credentials and work that was given up", 5 * PRICES["alarm"],
         "an alarm says what happened and links its runbook; this one would say to look at the incidents"),
    )  # fmt: skip
    return table(("change", "saves", "what is lost"), [(change, f"${saved:.2f}", lost) for change, saved, lost in told])


def _tick_logs(uses: Sequence[Use]) -> float:
    return price([use for use in uses if (use.what, use.unit) == ("ticks", "log GB")], load=False)


def _idle(uses: Sequence[Use], what: str) -> float:
    """What all uses that are called so, or begin so, cost an idle hub."""
    return price([use for use in uses if use.what.startswith(what)], load=False)


def _line(use: Use) -> list[str]:
    cells = [[_amount(amount), f"{amount * PRICES[use.unit]:.2f}"] for amount in (use.idle, use.load)]
    return [use.what, use.unit, *cells[0], *cells[1]]


def _amount(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= WHOLE_FROM or amount == int(amount) else f"{amount:.2f}"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
    print(DOCUMENT.read_text())
