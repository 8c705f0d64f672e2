import hashlib
from pathlib import Path

import pytest

from stages.runtime.provenance import fingerprint, provenance_of, sha256_of, sources_of


def test_provenance_has_no_times_hosts_or_paths() -> None:
    facts = provenance_of(
        "stages.prepare", settings={"a": 1}, seed=3, packages=["numpy"], model_sha256="ab"
    )
    assert set(facts) == {
        "stage",
        "settings",
        "code",
        "seed",
        "packages",
        "python",
        "model_sha256",
    }
    assert facts == provenance_of(
        "stages.prepare", settings={"a": 1}, seed=3, packages=["numpy"], model_sha256="ab"
    )


def test_fingerprint_changes_with_anything() -> None:
    base = {"seed": 0, "settings": {"a": 1}}
    others = [{"seed": 1, "settings": {"a": 1}}, {"seed": 0, "settings": {"a": 1.5}}, {}]
    assert len({fingerprint(facts) for facts in [base, *others]}) == 4
    assert fingerprint({"settings": {"a": 1}, "seed": 0}) == fingerprint(base)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1])
def test_sha256_of_is_that_of_hashlib(size: int, tmp_path: Path) -> None:
    data = bytes(size)
    (tmp_path / "f").write_bytes(data)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_sha256_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gone: this file is missing"):
        sha256_of(tmp_path / "gone")


def package(folder: Path, text: str) -> str:
    """Writes a package of one file and gives its digest."""
    (folder / "blind_version").mkdir(parents=True)
    (folder / "blind_version" / "__init__.py").write_text(text)
    (folder / "blind_version" / "__pycache__").mkdir()
    (folder / "blind_version" / "__pycache__" / "x.pyc").write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        sources_of.cache_clear()
        return sources_of("blind_version")


def test_sources_tell_packages_of_one_version_apart(tmp_path: Path) -> None:
    same, again, other = (
        package(tmp_path / name, text) for name, text in [("a", "x=1"), ("b", "x=1"), ("c", "x=2")]
    )
    assert same == again != other
    with pytest.raises(ValueError, match="blind_version: no such package is installed"):
        sources_of.__wrapped__("blind_version")


def test_a_built_package_has_its_sources_behind_its_version() -> None:
    facts = provenance_of("stages.prepare", settings={}, seed=3, packages=["pydantic"])
    built = provenance_of(
        "stages.prepare", settings={}, seed=3, packages=["pydantic"], built=["pydantic"]
    )
    version = facts["packages"]["pydantic"]
    assert built["packages"]["pydantic"] == f"{version} (sources {sources_of('pydantic')})"
