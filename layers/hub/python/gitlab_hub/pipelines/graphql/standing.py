"""Whether GraphQL may tell pipelines: found out once in a slice, and given up where it turns out wrong.

A fine-grained token gets null fields and shortened lists, without a word (lib/gitlab/graphql/authz in GitLab), so it
asks REST only; so does a full sync. The schema must have all fields, and one pipeline must be the same both ways.
"""

from collections.abc import Sequence

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.gitlab.fields import millis
from gitlab_hub.gitlab.graphql_batches import ENDS_SLICE, may_be_cut_short
from gitlab_hub.pipelines.graphql.queries import Detail
from gitlab_hub.pipelines.graphql.schema import SCHEMA, SCHEMA_VALUES, Schema
from gitlab_hub.pipelines.graphql.told import Told
from gitlab_hub.pipelines.model import in_seconds, is_terminal, pipeline_of
from gitlab_hub.sync.ports import Session

WORTH_IT = 20
"""So many projects, or pipelines, cost REST more requests than finding out whether GraphQL may be used."""

LONG_SETTLED_MS = 600_000
"""A pipeline that has not changed for so long is the same for two requests, one after the other."""


class Standing:
    """What is known of GraphQL in a slice."""

    def __init__(self, session: Session, worth_it: int) -> None:
        self._session, self._worth_it = session, worth_it
        self._schema: Schema | None = None
        self._proven = False

    @property
    def limit(self) -> int:
        """The complexity that a query may have."""
        return (self._schema or Schema()).limit

    @property
    def is_refused(self) -> bool:
        """Whether it was asked, and tells nothing (more) in this slice."""
        return self._schema is not None and not self._schema.is_enough

    async def may(self, wanted: int) -> bool:
        """Whether GraphQL may tell anything, where so much is wanted; asked once it is worth it."""
        if self._schema is None and wanted >= self._worth_it and not self._session.full:
            self._schema = await self._found_out()
            if not self._schema.is_enough:
                self._session.count(graphql_refused=1)
        return self._schema is not None and self._schema.is_enough

    async def _found_out(self) -> Schema:
        gitlab = self._session.gitlab
        try:
            schema = Schema.of(await gitlab.query(SCHEMA, SCHEMA_VALUES))
            return Schema() if not schema.is_enough or await may_be_cut_short(gitlab) else schema
        except ENDS_SLICE:
            raise
        except GitLabError:
            return Schema()

    async def prove(self, told: Sequence[Told]) -> bool:
        """Have one pipeline told both ways, once; until they are the same both ways no pipelines are taken.

        False where they are not, and so nothing else is to be believed either.
        """
        if self._proven or not told:
            return True
        sample = next((found for one in told if (found := _long_settled(one)) is not None), None)
        is_same = None if sample is None else await self._is_same(*sample)
        self._proven = is_same is True
        if not self._proven:
            for one in told:
                one.details.clear()
        if is_same is False:
            self._session.count(graphql_differs=1)
            self.give_up()
        return is_same is not False

    async def _is_same(self, project: int, detail: Detail) -> bool | None:
        """Whether REST tells the same; None where it does not tell it."""
        try:
            reply = await self._session.gitlab.get(f"/projects/{project}/pipelines/{detail.body['id']}")
        except ENDS_SLICE:
            raise
        except GitLabError:
            return None
        return in_seconds(pipeline_of(reply.body, project)) == in_seconds(pipeline_of(detail.body, project))

    def give_up(self) -> None:
        """Leave everything that is not known yet to REST, for the rest of the slice."""
        self._schema = Schema()
        self._session.count(graphql_given_up=1)


def _long_settled(told: Told) -> tuple[int, Detail] | None:
    """A pipeline of the project that nothing is happening in any more."""
    for detail in told.details.values():
        moment = millis(detail.body["updated_at"])
        if is_terminal(detail.body["status"]) and moment is not None and told.at - moment >= LONG_SETTLED_MS:
            return told.project_id, detail
    return None
