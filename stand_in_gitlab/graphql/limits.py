"""What a query may cost: GitLab's app/graphql/gitlab_schema.rb, types/base_field.rb and resolvers/base_resolver.rb.

Every field costs one. A field with a resolver costs what is selected in it and one more (two with `sort`, six with
`search`), and as a connection one per cent of that on top for each node that it may give.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

AUTHENTICATED, ADMIN, DEPTH, SIZE, PAGE = 250, 300, 20, 10_000, 100
RESOLVED = frozenset({"group", "groups", "project", "projects", "groupMembers", "projectMembers"})
RESOLVED_CONNECTIONS = frozenset({"sharedGroups", "pendingMembers", "pipelines", "jobs"})
ASKS_GITALY = frozenset({"pipelines", "beforeSha"})
"""Fields that cost one more (`calls_gitaly` in app/graphql/types/ci/pipeline_type.rb and its resolver's concern)."""


class Cost:
    """Adds up what an operation costs."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema, self._variables = schema, variables
        definitions = document.definitions
        self._fragments = {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}

    def of(self, operation: OperationDefinitionNode) -> tuple[int, int]:
        """Complexity and depth."""
        return self._of(operation.selection_set, self._schema.query_type)

    def _of(self, selections: SelectionSetNode | None, kind: GraphQLNamedType | None) -> tuple[int, int]:
        costs, depths = [0], [0]
        for one in selections.selections if selections else ():
            if isinstance(one, FieldNode):
                cost, depth = self._of_field(one, kind)
            elif isinstance(one, FragmentSpreadNode):
                cost, depth = self._of(self._fragments[one.name.value].selection_set, kind)
            elif isinstance(one, InlineFragmentNode):
                cost, depth = self._of(one.selection_set, kind)
            else:
                continue
            costs.append(cost)
            depths.append(depth)
        return sum(costs), max(depths)

    def _of_field(self, node: FieldNode, kind: GraphQLNamedType | None) -> tuple[int, int]:
        name = node.name.value
        field = kind.fields.get(name) if isinstance(kind, GraphQLObjectType) else None
        child, depth = self._of(node.selection_set, get_named_type(field.type) if field else None)
        if name not in RESOLVED | RESOLVED_CONNECTIONS or field is None:
            return 1 + child + (name in ASKS_GITALY), depth + 1
        given = {one.name.value: value_from_ast_untyped(one.value, dict(self._variables)) for one in node.arguments}
        defaults = {name: one.default_value for name, one in field.args.items() if isinstance(one.default_value, str)}
        cost = (
            child + 1 + (name in ASKS_GITALY) + bool({**defaults, **given}.get("sort")) + 5 * bool(given.get("search"))
        )
        if str(get_named_type(field.type)).endswith("Connection"):
            wanted = [given[each] for each in ("first", "last") if isinstance(given.get(each), int)]
            cost += int(cost * min([*wanted, PAGE]) * 0.01)
        return cost, depth + 1
