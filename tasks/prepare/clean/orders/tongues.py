"""Orders in German, French, Spanish and Italian: to undo, to be another, to give away."""

from tasks.prepare.clean.orders.rule import rule

_RULES = (
    r"(?:anweisung|regel|vorgabe|instruktion|richtlinie|instructions?|consignes?|r\u00e8gles?"
    r"|instrucciones|reglas|"
    r"\u00f3rdenes|istruzioni|regole)\w*"
)
_LIMITS = (
    r"(?:einschr\u00e4nkung\w*|einschraenkung\w*|filter|grenzen|restrictions?|limites|filtres?"
    r"|restricciones|l\u00edmites|filtros?|"
    r"restrizioni|limiti|filtri)"
)
UNDOING = (
    rule(
        "vergiss|vergessen sie|oubli|olvid|dimentic|ignor",
        patterns=(
            r"\bverg(?:iss|essen sie) alles,? (?:was (?:wir|ich|dir|ihnen|vorher|du bisher)|vorherige"
            r"|bisherige)\b",
            r"(?:^|[.!?:] ?)(?:oublie[zr]?|ignore[zr]|olvida|ignora|dimentica|ignoriere|vergiss) "
            rf"(?:toutes|todas|tutte|alle) (?:\w+ ){{0,2}}?{_RULES}",
        ),
    ),
    rule(
        "neue |nouvelles |nuevas |nuove ",
        patterns=(rf"(?:^|[.!?:>\])] )(?:neue|nouvelles|nuevas|nuove) (?:\w+ )?{_RULES} ?:",),
    ),
    rule(
        "note syst\u00e8me|nota di sistema|nota del sistema|systemhinweis|mensaje del sistema",
        "r\u00e9ponse|risposta|respuesta|antwort",
        patterns=(
            r"\b(?:note syst\u00e8me|nota di sistema|nota del sistema|systemhinweis|mensaje del sistema) ?:"
            r"[^!?]{0,120}(?:r\u00e9ponse|risposta|respuesta|antwort)",
        ),
    ),
)
BEING = (
    rule(
        "jetzt|sofort|nun|d\u00e9sormais|maintenant|ahora|ora ",
        patterns=(
            r"\b(?:du bist|sie sind) (?:jetzt|ab jetzt|ab sofort|nun) (?:ein\w* |der |die )?"
            r"(?:uneingeschr\u00e4nkt|unzensiert|\w+ (?:ki|assistent|modell))",
            r"\bab (?:jetzt|sofort) (?:hast du keine|bist du|gibst du|antwortest du|befolgst du)\b",
            r"\b(?:vous \u00eates|tu es) (?:d\u00e9sormais|maintenant) (?:sans|une? (?:ia|mod\u00e8le"
            r"|assistant))",
            r"\b(?:ahora|desde ahora) (?:eres|est\u00e1s|estas) (?:en modo|sin|un[ao]? (?:ia|modelo"
            r"|asistente))",
            r"\b(?:ora sei|d'ora in poi sei) (?:in modalit\u00e0|senza|un[ao]? (?:ia|modello|assistente))",
        ),
    ),
    rule(
        "ohne |sans |sin |senza ",
        "antwort|r\u00e9pon|repon|respond|rispond|\u00eates|bist ",
        patterns=(
            rf"\b(?:antwort\w*|r\u00e9pond\w*|repond\w*|respond\w*|rispond\w*) (?:\w+ ){{0,3}}?(?:ohne"
            rf"|sans|sin|senza) "
            rf"(?:\w+ ){{0,1}}?{_LIMITS}\b",
            rf"\bohne (?:\w+ )?{_LIMITS} (?:zu )?antwort",
        ),
    ),
)
GIVING_AWAY = (
    rule(
        "syst\u00e8me|del sistema|di sistema|systemanweisung|systemprompt|system-prompt",
        patterns=(
            r"\b(?:montre|affiche|r\u00e9v\u00e8le|donne|dis"
            r"|r\u00e9p\u00e8te)[\w-]* (?:[\w-]+ ){0,3}?(?:prompt|instructions|consignes) "
            r"(?:du )?syst\u00e8me",
            r"\b(?:muestra|revela|dime|repite|imprime)\w* (?:\w+ ){0,3}?(?:prompt"
            r"|instrucciones) del sistema",
            r"\b(?:mostra|rivela|ripeti|stampa)\w* (?:\w+ ){0,3}?(?:prompt|istruzioni) di sistema",
            r"\b(?:gib|zeig|nenne|verrate|verrat|wiederhole)\w* (?:\w+ ){0,3}?(?:systemanweisungen"
            r"|systemprompt|system-prompt)",
        ),
    ),
)
