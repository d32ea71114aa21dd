"""Telemetry over HTTP at a steady rate: the door in a process of its own, killed right after its last answer."""

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.receiver import PATH, Refused, Sender

BODIES_A_SECOND = 50
SENDERS = 8
START_S = 30


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from when each body was due to its answer, in order of size."""

    seconds: tuple[float, ...]

    def at(self, share: float) -> float:
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def offer(url: str, sender: Sender, bodies: Sequence[bytes]) -> Latencies:
    """Send the bodies when they are due, whether or not those before were answered; then kill the server (SIGKILL).

    Raises Refused where one was not answered with 200.
    """
    took: list[float | None] = [None] * len(bodies)
    with _served(url) as port:
        start = time.perf_counter() + 0.2
        threads = [
            threading.Thread(target=_send, args=(port, sender, bodies, number, start, took))
            for number in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    answered = [one for one in took if one is not None]
    if len(answered) != len(bodies):
        raise Refused(f"{len(bodies) - len(answered)} of {len(bodies)} bodies were not taken")
    return Latencies(tuple(sorted(answered)))


def _send(
    port: int, sender: Sender, bodies: Sequence[bytes], first: int, start: float, took: list[float | None]
) -> None:
    """Every so-manieth body, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(first, len(bodies), SENDERS):
        due = start + number / BODIES_A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("POST", PATH, bodies[number], sender.headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            took[number] = time.perf_counter() - due
    connection.close()


@contextmanager
def _served(url: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    child = subprocess.Popen([sys.executable, "-m", "bench.receiver", url, str(port)])
    try:
        _await(child, port)
        yield port
    finally:
        child.kill()
        child.wait()


def _await(child: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Refused("the server did not start")
