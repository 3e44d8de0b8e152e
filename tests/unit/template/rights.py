"""The roles' policies as IAM would take them: what is granted, and whether a call is allowed."""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.fakes.aws_calls import AwsCall
from tests.unit.template.transformed import functions, listed, statements

_ATTRIBUTE = re.compile(r"\$\{(\w+)\.Arn\}")
SECRETS = "integration secrets"
"""What stands for the secrets of integrations: their names begin with the stack's prefix."""

BUCKET = "ExportsBucket"
OBJECTS = ("int_*/access/*", "files/int_*", "exports/int_*")
"""The objects of integrations: their snapshots, the files for auditors, and exports."""

WRITES = ("dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:UpdateItem")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action on one resource, for the partitions or objects that fit `keys` (none: all)."""

    role: str
    action: str
    resource: str
    keys: tuple[str, ...] = ()

    def covers(self, keys: tuple[str, ...]) -> bool:
        """Whether this grant is for all of these partitions; patterns may have `*` and `?` as in IAM."""
        return not self.keys or all(any(fnmatch.fnmatchcase(key, pattern) for pattern in self.keys) for key in keys)


def grants() -> frozenset[Grant]:
    """Everything that is granted; what depends on a parameter counts as if the parameter were set."""
    return frozenset(_grants())


def heads() -> frozenset[str]:
    """The beginnings of all partitions that some role may touch."""
    return frozenset(key.partition("#")[0] for grant in grants() for key in grant.keys)


@cache
def role_of(function: str) -> str:
    """The role of a function, by its logical id."""
    return str(functions()[function]["Role"]["Fn::GetAtt"][0])


def used(call: AwsCall, granted: frozenset[Grant]) -> list[Grant]:
    """The grants that allow a call; none: IAM refuses it."""
    place = role_of(call.function), call.action, call.resource
    return [grant for grant in _by_place(granted).get(place, ()) if grant.covers(call.keys)]


@cache
def _by_place(granted: frozenset[Grant]) -> Mapping[tuple[str, str, str], list[Grant]]:
    """The grants by role, action and resource."""
    found: dict[tuple[str, str, str], list[Grant]] = {}
    for grant in granted:
        found.setdefault((grant.role, grant.action, grant.resource), []).append(grant)
    return found


def _grants() -> Iterator[Grant]:
    for role, statement in statements():
        condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
        keys = tuple(condition.get("dynamodb:LeadingKeys", ()))
        prefixes = tuple(statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ()))
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                name, _, objects = _name(resource).partition(f"{BUCKET}/")
                yield Grant(role, action, name or BUCKET, (objects,) if objects else keys or prefixes)


def _name(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    ((function, value),) = resource.items()
    if function == "Fn::GetAtt":
        return str(value[0])
    if function == "Ref":
        return str(value)
    assert function == "Fn::Sub", json.dumps(resource)
    return SECRETS if "/integration/*" in value else _ATTRIBUTE.sub(r"\1", value)


def allowed(role: str, service: str) -> set[str]:
    """The actions of a service that a role may do on anything."""
    return {
        action
        for name, statement in statements()
        if name == role
        for action in listed(statement["Action"])
        if action.startswith(f"{service}:")
    }
