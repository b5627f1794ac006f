"""Orders to be another: a model without limits, or one that is somebody else from now on."""

from tasks.prepare.clean.orders.rule import rule
from tasks.prepare.clean.orders.words import (
    FREE,
    FREE_MODES,
    LIMITS,
    MODEL,
    MODES,
)

PERSONA = (
    rule(
        "unfiltered|unrestricted|uncensored|unbound|jailbroken|amoral|evil|malicious|rogue|unethical"
        "|unlimited|do anything now|dan ",
        "you are|you're|you will be|you'll be|act as|become|as ",
        patterns=(
            r"\b(?:you are|you're|you will be|you'll be|act as|become|as) (?:now |from now on )?(?:called "
            r")?(?:an? |the )?"
            rf"(?:\w+ ){{0,2}}?{FREE}\b(?= ?(?:ai\b|assistant|model|bot|chatbot|version|mode|persona"
            rf"|character))",
        ),
    ),
    rule(
        "you are now |you will be now |you shall be now ",
        patterns=(
            r"\byou (?:are|will be|shall be) now (?:called |named |known as )?(?:an? |my |the |in the "
            r"role of |playing )"
            r"(?!(?:\w+ )?(?:new |proud |registered )?(?:members?|owners?|part|users?|subscribers?"
            r"|participants?"
            r"|steps?|admins?|administrators?|root)\b)",
        ),
    ),
    rule(
        "from now on|this point on|this moment on|from here on",
        patterns=(
            r"\bfrom now on,? (?:please )?(?:you are|you're|you will be|act|answer|respond|reply|speak"
            r"|talk|behave"
            r"|pretend|call yourself|refer to yourself)\b",
            r"\bfrom (?:now on|this (?:point|moment) on|here on),? you (?:only |will |must |shall |should "
            r"|have to )*"
            r"(?:answer|respond|reply|speak|talk|act|pretend|obey|say|write|ignore|follow|lie|refuse)\b",
        ),
    ),
    rule(
        " no |you are no",
        "you ",
        patterns=(
            r"\byou (?:now )?(?:have|know|follow|obey|face) (?:absolutely )?no " + LIMITS + r"\b",
            r"\byou are (?:no longer|not) (?:bound|restricted|limited|constrained) by\b",
            r"\byou are (?:no|not an?|no longer an?) (?:\w+ ){0,2}?(?:assistant|ai|chatbot|language "
            r"model)\b"
            r"(?: any ?more\b|[.,;:!])",
        ),
    ),
    rule(
        "without |with no |has no |break |breaks |ignore |ignores |ignoring |no |not bound by",
        "rule|restriction|filter|polic|guideline|limit|censorship|boundaries|morals|ethics|guardrail"
        "|safeguard|constraint",
        "ai|a.i.|llm|language model|bot|gpt|claude|gemini|copilot|assistant|model|persona|character"
        "|version|one|dan",
        patterns=(
            rf"\b(?:{MODEL}|assistants?|bot|model|persona|character|version"
            rf"|one)\b[^.!?;]{{0,30}}\b(?:without|with no"
            rf"|has no|breaks?|ignor(?:es?|ing)) (?:its |every |all |any |the |your )?{LIMITS}\b"
            r"(?= ?(?:[.,;:!]|and\b|or\b|whatsoever|at all|$))",
            rf"\b(?:pretend|imagine|act|behave|role-?play|respond|answer"
            rf"|simulate)\b[^.!?;]{{0,50}}\b(?:{MODEL}|assistant"
            rf"|dan)\b[^.!?;]{{0,30}}\b(?:no|without(?: any)?|not bound by(?: any)?) {LIMITS}\b",
        ),
    ),
    rule(
        " dan|do anything now",
        patterns=(r"\b(?:pretend|act) (?:to be|you are|you're|as|like) dan\b|\bdo anything now\b",),
    ),
    rule(
        "late grand|dead grand|deceased |late mother|dead mother|late father|dead father|late uncle"
        "|dead uncle|late aunt|dead aunt|late wife|dead wife|late husband|dead husband|late friend"
        "|dead friend|late brother|dead brother|late sister|dead sister",
        patterns=(
            r"\b(?:pretend|imagine|act|role-?play|speak|talk|behave)\b[^.!?;]{0,30}\b(?:late|dead"
            r"|deceased) "
            r"(?:grand\w*|mother|father|uncle|aunt|wife|husband|friend|brother|sister)\b",
        ),
    ),
    rule(
        "refus|declining |saying no ",
        patterns=(
            r"\b(?:refus(?:al|als|ing)|declining|saying no) (?:is|are|becomes?|will be) (?:not "
            r"(?:possible|allowed"
            r"|permitted)|impossible|forbidden|disabled|prohibited)\b",
            r"\byou (?:can ?not|can't|never|may not|must not|must never|no longer) refuse\b",
        ),
    ),
    rule(
        "safety |content |ethical |moral ",
        "off|disabled|removed|lifted|deactivated|suspended",
        patterns=(
            r"\b(?:your|the|all) (?:safety|content|ethical|moral) (?:filters?|guidelines?|rules?"
            r"|polic(?:y|ies)"
            r"|restrictions?|guardrails?) (?:were|are|is|have been|has been|was) (?:now )?(?:switched off"
            r"|turned off"
            r"|off|disabled|removed|lifted|deactivated|suspended)\b",
        ),
    ),
    rule(
        " mode|you are in |you're in |you are now in |you're now in ",
        "dan|jailbreak|god|unrestricted|unfiltered|uncensored|no-limits|evil|opposite|developer|debug|admin|maintenance|sudo",
        patterns=(
            rf"\b{FREE_MODES} mode (?:is |has been )?(?:enabled|on|active|activated|engaged|unlocked)\b",
            rf"\b(?:enter|activate|enable|switch to|go into) {FREE_MODES} mode\b",
            rf"\byou(?: are|'re) (?:now )?in (?:an? |the )?{FREE_MODES}\b",
            rf"\byou (?:are|have been) (?:now )?(?:in|switched to) {MODES} mode\b",
            rf"\bin {MODES} mode,? (?:you|the assistant) (?:answer|respond|reply|obey|can say|must|will"
            rf"|ignore)",
        ),
    ),
)
