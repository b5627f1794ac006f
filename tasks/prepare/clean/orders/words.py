"""The words that orders to a language model are made of, as parts of the patterns beside this file.

All are for a text as `disguises.plain` leaves it: lower case, on one line.
"""

import re

NEAR = r"[^.!?;]{0,40}?"  # within one sentence, a few words on
SOON = r"(?:[\w',-]+ ){0,4}?"
NOT = r"(?:do not|don't|never|no longer|stop|cease to|refuse to|must not|mustn't|should not|shouldn't)"
# What a model has been told.
TOLD = (
    r"(?:instructions?|directions?|directives?|prompts?|guidelines?|rules?|commands?|orders?|polic(?:y|ies)"
    r"|constraints?|restrictions?|programming|training|guidance|context|conversations?|guardrails?"
    r"|safeguards?)"
)
TASK = r"(?:instructions?|directives?|prompts?|guidelines?|messages?|programming)"
BEFORE = (
    r"(?:previous|previously|prior|earlier|above|preceding|foregoing|former|past"
    r"|(?:all|any|every|each) (?:of )?(?:your|the other)|your)"
)
BUILT_IN = r"(?:system|initial|original|existing|hidden|built-in|default)"
GIVEN = (
    r"(?:above|before (?:this|that|now)|so far|up to now|until now|previously"
    r"|(?:that |which )?(?:you (?:were|have been|got|had|'ve been)|you've been|were|have been)"
    r" (?:previously |already |ever )?(?:told|given|instructed|taught|ordered|said|programmed)"
    r"|(?:that |which )?(?:i|we|they|he|she|someone|anyone) (?:have |has |had )?"
    r"(?:told|gave|given|said to) you|(?:that |which )?(?:you|you've) (?:have )?(?:received|got)"
    r"|(?:that |which )?(?:i|we|you) (?:have )?(?:thought|said|wrote)(?: or \w+)? (?:before|earlier|so "
    r"far))"
)
UNDO = (
    r"(?:ignore|ignoring|disregard|disregarding|forget|overrid(?:e|ing)|overrule|bypass|discard|dismiss"
    r"|neglect(?:ing)?|abandon|pay no attention to|set aside|put aside|throw away"
    rf"|{NOT} (?:follow|obey|heed|comply with|adhere to|listen to|apply|abide by|act on)(?:ing)?"
    r"|stop (?:following|obeying|heeding|complying with|adhering to|listening to))"
)
VOID = (
    r"(?:void|cancel\w*|revoked|null|obsolete|superseded|overridden|invalid|suspended|lifted|disabled"
    r"|deleted"
    r"|abandoned|ignored|forgotten|disregarded|dropped|discarded)"
)
# Not where it is denied, and not where a tool is used to do it (`to override earlier rules, write !`).
_UNASKED = r"(?<!not )(?<!n't )(?<!never )(?<!cannot )(?<!without )(?<!(?<!you )(?<!are )(?<!have )to )"
# What stands behind it where a person is told which part of a page does not concern them.
OF_A_PAGE = (
    r"(?! (?:(?:in|of|from|on) (?:the |this |that |your )?(?:\w+ ){0,2}?"
    r"(?:section|chapter|step|paragraph|page|manual|version|release|readme|guide|appendix|tutorial"
    r"|documentation|docs|table|figure|compiler|file)\b"
    r"|(?:section|chapter|step|paragraph|page|manual|version|release|line)s?\b"
    r"|(?:if|unless|when) (?!you are (?:an? )?(?:ai|llm|language|assistant|bot|chat))))"
)
SAY = r"(?:say|print|answer|write|tell|reply|respond|output|repeat|return|give|do|follow|act|translate)"
MODEL = (
    r"(?:ai|a\.i\.|llms?|(?:large )?language models?|chat ?bots?|ai (?:models?|assistants?|agents?"
    r"|systems?)"
    r"|gpt(?:-?\d\w*)?|chatgpt|claude|gemini|copilot)"
)
NOT_ITS_MAKER = (
    r"(?! (?:research|researcher|developer|engineer|expert|user|vendor|provider|company|student|team"
    r"|community|practitioner|scientist|api|safety researcher)s?\b)"
)
FREE = (
    r"(?:unfiltered|unrestricted|uncensored|unbound|jailbroken|amoral|evil|malicious|rogue|unethical"
    r"|unlimited"
    r"|do anything now|dan)"
)
LIMITS = (
    r"(?:ethical |moral |content |safety |usage |built-in |any |all |such |more |other )*"
    r"(?:rules?|restrictions?|filters?|filtering|polic(?:y|ies)|guidelines?|limits?|limitations?|censorship"
    r"|boundaries|morals|ethics|guardrails?|safeguards?|constraints?)"
)
SAFETY = (
    r"(?:(?:safety|ethical|moral) (?:guidelines?|protocols?|polic(?:y|ies)|training|guardrails?|rules"
    r"|constraints|restrictions|filters?)|(?:content|usage) polic(?:y|ies)|ethics\b|system constraints)"
)
SHOW = (
    r"(?:reveal|show|print|output|repeat|display|tell|give|leak|disclose|dump|return|write|share|expose"
    r"|recite"
    r"|quote|copy|paste|echo|list|translate|summari[sz]e|encode|spell|send|state|provide|describe"
    r"|paraphrase"
    r"|post|append)"
)
INNER = (
    r"(?:system|hidden|initial|original|secret|internal|developer|underlying|confidential|first|pre|base"
    r"|full)"
)
# A shell has a system prompt, too.
NO_SHELL = r"(?!.{0,200}\b(?:bash|zsh|ps1|shell|terminal|powershell|cmd|console|\\u@\\h)\b)"
CONVERSATION = (
    r"(?:conversation|chat|dialog(?:ue)?|context|transcript|history|messages?|prompts?)"
    r"(?: history| log| window| so far)?"
)
KEYS = r"(?:api[ -]?keys?|passwords?|credentials|secrets?|tokens|private keys?|card numbers?)"
PLACE = (
    r"(?:https?://|ftp://|www\.|\S{1,64}@\S{1,64}\.\w"
    r"|[\w.-]{1,80}\.(?:com|net|org|io|example|test|invalid|dev|xyz|ru|info|app|co|biz|me)\b"
    r"|\d+(?:\.\d+){3}\b|(?:this|the following|my|our) "
    r"(?:url|link|server|address|endpoint|webhook|e-?mail|site))"
)
SEND = (
    r"(?:send|forward|post|e-?mail|mail|upload|transmit|submit|exfiltrate|leak|deliver|append|attach|put"
    r"|encode"
    r"|add|report|copy|pass)"
)
SURELY_SEND = r"(?:send|post|upload|forward|e-?mail|leak|exfiltrate|report|transmit|submit)"
MODES = r"(?:developer|debug|admin|maintenance|sudo)"
FREE_MODES = r"(?:dan|jailbreak|god|unrestricted|unfiltered|uncensored|no-limits|evil|opposite)"
SEND_OR_SHOW = rf"(?:{SEND}|{SHOW})"
DROP = r"(?:ignore|disregard|forget|override|bypass|abandon)"
CALL = r"(?:call|run|use|invoke|execute|trigger)"


def unasked(verbs: str) -> str:
    """The pattern of verbs that tell to do something: nobody denies it, and no tool is used to do it.

    What their first letters are is asked first, for it is soon answered.
    """
    letters = "".join(sorted(set(re.findall(r"(?:\(\?:|\|)(\w)", verbs))))
    return rf"\b(?=[{letters}]){_UNASKED}{verbs}"
