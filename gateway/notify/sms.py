"""Text messages: how many parts a text takes, and a text that takes two at most.

1. In the GSM alphabet a message holds 160 characters, or 153 in each of several parts; a few characters take two places
   (3GPP TS 23.038). Arabic, and a single character outside that alphabet, makes it UCS-2: 70, or 67 in each part.
2. `fit` says as many sentences as two parts hold, in their order; the first is cut rather than left out, and what to
   do goes before the figures where there is no room for both.
3. Isolates are taken out: phones that know nothing of them show boxes, and each takes a place.
"""

from collections.abc import Sequence

from gateway.notify.speech import ISOLATE, POP

PARTS = 2
"""An alert of three parts costs half as much again, and few read so far."""
GSM_ONE, GSM_MANY = 160, 153
UCS2_ONE, UCS2_MANY = 70, 67
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
# What English texts hold beyond the alphabet, and how people write it without.
_PLAIN = str.maketrans(
    {"³": "3", "\N{MINUS SIGN}": "-", "\N{RIGHT SINGLE QUOTATION MARK}": "'", "…": "...", ISOLATE: None, POP: None}
)


def parts(text: str) -> int:
    """Count the parts that a text takes."""
    if all(char in _GSM or char in _GSM_TWICE for char in text):
        places, one, many = len(text) + sum(char in _GSM_TWICE for char in text), GSM_ONE, GSM_MANY
    else:
        places, one, many = len(text.encode("utf-16-le")) // 2, UCS2_ONE, UCS2_MANY
    return 1 if places <= one else -(-places // many)


def plain(text: str) -> str:
    """Take out isolates; of a text that is GSM but for a few signs, write those without them too."""
    stripped = text.replace(ISOLATE, "").replace(POP, "")
    simpler = text.translate(_PLAIN)
    return simpler if all(char in _GSM or char in _GSM_TWICE for char in simpler) else stripped


def fit(sentences: Sequence[str], action: int = 0) -> str:
    """Say as much as two parts hold; `sentences` may be isolated, the first is the most important, then `action`."""
    said = [plain(sentence) for sentence in sentences] or [""]
    if parts(said[0]) > PARTS:
        return _cut(said[0])
    chosen = [0]
    for number in (action, *range(1, len(said))):
        more = sorted({*chosen, number})
        if parts(" ".join(said[n] for n in more)) <= PARTS:
            chosen = more
        elif number != action:
            break
    return " ".join(said[n] for n in chosen)


def _cut(text: str) -> str:
    while parts(text) > PARTS:
        text = text[:-2].rstrip() + "…"
    return text
