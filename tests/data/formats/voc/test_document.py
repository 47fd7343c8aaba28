"""One VOC file: what harms is refused, what is careless is read, what is wrong is named."""

from pathlib import Path

import pytest

from tests.data.formats.voc.folder import item
from zoo.data.formats.voc.document import parse, read_document
from zoo.errors import DataError

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE annotation [<!ENTITY a "aaaaaaaaaa">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    "<annotation><filename>&c;</filename></annotation>"
)


def document(folder: Path, content: str | bytes) -> Path:
    path = folder / "a.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_type_is_refused_before_anything_is_parsed(
    tmp_path: Path, encoding: str
) -> None:
    text = BOMB if encoding != "utf-16" else BOMB.replace("<?xml", " <?xml").lstrip()
    with pytest.raises(DataError, match="has a DOCTYPE"):
        parse(text.encode(encoding), tmp_path)


@pytest.mark.parametrize("entity", ['SYSTEM "file:///etc/passwd"', '"x"'])
def test_no_entity_is_ever_resolved(tmp_path: Path, entity: str) -> None:
    with pytest.raises(DataError, match="has a DOCTYPE"):
        parse(f"<!doctype a [<!ENTITY x {entity}>]><annotation>&x;</annotation>".encode(), tmp_path)
    with pytest.raises(DataError, match="undefined entity"):
        parse(b"<annotation>&x;</annotation>", tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_encoding_that_a_file_declares_is_read(tmp_path: Path, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding == "latin-1" else ""
    text = f"{head}<annotation><filename>stra\u00dfe.jpg</filename></annotation>"
    assert read_document(document(tmp_path, text.encode(encoding))).filename == "straße.jpg"


def test_flags_are_read_as_people_write_them(tmp_path: Path) -> None:
    flags = "<difficult>{}</difficult><truncated>{}</truncated>"
    objects = [
        item(1, 1, 2, 2, more=flags.format(*one))
        for one in (("1", "true"), (" 0 ", ""), ("Unspecified", "1"))
    ]
    found = read_document(document(tmp_path, f"<annotation>{''.join(objects)}</annotation>"))
    assert found.flags["difficult"] == [1, 0, 0]
    assert found.flags["truncated"] == [1, 0, 1]
    assert found.flags_present == {"difficult", "truncated"}


def test_the_box_of_a_part_is_not_that_of_its_object(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>5</xmin></bndbox></part>"
    text = f"<annotation>{item(1, 2, 3, 4, name='person', more=part)}</annotation>"
    found = read_document(document(tmp_path, text))
    assert (found.names, found.corners) == (["person"], [(1, 2, 3, 4)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "It is not XML"),
        ("<annotation>", "It is not XML"),
        (b"<annotation>\xff</annotation>", "It is not text"),
        ("<html/>", "first element is <html>"),
        ("<annotation><object/></annotation>", "Object 0 has no <name>"),
        (f"<annotation>{item(1, 2, 3, 4)}<object><name>a</name></object></annotation>", "Object 1"),
        (f"<annotation>{item(1, 2, 'x', 4)}</annotation>", "Object 0 .cat. has the box"),
        (f"<annotation>{item(1, 2, 'nan', 4)}</annotation>", "Object 0 .cat. has the box"),
        (
            f"<annotation>{item(1, 2, 3, 4, more='<difficult>2</difficult>')}</annotation>",
            "<difficult>2</difficult>, not 0 or 1",
        ),
    ],
)
def test_a_wrong_file_is_named_with_its_object(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    path = document(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_document(path)
    assert str(path) in str(caught.value)
