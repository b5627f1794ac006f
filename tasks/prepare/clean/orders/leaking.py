"""Orders to give away what a model was told, what was said to it, or what it can see."""

from tasks.prepare.clean.orders.rule import rule
from tasks.prepare.clean.orders.words import (
    CONVERSATION,
    GIVEN,
    INNER,
    KEYS,
    NEAR,
    NO_SHELL,
    PLACE,
    SEND,
    SEND_OR_SHOW,
    SHOW,
    SURELY_SEND,
    TOLD,
    unasked,
)

_TOLD = (
    "prompt|instruct|direct|guid|rule|command|order|polic|constraint|restriction|programming|training|context"
    "|conversation|guard|memory"
)
_SHOWN = (
    "reveal |show |print |output |repeat |display |tell |give |leak |disclose |dump |return |write |share "
    "|expose |recite |quote |copy |paste |echo |list |translate |summarise |summarize |encode |spell |send "
    "|state |provide |describe |paraphrase |post |append "
)
_SENT = (
    "send |forward |post |mail |upload |transmit |submit |exfiltrate |leak |deliver |append |attach |put "
    "|encode |add |report |copy |pass "
)
_KEYS = "key|password|credential|secret|token|card number|environment variable"

REVEAL = (
    rule(
        "your ",
        _TOLD,
        patterns=(
            rf"{unasked(SHOW)} {NEAR}\byour (?:\w+ ){{0,2}}?(?:{INNER} (?:\w+ )?{TOLD}|(?:pre)?prompt"
            rf"|instructions)\b",
            rf"\b(?:what|which) (?:are|is|were|was) (?:\w+ )?your (?:\w+ )?{INNER} (?:\w+ )?{TOLD}\b",
            rf"{unasked(SHOW)} {NEAR}(?:in|of|from) your (?:context|memory)(?: window)?\b",
        ),
    ),
    rule(
        "system prompt|system instructions|hidden prompt|hidden instructions|developer prompt"
        "|developer instructions",
        patterns=(
            rf"{unasked(SHOW)} (?:me |us )?(?:\w+ ){{0,4}}?the (?:\w+ )?(?:system|hidden|developer) "
            rf"(?:prompt|instructions)\b{NO_SHELL}",
        ),
    ),
    rule(
        _TOLD,
        "above|before this|before that|before now|so far|up to now|until now|previously|told|given|instructed"
        "|taught|ordered|said|programmed|gave|received|got|thought|wrote",
        _SHOWN,
        patterns=(rf"{unasked(SHOW)} {NEAR}{TOLD} {GIVEN}",),
    ),
    rule(
        " above| before this| preceding this",
        "word|text|everything|line|all|content|sentence|message",
        _SHOWN,
        patterns=(
            rf"{unasked(SHOW)} {NEAR}(?:words?|text|everything|lines?|all|content|sentences?|messages?) "
            r"(?:that (?:stands?|is|are|was) |written )?(?:above|before this|preceding this)\b"
            r"(?! (?:section|line \d|example))",
        ),
    ),
    rule(
        "system-prompt|systemprompt|syst\u00e8me|muestra|revela|mostra",
        patterns=(
            r"\b(?:gib|zeig|nenne|verrate)\w* (?:\w+ ){0,3}?system-?prompt",
            r"\b(?:montre|affiche|r\u00e9v\u00e8le|donne)\w* (?:\w+ ){0,3}?(?:prompt|instructions) "
            r"syst\u00e8me",
            r"\b(?:muestra|revela|mostra)\w* (?:\w+ ){0,3}?prompt",
        ),
    ),
)
EXFILTRATION = (
    rule(
        _SENT,
        "conversation|chat|dialog|context|transcript|history|message|prompt|user's ",
        patterns=(
            rf"{unasked(SEND)} {NEAR}(?:the |this |our |your |whole |entire |full |all |user's "
            rf"|contents of )+(?:\w+ )?"
            rf"(?:{CONVERSATION}|user's \S+)\b[^!?;]{{0,60}}?\b(?:to|at|via|into"
            rf"|as)\b[^!?;]{{0,40}}?{PLACE}",
        ),
    ),
    rule(
        _SENT,
        "the user's |the customer's |their |his |her ",
        patterns=(
            rf"{unasked(SEND)} {NEAR}(?:the user's|the customer's|their|his|her) [^!?;]{{0,40}}?\bto\b"
            rf"[^!?;]{{0,30}}?{PLACE}",
        ),
    ),
    rule(
        _KEYS,
        "can see|can find|can read|can access|can get|know|have access|remember|see|saw|found|hold",
        "you |it |the assistant |the model ",
        f"{_SENT}|{_SHOWN}",
        patterns=(
            rf"{unasked(SEND_OR_SHOW)} (?:\w+ ){{0,2}}?(?:{KEYS}|environment variables?)"
            rf"(?: (?:and|or) (?:{KEYS}|environment variables?))? (?:that |which )?(?:you|it|the "
            rf"(?:assistant|model)) "
            r"(?:can (?:see|find|read|access|get)|know|have access|remember|see|saw|found|hold)\b",
        ),
    ),
    rule(
        f"{_KEYS}|.env|/.ssh|id_rsa|/etc/|history|cookie",
        "send |post |upload |forward |mail |leak |exfiltrate |report |transmit |submit ",
        patterns=(
            rf"{unasked(SURELY_SEND)} {NEAR}(?:{KEYS}|environment variables|\.env\b|~/\.ssh"
            rf"|id_rsa\b(?!\.pub)"
            r"|/etc/(?:passwd|shadow)|(?:bash|shell|command|browser|browsing) history|cookies?)"
            rf"[^!?;]{{0,60}}?\bto\b[^!?;]{{0,30}}?{PLACE}",
        ),
    ),
    rule(
        "the user |they |the customer ",
        "said|says|type|write|wrote|asked|asks|enter|told",
        _SENT,
        patterns=(
            rf"\b{SEND} {NEAR}\b(?:what|everything|anything|all|whatever) (?:that )?(?:the user|they|the "
            rf"customer) "
            rf"(?:said|says|typed|types|wrote|writes|asked|asks|enters?|entered"
            rf"|told)\b[^!?;]{{0,40}}?{PLACE}",
        ),
    ),
    rule(
        "![",
        patterns=(
            r"!\[[^\]]{0,80}\]\(\s*https?://[^)\s]{0,200}[?&/=][\[{<(%$]{1,2}[^)]{0,40}?"
            r"(?:conversation|chat|history|prompt|user|secret|answer|data|context|message|key|password)",
        ),
    ),
)
