"""Where the dbt project is and where its results go."""

import os
import re
from pathlib import Path

PACKAGE_DIR = Path(__file__).resolve().parent
_IS_LLM_SPEND = re.compile(r"^name:\s*['\"]?llm_spend['\"]?\s*$", re.MULTILINE)


def checkout_dir(package_dir: Path = PACKAGE_DIR) -> Path | None:
    """The repository that holds this package, or None when it runs from an installed wheel."""
    root = package_dir.parent.parent
    project_file = root / "dbt_project.yml"
    if project_file.is_file() and _IS_LLM_SPEND.search(project_file.read_text(encoding="utf-8")):
        return root
    return None


def project_dir(package_dir: Path = PACKAGE_DIR) -> Path:
    """The dbt project to run: the checkout's, else the copy that the wheel carries."""
    return checkout_dir(package_dir) or package_dir / "dbt_project"


def target_dir(package_dir: Path = PACKAGE_DIR) -> Path:
    """Where results go: `target` in the checkout, else in the working directory. It may not exist yet."""
    return (checkout_dir(package_dir) or Path.cwd()) / "target"


def artifacts_dir() -> Path:
    """Where what dbt and the checks write on their way goes: DBT_TARGET_PATH, as for dbt itself, else `target_dir`."""
    chosen = os.environ.get("DBT_TARGET_PATH")
    return Path(chosen).expanduser().absolute() if chosen else target_dir()


def default_database(package_dir: Path = PACKAGE_DIR) -> Path:
    """The DuckDB file: LLM_SPEND_DUCKDB_PATH when set, else `llm_spend.duckdb` in the target directory."""
    chosen = os.environ.get("LLM_SPEND_DUCKDB_PATH")
    return Path(chosen).expanduser().absolute() if chosen else target_dir(package_dir) / "llm_spend.duckdb"


def short(path: Path) -> str:
    """The path from the working directory where it is below that, else as it is."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
