"""What is in the wheel, and that twistd finds the server after every kind of install."""

from __future__ import annotations

import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.packaging.conftest import Built
from tests.packaging.installs import Install


def _names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("mythos/content/starter", "*.yaml"),
        ("mythos/store/schema", "*.sql"),
        ("mythos/webclient", "*"),
        ("mythos", "*.py"),
        ("twisted", "mythos_plugin.py"),
    ],
)
def test_wheel_is_complete(built: Built, checkout: Path, folder: str, pattern: str) -> None:
    """Every module, and the world, the schema and the web client that the server reads, are in the wheel."""
    wanted = {str(path.relative_to(checkout)) for path in (checkout / folder).rglob(pattern) if path.is_file()}
    assert wanted
    assert wanted <= _names(built.wheel)


def test_wheel_holds_nothing_else(built: Built) -> None:
    """The wheel holds the package, the plugin and its own records: no tests, no benchmarks, no caches."""
    names = _names(built.wheel)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mythos", "twisted"}
    assert {name for name in names if name.startswith("twisted/")} == {"twisted/plugins/mythos_plugin.py"}
    assert not {name for name in names if "__pycache__" in name}


def test_source_archive(built: Built) -> None:
    """The source archive has what a packager needs, and no cache of a run."""
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"mythos.tac", "LICENSE", "CHANGELOG.md", "tests/conftest.py", "tests/not_installable.txt"} <= names
    assert "twisted/plugins/dropin.cache" not in names


@pytest.mark.parametrize("kind", ["installed", "editable"])
def test_plugin_is_found(kind: str, request: pytest.FixtureRequest, checkout: Path, tmp_path: Path) -> None:
    """``twistd --help`` lists mythos, from any directory, and means the copy that was installed."""
    install: Install = request.getfixturevalue(kind)
    run = install.run(install.twistd("--help"), tmp_path)
    assert "    mythos  " in run.stdout, run.stderr
    home = checkout if kind == "editable" else install.packages
    assert install.where("mythos").is_relative_to(home)
    assert install.where("twisted.plugins.mythos_plugin").is_relative_to(home)


def test_without_mythos_no_plugin(bare: Install, tmp_path: Path) -> None:
    """The environments below see nothing of Mythos by themselves: the tests above could fail."""
    assert "    mythos  " not in bare.run(bare.twistd("--help"), tmp_path).stdout
