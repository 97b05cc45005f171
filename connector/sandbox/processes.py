"""A child process that can be killed, frozen and thawed, and that never outlives its parent.

Must not know what the child does.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

# The watcher reads a pipe that only the parent holds open: the read ends when the parent dies, however it dies.
# PR_SET_PDEATHSIG would be shorter, but fires when the spawning *thread* ends, and macOS has no such thing.
# kill -9 alone also ends a frozen process.
_WATCH = 'read -r _; kill -9 "$0" 2>/dev/null; [ -z "$1" ] || rm -rf -- "$1"'
_REAP_SECONDS = 10


class Child:
    """A running process in a session of its own: Ctrl-C in the terminal does not reach it.

    Args:
        command: the program and its arguments.
        log: the file its standard output and error are appended to.
        env: its whole environment; the parent's by default.
        folder: its working directory; the parent's by default.
        remove_with_parent: a folder that the watcher removes when the parent dies before the child.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        remove_with_parent: Path | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- our own programs, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=folder,
                start_new_session=True,
            )
        self._watcher = subprocess.Popen(  # noqa: S603 -- a fixed script, its arguments are a number and our folder
            ["/bin/sh", "-c", _WATCH, str(self.pid), str(remove_with_parent or "")],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        code = self._process.poll()
        if code is not None:
            self._unwatch()
        return code

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; a frozen process runs."""
        return self.exit_code is None

    def wait(self, timeout_seconds: float) -> int:
        """Block until it ends.

        Returns:
            its exit code, as `exit_code` has it.

        Raises:
            TimeoutError: it still runs.
        """
        try:
            code = self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            message = f"process {self.pid} still runs after {timeout_seconds} s; its log ends\n{self.log_tail()}"
            raise TimeoutError(message) from error
        self._unwatch()
        return code

    def kill(self) -> None:
        """End it as a power failure would (SIGKILL), and wait until it is gone; nothing when it is gone already."""
        self._process.kill()
        self._process.wait(_REAP_SECONDS)
        self._unwatch()

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM) and return at once."""
        self._process.terminate()

    def freeze(self) -> None:
        """Stop its time (SIGSTOP): its sockets stay open and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it if it still runs; leaving the context does the same."""
        self.kill()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines it wrote, for an error's message."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unwatch(self) -> None:
        # Only after the child is gone, and then at once: its number may come to belong to another process.
        if self._watcher.returncode is None:
            self._watcher.kill()
            self._watcher.communicate(timeout=_REAP_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        # Not Popen.send_signal's silence about a dead child: a test that freezes nothing must fail.
        if not self.is_running:
            message = f"process {self.pid} has ended with {self.exit_code}: cannot send it {number.name}"
            raise ProcessLookupError(message)
        os.kill(self.pid, number)
