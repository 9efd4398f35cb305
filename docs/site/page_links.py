"""Links that leave docs/ work on a code host as they are; on the site they lead to the page made of that file."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import normpath, relpath

PAGES = {
    "README.md": "readme.md",
    "DECISIONS.md": "decisions.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks/index.md",
    "benchmarks/alerts.md": "benchmarks/alerts.md",
    "benchmarks/results/build.md": "benchmarks/results/build.md",
    "benchmarks/results/engines.md": "benchmarks/results/engines.md",
    "benchmarks/results/pricing.md": "benchmarks/results/pricing.md",
}
"""Texts outside docs/ and the page that each is on the site."""

AS_THEY_ARE = (".svg", ".png")
FENCE = re.compile(r"^ *(```|~~~)")
NAME = re.compile(r"(?<!\[)`(?P<mart>\w+)(\.\w+)?`(?!\])")
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")


def targets(text: str, origin: str) -> Iterator[str]:
    """Files and folders of the repository that a text links to, as paths from its root.

    `origin` is the text's own path from there."""
    for link in _links(text):
        if path := _target(link, origin):
            yield path


def page_of(path: str) -> str:
    """Where the site has a file of the repository, as a path below docs/. A folder becomes the list of its files."""
    if path in PAGES:
        return PAGES[path]
    if PurePosixPath(path).is_relative_to("docs") and not path.startswith(("docs/landing", "docs/site")):
        return path.removeprefix("docs/")
    if PurePosixPath(path).parent.is_relative_to("benchmarks/results") and path.endswith(AS_THEY_ARE):
        return path
    return f"files/{path}.md"


def rewrite(text: str, origin: str, page: str) -> str:
    """The text with its links as they must be on `page` of the site."""

    def on_the_site(found: re.Match[str]) -> str:
        link = found.group()
        path = _target(link, origin)
        if path is None:
            return link
        _, hash_sign, anchor = link.partition("#")
        return relpath(page_of(path), PurePosixPath(page).parent) + hash_sign + anchor

    return _outside_of_code(text, lambda line: LINK.sub(on_the_site, line))


def link_marts(text: str, pages: Mapping[str, str], page: str) -> str:
    """The text with each `mart` or `mart.column` leading to the mart's place on its page; headings and links stay.

    `pages` has the page of each mart, `page` is that of the text."""

    def linked(found: re.Match[str]) -> str:
        mart = found["mart"]
        if mart not in pages:
            return found.group()
        return f"[{found.group()}]({relpath(pages[mart], PurePosixPath(page).parent)}#{mart})"

    return _outside_of_code(text, lambda line: line if line.startswith("#") else NAME.sub(linked, line))


def _target(link: str, origin: str) -> str | None:
    """None where a link leads to another site or stays on its page."""
    path = link.partition("#")[0]
    if not path or re.match(r"[a-z]+:", link):
        return None
    return normpath(PurePosixPath(origin).parent / path)


def _links(text: str) -> list[str]:
    found: list[str] = []
    _outside_of_code(text, lambda line: found.extend(LINK.findall(line)) or line)
    return found


def _outside_of_code(text: str, change: Callable[[str], str]) -> str:
    lines, is_code = [], False
    for line in text.splitlines(keepends=True):
        if FENCE.match(line):
            is_code = not is_code
        lines.append(line if is_code else change(line))
    return "".join(lines)
