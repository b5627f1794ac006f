"""Protects the reading of bodies from those who leave before they have sent all of one."""

import asyncio

import pytest
from fastapi import Request

from deploy.errors import TurnsError
from deploy.server.bodies import read_bytes
from deploy.server.faults import CLIENT_LEFT, RequestError, as_fault


def test_who_leaves_in_the_middle_of_a_body_is_no_fault_of_the_server() -> None:
    sent = iter(
        [{"type": "http.request", "body": b"ten bytes.", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, object]:
        return next(sent)

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(RequestError) as error:
        asyncio.run(read_bytes(request, 1000))
    assert error.value.status == CLIENT_LEFT


def test_turns_that_a_template_refuses_are_the_clients_to_mend() -> None:
    fault = as_fault(TurnsError("the chat template refuses these turns (user, user)"))
    assert (fault.status, fault.code, fault.parameter) == (400, "invalid_value", "messages")
