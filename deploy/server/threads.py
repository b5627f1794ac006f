"""Work on documents outside the event loop, and what becomes of its errors."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from deploy.errors import ClosedError, KnowledgeError, NotKeptError
from deploy.server.faults import RequestError

_log = logging.getLogger(__name__)
T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` gives, in a thread of its own; what it refuses is the client's to mend."""
    try:
        return await asyncio.to_thread(work)
    except ClosedError as error:
        raise RequestError(403, str(error), "name_is_taken", "name") from None
    except NotKeptError as error:
        _log.error("a change of documents was not kept: %s", error)
        told = "documents cannot be changed now; the server's log tells why"  # where they lie, too
        raise RequestError(503, told, "not_kept") from None
    except KnowledgeError as error:
        raise RequestError(400, str(error), "not_added") from None
