"""What people call a file: told by its media type, and by its name where that says more."""

from apps.search.dtos import Category

_OFFICE = {
    "msword": "document",
    "rtf": "document",
    "epub+zip": "document",
    "vnd.ms-excel": "sheet",
    "vnd.ms-powerpoint": "slides",
}
_OFFICE_PARTS: tuple[tuple[str, Category], ...] = (
    ("wordprocessing", "document"),
    ("opendocument.text", "document"),
    ("spreadsheet", "sheet"),
    ("presentation", "slides"),
)
_ARCHIVES = frozenset(
    {
        "zip",
        "gzip",
        "x-tar",
        "x-7z-compressed",
        "vnd.rar",
        "x-rar-compressed",
        "x-bzip2",
        "x-xz",
        "zstd",
        "java-archive",
    }
)
_CODE = frozenset(
    {
        *(
            "bash",
            "c",
            "cc",
            "cpp",
            "cs",
            "css",
            "go",
            "h",
            "hpp",
            "html",
            "htm",
            "java",
            "js",
            "json",
            "jsx",
            "kt",
            "lua",
            "m",
            "mjs",
        ),
        *(
            "php",
            "pl",
            "py",
            "r",
            "rb",
            "rs",
            "scala",
            "sh",
            "sql",
            "svelte",
            "swift",
            "toml",
            "ts",
            "tsx",
            "vue",
            "xml",
            "yaml",
            "yml",
        ),
    }
)


def tell_category(*, is_folder: bool, name: str, media_type: str) -> Category:
    """Tell what a node is called; ``other`` for what has no common name."""
    if is_folder:
        return "folder"
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    main, _, sub = media_type.partition(";")[0].partition("/")
    if main in ("image", "video", "audio"):
        return main  # type: ignore[return-value] # they are called what they are
    if sub == "pdf":
        return "pdf"
    if extension in _CODE:
        return "code"
    if sub in _OFFICE:
        return _OFFICE[sub]  # type: ignore[return-value] # the values are the literals
    for part, category in _OFFICE_PARTS:
        if part in sub:
            return category
    if extension in ("csv", "tsv"):
        return "sheet"
    if sub in _ARCHIVES:
        return "archive"
    return "text" if main == "text" else "other"
