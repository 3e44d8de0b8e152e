"""Secrets that whoever runs the local stack gives it: the owner's token, the secret of the console's application."""

import json
import secrets

from local.options import split_token
from local.stack import Stack


def put_owner_token(stack: Stack, given: str | None, *, is_new: bool) -> str:
    """Store the owner's token and return it: the given one, else the one of the last run, else a made-up one."""
    client = stack.client("secretsmanager")
    secret_id = stack.outputs["OwnerTokenSecretName"]
    if given is None and not is_new:
        kept = json.loads(client.get_secret_value(SecretId=secret_id)["SecretString"])
        return f"ghub_{kept['id']}_{kept['secret']}"
    token = given or f"ghub_owner_{secrets.token_hex(24)}"
    token_id, secret = split_token(token)
    client.put_secret_value(SecretId=secret_id, SecretString=json.dumps({"id": token_id, "secret": secret}))
    return token


def put_client_secret(stack: Stack, secret: str) -> None:
    """Store the secret of the application that people sign in to the console with, where the stack has a place for it.

    An empty one is that of an application that is not confidential.
    """
    secret_id = stack.outputs.get("ConsoleClientSecretName")
    if secret_id is not None:
        value = json.dumps({"client_secret": secret})
        stack.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=value)
