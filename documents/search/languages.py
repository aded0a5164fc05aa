"""What is known of languages: how their words are stemmed, and which words say nothing alone.

Scripts that belong to one language, or nearly so, are stemmed by script. Latin script is stemmed by the language of the
document, which its stop words tell; a question is stemmed once for each language among the documents it is asked of.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from threading import local
from typing import TYPE_CHECKING

import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Language:
    """A language in Latin script.

    Attributes:
        name: of its Snowball stemmer.
        letters: those it has beyond a to z.
    """

    name: str
    stop_words: frozenset[str]
    letters: str = ""


def _language(name: str, letters: str, stop_words: str) -> Language:
    return Language(name=name, stop_words=frozenset(stop_words.casefold().split()), letters=letters)


# A document's index names its language by its place here: append, never reorder.
LATIN = (
    _language(
        "english",
        "",
        """a about above after again against all also am an and any are as at be because been before being below
        between both but by ca can could did do does doing down during each few for from further had has
        have having he her here hers herself him himself his how i if in into is it its itself just me more
        most my myself no nor not now of off on once only or other our ours ourselves out over own same she
        should so some such than that the their theirs them themselves then there these they this those
        through to too under until up very was we were what when where which while who whom why will with wo
        would you your yours yourself yourselves""",
    ),
    _language(
        "german",
        "äöüß",
        """aber als also am an auch auf aus bei beim bin bis da damit dann das dass dein dem den denn der des die dies
        diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwa für
        gibt hab habe haben hat hatte hatten ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja
        jede jeder jedes kann kein keine keinen können man mehr mein mich mir mit muss nach nicht noch nun
        nur ob oder ohne sehr sein seine seinen seiner seit sich sie sind so soll sollen über um und uns
        unser unter viel viele vom von vor war waren was wegen weil welche welchem welchen welcher welches
        wem wen wenn wer werden weshalb wessen wie wieder wird wo wurde wurden während zu zum zur zwischen""",
    ),
    _language(
        "french",
        "àâæçèéêëîïôùûüœ",
        """à ai as au aux avec avoir c ce ces cet cette ceux combien comme comment d dans de des donc dont du elle
        elles en entre est et était étaient être eu fait il ils j je l la le les leur leurs lui m ma mais me
        mes moi mon n ne nos notre nous on ont ou où par parce pas peut plus pour pourquoi qu quand que quel
        quelle quelles quels qui quoi s sa sans se ses si son sont sous sur t ta te tes toi ton tous tout
        toute toutes très tu un une vos votre vous y""",
    ),
    _language(
        "spanish",
        "áéíñóúü",
        """a al algo ante aunque cada como cómo con contra cual cuál cuáles cuando cuándo cuánto cuántos de del desde
        donde dónde durante e el él ella ellas ellos en entre era eran es esa ese eso esta está están estas
        este esto estos fue fueron ha había han hasta hay la las le les lo los más me mi muy nada ni no nos
        o otra otro para pero poco por porque puede que qué quien quién se ser si sí sin sobre son su sus
        también tan tiene tienen todo todos tu un una unas uno unos y ya yo""",
    ),
    _language(
        "italian",
        "àèéìíòóù",
        """a ad agli ai al alla alle allo anche c che chi ci come con cosa cui d da dagli dai dal dalla dalle dei del
        della delle dello di dove e è ed era erano essere fra gli ha hanno i il in io l la le lei lo loro
        lui ma mi mio ne nei nel nella nelle nello noi non o ogni per perché più può qual quale quali quando
        quanti quanto quella quelle quelli quello questa queste questi questo qui se si sia sono stata stato
        su sua sue sugli sui sul sulla suo suoi tra tu tutti tutto un una uno vi voi""",
    ),
    _language(
        "portuguese",
        "àáâãçéêíóôõú",
        """a à ao aos as às até cada com como da das de dela dele deles do dos e é ela elas ele eles em entre era eram
        essa esse esta está estão este eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na
        não nas nem no nos nós num numa o onde os ou para pela pelas pelo pelos por porque pode qual quais
        quando quanto que quem são se sem ser seu seus sobre sua suas também te tem têm ter um uma umas uns
        você vocês""",
    ),
    _language(
        "dutch",
        "éëïöü",
        """aan al als bij dan dat de der deze die dit doch doen door dus een en er ge geen haar had heb hebben heeft
        hem het hier hij hoe hoeveel hun ik in is ja je kan kunnen maar me meer men met mij mijn moet na
        naar niet niets nog nu of om omdat ons ook op over te tegen toch toen tot u uit uw van veel voor
        waar waarom wanneer want waren was wat welk welke werd wie wij wordt worden zal ze zich zij zijn zo
        zonder zou""",
    ),
    _language(
        "swedish",
        "åäö",
        """alla att av blev bli blir de dem den denna deras dess dessa det detta dig din där då efter ej eller en er
        ett från för genom ha hade han hans har henne hennes hon hur här i icke inte jag kan kunde man med
        mellan men mig min mot mycket ni nu när någon några och om oss på samma sedan sig sin sina som till
        under upp ut utan vad var varför vem vi vid vilka vilken vilket är än över""",
    ),
    _language(
        "danish",
        "æøå",
        """ad af alle at blev blive bliver da de dem den denne der deres det dette dig din disse du efter eller en er
        et for fra få ham han hans har havde hende her hos hun hvad hvem hvilke hvilken hvis hvor hvordan
        hvorfor i ikke ind jeg jer kan kunne man mange med meget mellem men mig min noget nogle nu når og
        også om op os over på sig sin skal som så til ud under var ved vi vil ville være været""",
    ),
    _language(
        "norwegian",
        "æøå",
        """alle at av både bare ble bli blir da de deg dem den denne der dere deres det dette din disse du eller en enn
        er et ett etter for fordi fra før ha hadde han hans har hennes her hun hva hvem hver hvilke hvilken
        hvis hvor hvordan hvorfor i ikke inn jeg kan kunne man mange med mellom men mer min mot noe noen nå
        når og også om opp oss over på seg sin skal skulle som så til ut uten var ved vi vil være vært""",
    ),
    _language(
        "finnish",
        "äö",
        """ei eivät en että he hän ja jo joka jos jotka kanssa kuin kuinka kuka kun me mikä miksi missä mitä miten
        mutta myös ne niin nyt oli olivat olla on ovat se sekä sen siitä sitä tai tämä vain voi""",
    ),
    _language(
        "polish",
        "ąćęłńóśźż",
        """a aby ale bardzo być był była było były bo co czy dla do gdy gdzie go i ich ile im jak jaka jaki jakie jako
        je jego jej jest jeśli już kiedy która które który którzy kto lub ma może na nad nie niż o od oraz
        po pod przed przez przy są się ta tak także tam te tego tej ten to tym w we wiele więc z za ze
        został że""",
    ),
    _language(
        "czech",
        "áčďéěíňóřšťúůýž",
        """a aby aj ale ani ano až být bez bude by byl byla byli bylo byly co což či do i já jak jaká jaké jaký je jeho
        jej její jejich jen jestli jsem jsou k kde kdo kdy která které který kteří ma má mezi mi na nad ne
        nebo není o od pak po pod podle pro proč proto před při s se si své ta tak také tato ten tento to
        toho tom u už v ve však z za ze že""",
    ),
    _language(
        "hungarian",
        "áéíóöőúüű",
        """a az aki ami amely arra be csak de egy egyik el én ennek és ez ezek ezt fel hány ha hanem hogy hogyan hol
        igen is itt ki kell lehet már meg melyik mert mi miért mikor mint mit nagyon ne nem ő ők olyan ott
        pedig s sem szerint számára te több után vagy van vannak volt voltak""",
    ),
    _language(
        "romanian",
        "ăâîșțşţ",
        """a acest această aceste acestea acești ai al ale am ar are așa au avea ca că câte câți când care ce cea cei
        cel cele cine cu cum da dar de decât din după ea ei el ele era erau este eu fi fost iar în între la
        le lor lui mai mult ne nici nu o or pe pentru pot prin sa să sale sau se și sunt sub toate toți un
        unde unei unor unui va""",
    ),
    _language(
        "turkish",
        "çğıöşü",
        """ama ancak bir biri biz bu bunu bunun çok daha de da değil diye en gibi göre hangi hem her için ile ise ki
        kadar kaç kim mi mı mu mü nasıl ne neden nerede o olan olarak oldu olduğu olduğunu on onlar onu onun
        sonra şu tarafından ve veya vardı var ya yok""",
    ),
    _language(
        "indonesian",
        "",
        """ada adalah akan anda apa apakah atau bagaimana bahwa banyak berapa bisa dalam dan dapat dari dengan di dia
        ini itu jika juga karena kami kapan ke kepada kita lebih mana mereka mengapa oleh pada para saat
        saya sebagai sebuah seorang serta siapa sudah telah tersebut tidak untuk yang""",
    ),
)
ENGLISH = 0

# Of scripts that are stemmed by script, whatever the document's language.
_BY_SCRIPT = """
    а без бы был была были было быть в вам вас весь во вот все всех вы где да для до его ее её если есть еще
    ещё же за и из или им их к как какая какие какой каком каких ко когда кто ли между мне много может мы на
    над не него нее нет ни них но о об однако он она они оно от очень по под после почему при про с со сколько
    так также такие такой там то того тоже той только том у уже чего чем что чтобы эта эти этих это этого этой
    этом этот я є і й та що як це

    أم أن أنا أو أي إذا إلا إلى إن التي الذي الذين بعد بل بين تكون تلك ثم حتى حول خلال ذلك عن عند على عليه
    عليها غير في فيه فيها قبل قد كان كانت كل كم كما كيف لا لدى لكن لم لماذا له لها ليس ما ماذا متى مع من منذ
    منه منها نحن هذا هذه هل هم هنا هناك هو هي و وقد وكان ولا وهو وهي يكون

    αλλά αν από αυτή αυτό αυτός για δεν είναι ένα ένας ενός έχει έχουν η ή ήταν θα και κατά με μεταξύ μη μια
    να ο οι όπως όταν ότι που πού πως πώς σε στα στη στην στις στο στον στους τα τη την της τι τις το τον του
    τους των ως

    एक इस इसके उस का कि किस किया की के को कौन कौनसा क्या गया जब जो तक तथा था थी थे द्वारा ने पर भी में यह या
    ये लिए वह साथ से है हैं हो होता होती होने
"""
OTHER_STOP_WORDS = frozenset(_BY_SCRIPT.casefold().split())

# Blocks of letters that one stemmer serves, whatever the language of the rest: first and last code point.
_BLOCKS = (
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "russian"),
    (0x0530, 0x058F, "armenian"),
    (0x0600, 0x077F, "arabic"),
    (0x0900, 0x097F, "hindi"),
    (0x0B80, 0x0BFF, "tamil"),
    (0x1F00, 0x1FFF, "greek"),
)
_STARTS = [first for first, _, _ in _BLOCKS]
LATIN_END, LATIN_ADDITIONAL = 0x024F, (0x1E00, 0x1EFF)
LEAST_SHARE = 0.05  # of stop words among the words of a text in that language; tables and code have fewer

_stemmers = local()


def detect(words: Iterable[str]) -> int:
    """The language whose stop words are there most and in most variety, as a place in `LATIN`; else English."""
    counts = Counter(words)
    # Without initials and articles of one letter, and by roots, so that no single frequent word decides alone.
    scores = [sum(math.sqrt(counts[word]) for word in language.stop_words if len(word) > 1) for language in LATIN]
    best = max(range(len(LATIN)), key=scores.__getitem__)
    found = sum(counts[word] for word in LATIN[best].stop_words)
    return best if found >= LEAST_SHARE * counts.total() else ENGLISH


def stem(word: str, language: int) -> str:
    """The stem of a word as it stands in documents of that language."""
    name = _stemmer_name(word[0], language)
    return _stemmer(name).stemWord(word) if name else word


def letters_like(letter: str) -> str:
    """The small letters of the script that a letter belongs to; empty for Latin and for scripts not listed above.

    Those among the first 96 of the script's block: the rest are signs, and letters of languages not stemmed here.
    """
    block = _block(letter)
    if block is None:
        return ""
    letters = map(chr, range(block[0], block[0] + 96))
    return "".join(char for char in letters if char.isalpha() and char == char.casefold())


def is_latin(letter: str) -> bool:
    return ord(letter) <= LATIN_END or LATIN_ADDITIONAL[0] <= ord(letter) <= LATIN_ADDITIONAL[1]


def _stemmer_name(letter: str, language: int) -> str:
    if is_latin(letter):
        return LATIN[language].name
    block = _block(letter)
    return block[2] if block else ""


def _block(letter: str) -> tuple[int, int, str] | None:
    place = bisect_right(_STARTS, ord(letter)) - 1
    return _BLOCKS[place] if place >= 0 and ord(letter) <= _BLOCKS[place][1] else None


def _stemmer(name: str) -> Stemmer.Stemmer:
    """A stemmer of this thread: they keep state while they work."""
    stemmer = getattr(_stemmers, name, None)
    if stemmer is None:
        stemmer = Stemmer.Stemmer(name)
        setattr(_stemmers, name, stemmer)
    return stemmer
