import hashlib
from pathlib import Path

import pytest

from stages.runtime.provenance import fingerprint, provenance_of, sha256_of


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
