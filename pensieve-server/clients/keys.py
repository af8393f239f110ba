"""Some 200 odd keys."""

LIMIT = 1024  # what a server allows by default, in bytes of UTF-8

SEGMENTS = ["", "a", ".", "..", "...", "a.", ".a", "a/", "/a", "//", "///", "a//b", "a/b/c", "/", "./a",
            "../a", "a/..", "a/../b", "a/./b", "../../a", "..\\a", "get/", "put", "v1/kv/a", "/get/a",
            "delete/a", "%2e", "%2e%2e", "%2E%2E/a", "a%2F..%2Fb", ".%2e", "..;/a", "a/..;a=b/c"]
PERCENT = ["%", "%%", "a%", "%a", "%2", "%2F", "%2f", "%252F", "%25", "%00", "%0a", "%zz", "%u0041", "%C3%A9",
           "%FF", "%C0%AF", "%ED%A0%80", "100%", "50% off", "%20", "a%20b", "%41", "%2B", "%3F", "%23"]
PUNCTUATION = list("!\"#$&'()*+,-:;<=>?@[\\]^_`{|}~")
DELIMITERS = ["a+b", "a b", " ", "  ", " a", "a ", "+", "++", "a=b&c=d", "a;b", "a;v=1", ";", ";;", "a,b", "a?b",
              "?", "??", "?a=b", "a?b?c", "a#b", "#", "##", "a#b?c", "a?b#c", "a:b", "http://a/b", "https://[::1]/",
              "//host/path", "user@host", "a@b:c", "a|b", "a^b", "{a}", "{key}", "{{a}}", "[0]", "a[b]=c", "<a>",
              "\"", "\"a\"", "'a'", "\\", "\\\\", "a\\b", "\\n", "`a`", "$(a)", "${a}", "a~b", "*", "**", "a*?",
              "{\"a\":[1,2]}", "/get/{key}", "C:\\Windows\\a", "\\\\server\\share", "null", "undefined", "true", "0",
              "-1", "1e9", "NaN", "a=", "=a", "&", "&&", "&amp;", "<!--", "]]>", "';--", "../;a", "a;/b"]
CONTROLS = ["\0", "a\0b", "\1", "\t", "a\tb", "\n", "a\nb", "\r\n", "a\r\nb: c", "\v", "\f", "\x1b[0m", "\x7f",
            "\x80", "\x85", "\x9f"]
UNICODE = ["é", "e\u0301", "ñ", "n\u0303", "ß", "İ", "ı", "ſ", "Å", "\u212b", "A\u030a", "日本語", "한글", "\u1112\u1161\u11ab",
           "עברית", "\u0627\u0644", "ไทย", "हिन्दी", "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "a😀b/c", "\u200b", "\u200d", "\u202e" + "abc",
           "\u2028", "\u2029", "\ufeff", "\ufeffa", "\ufffd", "\ufffe", "\uffff", "\ue000", "\U0010ffff",
           "\u00a0", "\u3000", "\u2024", "\uff0e\uff0e\uff0f", "\u2215", "\uff05", "\uff0b", "%é", "é?è#ê", "a\u0300\u0301\u0302" * 3]
LENGTHS = ["a" * LIMIT, "/" * LIMIT, "%" * LIMIT, " " * LIMIT, "é" * (LIMIT // 2), "😀" * (LIMIT // 4), ";a" * (LIMIT // 2),
           "a" * (LIMIT + 1), "é" * (LIMIT // 2) + "a", "😀" * LIMIT, "a" * 20_000]


def escaped(key):
    return "".join(chr(b) if chr(b).isalnum() and b < 0x80 else f"%{b:02X}" for b in key.encode())


def lines():
    groups = SEGMENTS + PERCENT + PUNCTUATION + DELIMITERS + CONTROLS + UNICODE + LENGTHS
    return list(dict.fromkeys(map(escaped, groups)))
