"""Templates into pages. Everything that is put into one is escaped; nothing but the files themselves is a template."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gitlab_hub.console import charts, times
from gitlab_hub.console.forms import as_json
from gitlab_hub.gitlab.roles import role_name

NOTHING = Markup("\N{EN DASH}")

_SIZES = ("B", "kB", "MB", "GB", "TB")
_TIME = Markup('<time datetime="{machine}" title="{exact}">{shown}</time>')


class Renderer:
    """Makes pages of the templates in a folder."""

    def __init__(self, folder: Path, *, asset_url: Callable[[str], str], now: Callable[[], float]) -> None:
        self._now = now
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(asset=asset_url, url=url_with, share=charts.share)
        self._templates.filters.update(
            ago=self._ago, day=_day, duration=times.duration, role=role_name, web=web_url, count=_count,
            as_json=as_json, words=_words, slashed=_slashed, percent=_percent, decimal=_decimal, size=_size,
        )  # fmt: skip

    def page(self, template: str, values: Mapping[str, Any]) -> str:
        """Make a page."""
        return self._templates.get_template(template).render({"now": self._now(), **values})

    def _ago(self, moment: float | None) -> Markup:
        """A moment as it is said, with the exact one behind it."""
        return _spelled(moment, times.relative(moment, self._now())) if moment is not None else NOTHING


def web_url(given: str | None) -> str | None:
    """An address that may stand behind a link: http or https, nothing that a browser would run."""
    try:
        is_web = urlsplit(given or "").scheme in {"http", "https"}
    except ValueError:  # half of an IPv6 address
        return None
    return given if is_web else None


def url_with(path: str, /, **query: Any) -> str:
    """A path with a query; what is None or empty is left out."""
    given = {name: value for name, value in query.items() if value is not None and value != ""}
    return f"{path}?{urlencode(given)}" if given else path


def _day(moment: float | None) -> Markup:
    return _spelled(moment, times.day(moment)) if moment is not None else NOTHING


def _spelled(moment: float, shown: str) -> Markup:
    return _TIME.format(machine=times.machine(moment), exact=times.exact(moment), shown=shown)


def _slashed(path: str) -> Markup:
    """A path that may go on in the next line behind each slash."""
    return Markup("/<wbr>").join(path.split("/"))


def _count(number: float | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def _percent(share: float | None) -> Markup | str:
    """A share from 0 to 1 as it is said: 0.9231 → "92.3 %"."""
    return NOTHING if share is None else f"{share * 100:.1f} %"


def _decimal(number: float | None) -> Markup | str:
    """An amount with two places: 1234.5 → "1,234.50"."""
    return NOTHING if number is None else f"{number:,.2f}"


def _size(amount: int) -> str:
    """How many bytes, in the steps of a thousand that files are told in: 1204332 → "1.2 MB"."""
    exponent = min((len(str(amount)) - 1) // 3, len(_SIZES) - 1)
    return f"{amount / 1000**exponent:.1f} {_SIZES[exponent]}" if exponent else f"{amount} B"


def _words(code: str) -> str:
    """A code of the API as words: `grant_added` → "grant added"."""
    return code.replace("_", " ")
