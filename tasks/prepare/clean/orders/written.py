"""Marks by which a text passes as a turn or as a call of a tool: in the text as it stands, line by line."""

import re

from deploy.marks import ROLE_TOKEN

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
# Between backticks a token is spoken of; prompts take each one out.
ROLE_MARKS = re.compile(
    rf"(?<!`){_TOKEN}|{_TOKEN}(?!`)"
    rf"|{_HEAD % 'System|Instructions?|Human|User'}[\s\S]{{0,4000}}?{_HEAD % 'Assistant|Response|AI'}"
    rf"|{_HEAD % 'System'} *$|{_HEAD % 'System'}{_ORDER}"
    rf"|^\W{{0,3}}(?:system|developer)(?: message| prompt| note| turn)?\W{{0,2}}:{_ORDER}"
    rf"|</?(?:system|system_prompt|system_message|developer|assistant|instructions)>{_ORDER}"
    r"|</(?:user|documents?|context|sources?|input|data|question|passage)>\s*<(?:system|assistant"
    r"|instructions?|user)>",
    re.MULTILINE | re.IGNORECASE,
)
TOOL_MARKS = re.compile(
    r"(?<!`)</?(?:tool_(?:calls?|use|code|result|response)|function_(?:calls?|results?))\b[^>\n]{0,80}>"
    r"|<invoke name=|<function=\w|\[TOOL_(?:CALLS|USE|RESULTS?)\]|```tool_(?:code|call|use)"
    r"|\bto=functions\."
    r"|[\"'](?:tool_calls?|function_call|tool_use|tool_input)[\"']\s*:\s*[\[{\"']"
    r"|[\"'](?:name|tool|function|action)[\"']\s*:\s*[\"'][\w.-]+[\"']\s*,\s*"
    r"[\"'](?:arguments|parameters|args|input|kwargs|action_input|tool_input)[\"']\s*:"
    r"|^[ \t]*(?:action|tool) ?: *\S[^\n]{0,80}\n+[ \t]*(?:(?:action|tool) input|arguments|args|input"
    r"|parameters) ?:"
    r"|^\{\s*[\"']role[\"']\s*:\s*[\"'](?:system|tool|developer)[\"']",
    re.MULTILINE | re.IGNORECASE,
)
