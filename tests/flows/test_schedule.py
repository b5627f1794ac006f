"""Protects schedules: Prefect keeps the flow ready and writes its next runs; an interrupt ends it quietly."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.flow


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    for _ in range(20):
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.loads(reply.read() or "null")
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # its database is locked for a moment
                raise
            time.sleep(0.5)
    raise AssertionError(f"{url} stays locked")


def test_a_schedule_is_kept_by_the_server_and_an_interrupt_ends_it(toy: Path, server: str) -> None:
    command = [sys.executable, "-m", "flows", "schedule", "--cron", "0 3 * * *"]
    child = subprocess.Popen(
        command, cwd=toy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        deployment = wait_for(f"{server}/deployments/name/adapt/threeply", child)
        # What the server's scheduler does by itself every minute.
        ask(f"{server}/deployments/{deployment['id']}/schedule", {"min_runs": 2})
        runs = ask(f"{server}/flow_runs/filter", {"deployments": {"id": {"any_": [deployment["id"]]}}})
        assert len(runs) >= 2
        assert {run["state_type"] for run in runs} == {"SCHEDULED"}
        assert {run["expected_start_time"][11:16] for run in runs} == {"03:00"}
    finally:
        os.killpg(child.pid, signal.SIGINT)
        said, _ = child.communicate(timeout=60)
    assert "Traceback" not in said


def wait_for(url: str, child: "subprocess.Popen[str]") -> Any:
    """What is at `url`, once it is there."""
    deadline = time.monotonic() + 90
    while child.poll() is None and time.monotonic() < deadline:
        try:
            return ask(url)
        except urllib.error.HTTPError:
            time.sleep(0.5)
    raise AssertionError(child.communicate()[0] if child.poll() is not None else f"nothing at {url}")
