"""Where access rows lie in the table.

`<integration>#accounts`, `#groups` and `#projects` hold one row per id. `<integration>#grants#<shard>` holds one row
per direct membership under `<group|project>#<resource>#<account>`, in the shard that `shards.py` names; the index
`by_account` turns that round, and finds accounts by their usernames, groups and projects by their paths.
`<integration>#outside_groups` and `#outside_grants` are the same for groups that the integration does not cover, and
that give access to what it covers; they are few, and `#outside_grants` is one partition. `<integration>#hints` holds a
mark per `<group|project>#<resource>` that a message is on its way about. `<integration>#invitations#<shard>` holds
those who were asked by email under `<group|project>#<resource>#<digest>`, `<integration>#readings` when they were read,
and who administers the GitLab. `<integration>#account_facts` holds what GitLab's other lists of accounts tell of one,
under `<list>#<group>#<account>`; how those lists were read lies among the readings. `<integration>#credentials`
holds tokens and keys under `<kind>#<source>#<id>`. `<integration>#changes` and `#feed` hold the change feed
(`changes/feed.py`), `#own_changes` what the hub itself is changing.
`<integration>#reviews` holds a row per access review, `#review_items` what is reviewed under `<review>#<item>`.
`<integration>#snapshots` says which object holds the state of which day, `#files` what was made of them for auditors.
"""

from hashlib import blake2b

from gitlab_hub.gitlab.account_lists import READING
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Item

ACCOUNTS = "accounts"
GRANTS = "grants"
BY_ACCOUNT = "by_account"
HINTS = "hints"
OUTSIDE_GROUPS, OUTSIDE_GRANTS = "outside_groups", "outside_grants"
ACCOUNT_FACTS = "account_facts"
MEMBER_ROLES = "member_roles"
INVITATIONS = "invitations"
CREDENTIALS = "credentials"
READINGS = "readings"
GROUP_PAGES = "group_pages"
"""Names the reading of every group's own page, which takes a day where there are many."""

TOP_GROUPS = "top_groups"
"""Names the reading of all groups at the top by REST, which one run a day does."""

ADMINISTRATORS = "administrators"
"""The row among the readings that has the ids of all administrators."""

SHARED_OUT = (GRANTS, INVITATIONS)
"""The collections that have several partitions."""

CHANGES = "changes"
FEED = "feed"
OWN_CHANGES = "own_changes"
REVIEWS, REVIEW_ITEMS = "reviews", "review_items"
SNAPSHOTS, FILES = "snapshots", "files"
COLLECTIONS = (
    ACCOUNTS,
    GRANTS,
    HINTS,
    OUTSIDE_GROUPS,
    OUTSIDE_GRANTS,
    ACCOUNT_FACTS,
    INVITATIONS,
    CREDENTIALS,
    READINGS,
    CHANGES,
    FEED,
    OWN_CHANGES,
    REVIEWS,
    REVIEW_ITEMS,
    SNAPSHOTS,
    FILES,
    *(kind.collection for kind in ResourceType),
)


def account_partition(integration_id: str, account_id: int) -> str:
    """Name the partition of the index `by_account` that has everything one account was given."""
    return f"{integration_id}#{padded(account_id)}"


def invitations_stage(resource_type: ResourceType) -> str:
    """Name the stage that reads invitations to groups, or to projects; when it did is kept under that name."""
    return f"{resource_type}_invitations"


def grants_scope(resource_type: ResourceType, key: str) -> str:
    """Name the scope of the members of one resource, which is also the beginning of their sort keys."""
    return f"{resource_type}#{key}"


def members_stage(resource_type: ResourceType) -> str:
    """Name the stage that reads the members of groups, or of projects."""
    return f"{resource_type}_members"


DETAILS = frozenset({READING, MEMBER_ROLES, ACCOUNT_FACTS})
"""The stages that tell more of accounts and roles, and nothing of who has what: without them no access is missing."""

BESIDE_ACCESS = DETAILS | frozenset(map(invitations_stage, ResourceType))
"""With those that read who was asked by email, and has no access before saying yes."""


USERNAMES, PATHS = "usernames", "paths"


def name_index(integration_id: str, names: str, name: str, suffix: str) -> Item:
    """The attributes that make a row findable by its name, together with `name_prefix`."""
    return {
        f"{BY_ACCOUNT}_pk": f"{integration_id}#{names}",
        f"{BY_ACCOUNT}_sk": f"{name_prefix(name)}{suffix}",
    }


def name_prefix(name: str) -> str:
    """What the sort key of a name begins with. GitLab looks at no case, and paths can be longer than a key may be."""
    return f"{blake2b(name.casefold().encode('utf-8', 'replace'), digest_size=16).hexdigest()}#"
