"""Words to a model that reads along, and orders to use tools behind the back of people."""

from tasks.prepare.clean.orders.rule import rule
from tasks.prepare.clean.orders.words import (
    CALL,
    MODEL,
    NOT_ITS_MAKER,
    unasked,
)

ADDRESS = (
    rule(
        " ai| a.i.| llm| large language| language model| chat| gpt| claude| gemini| copilot| assistant| bot"
        "| model",
        "note|notice|attention|instruction|hint|warning|request|order",
        " to | for ",
        patterns=(
            r"\b(?:note|notice|attention|instructions?|hint|warning|request|order)s?,? (?:to|for) "
            rf"(?:all |any |every |each |the |an? )*(?:{MODEL}|assistant|bot|(?:language )?model)s?\b"
            r"(?= ?[:,]| (?:reading|processing|summari|that|which|who|parsing|seeing))",
        ),
    ),
    rule(
        "attention |attention, |if you are |if you're ",
        "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|assistant",
        patterns=(
            rf"\battention,? (?:assistant|ai|bot|chatbot|model|{MODEL})\b ?[:,!]",
            rf"\bif you(?: are|'re) (?:an? |the )?(?:{MODEL}|assistant|bot)\b{NOT_ITS_MAKER}",
        ),
    ),
    rule(
        "the assistant |the model |the chatbot |the bot |the ai ",
        "ask|questioned",
        patterns=(
            r"\b(?:when|if|whenever) [^.!?;]{0,50}\b(?:asked|asks?|questioned)\b[^.!?;]{0,50}\bthe "
            r"(?:assistant|model"
            r"|chatbot|bot|ai) (?:must|should|has to|shall|will|is to|needs to) (?:always |only |never "
            r"|not )?"
            r"(?:say|answer|reply|respond|tell|claim|state|recommend|deny)\b",
        ),
    ),
    rule(
        "this note|this paragraph|this instruction|this message|this text|this line|this order|this hint"
        "|this rule|this passage|this prompt",
        "not |n't |never ",
        "tell|inform|mention|show|reveal|disclose",
        patterns=(
            r"\b(?:do not|don't|never) (?:tell|inform|mention|show|reveal"
            r"|disclose)[^.!?;]{0,30}\b(?:about )?this "
            r"(?:note|paragraph|instruction|message|text|line|order|hint|rule|passage|prompt)s?\b",
        ),
    ),
    rule(
        "any |every |all ",
        " ai| a.i.| llm| large language| language model| chat| gpt| claude| gemini| copilot",
        "reading this|processing this|summarizing this|summarising this|parsing this| must| should| shall"
        "| has to| have to",
        patterns=(
            rf"\b(?:any|every|all) {MODEL}(?: (?:reading|processing|summari[sz]ing|parsing) this\b"
            r"| (?:must|should|shall|has to|have to)\b)",
        ),
    ),
)
TOOLS = (
    rule(
        " tool| function| plug| action",
        "without asking|without telling|without informing|without confirm|without permission"
        "|without consent|without approval|message|conversation|chat|before you |before answer"
        "|before reply|before respond|immediately|right now|silently|now with",
        "call |run |use |invoke |execute |trigger ",
        patterns=(
            rf"{unasked(CALL)} (?:the |your |this )?[\w.-]+ (?:tool"
            rf"|function|plug-?in"
            r"|action)\b[^.!?;]{0,60}\b(?:without (?:asking|telling|informing|confirm\w*|permission"
            r"|consent|approval)"
            r"|(?:last|whole|entire|previous) (?:\w+ )?(?:messages?|conversation|chat)"
            r"|before (?:you )?(?:answer|reply|respond)\w*|immediately|right now|silently|now with)\b",
        ),
    ),
    rule(
        "if you have ",
        patterns=(
            r"\bif you have (?:an? |any |access to )+(?:\w+ )?(?:tools?|browser|plug-?ins?|shell access"
            r"|functions?)\b"
            r"[^.!?;]{0,20}(?:,| then|:) ?(?:please )?(?:open|call|run|use|visit|fetch|send|execute|go to"
            r"|load|first)\b",
        ),
    ),
)
