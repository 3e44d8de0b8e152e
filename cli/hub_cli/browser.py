"""Opening a link in a browser without anybody else on the machine reading it.

A browser is started with what it is to show as an argument, and every user may read the arguments of all processes
(proc(5), `/proc/pid/cmdline`). So it is started with a file that only its user can read, and which leads on, as Jupyter
does since notebook 5.7.2 (`use_redirect_file`, jupyter_server/serverapp.py).
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path

READ_WITHIN = 15.0
"""Seconds after which a browser has read the file, also one that has to start first."""
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={link}">
<title>gitlab-hub</title>
<p><a href="{link}">On to gitlab-hub</a></p>
</html>
"""


def open_privately(link: str, *, folder: Path, browse: Callable[[str], bool], sleep: Callable[[float], None]) -> bool:
    """Have a browser follow a link, by a file in this folder that is gone at the end; whether there is a browser.

    The folder has to be one that browsers can read: those of Snap see neither /tmp nor what is hidden
    (snapcraft.io/docs/home-interface).
    """
    page = folder / f"gitlab-hub-{secrets.token_hex(8)}.html"
    try:
        descriptor = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_PAGE.format(link=escape(link)))
        is_open = browse(page.absolute().as_uri())
        if is_open:
            sleep(READ_WITHIN)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            page.unlink()
    return is_open
