from __future__ import annotations

import pytest

from awaitest.source.decode import DecodeProblem, Encoding, decode, encode

READABLE = [
    (b"", "", Encoding()),
    ("é\r\nb\nc\r".encode(), "é\r\nb\nc\r", Encoding()),
    (b"\xef\xbb\xbfx\n", "x\n", Encoding("utf-8", bom=True)),
    (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n", Encoding("iso-8859-1")),
    (
        b"#!/bin/python\n# -*- coding: cp1252 -*-\n\x80\n",
        "#!/bin/python\n# -*- coding: cp1252 -*-\n€\n",
        Encoding("cp1252"),
    ),
    (b"x = 1\n# coding: latin-1\n\xc3\xa9", "x = 1\n# coding: latin-1\né", Encoding()),
    (b"# vim: set fileencoding=UTF_8 :\r\n", "# vim: set fileencoding=UTF_8 :\r\n", Encoding()),
    (b"x\0y\n", "x\0y\n", Encoding()),
]


@pytest.mark.parametrize(("data", "text", "encoding"), READABLE)
def test_round_trip(data: bytes, text: str, encoding: Encoding) -> None:
    assert decode(data) == (text, encoding)
    assert encode(text, encoding) == data


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"a\r\nb\n\xff\n", 2, "this line is not valid utf-8: byte 0xff"),
        (b"# coding: ascii\n\xe9\n", 1, "this line is not valid ascii: byte 0xe9"),
        (b"\n# coding: klingon\n", 1, "the declared encoding klingon is unknown or is no text encoding"),
        (b"# coding: rot13\n", 0, "the declared encoding rot13 is unknown or is no text encoding"),
        (
            b"\xef\xbb\xbf# coding: latin-1\n",
            0,
            "the file declares the encoding iso-8859-1 but starts with the mark of UTF-8",
        ),
        ("x = 1\n".encode("utf-16"), 0, "the file is written in UTF-16, which Python does not read; save it as UTF-8"),
        (
            "x = 1\n".encode("utf-16-be"),
            0,
            "the file is written in UTF-16, which Python does not read; save it as UTF-8",
        ),
        ("x = 1\n".encode("utf-32"), 0, "the file is written in UTF-32, which Python does not read; save it as UTF-8"),
    ],
)
def test_unreadable(data: bytes, line: int, message: str) -> None:
    with pytest.raises(DecodeProblem) as caught:
        decode(data)
    assert (caught.value.line, caught.value.message) == (line, message)


def test_character_without_bytes() -> None:
    with pytest.raises(DecodeProblem) as caught:
        encode("a\n€", Encoding("iso-8859-1"))
    assert (caught.value.line, caught.value.message) == (1, "iso-8859-1 cannot hold the character '\\u20ac'")
