"""The user's own configuration: CSV files that take the place of those in `seeds/config/`."""

import csv
import difflib
import shutil
from pathlib import Path

from llm_spend.errors import UserError


def overlay(package_seeds: Path, user_dir: Path, out_dir: Path) -> Path:
    """Write the seeds of `package_seeds` to `out_dir`, those found in `user_dir` in their place, and return `out_dir`.

    A user's file may order its columns freely and leave optional ones out (they become blank). A file or a column
    that the package does not know is a UserError: it would silently do nothing.
    """
    if not user_dir.is_dir():
        raise UserError(f"--config {user_dir}: there is no such directory")
    known = {path.name: path for path in sorted(package_seeds.glob("*.csv"))}
    unknown = sorted(path.name for path in user_dir.glob("*.csv") if path.name not in known)
    if unknown:
        raise UserError(
            f"--config {user_dir}: {unknown[0]} is not a configuration file{_nearest(unknown[0], known)};"
            f" the files are {', '.join(known)}"
        )
    shutil.rmtree(out_dir, ignore_errors=True)
    shutil.copytree(package_seeds, out_dir)
    for name, package_file in known.items():
        user_file = user_dir / name
        if user_file.is_file():
            _write_normalised(user_file, _header(package_file), out_dir / name)
    return out_dir


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def _write_normalised(user_file: Path, columns: list[str], out_file: Path) -> None:
    try:
        with user_file.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restval="")
            unknown = [name for name in rows.fieldnames or [] if name not in columns]
            if unknown:
                raise UserError(
                    f"{user_file}, line 1: unknown column {unknown[0]!r}{_nearest(unknown[0], columns)};"
                    f" the columns are {', '.join(columns)}"
                )
            with out_file.open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
                writer.writeheader()
                for row in rows:
                    if None in row:
                        raise UserError(f"{user_file}, line {rows.line_num}: more values than columns")
                    writer.writerow({name: (value or "").strip() for name, value in row.items()})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{user_file} cannot be read: {error}") from error


def _nearest(name: str, names: list[str] | dict[str, Path]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f" (did you mean {near[0]}?)" if near else ""
