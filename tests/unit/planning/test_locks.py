from pathlib import Path

from stages.planning.locks import forget_dead_runs


def _locked(folder: Path) -> Path:
    lock = folder / "locks" / "0.input.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    return lock


def test_a_fresh_folder_is_made(tmp_path: Path) -> None:
    forget_dead_runs(tmp_path / ".snakemake").close()
    assert (tmp_path / ".snakemake").is_dir()


def test_the_lock_of_a_dead_run_is_forgotten(tmp_path: Path) -> None:
    lock = _locked(tmp_path)
    forget_dead_runs(tmp_path).close()
    assert not lock.exists()


def test_the_lock_of_a_living_run_stays(tmp_path: Path) -> None:
    living = forget_dead_runs(tmp_path)
    lock = _locked(tmp_path)
    second = forget_dead_runs(tmp_path)
    assert lock.exists()
    living.close()
    forget_dead_runs(tmp_path).close()
    assert lock.exists()  # the second one is alive
    second.close()
    forget_dead_runs(tmp_path).close()
    assert not lock.exists()
