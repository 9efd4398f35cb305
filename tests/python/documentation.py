"""README.md and docs/: their code blocks, and the commands in these."""

import shlex
import subprocess
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS = {"while", "until", "for", "if", "then", "else", "do", "done", "fi", "{", "}", "!"}


@dataclass(frozen=True)
class Block:
    """A code block of a page. Its `language` is empty where it is indented, or fenced without saying one."""

    page: str
    line: int
    language: str
    text: str
    title: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.language}".rstrip()

    def begins(self, text: str) -> bool:
        return self.text.startswith(text)


def pages() -> list[str]:
    """README.md and every page of docs/, as paths from the checkout."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


@cache
def blocks(page: str) -> tuple[Block, ...]:
    return tuple(blocks_of(page, (ROOT / page).read_text(encoding="utf-8")))


def blocks_of(page: str, markdown: str) -> list[Block]:
    """The blocks in order. After its language a fence may say `title="file.csv"`: a run of the page writes it."""
    found = []
    for token in MarkdownIt().parse(markdown):
        if token.type in ("fence", "code_block"):
            language, *options = shlex.split(token.info) or [""]
            titles = [option.removeprefix("title=") for option in options if option.startswith("title=")]
            found.append(Block(page, token.map[0] + 1, language, token.content, *titles))
    return found


def all_blocks(*languages: str) -> list[Block]:
    return [block for page in pages() for block in blocks(page) if not languages or block.language in languages]


def answers(page: str) -> list[tuple[Block, Block]]:
    """Commands or a query, and the text block right after it: what they print."""
    return [(asked, shown) for asked, shown in pairwise(blocks(page)) if shown.language == "text" != asked.language]


def commands(block: Block) -> list[str]:
    """The commands of a block, each with all of its lines."""
    found, lines = [], ""
    for line in block.text.splitlines():
        lines += f"{line}\n"
        if not line.endswith("\\") and _is_complete(lines):
            found.append(lines.strip())
            lines = ""
    assert not lines.strip(), f"{block}: bash cannot read {lines!r}"
    return [command for command in found if command and not command.startswith("#")]


def programs(command: str) -> list[list[str]]:
    """The words of each program that a command starts, without redirections and variables set for it."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=";<>|&()\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    started: list[list[str]] = [[]]
    is_file = False
    for word in lexer:
        if is_file:
            is_file = False
        elif set(word) <= set("<>"):
            is_file = True
        elif set(word) <= set(";|&()\n"):
            started.append([])
        elif started[-1] or not (word in KEYWORDS or _is_assignment(word)):
            started[-1].append(word)
    return [words for words in started if words]


def shows(shown: str, printed: str) -> bool:
    """Whether a text block says what was printed: every part of it between lines of `…`, in order."""
    lines, place = _lines(printed), 0
    for part in _parts(_lines(shown)):
        fits = [start for start in range(place, len(lines)) if lines[start : start + len(part)] == part]
        if not fits:
            return False
        place = fits[0] + len(part)
    return True


def table(columns: list[str], rows: list[tuple]) -> str:
    """A query's result as docs show it: two blanks between columns, numbers to the right, nothing for null."""
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    numeric = [bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(columns))]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    aligned = (
        "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in [columns, *texts]
    )
    return "\n".join(aligned) + "\n"


def _is_number(value: object) -> bool:
    return value is None or (not isinstance(value, str) and hasattr(value, "__float__"))


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _parts(lines: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip() == "…":
            parts.append([])
        else:
            parts[-1].append(line)
    return [part for part in parts if part]


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _is_complete(lines: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", lines], capture_output=True, check=False).returncode == 0
