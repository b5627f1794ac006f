"""The languages that can be told apart, by the codes that fastText's lid.176 gives them."""

import difflib

# ISO 639-1, and 639-3 where that has no code; a test compares them with the model.
_CODES = """
    af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs
    cv cy da de diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr
    hsb ht hu hy ia id ie ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc
    lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa
    pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg
    th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi yo yue zh
"""
LANGUAGES = frozenset(_CODES.split())


def known_language(code: str) -> str:
    """The code of a language, where it is one.

    Raises:
        ValueError: no language that can be told has this code; the message names the one near to it.
    """
    if code in LANGUAGES:
        return code
    near = difflib.get_close_matches(code, sorted(LANGUAGES), n=1)
    right = f"did you mean {near[0]}?" if near else "codes are of ISO 639, such as en, de or zh"
    raise ValueError(f"{code!r} is no language that can be told; {right}")
