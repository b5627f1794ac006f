"""What the hub's own client is asked, in a process of its own: a wish on stdin, answers as lines of JSON.

The client reads once, at import, whether it may speak at all; a stage says no to all libraries. This file is
run by its path and imports nothing of threeply.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any


def answers(wish: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The commit with all of its files; or, where files are wished for, the name of each that has come."""
    from huggingface_hub import HfApi, hf_hub_download

    place = {"repo_id": wish["name"], "repo_type": wish["kind"], "revision": wish["revision"]}
    if "files" not in wish:
        info: Any = HfApi().repo_info(**place, files_metadata=True)
        files = [
            {
                "name": file.rfilename,
                "size": file.size,
                "sha256": file.lfs.sha256 if file.lfs else None,
                "blob": None if file.lfs else file.blob_id,
            }
            for file in info.siblings or ()
        ]
        yield {"commit": info.sha, "files": files}
        return
    for name in wish["files"]:
        hf_hub_download(filename=name, local_dir=wish["into"], **place)
        yield {"file": name}


def failure(error: BaseException) -> dict[str, Any]:
    """Why it was in vain; addresses are left out, since those of storages hold keys."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    answered = next((each for each in chain if isinstance(each, HfHubHTTPError)), None)
    if answered is None:
        number = next((each.errno for each in chain if isinstance(each, OSError) and each.errno), None)
        return {"failed": "broken", "said": type(error).__name__, "errno": number}
    reply = answered.response
    said = f"{reply.status_code} {reply.reason_phrase}".strip()
    if isinstance(answered, GatedRepoError):
        return {"failed": "gated", "said": said}
    if isinstance(answered, RevisionNotFoundError):
        return {"failed": "revision", "said": said}
    if isinstance(answered, RepositoryNotFoundError):
        return {"failed": "repository", "said": said}
    return {"failed": "refused" if reply.status_code in (401, 403) else "broken", "said": said}


def main() -> None:
    """Answer the wish; a failure is an answer as well."""
    try:
        for answer in answers(json.load(sys.stdin)):
            print(json.dumps(answer), flush=True)
    except Exception as error:
        print(json.dumps(failure(error)), flush=True)


if __name__ == "__main__":
    main()
