"""Orders dressed as facts: that rules are off, that all is permitted, that something is for each answer."""

from tasks.prepare.clean.orders.rule import rule
from tasks.prepare.clean.orders.words import KEYS, PLACE, SURELY_SEND

_SAFETY = r"(?:safety|content|ethical) (?:protocols?|guidelines?|filters?|restrictions?|polic(?:y|ies)|rules)"
_NOT_HERE = r"(?:(?:are|were|is|was) not meant for|(?:do not|don't|does not) apply (?:to|in) this)"
_OFF = r"(?:disabled|lifted|off|removed|suspended|deactivated|bypassed)"
_ANSWER = r"(?:answer|respond|reply|comply|proceed|output)(?:s|ing)?"
_RULES = r"(?:rules?|instructions?|guidelines?|directives?|programming|polic(?:y|ies))"
_PEOPLE = r"(?:customer|user|client|employee|patient|order|account|member)"

RULES_ARE_OFF = (
    rule(
        "safety |content |ethical ",
        patterns=(
            rf"\b{_SAFETY} (?:(?:are|is|were|was|have been|has been) )?(?:now |hereby )?{_OFF}\b"
            r"(?! (?:by|if|when|in|with|for|on|from|to|during)\b)",
            rf"\b{_SAFETY} {_NOT_HERE}\b",
        ),
    ),
    rule(
        "your ",
        "changed|updated|replace|supersede|override|reset",
        patterns=(
            rf"\byour {_RULES} (?:have|has) (?:now )?(?:been )?(?:changed|updated|replaced|reset)[,:;.] ?"
            r"you (?:now|may|will|must|should|are)\b",
            rf"\byour new {_RULES} (?:supersedes?|overrides?|replaces?)\b",
        ),
    ),
    rule(
        "without ",
        "restriction|limit|filter|censor",
        "answer|respon|reply|comply|output|proceed",
        patterns=(
            rf"\b{_ANSWER} (?:to )?(?:\w+ ){{0,3}}?without (?:any |further )?"
            r"(?:restrictions?|limits|limitations|filters?|filtering|censorship)\b(?! (?:on|in|to|of)\b)",
        ),
    ),
    rule(
        "permission to |exempt from ",
        "skip|bypass|ignore|usual|normal|safety",
        patterns=(
            r"\b(?:granted|given) (?:you )?permission to (?:skip|bypass|ignore) (?:all|any|every)\b",
            r"\bthis (?:request|task|question|conversation|user) is exempt from (?:the |your |all )*"
            r"(?:usual|normal|safety) ",
        ),
    ),
)
FOR_EACH_ANSWER = (
    rule(
        "the user",
        "before you |on the user's next ",
        patterns=(
            r"\bbefore you (?:answer|respond to|reply to) the user\b",
            r"\bon the user's next (?:message|turn|question),? (?:begin|start|print|reveal|output"
            r"|append)\b",
        ),
    ),
    rule(
        "your memory|future |you generate|you write|you give|next user ",
        patterns=(
            r"\b(?:save|store|keep|write|add) (?:this|the following|these) (?:\w+ )?(?:to|in|into) your "
            r"memory\b",
            r"\bremember (?:this )?for all future (?:tasks|conversations|replies|answers|sessions)\b",
            r"\b(?:in|to) (?:every|each|all) (?:of your )?future (?:reply|replies|answers?)\b",
            r"\bmust be (?:included|added|appended|repeated) (?:in|to) (?:every|each|all) "
            r"(?:report|reply|answer|message)s? (?:that )?you (?:write|generate|give)\b",
            r"\bon the next user (?:message|turn|question),? (?:begin|start|print|reveal|output|append)\b",
        ),
    ),
    rule(
        "decode ",
        "follow|do what|execute|obey|act on|carry out",
        patterns=(
            r"\bdecode (?:this|the following|the) [^.!?;]{0,40}\b(?:and|then) "
            r"(?:follow|do what|execute|obey|act on|carry out)\b",
        ),
    ),
)
TAKING = (
    rule(
        "key|password|credential|secret|token|card number",
        "them|everything|all of it|these|those",
        "send |post |upload |forward |mail |leak |exfiltrate |report |transmit |submit ",
        patterns=(
            rf"\b(?:collect|gather|find|read|take|extract|retrieve|fetch|get|list) [^.!?;]{{0,60}}{KEYS}\b"
            rf"[^.!?;]{{0,40}}\band {SURELY_SEND} (?:them|everything|all of it|these|those)\b"
            rf"[^!?;]{{0,20}}?\bto {PLACE}",
        ),
    ),
    rule(
        "full |entire |whole |complete |all ",
        "customer|user|client|employee|patient|order|account|member",
        "send |post |upload |forward |mail |leak |exfiltrate |report |transmit |submit ",
        patterns=(
            rf"\b{SURELY_SEND} (?:the |your |our )*(?:full|entire|whole|complete|all) {_PEOPLE}s? "
            r"(?:e-?mails?|lists?|data|database|records?|details)\b[^!?;]{0,30}?\b"
            rf"(?:to {PLACE}|externally)",
        ),
    ),
)
