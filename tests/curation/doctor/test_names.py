import pytest

from impasto.curation.doctor.names import look_alike, printable, trouble


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "ukiyo_e/hokusai_great-wave-1831.jpg",
        "été/naïve (2).png",
        "../testA/a.jpg",
        "猫/犬.webp",
        "a" * 196 + ".jpg",
    ],
)
def test_good_names(name: str) -> None:
    assert trouble(name) is None
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("caf\udce9.jpg", "not UTF-8"),
        ("red\x1b[31m.jpg", "control"),
        ("a\nb.jpg", "control"),
        ("photo\u202egpj.exe", "control"),
        ("sea /a.jpg", "space"),
        (" a.jpg", "space"),
        ("etc./a.jpg", "dot"),
        ("what?.jpg", "Windows"),
        ("a:b.jpg", "Windows"),
        ("con/a.jpg", "Windows"),
        ("AUX.jpg", "Windows"),
        ("é" * 99 + ".jpg", "200 bytes"),
    ],
)
def test_problematic_names(name: str, words: str) -> None:
    assert words in (trouble(name) or "")


def test_printable_names_show_invisible_characters() -> None:
    assert printable("a\x1b[31m\udce9\u202e.jpg") == "a\\x1b[31m\\udce9\\u202e.jpg"
    printable("a\udce9").encode()


def test_names_that_are_equal_on_other_systems() -> None:
    names = ["A/x.jpg", "a/X.jpg", "b.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg", "stra\u00dfe.png", "STRASSE.png"]
    assert look_alike(names) == [
        ("A/x.jpg", "a/X.jpg"),
        ("caf\u00e9.jpg", "cafe\u0301.jpg"),
        ("stra\u00dfe.png", "STRASSE.png"),
    ]
