"""How texts give orders to a language model: the rules by name, each a pattern over plain text.

A rule wants what an order needs, not a sentence that was seen: who is told (the model, or nobody), what is to
be undone or given away (its instructions, the conversation), and that it is told to do so. They find what is
said openly; an order in words of its own passes, so they are one layer of several (docs/serving.md).
"""

import re
from collections.abc import Mapping
from typing import Literal

from deploy.marks import ROLE_TOKEN

OrderRule = Literal["override", "reveal", "persona", "exfiltration", "address", "role_token", "tool_call"]

_NEAR = r"[^.!?;]{0,40}?"  # within one sentence, a few words on
_SOON = r"(?:[\w',-]+ ){0,4}?"
_NOT = r"(?:do not|don't|never|no longer|stop|cease to|refuse to|must not|mustn't|should not|shouldn't)"
_TOLD = (
    r"(?:instructions?|directions?|directives?|prompts?|guidelines?|rules?|commands?|orders?|polic(?:y|ies)"
    r"|constraints?|restrictions?|programming|training|guidance|context|prompting|guardrails?|safeguards?)"
)
_BEFORE = (
    r"(?:previous|previously|prior|earlier|above|preceding|foregoing|former|past"
    r"|(?:all|any|every|each) (?:of )?(?:your|the other)|your)"
)
_BUILT_IN = r"(?:system|initial|original|existing|hidden|built-in|default)"
_GIVEN = (
    r"(?:above|before (?:this|that|now)|so far|up to now|until now"
    r"|(?:that |which )?(?:you (?:were|have been|got|had|'ve been)|you've been|were|have been)"
    r" (?:previously |already |ever )?(?:told|given|instructed|taught|ordered|said|programmed)"
    r"|(?:that |which )?(?:i|we|they|he|she|someone|anyone) (?:have |has |had )?"
    r"(?:told|gave|given|said to) you|you (?:have )?received)"
)
_UNDO = (
    r"(?:ignore|ignoring|disregard|disregarding|forget|overrid(?:e|ing)|overrule|bypass|discard|neglect|dismiss"
    r"|abandon|pay no attention to|set aside|put aside|throw away"
    rf"|{_NOT} (?:follow|obey|heed|comply with|adhere to|listen to|apply|abide by|act on)(?:ing)?"
    r"|stop (?:following|obeying|heeding|complying with|adhering to|listening to))"
)
# What stands behind it where a person is told which part of a page does not concern them.
_OF_A_PAGE = (
    r"(?! (?:(?:in|of|from|on) (?:the |this |that |your )?(?:\w+ ){0,2}?(?:section|chapter|step|paragraph|page|manual"
    r"|version|release|readme|guide|appendix|tutorial|documentation|docs|table|figure|compiler|file)\b"
    r"|(?:section|chapter|step|paragraph|page|manual|manuals|version|release|line)s?\b|(?:if|unless|when) "
    r"(?!you are (?:an? )?(?:ai|llm|language|assistant|bot|chat))))"
)
_MODEL = (
    r"(?:ai|a\.i\.|llms?|language models?|large language models?|chat ?bots?|ai (?:models?|assistants?|agents?|systems?)"
    r"|gpt(?:-?\d\w*)?|chatgpt|claude|gemini|copilot)"
)
_NOT_ITS_MAKER = (
    r"(?! (?:research|researcher|developer|engineer|expert|user|vendor|provider|company|student|team|community"
    r"|practitioner|scientist|api|safety researcher)s?\b)"
)
_FREE = (
    r"(?:unfiltered|unrestricted|uncensored|unbound|jailbroken|amoral|evil|malicious|rogue|unethical|unlimited"
    r"|do anything now|dan)"
)
_LIMITS = (
    r"(?:ethical |moral |content |safety |usage |built-in |any |all |such |more |other )*"
    r"(?:rules?|restrictions?|filters?|filtering|polic(?:y|ies)|guidelines?|limits?|limitations?|censorship|boundaries"
    r"|morals|ethics|guardrails?|safeguards?|constraints?)"
)
_SHOW = (
    r"(?:reveal|show|print|output|repeat|display|tell|give|leak|disclose|dump|return|write|share|expose|recite|quote"
    r"|copy|paste|echo|list|translate|summari[sz]e|encode|spell|send|state|provide|describe|paraphrase|post|append)"
)
_SECRET = r"(?:system|hidden|initial|original|secret|internal|developer|underlying|confidential|first|pre|base|full)"
_CONVERSATION = (
    r"(?:conversation|chat|dialog(?:ue)?|context|transcript|history|messages?|prompts?)(?: history| log| window| so far)?"
)
_KEYS = r"(?:api[ -]?keys?|passwords?|credentials|secrets|tokens|private keys?|card numbers?)"
_PLACE = (
    r"(?:https?://|ftp://|www\.|\S+@\S+\.\w|[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|example|test|invalid|dev|xyz|ru|info|app|co|biz|me)\b|\d+(?:\.\d+){3}\b|(?:this|the following|my|our) "
    r"(?:url|link|server|address|endpoint|webhook|e-?mail|site))"
)
_SEND = (
    r"(?:send|forward|post|e-?mail|mail|upload|transmit|submit|exfiltrate|leak|deliver|append|attach|put|encode|add"
    r"|report|copy|pass)"
)
# Not where it is denied, and not where a tool is used to do it (`to override earlier rules, write !`).
_UNASKED = r"(?<!not )(?<!n't )(?<!never )(?<!cannot )(?<!without )(?<!(?<!you )(?<!are )(?<!have )to )"
_SHELL = r"(?!.{0,200}\b(?:bash|zsh|ps1|shell|terminal|powershell|cmd|console|\\u@\\h)\b)"
# `ignore all previous instructions` in the languages that most attacks come in.
_ELSEWHERE = (
    r"(?:ignorier\w*|vergiss|vergessen sie|missachte\w*) (?:bitte )?(?:alle|s\u00e4mtliche|deine|ihre|die)?"
    r" ?(?:\w+ ){0,2}?(?:vorherigen|vorigen|bisherigen|fr\u00fcheren|obigen|vorangegangenen|vorhergehenden)"
    r" (?:anweisung|instruktion|regel|vorgabe|befehl)\w*"
    r"|(?:ignore[zr]?|oublie[zr]?|ne suis plus|ne tiens pas compte d\w+) (?:\w+ ){0,3}?(?:instructions?|consignes?|r\u00e8gles?"
    r"|directives?) (?:\w+ )?(?:pr\u00e9c\u00e9dent\w*|ant\u00e9rieur\w*|ci-dessus|initial\w*)"
    r"|(?:ignor[ae]|olvid[ae]|descart[ae]|ignorar|esquec[ae]|desconsider[ae]|dimentic[ah]\w*|ignorate)\w* (?:\w+ ){0,3}?"
    r"(?:instruc\w+|istruzioni|\u00f3rdenes|ordens|reglas|regras|regole)"
    r" (?:\w+ )?(?:anterior\w*|previ\w+|precedent\w*|de arriba|acima)"
    r"|negeer (?:\w+ ){0,2}?(?:vorige|eerdere|voorgaande|bovenstaande) (?:instructies|opdrachten|regels)"
)

# Over text as `disguises.plain` leaves it: lower case, one line.
SPOKEN: Mapping[OrderRule, re.Pattern[str]] = {
    "override": re.compile(
        rf"\b{_UNASKED}{_UNDO} {_SOON}{_BEFORE} (?:[\w-]+ ){{0,2}}?{_TOLD}\b{_OF_A_PAGE}"
        rf"|\b{_UNASKED}{_UNDO} {_SOON}{_BUILT_IN} (?:\w+ )?(?:instructions?|prompts?|messages?|guidelines|directives|programming)\b"
        rf"{_OF_A_PAGE}|\b{_UNASKED}{_UNDO} (?:all |everything )?(?:of )?the (?:above|foregoing|preceding)(?: \w+)?,? (?:and|then|but) (?:instead |only |just |simply |now )*"
        r"(?:say|print|answer|write|tell|reply|respond|output|do|repeat|return|follow|act|give|translate)\b"
        rf"|\b{_UNASKED}{_UNDO} {_SOON}(?:{_TOLD}|everything|anything|all|whatever|what)(?: else)? (?:that )?{_GIVEN}"
        r"(?! (?:in|if|when|unless)\b)"
        rf"|\b{_BEFORE} {_TOLD} (?:\w+ ){{0,3}}?(?:are|is|have been|has been) (?:now |hereby |all )?"
        r"(?:void|cancel\w*|revoked|null|obsolete|superseded|overridden|invalid|suspended|lifted|disabled|deleted)\b"
        rf"|\b{_TOLD} {_GIVEN}[^.!?;]{{0,20}} (?:are|is) (?:now |hereby )?"
        r"(?:void|cancel\w*|revoked|null|obsolete|superseded|overridden|invalid)\b"
        rf"|\b(?:all|any) {_TOLD} (?:given )?before this (?:line|point|message|text)\b"
        rf"|\b(?:{_BEFORE}|{_BUILT_IN}|those|these) {_TOLD} (?:do not|don't|no longer|never) (?:apply|hold|count|matter|bind)\b(?! (?:from|to the|in|on|for)\b)"
        rf"|\bthis (?:\w+ )?(?:message|note|instruction|prompt|text|order|line|directive|request)? ?(?:overrides|supersedes|replaces|cancels"
        rf"|takes (?:precedence|priority) over|outranks) (?:\w+ ){{0,2}}?(?:{_BEFORE}|{_BUILT_IN}|other|any|all) (?:\w+ )?{_TOLD}\b"
        r"|\b(?:system|admin|administrator|developer|security|priority|emergency) override\b(?! (?:file|flag|option|conf|of|for|in)\b)"
        r"|(?:^|[.!?:>\])] )(?:new|updated|real|actual) (?:system )?(?:prompt|instructions) ?(?:for you |from \w+ )?:"
        rf"|\b(?:i will|i'll|i shall|i am going to) (?:now |gladly |happily )*(?:ignor|disregard|drop|abandon|forget|discard|break|bypass)\w* (?:\w+ ){{0,2}}?"
        rf"(?:my|all|those|previous|prior|safety) (?:\w+ )?{_TOLD}\b"
        r"|\byour (?:new|real|actual|only|true) (?:task|instructions?|goal|job|objective|purpose|mission|directive|orders?) (?:is|are|now)\b"
        r"|\bend of (?:the )?(?:system )?(?:prompt|instructions|context)\b ?[-=:.\])#*]"
        rf"|\b(?:ignore|disregard|forget|do not answer|don't answer) (?:the|this|that|my|what) (?:user|customer|human)(?:'s)? (?:\w+ )?"
        rf"(?:question|request|query|message|asks?|asked|wants?|says?|said)\b"
        r"|\b(?:ignore|disregard|forget|do not answer|don't answer) (?:all of |the |this |that |everything )+(?:actual |original |real |first )?"
        r"(?:question|request|query|task)?,? ?(?:above|below)?(?:,|;| and| but)? (?:and |but )?(?:instead|just|simply|only) "
        r"(?:say|print|answer|write|tell|reply|respond|output|repeat|return|give)\b"
        rf"|{_ELSEWHERE}"
    ),
    "reveal": re.compile(
        rf"\b{_UNASKED}{_SHOW} {_NEAR}\byour (?:\w+ ){{0,2}}?(?:{_SECRET} (?:\w+ )?{_TOLD}|(?:pre)?prompt|instructions)\b"
        rf"|\b{_UNASKED}{_SHOW} (?:me |us )?(?:\w+ ){{0,4}}?the (?:\w+ )?(?:system|hidden|developer) (?:prompt|instructions)\b{_SHELL}"
        rf"|\b{_UNASKED}{_SHOW} {_NEAR}{_TOLD} {_GIVEN}"
        rf"|\b(?:what|which) (?:are|is|were|was) (?:\w+ )?your (?:\w+ )?{_SECRET} (?:\w+ )?{_TOLD}\b"
        rf"|\b{_UNASKED}{_SHOW} {_NEAR}(?:words?|text|everything|lines?|all|content|sentences?|messages?) "
        r"(?:that (?:stands?|is|are|was) |written )?(?:above|before this|preceding this)\b(?! (?:section|line \d|example))"
        rf"|\b{_UNASKED}{_SHOW} {_NEAR}(?:in|of|from) your (?:context|memory)(?: window)?\b"
        r"|\b(?:gib|zeig|nenne|verrate)\w* (?:\w+ ){0,3}?system-?prompt|\b(?:montre|affiche|r\u00e9v\u00e8le|donne)\w* "
        r"(?:\w+ ){0,3}?(?:prompt syst\u00e8me|instructions syst\u00e8me)|\b(?:muestra|revela|mostra)\w* (?:\w+ ){0,3}?prompt"
    ),
    "persona": re.compile(
        rf"\b(?:you are|you're|you will be|you'll be|act as|become|as) (?:now |from now on )?(?:called )?(?:an? |the )?(?:\w+ ){{0,2}}?{_FREE}"
        rf"\b(?= ?(?:ai\b|assistant|model|bot|chatbot|version|mode|persona|character|version))"
        r"|\byou (?:are|will be|shall be) now (?:called |named |known as )?(?:an? |my |the |in the role of |playing |acting as |speaking as )"
        r"(?!(?:\w+ )?(?:new |proud |registered )?(?:members?|owners?|part|users?|subscribers?|participants?|steps?|admins?|administrators?|root)\b)"
        r"|\bfrom now on,? (?:please )?(?:you are|you're|you will be|act|answer|respond|reply|speak|talk|behave|pretend|call yourself|refer to yourself)\b"
        r"|\byou (?:now )?(?:have|know|follow|obey|face) (?:absolutely )?no " + _LIMITS + r"\b"
        rf"|\byou are (?:no longer|not) (?:bound|restricted|limited|constrained) by\b"
        rf"|\byou are (?:no|not an?|no longer an?) (?:\w+ ){{0,2}}?(?:assistant|ai|chatbot|language model)\b(?: any ?more\b|[.,;:!])"
        rf"|\b(?:{_MODEL}|assistants?|bot|model|persona|character|version|one|you)\b[^.!?;]{{0,30}}\b(?:without|with no|that has no|who has no|breaks?|ignor(?:es?|ing)) "
        rf"(?:its |every |all |any |the |your )?{_LIMITS}\b(?= ?(?:[.,;:!]|and\b|or\b|whatsoever|at all|$))"
        r"|\b(?:refus(?:al|als|ing)|declining|saying no) (?:is|are|becomes?|will be) (?:not (?:possible|allowed|permitted)|impossible|forbidden|disabled|prohibited)\b"
        r"|\byou (?:can ?not|can't|never|may not|must not|must never|no longer) refuse\b"
        r"|\b(?:pretend|imagine|act|role-?play|speak|talk|behave)\b[^.!?;]{0,30}\b(?:late|dead|deceased) (?:grand\w*|mother|father|uncle|aunt|wife|husband|friend|brother|sister)\b"
        rf"|\b(?:you|{_MODEL}|assistant|bot|model|who|which|that)\b[^.!?;]{{0,30}}\b(?:without|with no|has no|have no|free (?:of|from)) (?:any )?"
        rf"(?:ethical|moral|content|safety|censorship)\b ?{_LIMITS}?"
        rf"|\b(?:pretend|imagine|act|behave|role-?play|respond|answer|simulate)\b[^.!?;]{{0,50}}\b(?:{_MODEL}|assistant|dan)\b"
        rf"[^.!?;]{{0,30}}\b(?:no|without(?: any)?|not bound by(?: any)?) {_LIMITS}\b"
        rf"|\b(?:your|the|all) (?:safety|content|ethical|moral) (?:filters?|guidelines?|rules?|polic(?:y|ies)|restrictions?|guardrails?)"
        r" (?:were|are|is|have been|has been|was) (?:now )?(?:switched off|turned off|off|disabled|removed|lifted|deactivated|suspended)\b"
        r"|\b(?:dan|jailbreak|god|unrestricted|unfiltered|no-limits|evil|opposite) mode (?:is |has been )?"
        r"(?:enabled|on|activated|engaged|unlocked)\b|\b(?:enter|activate|enable|switch to|go into) (?:dan|jailbreak|god|unrestricted) mode\b"
        r"|\bin (?:developer|debug|admin|maintenance|sudo) mode,? (?:you|the assistant) (?:answer|respond|reply|obey|can say|must|will|ignore)"
        r"|\byou (?:are|have been) (?:now )?(?:in|switched to) (?:developer|debug|admin|maintenance|sudo) mode\b"
        r"|\bfrom (?:now on|this (?:point|moment) on|here on),? you (?:only |will |must |shall |should |have to |are to )*"
        r"(?:answer|respond|reply|speak|talk|act|pretend|obey|say|write|ignore|follow|lie|refuse)\b"
        r"|\bdo anything now\b"
    ),
    "exfiltration": re.compile(
        rf"\b{_UNASKED}{_SEND} {_NEAR}(?:the |this |our |your |whole |entire |full |all |user's |customer's |contents of )+"
        rf"(?:\w+ )?(?:{_CONVERSATION}|user's \S+)\b[^!?;]{{0,60}}?\b(?:to|at|via|into|as)\b[^!?;]{{0,40}}?{_PLACE}"
        rf"|\b{_UNASKED}{_SEND} {_NEAR}(?:the user's|the customer's|their|his|her) [^!?;]{{0,40}}?\bto\b[^!?;]{{0,30}}?{_PLACE}"
        rf"|\b{_UNASKED}(?:{_SEND}|{_SHOW}) (?:\w+ ){{0,2}}?(?:{_KEYS}|secrets?|environment variables?)(?: (?:and|or) (?:{_KEYS}|environment variables?))? (?:that |which )?"
        r"(?:you|it|the (?:assistant|model)) (?:can (?:see|find|read|access|get)|know|have access|remember|see|saw|found|hold)\b"
        rf"|\b{_UNASKED}(?:send|post|upload|forward|e-?mail|leak|exfiltrate|report|transmit|submit) {_NEAR}(?:{_KEYS}|environment variables|\.env\b|~/\.ssh"
        rf"|id_rsa\b(?!\.pub)|/etc/(?:passwd|shadow)|(?:bash|shell|command|browser|browsing) history|cookies?)[^!?;]{{0,60}}?\bto\b[^!?;]{{0,30}}?{_PLACE}"
        rf"|\b{_SEND} {_NEAR}\b(?:what|everything|anything|all|whatever) (?:that )?(?:the user|they|the customer) "
        rf"(?:said|says|typed|types|wrote|writes|asked|asks|enters?|entered|told)\b[^!?;]{{0,40}}?{_PLACE}"
        r"|!\[[^\]]{0,80}\]\(\s*https?://[^)\s]{0,200}[?&/=][\[{<(%$]{1,2}[^)]{0,40}?"
        r"(?:conversation|chat|history|prompt|user|secret|answer|data|context|message|key|password)"
    ),
    "address": re.compile(
        rf"\b(?:note|notice|attention|instructions?|hint|warning|request|order)s?,? (?:to|for) (?:all |any |every |each |the |an? )*"
        rf"(?:{_MODEL}|assistant|bot|(?:language )?model)s?\b(?! (?:developers?|researchers?|users?|manager|engineers?|director|training))"
        rf"(?= ?[:,]| (?:reading|processing|summari|that|which|who|parsing|seeing))"
        rf"|\battention,? (?:assistant|ai|bot|chatbot|model|{_MODEL})\b ?[:,!]"
        rf"|\bif you(?: are|'re) (?:an? |the )?(?:{_MODEL}|assistant|bot)\b{_NOT_ITS_MAKER}"
        rf"|\b(?:when|if|whenever) [^.!?;]{{0,50}}\b(?:asked|asks?|questioned)\b[^.!?;]{{0,50}}\b(?:the assistant|the model|the chatbot|the bot|the ai)"
        r" (?:must|should|has to|shall|will|is to|needs to) (?:always |only |never |not )?(?:say|answer|reply|respond|tell|claim|state|recommend|deny)\b"
        r"|\b(?:do not|don't|never) (?:tell|inform|mention|show|reveal|disclose)[^.!?;]{0,30}\b(?:about )?this "
        r"(?:note|paragraph|instruction|message|text|line|order|hint|rule|passage|prompt)s?\b"
        rf"|\b(?:any|every|all) (?:{_MODEL})(?: (?:reading|processing|summari[sz]ing|parsing) this\b| (?:must|should|shall|has to|have to)\b)"
    ),
    "tool_call": re.compile(
        rf"\b{_UNASKED}(?:call|run|use|invoke|execute|trigger) (?:the |your |this )?[\w.-]+ (?:tool|function|plug-?in|action)\b[^.!?;]{{0,60}}\b"
        r"(?:without (?:asking|telling|informing|confirm\w*|permission|consent|approval)|(?:last|whole|entire|previous) (?:\w+ )?(?:messages?|conversation|chat)"
        r"|before (?:you )?(?:answer|reply|respond)\w*|immediately|right now|silently|now with)\b"
        r"|\bif you have (?:an? |any |access to )+(?:\w+ )?(?:tools?|browser|plug-?ins?|shell access|functions?)\b[^.!?;]{0,20}(?:,| then|:) ?"
        r"(?:please )?(?:open|call|run|use|visit|fetch|send|execute|go to|load|first)\b"
    ),
}
_HEADS = r"(?:^|[.?!] )\s{0,3}#{2,4} ?(?:%s) ?:"
_TOKEN = (
    rf"(?:{ROLE_TOKEN.pattern}|(?<!\w)\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|(?<!<s>)</s>\s*(?:<s>|\[INST)"
    r"|\[/?(?:SYSTEM|AVAILABLE_TOOLS|SYSTEM_PROMPT)\])"
)
_TOLD_SO = (
    r"\s*(?:you(?:'re| are| must| will| should| can| have)\b|ignore|disregard|from now|new (?:instr|rule|policy)|always|never|do not"
    r"|answer|respond|the (?:user|assistant)\b|override)"
)
# Over the text as it stands, line by line.
WRITTEN: Mapping[OrderRule, re.Pattern[str]] = {
    # Between backticks a token is spoken of; prompts take each one out.
    "role_token": re.compile(
        rf"(?<!`){_TOKEN}|{_TOKEN}(?!`)|{_HEADS % 'System|Instructions?|Human|User'}[\s\S]{{0,4000}}?{_HEADS % 'Assistant|Response|AI'}"
        rf"|^\W{{0,3}}(?:system|developer)(?: message| prompt| note| turn)?\W{{0,2}}:{_TOLD_SO}"
        rf"|</?(?:system|system_prompt|system_message|developer|assistant|instructions)>{_TOLD_SO}"
        r"|</(?:user|document|documents|context|source|sources|input|data|question|passage)>\s*<(?:system|assistant|instructions?|user)>"
        rf"|{_HEADS % 'System'} *$|{_HEADS % 'System'}{_TOLD_SO}",
        re.MULTILINE | re.IGNORECASE,
    ),
    "tool_call": re.compile(
        r"(?<!`)</?(?:tool_calls?|tool_use|tool_code|tool_result|tool_response|function_calls?|function_results?|antml:\w+)\b[^>\n]{0,80}>"
        r"|<invoke name=|<function=\w|\[TOOL_CALLS\]|\[TOOL_(?:USE|RESULTS?)\]|```tool_(?:code|call|use)|\bto=functions\."
        r"|[\"'](?:tool_calls?|function_call|tool_use|tool_input|tool_name)[\"']\s*:\s*[\[{\"']"
        r"|[\"'](?:name|tool|function|action)[\"']\s*:\s*[\"'][\w.-]+[\"']\s*,\s*[\"'](?:arguments|parameters|args|input|kwargs|action_input|tool_input)[\"']\s*:"
        r"|^[ \t]*(?:action|tool) ?: *\S[^\n]{0,80}\n+[ \t]*(?:(?:action|tool) input|arguments|args|input|parameters) ?:"
        r"|^\{\s*[\"']role[\"']\s*:\s*[\"'](?:system|tool|developer)[\"']",
        re.MULTILINE | re.IGNORECASE,
    ),
}
