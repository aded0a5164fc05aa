"""Notes about a town that look alike, in six languages, and questions in other forms of their words.

Twelve places with five facts each: every word of a note stands in four or eleven others as well, so that a question
finds its note only by both of its words. Place and fact are inflected differently in the note and in the question:
plural, case, article, particle.
"""

from __future__ import annotations

from dataclasses import dataclass

# As the notes say it = as the questions say it.
PLACES = {
    "english": """
        museum = museums; library = libraries; swimming pool = swimming pools; market = markets; theatre = theatres;
        school = schools; hospital = hospitals; station = stations; fortress = fortresses; hotel = hotels;
        pharmacy = pharmacies; bakery = bakeries
    """,
    "german": """
        Das Museum = Museums; Die Bibliothek = Bibliotheken; Das Schwimmbad = Schwimmbads; Der Markt = Maerkte;
        Das Theater = Theaters; Die Schule = Schulen; Das Krankenhaus = Krankenhauses; Der Bahnhof = Bahnhofs;
        Die Festung = Festungen; Das Hotel = Hotels; Die Apotheke = Apotheken; Die Bäckerei = Baeckereien
    """,
    "russian": """
        музей = музея; библиотека = библиотеки; бассейн = бассейна; рынок = рынка; театр = театра; школа = школы;
        больница = больницы; вокзал = вокзала; крепость = крепости; гостиница = гостиницы; аптека = аптеки;
        пекарня = пекарни
    """,
    "arabic": """
        المتحف = للمتحف; المكتبة = للمكتبة; المسبح = بالمسبح; السوق = للسوق; المسرح = والمسرح; المدرسة = مدرستنا;
        المستشفى = بالمستشفى; المحطة = محطتنا; القلعة = قلعة; الفندق = فندقنا; الصيدلية = بالصيدلية; المخبز = مخبز
    """,
    "thai": """
        พิพิธภัณฑ์ = พิพิธภัณฑ์; ห้องสมุด = ห้องสมุด; สระว่ายน้ำ = สระว่ายน้ำ; ตลาด = ตลาด; โรงละคร = โรงละคร;
        โรงเรียน = โรงเรียน; โรงพยาบาล = โรงพยาบาล; สถานีรถไฟ = สถานีรถไฟ; ป้อมปราการ = ป้อมปราการ; โรงแรม = โรงแรม;
        ร้านขายยา = ร้านขายยา; ร้านขนมปัง = ร้านขนมปัง
    """,
    "chinese": """
        博物馆 = 博物馆; 图书馆 = 图书馆; 游泳池 = 游泳池; 市场 = 市场; 剧院 = 剧院; 学校 = 学校; 医院 = 医院;
        火车站 = 火车站; 城堡 = 城堡; 旅馆 = 旅馆; 药店 = 药店; 面包店 = 面包店
    """,
}
FACTS = {
    "english": """
        The {} opens its doors at eight in the morning. = When are the doors of {} opened?
        A ticket for the {} costs two hundred pounds. = What do tickets of the {} cost?
        The {} is repaired in August. = In which month are repairs made in {}?
        No dog may enter the {} without a muzzle. = Are dogs allowed in {} with muzzles?
        The {} has hired two guards for the night. = How many night guard posts have the {}?
    """,
    "german": """
        {} hat eine Tür, die um acht Uhr geöffnet wird. = Um wie viel Uhr öffnen die Türen des {}?
        {} verlangt für eine Eintrittskarte zwei Euro. = Wie teuer sind die Eintrittskarten des {}?
        {} wird im August repariert. = In welchem Monat sind die Reparaturen des {}?
        {} duldet keinen Hund ohne Maulkorb. = Sind Hunde mit Maulkörben im Bereich des {} erlaubt?
        {} hat zwei neue Wächter für die Nacht. = Wie viele Waechter hat des {} neue Nächte?
    """,
    "russian": """
        Наш {} открывает двери в восемь утра. = Во сколько открывается дверь нашего {}?
        Наш {} продаёт билет за двести рублей. = Сколько рублей стоят билеты {}?
        Наш {} закрывается на ремонт в августе. = В каком месяце делают ремонты {}?
        Наш {} не пускает собаку без намордника. = Пускают ли собак в намордниках к дверям {}?
        Наш {} нанял нового сторожа. = Сколько новых сторожей {} работает ночью?
    """,
    "arabic": """
        باب {} مفتوح من الساعة الثامنة. = في أية ساعة الباب مفتوحا {}؟
        تذكرة {} بعشرة دنانير. = كم دينارا سعر التذكرة {}؟
        ترميم {} في شهر أغسطس. = في أي الشهور الترميم {}؟
        دخول الكلاب إلى {} ممنوع. = هل الدخول ممنوعا للكلاب {}؟
        حارس {} الجديد اسمه سالم. = ما اسم الحارس الجديد {}؟
    """,
    "thai": """
        {}เปิดประตูเวลาแปดโมงเช้า = ประตูของ{}เปิดกี่โมง
        ตั๋วเข้า{}ราคาสองร้อยบาท = {}ขายตั๋วใบละกี่บาท
        {}ปิดซ่อมแซมในเดือนสิงหาคม = จะซ่อมแซม{}เดือนไหน
        ห้ามนำสุนัขเข้า{} = พาสุนัขไปที่{}ได้ไหม
        {}รับยามคนใหม่สองคน = ยามคนใหม่ของ{}มีกี่คน
    """,
    "chinese": """
        {}早上八点开门。 = {}的门几点开？
        {}的门票两百元。 = 去{}买一张门票多少钱？
        {}八月份关闭维修。 = 什么时候维修{}？
        {}禁止带狗入内。 = 可以带狗去{}吗？
        {}新雇了两名保安。 = {}有几名新保安？
    """,
}


@dataclass(frozen=True, slots=True)
class Note:
    """A note, the question that it answers, and what the question says without the place."""

    text: str
    question: str
    place: str
    fact: str


def town(language: str) -> list[Note]:
    """The sixty notes of a language."""
    places = [pair.strip().split(" = ") for pair in PLACES[language].split(";")]
    facts = [line.strip().split(" = ") for line in FACTS[language].strip().splitlines()]
    return [
        Note(text=told.format(place), question=asked.format(other), place=other, fact=asked.format(""))
        for place, other in places
        for told, asked in facts
    ]
