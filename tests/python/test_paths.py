from pathlib import Path

import pytest

from llm_spend import paths


@pytest.fixture
def checkout_package(tmp_path: Path) -> Path:
    package = tmp_path / "clone" / "orchestration" / "llm_spend"
    package.mkdir(parents=True)
    (tmp_path / "clone" / "dbt_project.yml").write_text("name: llm_spend\nprofile: llm_spend\n", encoding="utf-8")
    return package


@pytest.fixture
def installed_package(tmp_path: Path) -> Path:
    package = tmp_path / "lib" / "site-packages" / "llm_spend"
    package.mkdir(parents=True)
    return package


@pytest.fixture
def working_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "work"
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.delenv("LLM_SPEND_DUCKDB_PATH", raising=False)
    return directory


def test_this_clone_is_its_own_project() -> None:
    root = Path(__file__).resolve().parents[2]
    assert paths.project_dir() == root
    assert paths.target_dir() == root / "target"


def test_a_checkout_runs_its_own_project_and_writes_into_it(checkout_package: Path, working_dir: Path) -> None:
    clone = checkout_package.parent.parent
    assert paths.project_dir(checkout_package) == clone
    assert paths.target_dir(checkout_package) == clone / "target"
    assert paths.default_database(checkout_package) == clone / "target" / "llm_spend.duckdb"


def test_an_installed_wheel_runs_its_copy_and_writes_into_the_working_directory(
    installed_package: Path, working_dir: Path
) -> None:
    assert paths.project_dir(installed_package) == installed_package / "dbt_project"
    assert paths.target_dir(installed_package) == working_dir / "target"
    assert paths.default_database(installed_package) == working_dir / "target" / "llm_spend.duckdb"


def test_somebody_elses_dbt_project_is_no_checkout(checkout_package: Path) -> None:
    project_file = checkout_package.parent.parent / "dbt_project.yml"
    project_file.write_text("name: shop\nvars:\n  name: llm_spend\n", encoding="utf-8")
    assert paths.checkout_dir(checkout_package) is None


def test_the_environment_chooses_the_database(
    checkout_package: Path, working_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_SPEND_DUCKDB_PATH", "mine.duckdb")
    assert paths.default_database(checkout_package) == working_dir / "mine.duckdb"


def test_artifacts_go_where_dbt_is_told_to_put_them(working_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(working_dir / "elsewhere"))
    assert paths.artifacts_dir() == working_dir / "elsewhere"
    assert paths.default_database() == paths.target_dir() / "llm_spend.duckdb"
    monkeypatch.delenv("DBT_TARGET_PATH")
    assert paths.artifacts_dir() == paths.target_dir()
