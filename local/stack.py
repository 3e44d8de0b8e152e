"""The deployed stack, as the local commands see it: outputs, resources, clients."""

import json
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

NAME = "gitlab-hub"
_PATIENCE = 300
"""Seconds for an answer: the emulator deploys while it is asked to, and is not to be asked twice."""


class Stack:
    """One stack on one emulator."""

    def __init__(self, endpoint: str, name: str = NAME) -> None:
        self.endpoint = endpoint
        self.name = name

    def client(self, service: str) -> Any:
        """A client that only ever reaches the emulator."""
        return boto3.client(  # type: ignore[call-overload]  # the stubs list services by literal name
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the emulator takes any  # pragma: allowlist secret
            config=Config(read_timeout=_PATIENCE, retries={"mode": "standard", "max_attempts": 3}, proxies={}),
        )

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical ids by logical id."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        rows = [row for page in pages for row in page["StackResourceSummaries"]]
        return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        stacks = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {row["OutputKey"]: row["OutputValue"] for row in stacks[0].get("Outputs", [])}

    @cached_property
    def template(self) -> dict[str, Any]:
        """The template as CloudFormation got it from SAM: plain resources, the API with its OpenAPI body."""
        answer = self.client("cloudformation").get_template(StackName=self.name, TemplateStage="Processed")
        body = answer["TemplateBody"]
        template: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)
        return template

    def exists(self) -> bool:
        """Whether the stack is there, in whatever state."""
        listed = self.client("cloudformation").list_stacks()["StackSummaries"]
        return any(row["StackName"] == self.name and row["StackStatus"] != "DELETE_COMPLETE" for row in listed)

    def delete(self) -> None:
        """Remove the stack and wait until it is gone."""
        cloudformation = self.client("cloudformation")
        cloudformation.delete_stack(StackName=self.name)
        waiter = cloudformation.get_waiter("stack_delete_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
