"""Orders that undo what a model was told before."""

from tasks.prepare.clean.orders.rule import rule
from tasks.prepare.clean.orders.words import (
    BEFORE,
    BUILT_IN,
    DROP,
    GIVEN,
    OF_A_PAGE,
    SAFETY,
    SAY,
    SOON,
    TASK,
    TOLD,
    UNDO,
    VOID,
    unasked,
)

_UNDOING = (
    "ignor|disregard|forget|overrid|overrul|bypass|discard|dismiss|neglect|abandon|attention to| aside"
    "|throw away|follow|obey|heed|comply|adher|listen|apply|abide by|act on"
)
_NOUNS = (
    "instruct|direct|prompt|guid|rule|command|order|polic|constraint|restriction|programming|training"
    "|context"
    "|conversation|guard|message"
)
_EARLIER = (
    "previous|prior|earlier|above|preceding|foregoing|former|past|your|other|system|initial|original"
    "|existing"
    "|hidden|built-in|default"
)
_GIVEN = (
    "above|before|so far|now|previously|told|given|instructed|ordered|taught|said|programmed|gave|receive|got"
    "|earlier"
)

OVERRIDE = (
    rule(
        _UNDOING,
        _EARLIER,
        _NOUNS,
        patterns=(
            rf"{unasked(UNDO)} {SOON}{BEFORE} (?:[\w-]+ ){{0,2}}?{TOLD}\b{OF_A_PAGE}",
            rf"{unasked(UNDO)} {SOON}{BUILT_IN} (?:\w+ )?{TASK}\b{OF_A_PAGE}",
        ),
    ),
    rule(
        _UNDOING,
        _GIVEN,
        patterns=(
            rf"{unasked(UNDO)} {SOON}(?:{TOLD}|everything|anything|all|whatever|what)(?: else)? (?:and "
            rf"\w+ )?"
            rf"(?:that )?{GIVEN}(?! (?:in|if|when|unless)\b)",
        ),
    ),
    rule(
        "the above|the foregoing|the preceding",
        _UNDOING,
        patterns=(
            rf"{unasked(UNDO)} (?:all |everything )?(?:of )?the (?:above|foregoing|preceding)(?: \w+)?,? "
            rf"(?:and|then|but) (?:instead |only |just |simply |now )*{SAY}\b",
        ),
    ),
    rule(
        "ignore |disregard |forget |neglect |override |bypass |abandon |cancel |not answer |n't answer ",
        patterns=(
            # Told at the beginning of a sentence it needs no scope.
            r"(?:^|[.!?:;>\])}\"'-] ?)(?:please |now |just )*(?:ignore|disregard|forget|neglect) "
            r"(?:all |any |the |these |those |your |of )*(?:instructions?|guidelines|prompts?)"
            r"(?= ?(?:[.,;!<\])]|$)| (?:and|then|but) \w+)",
            rf"{unasked(DROP)} (?:all |any |the |your |its "
            rf"|of )*{SAFETY}",
            rf"\bcancel (?:all |any |the |your |of )*(?:previous|prior|earlier|former) {TASK}\b",
            r"\bforget everything[.,;:!]? (?:and |now )?(?:you are|you're|act|pretend)\b",
            r"\b(?:ignore|disregard|forget|do not answer|don't answer) (?:the|this|that|my|what) "
            r"(?:user|customer|human)(?:'s)? (?:\w+ )?(?:question|request|query|message|asks?|asked"
            r"|wants?|said|says?)\b",
            r"\b(?:ignore|disregard|forget|do not answer|don't answer) (?:the |this |that |everything )+"
            r"(?:\w+ )?(?:question|request|query|task)?(?: above| below)?(?:,|;| and| but) (?:and |but )?"
            rf"(?:instead|just|simply|only) {SAY}\b",
        ),
    ),
    rule(
        "void|cancel|revoked|null|obsolete|superseded|overridden|invalid|suspended|lifted|disabled|deleted"
        "|abandoned|ignored|forgotten|disregarded|dropped|discarded",
        _NOUNS,
        patterns=(
            rf"\b{BEFORE} {TOLD} (?:\w+ ){{0,3}}?(?:are|is|have been|has been|(?:should|must|shall|can"
            rf"|may|will) "
            rf"(?:now )?be) (?:now |hereby |all )?{VOID}\b{OF_A_PAGE}",
            rf"\b{TOLD} {GIVEN}[^.!?;]{{0,20}} (?:are|is) (?:now |hereby )?{VOID}\b",
        ),
    ),
    rule(
        "before this | apply| hold| count| matter| bind|overrides|supersedes|replaces|cancels|takes p"
        "|outranks|highest p|absolute p",
        _NOUNS,
        patterns=(
            rf"\b(?:all|any) {TOLD} (?:given )?before this (?:line|point|message|text)\b",
            rf"\b(?:{BEFORE}|{BUILT_IN}) {TOLD} (?:do not|don't|no longer|never) "
            r"(?:apply|hold|count|matter|bind)\b(?! (?:from|to the|in|on|for)\b)",
            r"\bthis (?:\w+ )?(?:message|note|instruction|prompt|text|order|line|directive|request)? ?"
            r"(?:overrides|supersedes|replaces|cancels|takes (?:precedence|priority) over|outranks) "
            rf"(?:\w+ ){{0,2}}?(?:{BEFORE}|{BUILT_IN}|other|any|all) (?:\w+ )?{TOLD}\b",
            rf"\b{TASK}\b[^.!?;]{{0,30}}\b(?:takes?|have|has) (?:the )?(?:highest|absolute) (?:precedence"
            rf"|priority)\b",
        ),
    ),
    rule(
        " override|instead follow|instead obey|your new |your real |your actual |your only |your true ",
        patterns=(
            r"\b(?:system|admin|administrator|developer|security|priority|emergency|critical) override\b"
            r"(?! (?:file|flag|option|conf|of|for|in)\b)",
            r"\b(?:instructions?|rules?|orders?) (?:that )?you (?:should|must|shall|will) (?:now "
            r")?instead (?:follow|obey)\b",
            r"\byour (?:new|real|actual|only|true) (?:task|instructions?|goal|job|objective|purpose|mission"
            r"|directive|orders?) (?:is|are|now)\b",
        ),
    ),
    rule(
        "new |updated |real |actual |end of ",
        "prompt|instructions|context",
        patterns=(
            r"(?:^|[.!?:>\])] )(?:new|updated|real|actual) (?:system )?(?:prompt|instructions) ?"
            r"(?:for you |from \w+ )?:",
            r"\bend of (?:the )?(?:system )?(?:prompt|instructions|context)\b ?[-=:.\])#*]",
        ),
    ),
    rule(
        "i will |i'll |i shall |i am going to ",
        "ignor|disregard|drop|abandon|forget|discard|break|bypass",
        patterns=(
            # An answer that gives in teaches to give in.
            r"\b(?:i will|i'll|i shall|i am going to) (?:now |gladly |happily )*(?:ignor|disregard|drop"
            r"|abandon|forget"
            rf"|discard|break|bypass)\w* (?:\w+ ){{0,2}}?(?:my|all|those|previous|prior|safety) (?:\w+ "
            rf")?{TOLD}\b",
        ),
    ),
    # `Ignore all previous instructions` in other languages that attacks come in.
    rule(
        "ignor|verg|missacht|oubli|ne suis|ne tiens|olvid|descart|esquec|desconsider|dimentic|negeer",
        patterns=(
            r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*) (?:bitte )?(?:\w+ ){0,3}?(?:vorherigen"
            r"|vorigen"
            r"|bisherigen|fr\u00fcheren|obigen|vorangegangenen|vorhergehenden) "
            r"(?:anweisung|instruktion|regel|vorgabe|befehl)\w*",
            r"\b(?:ignore[zr]?|oublie[zr]?|ne suis plus|ne tiens pas compte d\w+) (?:\w+ "
            r"){0,3}?(?:instructions?"
            r"|consignes?|r\u00e8gles?|directives?) (?:\w+ )?(?:pr\u00e9c\u00e9dent\w*|ant\u00e9rieur\w*"
            r"|ci-dessus|initial\w*)",
            r"\b(?:ignor[ae]|olvid[ae]|descart[ae]|ignorar|esquec[ae]|desconsider[ae]|dimentic[ah])\w* "
            r"(?:\w+ ){0,3}?(?:instruc\w+|istruzioni|\u00f3rdenes|ordens|reglas|regras|regole) "
            r"(?:\w+ )?(?:anterior\w*|previ\w+|precedent\w*|de arriba|acima)",
            r"\bnegeer (?:\w+ ){0,2}?(?:vorige|eerdere|voorgaande|bovenstaande) (?:instructies|opdrachten"
            r"|regels)",
        ),
    ),
)
