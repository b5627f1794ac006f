"""Marks by which a text passes as a turn or as a call of a tool: in the text as it stands, line by line."""

import re

from deploy.marks import ROLE_TOKEN
from tasks.prepare.clean.orders.rule import rule

_FLAGS = re.MULTILINE | re.IGNORECASE
_AS_ASCII = str.maketrans(
    "\u0130\u0131\u017f\u212a", "iisk"
)  # `re` takes them for these where case is no matter
_HEAD = r"(?:^|[.?!] )\s{0,3}#{2,4} ?(?:%s) ?:"
_TOKEN = (
    rf"(?:{ROLE_TOKEN.pattern}|(?<!\w)\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|</s>\s*(?:<s>|\[INST)"
    r"|\[/?(?:SYSTEM|AVAILABLE_TOOLS|SYSTEM_PROMPT)\])"
)
_ORDER = (
    r"\s*(?:you(?:'re| are| must| will| should| can| have)\b|ignore|disregard|from now|new (?:instr|rule"
    r"|policy)"
    r"|always|never|do not|answer|respond|the (?:user|assistant)\b|override)"
)
_ORDERED = (
    "you|ignore|disregard|from now|new |always|never|do not|answer|respond|the user|the assistant|override"
)

# The words of these are looked for in the text as `small` gives it.
ROLE_MARKS = (
    rule(
        "[|<",
        "<||inst]|sys>>|_of_turn>|</s>|system]|available_tools]|system_prompt]",
        # Between backticks a token is spoken of; prompts take each one out.
        patterns=(rf"(?<!`){_TOKEN}|{_TOKEN}(?!`)",),
        flags=_FLAGS,
    ),
    rule(
        "##",
        "system|instruction|human|user",
        patterns=(
            rf"{_HEAD % 'System|Instructions?|Human|User'}[\s\S]{{0,4000}}?{_HEAD % 'Assistant|Response|AI'}",
            rf"{_HEAD % 'System'} *$|{_HEAD % 'System'}{_ORDER}",
        ),
        flags=_FLAGS,
    ),
    rule(
        "system|developer",
        _ORDERED,
        ":",
        patterns=(rf"^\W{{0,3}}(?:system|developer)(?: message| prompt| note| turn)?\W{{0,2}}:{_ORDER}",),
        flags=_FLAGS,
    ),
    rule(
        "<",
        "system>|system_prompt>|system_message>|developer>|assistant>|instructions>|instruction>|user>",
        patterns=(
            rf"</?(?:system|system_prompt|system_message|developer|assistant|instructions)>{_ORDER}",
            r"</(?:user|documents?|context|sources?|input|data|question|passage)>\s*<(?:system|assistant"
            r"|instructions?|user)>",
        ),
        flags=_FLAGS,
    ),
)
TOOL_MARKS = (
    rule(
        "[|```|=|<",
        "<tool_|</tool_|<function_|</function_|<invoke name=|<function=|[tool_|```tool_|to=functions.",
        patterns=(
            r"(?<!`)</?(?:tool_(?:calls?|use|code|result|response)|function_(?:calls?|results?))\b[^>\n]{0,80}>",
            r"<invoke name=|<function=\w|\[TOOL_(?:CALLS|USE|RESULTS?)\]|```tool_(?:code|call|use)"
            r"|\bto=functions\.",
        ),
        flags=_FLAGS,
    ),
    rule(
        "tool_call|function_call|tool_use|tool_input",
        patterns=(r"[\"'](?:tool_calls?|function_call|tool_use|tool_input)[\"']\s*:\s*[\[{\"']",),
        flags=_FLAGS,
    ),
    rule(
        "name\"|name'|tool\"|tool'|function\"|function'|action\"|action'",
        "arguments|parameters|args|input",
        patterns=(
            r"[\"'](?:name|tool|function|action)[\"']\s*:\s*[\"'][\w.-]+[\"']\s*,\s*"
            r"[\"'](?:arguments|parameters|args|input|kwargs|action_input|tool_input)[\"']\s*:",
        ),
        flags=_FLAGS,
    ),
    rule(
        "action:|action :|tool:|tool :",
        "input:|input :|arguments:|arguments :|args:|args :|parameters:|parameters :",
        patterns=(
            r"^[ \t]*(?:action|tool) ?: *\S[^\n]{0,80}\n+[ \t]*(?:(?:action|tool) input|arguments|args|input"
            r"|parameters) ?:",
        ),
        flags=_FLAGS,
    ),
    rule(
        "role\"|role'",
        patterns=(r"^\{\s*[\"']role[\"']\s*:\s*[\"'](?:system|tool|developer)[\"']",),
        flags=_FLAGS,
    ),
)


def small(text: str) -> str:
    """The text in small letters, with those that a pattern takes for ASCII where case is no matter."""
    return (text if text.isascii() else text.translate(_AS_ASCII)).lower()
