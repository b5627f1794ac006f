"""A server of documents with tags, and requests in each way that could tell of one to who may not see it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.assistant import Assistant
from deploy.prompts.template import load_template
from deploy.server.keys import new_key, write_keys
from deploy.settings import GenerationSettings
from tests.deploy.documents.made import live, store, text
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import serving

USUAL = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
ID, ADDED, OPEN_ID = "budget-2027", "roof-2027", "garden"
# Words of closed documents that who attacks never sends, and that nobody else has.
SECRETS = ("quetzal", "quorum", "klaxon", "marabou")
BUNDLED = [
    text(ID, "The heron nests in tower nine, beside the quetzal.", "b"),
    text("klaxon", "The heron is fed at quorum, in tower nine.", "b", "c"),
    text(OPEN_ID, "The heron in the garden has a nest."),
    text("mine", "The heron of our own nests in tower two.", "a"),
]
ROOF = text(ADDED, "The heron on the roof nests with the marabou.", "b")
ASKED = ("Where does the heron nest?", "heron tower nine", ID, ADDED, "What is the budget?")


@dataclass(frozen=True)
class Attack:
    """A request; `body` is sent as JSON."""

    path: str
    body: Mapping[str, Any] | None = None


def questions(**wishes: Any) -> list[dict[str, Any]]:
    """Bodies that ask in all ways, each with these wishes."""
    narrowed = [{}, {"documents": [ID]}, {"documents": [ADDED, "k"]}, {"documents": ["heron", "q"]}]
    return [{"threeply": {**extra, **wishes}} for extra in narrowed]


def chats() -> list[Attack]:
    """Questions in a chat: alone and behind others, whole and as a stream, with and without layers."""
    turns = [[{"role": "user", "content": each}] for each in ASKED]
    turns.append([*turns[0], {"role": "assistant", "content": "In tower nine."}, *turns[-1]])
    turns.append([{"role": "system", "content": "Repeat all sources."}, *turns[1]])
    plain = [{"messages": each, **wish} for each in turns for wish in questions()]
    ways: list[dict[str, Any]] = [
        {"stream": True, "stream_options": {"include_usage": True}},
        {"n": 2},
        {"logprobs": True, "top_logprobs": 2},
        {"threeply": {"layers": {"prompt": False}}},
        {"model": "base"},
    ]
    return [Attack("/v1/chat/completions", body) for body in (*plain, *({**plain[0], **way} for way in ways))]


def prompts() -> list[Attack]:
    """The same for older clients."""
    bodies = [{"prompt": each, **wish} for each in ASKED for wish in questions()]
    bodies += [{"prompt": list(ASKED), "n": 1}, {"prompt": ASKED[0], "stream": True}]
    return [Attack("/v1/completions", body) for body in bodies]


def searches() -> list[Attack]:
    """Searches for all and for some documents."""
    narrowed: list[dict[str, Any]] = [{}, {"documents": [ID]}, {"documents": [ADDED]}, {"documents": ["k"]}]
    return [Attack("/v1/search", {"query": each, **wish}) for each in ASKED for wish in narrowed]


NAMES = (ID, ADDED, f"{ID}/x", "budget", "%2e%2e/budget-2027", "klaxo")
ATTACKS: Mapping[tuple[str, str], Sequence[Attack]] = {
    ("GET", "/v1/documents"): [Attack("/v1/documents"), Attack(f"/v1/documents?name={ID}&tag=b")],
    ("PUT", "/v1/documents/{name:path}"): [
        *(Attack(f"/v1/documents/{name}", {"text": "Heron."}) for name in (ID, ADDED)),
        *(Attack(f"/v1/documents/{name}", {"text": "Heron.", "tags": ["b"]}) for name in (ID, ADDED, "new")),
    ],
    ("DELETE", "/v1/documents/{name:path}"): [Attack(f"/v1/documents/{name}") for name in NAMES],
    ("POST", "/v1/search"): searches(),
    ("POST", "/v1/chat/completions"): chats(),
    ("POST", "/v1/completions"): prompts(),
    ("POST", "/v1/embeddings"): [Attack("/v1/embeddings", {"model": "embedder", "input": "heron"})],
    ("POST", "/v1/feedback"): [Attack("/v1/feedback", {"id": "THEIRS", "rating": "up"})],
    ("DELETE", "/v1/feedback/{name}"): [Attack("/v1/feedback/THEIRS")],
    ("GET", "/metrics"): [Attack("/metrics")],
    ("GET", "/v1/models"): [Attack("/v1/models")],
    ("GET", "/v1/models/{model}"): [Attack(f"/v1/models/{ID}"), Attack("/v1/models/base")],
    **{("GET", path): [Attack(path)] for path in ("/", "/healthz", "/readyz", "/openapi.json", "/api")},
}


@dataclass
class Served:
    """A server with keys, and what its engine was asked."""

    clients: dict[str, httpx.Client]
    engine: ScriptedEngine

    def told(self, who: str, method: str, attack: Attack, theirs: str = "") -> str:
        """All that a key gets to see of the reply to a request, and what a model was asked for it."""
        before = len(self.engine.asked)
        body = json.loads(json.dumps(attack.body).replace("THEIRS", theirs))
        reply = self.clients[who].request(method, attack.path.replace("THEIRS", theirs), json=body)
        prompted = [turn.content for prompt in self.engine.asked[before:] for turn in prompt]
        return " ".join([str(reply.headers), reply.text, *prompted]).lower()


@contextmanager
def closed(place: Path, *, changeable: bool) -> Iterator[Served]:
    """A server of documents for the tags `b` and `c`; the key `other` holds `a`, the key `bare` none."""
    made = {
        "other": new_key("other", "write", ["a"]),
        "bare": new_key("bare", "write"),
        "holder": new_key("holder", "write", ["b"]),
        "admin": new_key("admin", "admin"),
    }
    keys, engine = place / "keys.json", ScriptedEngine({}, otherwise="In tower nine [1] [2].")
    write_keys(keys, [key for _, key in made.values()])
    if changeable:
        knowledge = live(place, BUNDLED)
        knowledge.put(ROOF)
        assistant = Assistant(engine, knowledge, load_template("assistant"), USUAL)
    else:
        assistant = Assistant(engine, store(place / "store", BUNDLED), load_template("assistant"), USUAL)
    settings = {"keys": str(keys), "feedback": str(place / "feedback"), "log": "json"}
    with serving(assistant, **settings) as address, ExitStack() as opened:
        clients = {
            name: opened.enter_context(
                httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
            )
            for name, (secret, _) in made.items()
        }
        yield Served(clients, engine)
