import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.lock", "requirements-engines.lock")}


def pins(lock: str) -> list[Requirement]:
    return [Requirement(line) for line in re.findall(r"^([^\s#].*?) \\$", LOCKS[lock], re.MULTILINE)]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_file(lock: str) -> None:
    assert "://" not in LOCKS[lock]
    assert not re.search(r"^\s*--(?!hash=)|@ ", LOCKS[lock], re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    assert all("--hash=sha256:" in pin for pin in re.split(r"^(?=[^\s#])", LOCKS[lock], flags=re.MULTILINE)[1:])


def test_the_engines_are_tested_with_what_everybody_has() -> None:
    texts = {lock: {f"{pin.name}{pin.specifier}" for pin in pins(lock)} for lock in LOCKS}
    assert texts["requirements.lock"] <= texts["requirements-engines.lock"]


def test_dbt_core_installs_on_a_closed_network() -> None:
    (pin,) = next(pin for pin in pins("requirements.lock") if pin.name == "dbt-core").specifier
    assert pin.version.startswith("1.11.")


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = {
        "requirements.lock": [
            *project["build-system"]["requires"],
            *project["project"]["dependencies"],
            *(text for name in ("prices", "quality", "dagster", "dev") for text in extras[name]),
        ],
        "requirements-engines.lock": [text for texts in extras.values() for text in texts],
    }
    for lock, texts in wanted.items():
        pinned = {pin.name: pin for pin in pins(lock)}
        for requirement in map(Requirement, texts):
            if requirement.name == project["project"]["name"]:
                continue
            (pin,) = pinned[canonicalize_name(requirement.name)].specifier
            assert requirement.specifier.contains(pin.version), requirement
