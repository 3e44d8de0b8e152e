"""Who has what in the scope of a review at this moment, item by item."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from gitlab_hub.access.effective.graph import Node, Place
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.effective.paths import AccessPath, Edge
from gitlab_hub.access.effective.reader import EffectiveFilter, EffectiveGrant, EffectiveReader
from gitlab_hub.access.effective.whole import WholeGraph
from gitlab_hub.access.keys import ACCOUNTS
from gitlab_hub.access.model import Account
from gitlab_hub.access.reviews.model import Item, Membership, Scope
from gitlab_hub.gitlab.fields import is_within, padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import value_of
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.web import errors
from gitlab_hub.web.errors import Unprocessable

MOST_ITEMS = 20_000
FEW = 100
"""Groups and projects that are asked about one by one; for more, everything is read at once."""
_CHUNK = 2_000
_PAGE = 500


def unfit(name: str, message: str) -> Unprocessable:
    """Refuse a field of the body, with what would be right."""
    return errors.unfit(f"body.{name}", f"body.{name} {message}.")


def too_large(what: str) -> Unprocessable:
    """Refuse a review that does not fit one request."""
    return unfit("scope", f"{what}; narrow it: a smaller group, a project, a higher min_access_level, or kinds")


@dataclass(slots=True)
class _Found:
    """What was found so far, and the accounts that are known by now."""

    items: list[Item] = field(default_factory=list)
    waiting: list[EffectiveGrant] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)


class Snapshots:
    """Reads effective access for reviews. All calls block.

    `most` items are taken at most, and `few` resources asked about one by one.
    """

    def __init__(
        self,
        table: Table,
        scopes: ScopeList,
        *,
        now: Callable[[], float],
        most: int = MOST_ITEMS,
        few: int = FEW,
    ) -> None:
        self._table, self._scopes, self._now, self._most, self._few = table, scopes, now, most, few
        self._graphs = GraphReader(table, scopes)

    def take(self, integration_id: str, scope: Scope, check: Callable[[], None]) -> list[Item]:
        """List everybody's access to everything in a scope: groups, then projects, each in order of account ids.

        `check` is called again and again; what it raises ends the reading. Raises Unprocessable for a scope that is
        not there, or has too many items.
        """
        nodes = list(self._nodes(integration_id, scope))
        found, now = _Found(), int(self._now())
        for grant in self._grants(integration_id, nodes, scope, check):
            found.waiting.append(grant)
            if len(found.waiting) == _CHUNK:
                self._take_in(integration_id, scope, found, now)
        self._take_in(integration_id, scope, found, now)
        return found.items

    def _nodes(self, integration_id: str, scope: Scope) -> Iterator[Node]:
        if scope.project_id is not None:
            yield self._named(integration_id, Place(ResourceType.PROJECT, scope.project_id))
            return
        top = scope.group_id
        path = None if top is None else self._named(integration_id, Place(ResourceType.GROUP, top)).full_path
        for node in self._graphs.nodes_from(integration_id, None, page=None):
            if path is None or is_within(node.full_path, path):
                yield node

    def _named(self, integration_id: str, place: Place) -> Node:
        node = self._graphs.node(integration_id, place)
        if node is None:
            listed = f"GET /v1/integrations/{{integration_id}}/{place.type.collection} lists those that there are"
            raise unfit(f"scope.{place.type}_id", f"names no {place.type} that the hub has read; {listed}")
        return node

    def _grants(
        self, integration_id: str, nodes: list[Node], scope: Scope, check: Callable[[], None]
    ) -> Iterator[EffectiveGrant]:
        is_small = len(nodes) <= self._few
        graphs = self._graphs if is_small else WholeGraph(self._table, self._scopes, integration_id, check)
        reader = EffectiveReader(graphs, now=self._now)
        wanted = EffectiveFilter(min_access_level=scope.min_access_level)
        for node in nodes:
            after: int | None = None
            while True:
                check()
                page = reader.of_resource(integration_id, node.place, wanted, after=after, limit=_PAGE)
                yield from page.values
                if page.next is None:
                    break
                after = int(page.next)

    def _take_in(self, integration_id: str, scope: Scope, found: _Found, now: int) -> None:
        missing = {grant.account_id for grant in found.waiting} - found.accounts.keys()
        found.accounts |= self._accounts(integration_id, missing)
        for grant in found.waiting:
            account = found.accounts.get(grant.account_id) or Account(id=grant.account_id)
            if not scope.kinds or account.kind in scope.kinds:
                if len(found.items) == self._most:
                    raise too_large(f"has more than {self._most:,} items")
                found.items.append(item_of_grant(f"{len(found.items) + 1:05d}", grant, account, now=now))
        found.waiting.clear()

    def _accounts(self, integration_id: str, ids: Iterable[int]) -> dict[int, Account]:
        keys = [(partition(integration_id, ACCOUNTS), padded(number)) for number in sorted(ids)]
        return {item["id"]: value_of(Account, item) for item in self._table.get_many(keys)}


def item_of_grant(item_id: str, grant: EffectiveGrant, account: Account, *, now: int) -> Item:
    """Freeze one access, by the way that gives the most, with what is known of the account. Pure."""
    best, node = grant.access.paths[0], grant.node
    email = next((one for one in account.emails if one["primary"]), next(iter(account.emails), None))
    return Item(
        id=item_id,
        account_id=grant.account_id,
        username=account.username,
        name=account.name,
        email=email["value"] if email else None,
        email_source=email["source"] if email else None,
        account_kind=str(account.kind),
        account_status=str(account.status),
        two_factor_enabled=account.two_factor_enabled,
        external=account.external,
        last_sign_in_at=account.last_sign_in_at,
        last_activity_on=account.last_activity_on,
        activity_source=account.activity_source,
        resource_type=str(node.place.type),
        resource_id=node.place.id,
        full_path=node.full_path,
        visibility=node.visibility,
        access_level=best.level,
        custom_role=_custom_role(best),
        kind=str(best.kind),
        source=_path_of(best.edges[0], grant) if best.edges else None,
        cap=min((edge.cap for edge in best.edges if edge.cap is not None), default=None),
        granted_at=best.since,
        granted_by=best.granted_by,
        ends_at=best.ends_at,
        overdue=best.ends_at is not None and best.ends_at <= now,
        at_least=grant.at_least,
        revoke_at=[_membership(edge, grant) for edge in grant.access.revoke_at],
    )


def _custom_role(path: AccessPath) -> str | None:
    role = path.member_role
    return None if role is None else role["name"] or f"role {role['id']}"


def _membership(edge: Edge, grant: EffectiveGrant) -> Membership:
    path = _path_of(edge, grant)
    return Membership(type=str(edge.place.type), id=edge.place.id, full_path=path, level=edge.level)


def _path_of(edge: Edge, grant: EffectiveGrant) -> str | None:
    node = grant.graph.nodes.get(edge.place)
    return None if node is None else node.full_path
