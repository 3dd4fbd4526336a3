"""Text files in other encodings than UTF-8."""

from pathlib import Path

import pytest
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import ReadOptions
from support_ingest import names, read_bytes
from support_inventories import write_services

_NAMES = {
    "cp1251": ["Сервер приложений", "Почтовый сервер", "База данных"],
    "koi8-r": ["Сервер приложений", "Почтовый сервер", "База данных"],
    "cp1253": ["Διακομιστής εφαρμογών", "Βάση δεδομένων", "Αλληλογραφία"],
    "cp932": ["受注管理サーバー", "東京データセンター", "会計"],
    "euc-jp": ["受注管理サーバー", "東京データセンター", "会計"],
    "gb18030": ["北京数据中心", "邮件服务器", "数据库"],
    "big5": ["台北資料中心", "郵件伺服器", "資料庫"],
    "cp949": ["서울 데이터 센터", "메일 서버", "데이터베이스"],
    "cp1252": ["Müller & Söhne", "Genève façade", "Åre “prod”"],
}


@pytest.mark.parametrize("encoding", _NAMES)
def test_legacy_encodings(tmp_path: Path, encoding: str) -> None:
    """An encoding of old is recognised by its text, and a note says which it was taken for."""
    text = "name,os\n" + "".join(f"{name},Linux\n" for name in _NAMES[encoding])
    inventory, rows = read_bytes(tmp_path, text.encode(encoding))
    assert names(rows) == _NAMES[encoding]
    assert inventory.encoding == encoding
    assert inventory.notes[0].startswith(f"The file is not UTF-8: it was read as {encoding};")


@pytest.mark.parametrize(
    ("codec", "encoding", "noted"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", False),
        ("utf-16", "utf-16", True),
        ("utf-16-le", "utf-16-le", True),
        ("utf-16-be", "utf-16-be", True),
        ("utf-32", "utf-32", True),
    ],
)
@pytest.mark.parametrize("text", ["name,os\nMünchen,Linux\n", '[{"name": "München", "os": "Linux"}]'])
def test_unicode(tmp_path: Path, text: str, codec: str, encoding: str, noted: bool) -> None:
    """Each form of Unicode is recognised, with its mark or by its NULs."""
    inventory, rows = read_bytes(tmp_path, text.encode(codec))
    assert names(rows) == ["München"]
    assert inventory.encoding == encoding
    assert bool(inventory.notes) == noted


def test_a_few_letters_are_no_evidence(tmp_path: Path) -> None:
    """Where nothing speaks for another encoding, it is that of spreadsheets."""
    inventory, rows = read_bytes(tmp_path, "name,os\nJosé,Linux\n".encode("cp1252"))
    assert (names(rows), inventory.encoding) == (["José"], "cp1252")


def test_the_wanted_encoding_is_taken(tmp_path: Path) -> None:
    """An encoding that is named goes before any guess, without a note."""
    content = "name,os\nŁódź,Linux\n".encode("cp1250")
    inventory, rows = read_bytes(tmp_path, content, ReadOptions(encoding="Windows-1250"))
    assert (names(rows), inventory.encoding, inventory.notes) == (["Łódź"], "cp1250", [])
    _, rows = read_bytes(tmp_path, "name\na\n".encode("utf-8-sig"), ReadOptions(encoding="utf-8"))
    assert names(rows) == ["a"]


@pytest.mark.parametrize("encoding", ["utf-88", "base64", "punycode", "unicode_escape", "x" * 10_000, "a\0b"])
def test_unknown_encodings(tmp_path: Path, encoding: str) -> None:
    """What is no encoding of texts is refused."""
    with pytest.raises(InvalidArgument, match=r"options\.encoding") as failure:
        read_bytes(tmp_path, "name\na\n", ReadOptions(encoding=encoding))
    assert failure.value.reason == "INVALID_FIELD"


def test_encodings_that_do_not_fit(tmp_path: Path) -> None:
    """A file that is no text in the wanted encoding is refused, and so is the wish for a workbook."""
    with pytest.raises(InvalidArgument, match="no text in utf-8") as failure:
        read_bytes(tmp_path, b"name\n\xff\n", ReadOptions(encoding="utf-8"))
    assert failure.value.reason == "UNREADABLE_INVENTORY"
    zipped = b"PK\x03\x04"
    with pytest.raises(InvalidArgument, match="leave it out"):
        read_bytes(tmp_path, zipped, ReadOptions(encoding="utf-8"))


def test_letters_late_in_a_file(tmp_path: Path) -> None:
    """What is not ASCII is found wherever it stands."""
    content = write_services(tmp_path / "services.csv", 20_000).read_bytes().removeprefix(b"\xef\xbb\xbf")
    late = '"late.example","","","Пенсионный фонд: отдел кадров","Yes"\r\n'.encode("cp1251")
    inventory, rows = read_bytes(tmp_path, content + late)
    assert inventory.encoding == "cp1251"
    assert rows[-1].fields["owner"] == "Пенсионный фонд: отдел кадров"
