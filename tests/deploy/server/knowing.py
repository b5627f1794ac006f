"""Assistants whose documents can be changed while they are served, for tests of the routes that do so."""

import httpx

from deploy.assistant import Assistant
from deploy.documents.live import LiveKnowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings
from tests.deploy.engines.scripted import ScriptedEngine

USUAL = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
ASK = {"messages": [{"role": "user", "content": "Where does the canary sing?"}]}
CANARY = {"title": "Zoo", "text": "The canary sings in the aquarium."}


def over(knowledge: LiveKnowledge) -> Assistant:
    """An assistant whose engine says that source 1 has it."""
    engine = ScriptedEngine({}, otherwise="In the aquarium [1].")
    return Assistant(engine, knowledge, load_template("assistant"), USUAL)


def sources(address: str) -> list[str]:
    """The documents of the sources of an answer about the canary."""
    reply = httpx.post(f"{address}/v1/chat/completions", json=ASK, timeout=30).json()
    return [source["document"] for source in reply["threeply"]["sources"]]
