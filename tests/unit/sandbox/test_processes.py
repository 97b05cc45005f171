"""A child process dies when told to, and with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.sandbox.processes import Child
from tests.fakes.processes import CHECKOUT, spawn_python, wait_for_line

# It counts aloud for ever, quickly.
COUNTING = "import itertools, time\nfor n in itertools.count(): print('line', n); time.sleep(0.005)"
# A parent that starts a child and tells its number, then waits to be killed.
PARENT = """
import pathlib, sys, time
from connector.sandbox.processes import Child
folder = pathlib.Path(sys.argv[1])
child = Child([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
              log=folder.parent / "child.log", remove_with_parent=folder)
if sys.argv[2] == "frozen":
    child.freeze()
print("child", child.pid, flush=True)
time.sleep(600)
"""


def eventually(holds: Callable[[], bool], deadline_seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + deadline_seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def process_state(pid: int) -> str:
    """The letter the system has for it (T frozen, Z only waits to be reaped), empty when there is none."""
    if not Path("/proc/self/stat").exists():
        told = subprocess.run(["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603 -- a number, no shell
        return told.stdout[:1]
    try:
        # The name before the state is in brackets and may itself hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    return process_state(pid) not in {"", "Z"}


def test_killed_child(tmp_path: Path) -> None:
    """kill() is SIGKILL, and the child is gone when it returns."""
    with spawn_python(["-c", COUNTING], log=tmp_path / "log") as child:
        wait_for_line(child, "line 1")
        child.kill()
        assert child.exit_code == -signal.SIGKILL
        assert not is_alive(child.pid)


def test_left_context(tmp_path: Path) -> None:
    """Leaving the context ends the child and its watcher."""
    with spawn_python(["-c", COUNTING], log=tmp_path / "log") as child:
        watcher = child._watcher.pid
    assert not child.is_running
    assert not is_alive(watcher)


def test_child_that_ends_by_itself(tmp_path: Path) -> None:
    """Its exit code is told, and its watcher does not stay to kill whoever gets its number."""
    with spawn_python(["-c", "raise SystemExit(3)"], log=tmp_path / "log") as child:
        assert child.wait(10) == 3
        assert not is_alive(child._watcher.pid)


def test_child_that_does_not_end(tmp_path: Path) -> None:
    """A wait is bounded, and its error shows what the child wrote last."""
    with spawn_python(["-c", COUNTING], log=tmp_path / "log") as child:
        wait_for_line(child, "line 0")
        with pytest.raises(TimeoutError, match="line"):
            child.wait(0.05)


def test_terminated_child(tmp_path: Path) -> None:
    """terminate() is SIGTERM: the child may stop in its own way."""
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('ready'); time.sleep(600)"
    )
    with spawn_python(["-c", program], log=tmp_path / "log") as child:
        wait_for_line(child, "ready")
        child.terminate()
        assert child.wait(10) == 7


def test_frozen_and_thawed_child(tmp_path: Path) -> None:
    """A frozen child runs but does nothing; a thawed one goes on."""
    log = tmp_path / "log"
    with spawn_python(["-c", COUNTING], log=log) as child:
        wait_for_line(child, "line 1")
        child.freeze()
        assert eventually(lambda: process_state(child.pid) == "T")
        frozen_at = log.stat().st_size
        assert child.is_running
        assert log.stat().st_size == frozen_at
        child.thaw()
        assert eventually(lambda: log.stat().st_size > frozen_at)


def test_freezing_a_dead_child(tmp_path: Path) -> None:
    """A test that means to freeze a process learns that there is none."""
    with spawn_python(["-c", "pass"], log=tmp_path / "log") as child:
        child.wait(10)
        with pytest.raises(ProcessLookupError, match="ended with 0"):
            child.freeze()


@pytest.mark.parametrize("state", ["running", "frozen"])
def test_parent_killed(tmp_path: Path, state: str) -> None:
    """A kill -9 of the parent ends the child, a frozen one too, and removes the folder it named."""
    folder = tmp_path / "data"
    folder.mkdir()
    parent = subprocess.Popen(  # noqa: S603 -- this interpreter, no shell
        [sys.executable, "-c", PARENT, str(folder), state],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline().split()[1])
        assert is_alive(child)
        parent.kill()
    assert eventually(lambda: not is_alive(child))
    assert eventually(lambda: not folder.exists())


def test_line_that_never_comes(tmp_path: Path) -> None:
    """Waiting for a line is bounded."""
    with (
        spawn_python(["-c", COUNTING], log=tmp_path / "log") as child,
        pytest.raises(TimeoutError, match="no line with 'other'"),
    ):
        wait_for_line(child, "other", deadline_seconds=0.1)


def test_line_of_a_child_that_has_ended(tmp_path: Path) -> None:
    """What it wrote before it ended is found; what it did not is an error at once, with its exit code."""
    with spawn_python(["-c", "print('done')"], log=tmp_path / "log") as child:
        child.wait(10)
        assert wait_for_line(child, "done") == "done"
        with pytest.raises(RuntimeError, match="ended with 0"):
            wait_for_line(child, "other")


def test_program_that_does_not_exist(tmp_path: Path) -> None:
    """The operating system's error comes through, and no watcher is left."""
    with pytest.raises(FileNotFoundError):
        Child([tmp_path / "none"], log=tmp_path / "log")
