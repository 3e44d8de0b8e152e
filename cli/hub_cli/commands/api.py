"""Everything else that the API has: `api`."""

import json
from typing import Annotated, Any
from urllib.parse import parse_qs

import typer

from hub_cli.documents import read_json
from hub_cli.invocation import Invocation
from hub_cli.options import Integration
from hub_cli.problems import WrongUsage

PANEL = "This hub"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HERE = "{integration_id}"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(api)


def api(
    context: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="As in the hub's /openapi.json, with a query if need be.")
    ],
    *,
    method: Annotated[
        str, typer.Option("-m", "--method", metavar="METHOD", help="GET, POST, PUT, PATCH or DELETE.")
    ] = "",
    file: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="The body, as JSON; - for standard input.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All pages of a list, each on a line of its own.")] = False,
    integration: Integration = None,
) -> None:
    """Send any request to the hub and show the response, for what no other command does.

    `{integration_id}` in the path stands for the integration. With a body it is a POST unless --method says otherwise.
    """
    verb = method.upper() or ("GET" if file is None else "POST")
    if verb not in METHODS:
        raise WrongUsage(f"There is no method “{method}”.", hint=f"There are {', '.join(METHODS)}.")
    if not path.startswith("/") or path.startswith("//"):
        raise WrongUsage(f"“{path}” is no path of the hub.", hint="It looks like /v1/integrations.")
    if every and verb != "GET":
        raise WrongUsage("--all is for lists, which are read with GET.")
    body = None if file is None else read_json(file)
    invocation = Invocation.of(context, integration=integration)
    at = path.replace(_HERE, invocation.integration_id) if _HERE in path else path
    if every:
        at, _, query = at.partition("?")
        for page in invocation.hub.pages(at, **{"limit": None, **parse_qs(query)}):
            invocation.out.json(page, indent=None)
        return
    answer = invocation.hub.any(verb, at, body)
    found = _json(answer.text)
    if found is None:
        invocation.out.file(answer.text)
        return
    invocation.out.json(found)
    if isinstance(found, dict) and found.get("next_cursor"):
        invocation.out.remark("There is more: --all reads every page.")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
