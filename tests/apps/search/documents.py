"""Documents that are searched: honest ones of each kind, and others."""

import base64
import io
import zipfile

_OFFICE = "application/vnd.openxmlformats-officedocument"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OPEN = "application/vnd.oasis.opendocument"
_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{full}:1.0"'
    for name, full in {"office": "office", "text": "text", "table": "table", "draw": "drawing"}.items()
)


def packed(parts):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return body.getvalue()


def office(main, content_type, content, **more):
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{_OFFICE}.{kind}+xml"/>'
        for name, kind in {main: content_type, **{name: kind for name, (kind, _) in more.items()}}.items()
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    package = "http://schemas.openxmlformats.org/package/2006"
    return packed(
        {
            "[Content_Types].xml": f'{head}<Types xmlns="{package}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
            "_rels/.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{_RELATIONS}/officeDocument" Target="{main}"/></Relationships>',
            main: head + content,
            **{name: head + each for name, (_, each) in more.items()},
        }
    )


def docx(text):
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    content = f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    return office("word/document.xml", "wordprocessingml.document.main", content)


def xlsx(text):
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    book = f'<workbook xmlns="{sheet}" xmlns:r="{_RELATIONS}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
    cells = f'<worksheet xmlns="{sheet}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row></sheetData></worksheet>'
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    return office(
        "xl/workbook.xml",
        "spreadsheetml.sheet.main",
        book,
        **{
            "xl/worksheets/sheet1.xml": ("spreadsheetml.worksheet", cells),
            "xl/_rels/workbook.xml.rels": ("relationships", links),
        },
    )


def pptx(text):
    slides, drawing = (
        f"http://schemas.openxmlformats.org/{name}/2006/main" for name in ("presentationml", "drawingml")
    )
    deck = f'<p:presentation xmlns:p="{slides}" xmlns:r="{_RELATIONS}"><p:sldIdLst><p:sldId id="256" r:id="r1"/></p:sldIdLst></p:presentation>'
    slide = (
        f'<p:sld xmlns:p="{slides}" xmlns:a="{drawing}"><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody>'
        "</p:sp></p:spTree></p:cSld></p:sld>"
    )
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{_RELATIONS}/slide" Target="slides/slide1.xml"/></Relationships>'
    )
    return office(
        "ppt/presentation.xml",
        "presentationml.presentation.main",
        deck,
        **{
            "ppt/slides/slide1.xml": ("presentationml.slide", slide),
            "ppt/_rels/presentation.xml.rels": ("relationships", links),
        },
    )


def open_document(kind, body, **more):
    return packed(
        {
            "mimetype": f"{_OPEN}.{kind}",
            "content.xml": f"<office:document-content {_NAMESPACES}><office:body>{body}</office:body></office:document-content>",
            **more,
        }
    )


def odt(text, **more):
    return open_document("text", f"<office:text><text:p>{text}</text:p></office:text>", **more)


def ods(text):
    cell = f"<table:table-cell><text:p>{text}</text:p></table:table-cell>"
    return open_document(
        "spreadsheet",
        f"<office:spreadsheet><table:table><table:table-row>{cell}</table:table-row></table:table></office:spreadsheet>",
    )


def odp(text):
    return open_document(
        "presentation", f"<office:presentation><draw:page><text:p>{text}</text:p></draw:page></office:presentation>"
    )


def epub(text):
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
            "a.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title></metadata><manifest>'
            '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine></package>',
            "c.xhtml": f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{text}</p></body></html>',
        }
    )


def mail(text, attached=None):
    head = "From: a@example.org\r\nTo: b@example.org\r\nSubject: Offer\r\nMIME-Version: 1.0\r\n"
    if attached is None:
        return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()
    part = base64.b64encode(docx(attached)).decode()
    return (
        f"{head}Content-Type: multipart/mixed; boundary=XX\r\n\r\n--XX\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--XX\r\n"
        f"Content-Type: {_OFFICE}.wordprocessingml.document\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="a.docx"\r\n\r\n{part}\r\n--XX--\r\n'
    ).encode()


def pdf(*pages):
    """A document of some pages with a line of text on each."""
    count = len(pages)
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(count))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    font = "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    for number, text in enumerate(pages):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {4 + 2 * number} 0 R/Resources{font}>>"
        )
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream")
    return _written(objects)


def encrypted_pdf():
    """A document that opens by a password alone."""
    secret = "<</Filter/Standard/V 1/R 2/O<" + "00" * 32 + ">/U<" + "00" * 32 + ">/P -4>>"
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>", secret]
    return _written(objects, "/Encrypt 3 0 R/ID[<00><00>]")


def _written(objects, more=""):
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        body
        + (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<</Size {size}/Root 1 0 R{more}>>\nstartxref\n{len(body)}\n%%EOF"
        ).encode()
    )


def encrypted_docx():
    """What Office writes for a password: a container of the old kind."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024) + "EncryptedPackage".encode("utf-16-le") + bytes(512)


def docx_bomb():
    """A document of a megabyte that unpacks to a gigabyte."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    long = f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>' + " " * (300 * 1024**2)
    return office("word/document.xml", "wordprocessingml.document.main", long)


def entity_bomb():
    """A text of a few hundred bytes that expands to gigabytes, and wants a file of this machine."""
    levels = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10))
    head = f'<!DOCTYPE x [<!ENTITY e0 "lol"><!ENTITY f SYSTEM "file:///etc/passwd">{levels}]>'
    content = f"{head}<office:document-content {_NAMESPACES}><office:body><text:p>&f;&e9;</text:p></office:body></office:document-content>"
    return packed({"mimetype": f"{_OPEN}.text", "content.xml": content})
