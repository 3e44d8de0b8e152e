"""Asking GraphQL about many groups or projects at once: whether to, how many of them, and in which parts.

Resources are asked for by `groups(ids:)` and `projects(ids:)`, a hundred in each part of a query: asked for one by one,
each would add the whole complexity of what is wanted of it, a part adds it once. The ids go along as variables, which
do not count as characters of the query.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gitlab_hub.gitlab.errors import (
    Forbidden,
    HostNotAllowed,
    HostUnreachable,
    InvalidUrl,
    RateLimited,
    ResourceNotFound,
    TlsError,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import mapping
from gitlab_hub.gitlab.granular import is_fine_grained
from gitlab_hub.gitlab.graphql import PAGE, GraphQLQuery, GraphQLReply, global_id, number_of

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

LEAST_LIMIT = 250
"""The complexity that GitLab allows to whoever has a token; administrators 300 (app/graphql/gitlab_schema.rb)."""

ENDS_SLICE = (RateLimited, HostNotAllowed, InvalidUrl, TlsError)
"""What concerns every request of a run. A token that only GraphQL refuses (401) is good enough for REST."""

TOO_MUCH = (HostUnreachable, Unavailable, UnexpectedResponse)
"""What a GitLab says that is asked for too much at once, or gives more than the hub takes."""


async def may_be_cut_short(gitlab: "GitLab") -> bool:
    """Whether GraphQL leaves things out for this token without a word, as for a fine-grained one; yes where in doubt.

    An OAuth token has no page of its own (400, in old releases 404), and is none. Raises GitLabError.
    """
    try:
        told = mapping((await gitlab.get("/personal_access_tokens/self")).body)
    except ResourceNotFound:
        return False
    except UnexpectedResponse as error:
        return error.http_status != HTTPStatus.BAD_REQUEST
    except Forbidden:
        return True
    return is_fine_grained(told.get("scopes")) or bool(told.get("granular")) or "scopes" not in told


# Parts of a query.


def parts_query(
    name: str, collection: str, wanted: str, count: int, *, variables: Sequence[str] = ("$size: Int",)
) -> GraphQLQuery:
    """A query about so many resources of a `collection` ("groups"), in parts of a hundred.

    `values_of` gives the values of its variables; `wanted` may use those that are declared in `variables`, too.
    """
    parts, nodes = range(-(-count // PAGE)), f"{{ nodes {{ id {wanted} }} }}"
    selection = (f"part{one}: {collection}(ids: $ids{one}, first: $count) {nodes}" for one in parts)
    declared = [*(f"$ids{one}: [ID!]" for one in parts), "$count: Int", *variables]
    return GraphQLQuery(name, " ".join(selection), ", ".join(declared))


def values_of(kind: str, numbers: Sequence[int], **more: Any) -> dict[str, Any]:
    """The values of such a query's variables; `kind` names the type in the resources' Global IDs ("Group")."""
    ids = [global_id(kind, number) for number in numbers]
    parts = {f"ids{place}": ids[start : start + PAGE] for place, start in enumerate(range(0, len(ids), PAGE))}
    return {**parts, "count": min(PAGE, len(ids)), **more}


def nodes_of(reply: GraphQLReply, kind: str) -> dict[int, Mapping[str, Any]]:
    """The resources of an answer's parts that no error lies on, by their ids."""
    found: dict[int, Mapping[str, Any]] = {}
    for name, value in reply.data.items():
        nodes = mapping(value).get("nodes") if name.startswith("part") else None
        for place, node in enumerate(nodes if isinstance(nodes, list) else ()):
            resource = number_of(mapping(node).get("id"), kind)
            if resource is not None and not reply.failed(name, "nodes", place):
                found[resource] = mapping(node)
    return found


# How many to ask for at once: half as many after trouble, and more again with care.

GROWS_AFTER = 4
"""Batches in a row that came whole before more is asked for again, once it was too much."""

QUICK_SECONDS = 2.0
"""A batch that took longer is large enough: GitLab gives a query 30 seconds, and the client less."""

GIVES_UP_AFTER = 5
"""Batches in a row of which nothing came: GraphQL, and not a batch, is in trouble."""


class BatchSize:
    """The size of the next batch; `first` is that of the first one."""

    def __init__(self, first: int) -> None:
        self._wanted = first
        self._whole, self._vain = GROWS_AFTER, 0

    @property
    def is_hopeless(self) -> bool:
        """Whether so many batches in a row have brought nothing that no further one is worth a try."""
        return self._vain >= GIVES_UP_AFTER

    def within(self, most: int) -> int:
        """How many to ask for, where a query may ask for so many at most."""
        self._wanted = min(self._wanted, most)
        return self._wanted

    def worked(self, seconds: float) -> None:
        """A batch came whole, in so much time."""
        self._vain, self._whole = 0, self._whole + 1
        if self._whole > GROWS_AFTER and seconds <= QUICK_SECONDS:
            self._wanted *= 2

    def was_too_much(self, *, brought_any: bool) -> None:
        """A batch was too complex, too large or too slow."""
        self._wanted, self._whole = max(1, self._wanted // 2), 0
        self._vain = 0 if brought_any else self._vain + 1
