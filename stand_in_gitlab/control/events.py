"""Everything on the control API that hooks hear of, put together."""

from collections.abc import Callable
from typing import Any

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.control.ci_events import CiEvents
from stand_in_gitlab.control.code_changes import CodeChanges, Done
from stand_in_gitlab.control.deployments import Deployments
from stand_in_gitlab.control.estate_events import EstateEvents
from stand_in_gitlab.control.followers import Followers
from stand_in_gitlab.control.merge_requests import MergeRequests
from stand_in_gitlab.control.moves import Mover
from stand_in_gitlab.control.other_events import OtherEvents
from stand_in_gitlab.payloads.ci import CiPayloads
from stand_in_gitlab.rest.api import RestApi
from stand_in_gitlab.webhooks.sender import Sender

Verb = Callable[..., Done]


class EventEmitter:
    """The verbs that change code, and the telling of all other changes."""

    def __init__(self, rest: RestApi, clock: Clock, sender: Sender, jobs: int) -> None:
        parts = rest.parts
        mover, followers = Mover(parts, clock, sender), Followers(parts, clock)
        code = CodeChanges(parts, clock, mover, followers, jobs)
        requests, others = (
            MergeRequests(parts, clock, code, mover, followers, sender),
            OtherEvents(parts, clock, sender),
        )
        self._estate, self._sender = EstateEvents(parts, clock), sender
        self._ci = CiEvents(parts.company, clock, rest.view, CiPayloads(parts, rest.view), sender)
        self.verbs: list[Verb] = [
            code.push,
            code.push_tag,
            requests.fork_project,
            requests.open_merge_request,
            requests.update_merge_request,
            requests.start_merge_request_pipeline,
            others.release,
            others.note,
            *Deployments(parts, rest.view, clock, sender).verbs,
        ]

    def catch_up(self) -> int:
        """Tell what time did to pipelines and jobs; returns how many hooks are called."""
        return self._ci.catch_up()

    def carry_out(self, verb: Verb, arguments: dict[str, Any]) -> Done:
        """Make a change and tell of it."""
        self.catch_up()
        name = verb.__name__
        # Who hears of a removal is known only while the groups above are still there.
        self._sender.publish(self._estate.before(name, arguments))
        memory = self._estate.memory(name, arguments)
        done = verb(**arguments)
        self._sender.publish(self._estate.after(name, arguments, done, memory))
        self.catch_up()
        return done
