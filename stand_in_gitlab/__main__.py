"""`python -m stand_in_gitlab`: a stand-in GitLab alone."""

import argparse
from collections.abc import Callable, Sequence

from stand_in_gitlab.server import serve


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="python -m stand_in_gitlab", description="A stand-in GitLab with a made-up company."
    )
    sizes = {"port": 8929, "seed": 1, "users": 60, "groups": 12, "projects": 30, "pipelines": 5, "jobs": 8}
    for name, default in sizes.items():
        options.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    options.add_argument("--latency-ms", type=float, default=0, help="wait so long before every answer")
    options.add_argument("--root-path", default="", help="serve below this path, such as /gitlab")
    options.add_argument("--epoch", type=float, help="unix time at which the company is built; now by default")
    options.add_argument(
        "--frozen", action="store_true", help="let time stand still except for POST /__standin__/advance"
    )
    options.add_argument(
        "--gitlab-com", action="store_true", help="as gitlab.com: the first top-level group pays, and has SAML and SCIM"
    )
    options.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        metavar="URI",
        help="where the OAuth application `hub` may send people back to; repeatable (default: the local hub)",
    )
    return options


def main(
    arguments: Sequence[str] | None = None, say: Callable[[str], object] = lambda line: print(line, flush=True)
) -> None:
    """Serve with the options of the command line; `say` gets each line that it prints."""
    serve(**vars(parser().parse_args(arguments)), say=say)


if __name__ == "__main__":
    main()
