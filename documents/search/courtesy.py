"""The polite words around a question, which say nothing about what is searched for.

Whole phrases first, wherever they stand: words like `following` or `there` are courtesy only inside them. Then clauses
of nothing but small talk, as "sorry to bother you". Then single words. Never so that nothing would remain.
"""

from __future__ import annotations

import re

from .analysis import is_stop_word, tokens
from .languages import ENGLISH

_PHRASES = (
    r"(?:hi|hello|hey|dear)(?: there| all| everyone| team)?(?=[,!.])",
    r"good (?:morning|afternoon|evening|day)(?=[,!.])",
    r"(?:please |kindly )?(?:could|can|would|will|might) (?:you|some(?:one|body)|any(?:one|body))(?: here| there)? "
    r"(?:be (?:so )?(?:kind|good|nice)(?: enough)?(?: as)? to )?(?:please |kindly |maybe |possibly |perhaps |just )*"
    r"(?:tell|explain to|explain|help|show|inform|let|remind|give) (?:me|us)(?: know| understand)?(?: the following)?",
    r"(?:could|can|would|will) you (?:please|kindly) (?:explain|describe|say|clarify|answer)(?: the following| this)?",
    r"(?:please|kindly) (?:tell|help|inform|explain to|remind|let) (?:me|us)(?: know| understand)?(?: the following)?",
    r"(?:i (?:was|am|'m|’m)|i['’]m|i was just|i am just)(?: just)? (?:wondering|curious)"
    r"(?: if you know| if you could tell me| whether| if| about)?",
    r"(?:(?:may|might|can|could) i (?:please |just |quickly )*ask|let me ask)(?: you)?(?: about| something)?",
    r"(?:is there )?any chance (?:that )?(?:you|some(?:one|body)|any(?:one|body))(?: here)? "
    r"(?:might |could |would |can )?(?:knows?|tell me|explain)",
    r"(?:do|does|would) (?:you|any(?:one|body)|some(?:one|body))(?: here)? have (?:any|an|a) (?:idea|clue|guess)",
    r"(?:what )?i(?: would|['’]d) (?:like|love) to (?:know|ask|understand|find out|learn|hear)(?: is| this)?",
    r"i (?:want|need|wanted|am trying|['’]m trying|(?:was|have been|['’]ve been) asked) to "
    r"(?:know|ask|understand|find out|figure out|learn)",
    r"(?:would it be|is it) possible to (?:find out|tell me)",
    r"it would be (?:great|good|nice|helpful|lovely) (?:to know|if you could tell me)",
    r"(?:would|could) you be (?:so )?kind(?: enough)?(?: as)? to (?:explain|describe|say|clarify|answer)",
    r"(?:could|can|may) i trouble you for (?:an|the) answer|(?:maybe|perhaps) you can help(?: me| us)?",
    r"(?:can|could|would) (?:you|any(?:one|body)|some(?:one|body)) (?:please )?"
    r"(?:shed (?:some|any|a little) light on(?: this| that| it)?|point me in the right direction)",
    r"(?:if|when|whenever) you (?:have|get|find|can spare) an? (?:free )?(?:second|sec|minute|moment|chance)"
    r"(?=[,.:!]|$)",
    r"if you (?:do not|don['’]t) mind(?: me asking| my asking)?(?=[,.:!?]|$)",
    r"(?:just )?out of (?:interest|curiosity)(?=,)",
    r"(?:sorry|apologies) (?:to|for) (?:troubl|bother|disturb|interrupt)(?:e|ing)?(?: you)?(?: with this| again)?",
    r"(?:(?:my|many) )?apologies for (?:the|this|my) (?:interruption|trouble|bother|question|delay)(?=[,.:!]|$)",
    r"(?:forgive|excuse|pardon) (?:me|my ignorance|the interruption)(?=,)",
    r"(?:please advise|much obliged|(?:i )?look(?:ing)? forward to (?:your (?:reply|answer|response)|hearing from you))"
    r"(?=[,.!]|$)",
    r"(?:just )?(?:one|a) (?:quick |last |more |other |small )?(?:thing|question)(?: more)?(?=[:,.])",
    r"i have a (?:quick |short |small )?question(?: for you)?(?=[:,.!])",
    r"(?:just )?(?:a )?(?:quick|short) question(?: for you)?",
    r"(?:do you|does any(?:one|body)(?: here)?) (?:happen to know|know"
    r"(?= (?:what|who|whom|whose|when|where|which|why|how|if|whether)\b))",
    r"have a (?:nice|great|good|lovely) (?:day|one|evening|weekend|time)",
    r"(?:many )?(?:thanks|thank you|thx|cheers)(?: a lot| so much| very much| a million)?(?: in advance)?"
    r"(?: for your (?:help|time|answer))?",
    r"(?:i(?: would|['’]d) (?:really |very much |greatly )?appreciate (?:it|your help|any help)"
    r"|any help (?:is|would be) (?:much |greatly |very )?(?:appreciated|welcome))",
    r"(?:^|(?<=[,.!?:] ))any (?:pointers|hints|advice|thoughts) on",
    r"sehr geehrte damen und herren|(?:mit )?(?:freundliche|liebe|beste|viele)n? grüßen?",
    r"(?:könn(?:ten|test|en)|kannst) (?:sie|du|ihr) (?:mir |uns )?(?:bitte )?(?:sagen|erklären|verraten|helfen)",
    r"(?:ich (?:möchte|würde) (?:gerne? )?wissen|(?:vielen |herzlichen )?dank(?: im voraus)?"
    r"|guten (?:tag|morgen|abend))(?=[,!.:]|$)",
    r"(?:pourriez|pouvez|peux)[- ](?:vous|tu) (?:me |nous )?(?:dire|expliquer)|s['’]il (?:vous|te) pla[iî]t"
    r"|merci (?:d['’]avance|beaucoup)",
    r"(?:podrías?|puedes?) (?:por favor )?(?:decirme|explicarme)|por favor|(?:muchas )?gracias(?: de antemano)?",
)
PHRASE = re.compile(rf"(?<!\w)(?:{'|'.join(_PHRASES)})(?!\w)[\s,.!:;–-]*", re.IGNORECASE)

_WORDS = """
    appreciate appreciated ask asking curious dear excuse explain find greetings hello help hey hi kindly know like
    maybe ok okay please pls plz possibly question quick really sorry tell thank thanks thx understand want wonder
    wondering
    bitte danke gerne hallo könnten könntest möchte sag sagen wissen
    aimerais bonjour dire merci plaît pourriez savoir svp voudrais decir decirme favor gracias hola podría podrías
    quisiera saber ciao grazie potresti vorrei obrigado olá gostaria alstublieft bedankt graag
    hiya howdy heya greetings
    здравствуйте пожалуйста подскажите привет скажите спасибо أخبرني فضلك شكرا مرحبا
"""
WORDS = frozenset(_WORDS.casefold().split())
# They may say something in a clause with other words, but not in one of these and stop words alone.
_SMALL_TALK = """
    able anyone answer answers assist assistance assistant awesome bot bother bothering buddy chance chat cheers clue
    confused confusing enlighten everyone everybody figure figuring folks friend glad good grateful great guys helpful
    helping hope hoping idea info interested learn learning look looking lot madam mind moment morning evening need
    needed nice one pardon pleasure problem questions quickly respond reply rush share sir something somebody someone
    stuck super sure try trying understanding um uh well wonderful yo
"""
SMALL_TALK = WORDS | frozenset(_SMALL_TALK.split())
CLAUSE = re.compile(r"[^.!?,;:]*[.!?,;:]*\s*")
UNSPACED = re.compile(
    "请问|請問|请告诉我|您好|你好|谢谢|謝謝|教えてください|お願いします|すみません|ありがとうございます|알려주세요|감사합니다|สวัสดี|ขอบคุณ|ช่วยบอก|ครับ|ค่ะ"
)


def without_phrases(text: str) -> str:
    """The text without polite phrases and clauses; as it is if it has no other words."""
    rest = UNSPACED.sub(" ", PHRASE.sub(" ", text)).strip()
    if not any(letter.isalnum() for letter in rest):
        return text
    telling = "".join(clause for clause in CLAUSE.findall(rest) if not _is_small_talk(clause)).strip()
    return telling if any(letter.isalnum() for letter in telling) else rest


def _is_small_talk(clause: str) -> bool:
    """Whether it has only small talk and stop words; stop words alone may point back, and stay."""
    words = [token for token in tokens(clause) if not is_stop_word(token, ENGLISH)]
    return bool(words) and SMALL_TALK.issuperset(words)
