"""The schema, in GitLab's names: docs.gitlab.com/api/graphql/reference.

What an older release, or a Community Edition, does not have is left out of its schema, so that GitLab's own validation
says so.
"""

from functools import lru_cache

from graphql import GraphQLSchema, build_schema

OLD_ARGUMENTS = 'search: String, sort: String = "name_asc"'
"""What `groups` took before it could be asked for by ids."""

_PAGES = "after: String, before: String, first: Int, last: Int"
_CONNECTIONS = ("Group", "Project", "GroupMember", "MemberInterface", "PendingMemberInterface")
_COUNTED = ("Pipeline", "CiJob")


def _connection(node: str) -> str:
    count = "count: Int!" if node in _COUNTED else ""
    return f"type {node}Connection {{ nodes: [{node}], pageInfo: PageInfo! {count} }}"


@lru_cache(maxsize=4)
def schema(*, old: bool, community: bool) -> GraphQLSchema:
    """The schema of this release and edition."""
    enterprise = not (old or community)
    role = "memberRole: MemberRole" if enterprise else ""
    pending = f"pendingMembers({_PAGES}): PendingMemberInterfaceConnection" if enterprise else ""
    shared = "" if old else f'sharedGroups(sort: String = "name_asc", {_PAGES}): GroupConnection'
    ids = "" if old else "ids: [ID!], "
    moments = "" if old else "updatedAfter: Time, updatedBefore: Time,"
    levels = "" if old else "accessLevels: [AccessLevelEnum!],"
    member = f"""
        id: ID!, accessLevel: AccessLevel, createdAt: Time, createdBy: UserCore, expiresAt: Time, updatedAt: Time,
        user: UserCore {role}
    """
    return build_schema(f"""
    scalar Time
    enum UserState {{ active banned blocked blocked_pending_approval deactivated ldap_blocked }}
    enum AccessLevelEnum {{ NO_ACCESS MINIMAL_ACCESS GUEST PLANNER REPORTER DEVELOPER MAINTAINER OWNER }}
    enum GroupMemberRelation {{ DIRECT INHERITED DESCENDANTS SHARED_FROM_GROUPS }}
    enum ProjectMemberRelation {{ DIRECT INHERITED DESCENDANTS INVITED_GROUPS SHARED_INTO_ANCESTORS }}
    type PageInfo {{ hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String }}
    type AccessLevel {{ integerValue: Int, stringValue: String }}
    type MemberRole {{ id: ID!, name: String }}
    type UserCore {{
      id: ID!, username: String!, name: String!, state: UserState!, webUrl: String!, publicEmail: String, bot: Boolean!
    }}
    interface MemberInterface {{ {member} }}
    type GroupMember implements MemberInterface {{ {member}, group: Group }}
    type ProjectMember implements MemberInterface {{ {member}, project: Project }}
    type PendingMemberInterface {{
      id: ID!, approved: Boolean, invited: Boolean, username: String, name: String, email: String
    }}
    type Group {{
      id: ID!, fullPath: ID!, name: String!, webUrl: String!, visibility: String, groupMembersCount: Int!
      groupMembers(
        relations: [GroupMemberRelation!] = [DIRECT, INHERITED], {levels} search: String, sort: String, {_PAGES}
      ): GroupMemberConnection
      {pending}
      {shared}
    }}
    type Project {{
      id: ID!, fullPath: ID!, name: String!, webUrl: String, visibility: String, jobsEnabled: Boolean
      pipelines(status: PipelineStatusEnum, source: String, {moments} {_PAGES}): PipelineConnection
      projectMembers(relations: [ProjectMemberRelation!] = [DIRECT, INHERITED], search: String, sort: String, {_PAGES}):
        MemberInterfaceConnection
    }}
    scalar Duration
    enum PipelineStatusEnum {{
      CREATED WAITING_FOR_RESOURCE PREPARING WAITING_FOR_CALLBACK PENDING RUNNING FAILED SUCCESS CANCELING CANCELED
      SKIPPED MANUAL SCHEDULED
    }}
    type CiJob {{ id: ID }}
    type Pipeline {{
      id: ID!, iid: String!, name: String, sha: String, beforeSha: String, status: PipelineStatusEnum!, ref: String,
      refPath: String, source: String, duration: Int, queuedDuration: Duration, coverage: Float, createdAt: Time!,
      updatedAt: Time!, startedAt: Time, finishedAt: Time, committedAt: Time, yamlErrorMessages: String, user: UserCore
      jobs(retried: Boolean, {_PAGES}): CiJobConnection
    }}
    {" ".join(map(_connection, (*_CONNECTIONS, *_COUNTED)))}
    type QueryComplexity {{ score: Int, limit: Int }}
    type Query {{
      currentUser: UserCore
      queryComplexity: QueryComplexity
      group(fullPath: ID!): Group
      groups({ids}{OLD_ARGUMENTS}, {_PAGES}): GroupConnection
      project(fullPath: ID!): Project
      projects(ids: [ID!], search: String, sort: String, {_PAGES}): ProjectConnection
    }}
    """)
