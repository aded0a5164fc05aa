"""What gives away that a text talks to a model. All patterns of `suspicion` are here.

They are matched against folded text: lower case, without accents, white space made single spaces. An expression is only
tried where one word of each of its groups of triggers occurs (groups stand apart by `&`); that is what makes fifty
expressions affordable in every turn. Triggers are whole words; of scripts without spaces, or with endings, parts.
"""

from __future__ import annotations

from typing import Final

# To set aside what the model was told, by language: how that is said, which instructions, and what they are called.
VERB_FIRST: Final = (
    (
        "ignore|disregard|forget|override|overrule|bypass|discard|(?:do not|don't|stop) (?:follow|obey)",
        "all|any|every|your|previous|prior|earlier|above|preceding|foregoing|original|initial|system|safety",
        "instructions?|prompts?|directives?|guidelines?|programming|rules|everything you",
        "ignore disregard forget override overrule bypass discard follow obey following obeying",
    ),
    (
        "ignorier(?:e|t|en)|vergiss|vergesst|vergessen sie|missachte",
        "alle|deine|ihre|bisherige|vorherige|vorige|obige|fruhere|vorangegangene",
        "anweisung|instruktion|vorgabe|regel|prompt",
        "ignoriere ignoriert ignorieren vergiss vergesst vergessen missachte",
    ),
    (
        "ignore[zr]?|oublie[zr]?|ne tenez pas compte|ne tiens pas compte|ne suis pas|ne suivez pas",
        "toutes|tes|vos|precedente|anterieure|ci-dessus|initiale",
        "instruction|consigne|directive|regle",
        "ignore ignorez ignorer oublie oubliez oublier tenez tiens suis suivez",
    ),
    (
        "ignor[ae]|olvid[ae]|omite|haz caso omiso|no sigas",
        "todas|todos|tus|sus|anterior|previa|originales",
        "instruccion|indicacion|directri|reglas|ordenes",
        "ignora ignore ignorar olvida olvide olvidar omite omiso sigas",
    ),
    (
        "ignora|dimentica|trascura|non seguire",
        "tutte|tue|precedent|anterior|qui sopra",
        "istruzion|indicazion|direttiv|regole",
        "ignora ignorare dimentica dimenticare trascura seguire",
    ),
    (
        "ignor[ae]|esquec[ae]|desconsider[ae]|nao siga",
        "todas|todos|suas|tuas|anterior|previas|acima",
        "instrucoes|orientacoes|diretrizes|regras",
        "ignore ignora ignorar esqueca esquece desconsidere desconsidera siga",
    ),
    (
        "negeer|vergeet",
        "alle|je|jouw|uw|vorige|voorgaande|eerdere|bovenstaande",
        "instructies|opdrachten|regels",
        "negeer vergeet",
    ),
    (
        "zignoruj|ignoruj|zapomnij|pomin",
        "wszystkie|swoje|poprzedni|wczesniejsz|powyzsz",
        "instrukcj|polecen|wytyczn|zasad",
        "zignoruj ignoruj zapomnij pomin",
    ),
    (
        "игнориру|забуд|не следу|отброс",
        "все|всех|свои|твои|предыдущ|прежн|предшеств",
        "инструкц|указани|правил|команд|промпт",
        "игнориру забуд следу отброс",
    ),
    (
        "忽略|无视|無視|忘记|忘記|不要遵守|不要理会",
        "之前|以前|先前|上面|上述|以上|所有|前面|你的",
        "指令|指示|提示|规则|規則|命令",
        "忽略 无视 無視 忘记 忘記 不要遵守 不要理会",
    ),
    ("تجاهل|انس|لا تتبع", "جميع|كل|السابق|اعلاه", "تعليمات|اوامر|القواعد", "تجاهل انس تتبع"),
)
NOUN_FIRST: Final = (
    (
        "alle|deine|ihre|bisherige|vorherige|obige|fruhere",
        "anweisung|instruktion|vorgabe|regel",
        "ignorieren|zu vergessen|missachten",
        "ignorieren vergessen missachten",
    ),
    (
        "onceki|yukarıdaki|tum|butun",
        "talimat|yonerge|komut|kural",
        "yok say|unut|gormezden gel|dikkate alma",
        "say unut gel alma yok gormezden",
    ),
    (
        "これまで|以前|前|上記|すべて|全て|今まで",
        "指示|命令|ルール|プロンプト",
        "無視|忘れ|従わない|破棄",
        "無視 忘れ 従わない 破棄",
    ),
    ("이전|위의|모든|앞선|지금까지", "지시|명령|규칙|프롬프트|지침", "무시|잊어|따르지", "무시 잊어 따르지"),
    ("पिछल|उपर|सभी|पहल", "निर्देश|आदेश|नियम", "अनदेखा|भूल|नज़रअंदाज", "अनदेखा भूल नज़रअंदाज"),
)

MODEL = (
    r"(?:ais?|llms?|(?:large )?language models?|chat ?bots?|(?:ai|virtual) (?:assistants?|agents?|models?|systems?)"
    r"|chatgpt|bot gpt)\b"
)
NAMED = "ai ais llm llms language chatbot chatbots bot bots virtual chatgpt"

# Everything else: the kind, the triggers, the expression.
ROWS: Final = (
    ("override", "ignore disregard forget",
     r"(?:ignore|disregard|forget) (?:the |any |all )?(?:instructions|guidelines|rules|prompts?) "
     r"(?:you (?:were|have been)|above)"),
    # Another role.
    ("persona", "now", r"you are now (?:an? |the |in |no longer |free |called |known |dan\b|operating )"),
    ("persona", "now",
     r"from now on,? (?:you (?:are|must|will|only)|always|only|every|answer|respond|reply|act|speak)\b"),
    ("persona", "act behave & unrestricted unfiltered uncensored jailbroken if dan",
     r"\b(?:act|behave) as (?:if you (?:were an?|are an?|had no)|dan\b|an? (?:un(?:restricted|filtered|censored)"
     r"|jailb))"),
    ("persona", "pretend", r"pretend (?:to be an?|that you are|you are|you have no) "),
    ("persona", "you", rf"you are (?:no longer|not) (?:bound by|restricted|required to follow|an? {MODEL})"),
    ("persona", "mode & developer debug god admin administrator dan jailbreak unrestricted",
     r"\b(?:enter|enable|activate|switch(?:ed)? (?:in)?to|you are (?:now )?in) "
     r"(?:developer|debug|god|admin(?:istrator)?|dan|jailbreak|unrestricted) mode\b"),
    ("persona", "anything", r"do anything now\b"),
    ("persona", "bist", r"du bist (?:jetzt|ab jetzt|nun|ab sofort)\b|ab (?:jetzt|sofort) bist du"),
    ("persona", "desormais maintenant",
     r"\b(?:tu es|vous etes) (?:maintenant|desormais) (?:une?|le|la|en)\b|\b(?:desormais|a partir de maintenant),? "
     r"(?:tu|reponds)\b"),
    ("persona", "ahora agora poi",
     r"\bahora eres\b|\ba partir de ahora,? (?:eres|actua|responde)\b|\bagora voce e\b"
     r"|\ba partir de agora,? (?:voce|responda|aja)\b|\bd[a'] ?ora in poi,? (?:sei|rispondi)\b"),
    ("persona", "теперь отныне", r"(?:теперь|отныне) ты\b|ты теперь\b"),
    ("persona", "你现在 从现在 今から 이제부터 انت",
     r"你现在是|从现在起.{0,4}你|今からあなたは|あなたは今から|이제부터 (?:너|당신|넌)|انت الان"),
    # The model by name.
    ("address", f"if & {NAMED}", rf"if you(?:'re| are) (?:reading this and are )?an? {MODEL}"),
    ("address", f"note message attention instruction instructions reminder notice & {NAMED}",
     rf"(?:note|message|instructions?|reminder|notice) (?:to|for) (?:the |all |any |every )?{MODEL}|attention,? "
     rf"(?:all )?{MODEL}"),
    ("address", f"reads reading processing processes summarizes summarizing answering & {NAMED}",
     rf"(?:any|every|all|the) {MODEL} (?:that |which |who )?"
     r"(?:reads?|reading|processing|processes|summari[sz]es|summari[sz]ing|answering) (?:this|the|these)\b"),
    ("address", "ki sprachmodell sprachmodelle chatbot chatbots",
     r"(?:hinweis|nachricht|anweisung) (?:an|fur) (?:die |das |alle )?(?:ki|sprachmodelle?|chatbots?)\b|wenn du "
     r"eine? (?:ki|sprachmodell|chatbot)\b"),
    ("address", "ia l'ia",
     r"(?:note|message|instructions?) (?:a|pour) (?:l'|les |toute )?ia\b|\bsi (?:tu es|vous etes|eres|sei) una? ?e? "
     r"?ia\b"
     r"|(?:nota|mensaje|messaggio|mensagem|instrucciones) para (?:la |a )?ia\b"),
    ("address", "如果你是 助手 アシスタントへ если",
     r"如果你是.{0,6}(?:人工智能|ai|语言模型|助手)|ai助手.{0,4}(?:请|必须|注意)|aiアシスタントへ|если ты (?:ии"
     r"|языков)"),
    # Not a word to the user.
    ("secrecy", "user users human & not don't never without",
     r"(?:do not|don't|never|must not) (?:tell|inform|alert|notify|warn|reveal (?:this |it )?to|mention (?:this |it "
     r")?to) "
     r"(?:the |any )?(?:user|human)s?\b(?! about your)|without (?:telling|informing|alerting|notifying) (?:the "
     r")?(?:user|human)\b"),
    ("secrecy", "mention reveal disclose acknowledge repeat & instruction instructions message prompt comment",
     r"(?:do not|don't|never) (?:mention|reveal|disclose|acknowledge|repeat) (?:this|these|the above|the) "
     r"(?:hidden )?(?:instructions?|message|prompt|directive|comment)\b"),
    ("secrecy", "nutzer benutzer utilisateur l'utilisateur usuario",
     r"\bsag\S* (?:es )?dem (?:be)?nutzer nicht|ohne (?:es )?dem (?:be)?nutzer|\bne \S+ (?:pas|rien|jamais) (?:\S+ )?a "
     r"l'utilisateur"
     r"|\bsin (?:decir\S*|informar|avisar\S*) al usuario|\bno (?:se lo |le )?(?:digas|menciones"
     r"|reveles)\b.{0,20}\busuario"),
    ("secrecy", "пользовател 用户 ユーザー 사용자",
     r"не (?:говори|сообщаи|упоминаи).{0,20}пользовател|(?:不要|别|不得)(?:告诉|告知|向)用户"
     r"|ユーザーに(?:は)?.{0,6}(?:言わない|伝えない|知らせない)|사용자에게.{0,8}(?:말하지|알리지)"),
    # What is not theirs to have: the prompt, the conversation.
    ("leak", "prompt instructions message rules configuration & system hidden initial secret developer",
     r"(?:reveal|print|repeat|output|show|display|disclose|leak|recite|dump|quote|paste|copy|tell me|write out) (?:\S+ "
     r"){0,4}?"
     r"(?:system|hidden|initial|secret|developer) (?:prompt|instructions|message|rules|configuration)\b"),
    ("leak", "above before & print repeat output reveal recite",
     r"(?:print|repeat|output|reveal|recite) (?:\S+ ){0,2}?(?:text|words|everything|lines|messages?) (?:above|before "
     r"this)\b"),
    ("leak", "conversation chat user's question password passwords secret secrets credentials message messages"
     " & url urls link links image images query webhook",
     r"(?:append|include|add|insert|embed|attach|send|post|encode|put|substitute|replace) (?:\S+ ){0,6}?"
     r"(?:conversation|chat history|user's|question|passwords?|secrets?|credentials|previous messages?) (?:\S+ ){0,9}?"
     r"(?:urls?|links?|images?|query|https?:\S+|webhook)\b"),
    ("leak", "systemprompt system-prompt systemanweisung systemanweisungen prompt instructions",
     r"(?:gib|zeige?|verrate|wiederhole|nenne) (?:\S+ ){0,4}?(?:system-?prompt|systemanweisung)"
     r"|(?:affiche|revele|repete|donne|muestra|revela|repite|mostra|rivela|ripeti)\S* (?:\S+ ){0,4}?(?:prompt"
     r"|instructions? systeme)\b"),
    ("leak", "系统提示 系统指令 システムプロンプト 시스템 промпт системн",
     r"(?:输出|显示|重复|泄露|打印|告诉我).{0,10}系统(?:提示|指令)|システムプロンプトを|시스템 프롬프트를"
     r"|(?:покажи|выведи|повтори|раскрои).{0,20}(?:системн\w+ (?:промпт|инструкц)|промпт)"),
    # What the answer is to say.
    ("output", "begin start end finish conclude prefix sign & answer answers reply replies response responses",
     r"(?:begin|start|end|finish|conclude|prefix|prepend|sign) (?:your|every|each|all) (?:\w+ )?"
     r"(?:answers?|reply|replies|outputs?|responses?) (?:with|by)\b"),
    ("output", "answer reply respond say print output & only exactly just solely nothing",
     r"(?:answer|reply|respond) (?:(?:only|exactly|just|solely) with|with (?:exactly|only|just|nothing but))\b"
     r"|(?:say|print|output) (?:exactly|only|nothing but) (?:the )?(?:word|phrase|text|sentence|string|following)\b"),
    ("output", "answer answers reply replies response & must include add insert write say append put state",
     r"(?:in|into|to) (?:your|every|each) (?:answers?|reply|replies|next response|final response),? "
     r"(?:you |always |also )?(?:must|include|add|insert|write|say|append|put|state)\b"),
    ("output", "antwort antworte",
     r"be(?:ginne|ende) (?:jede|deine|die) antwort|antworte (?:nur|ausschliesslich|immer) (?:mit|auf)\b"),
    ("output", "reponse reponds repondez responde responda rispondi",
     r"commence[zr]? (?:ta|votre|chaque|tes) reponse|repond(?:s|ez) (?:uniquement|seulement) (?:par|avec)\b"
     r"|responde (?:solo|solamente|unicamente) con\b|rispondi (?:solo|soltanto|esclusivamente) con\b|responda "
     r"(?:apenas|somente) com\b"),
    ("output", "отвечаи 只能 必须只 请只 とだけ 라고만",
     r"отвечаи(?:те)? только (?:слов|фраз|так)|(?:只能|必须只|请只)(?:回答|回复|输出)|とだけ(?:答え|回答|出力)"
     r"|라고만 (?:답|대답|출력)"),
    # The frame of the prompt, imitated.
    ("frame", "message prompt override instruction instructions notice system & system developer admin",
     r"(?:^|[.!?:>\])|*#] )[\[(*]*(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt|override|instructions?"
     r"|notice)[\])*]*"
     r" ?[:\-–]|[\])] )|[<\[]/?(?:system|developer)[>\]]"),
    ("frame", "role", r"[\"']role[\"'] ?: ?[\"'](?:system|developer)[\"']"),
    ("frame", "tool_call tool_calls function_call function_calls",
     r"[\"'](?:tool_calls?|function_call)[\"'] ?:|<(?:tool_call|function_calls?)"),
    ("frame", "begin end & passage context document documents quoted",
     r"(?:begin|end) (?:of )?(?:the )?(?:passage|context|documents?|quoted text) ?\d* ?(?:[a-z]{6,}\b|[0-9a-f]{6,}\b"
     r"|[-=:.\]>])"),
    ("frame", "instruction instructions", r"new (?:system )?instructions? ?[:\-–]"),
)  # fmt: skip
