"""Every format that is read, and what to do about well-known ones that are not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A format and the module of `formats` that reads it."""

    key: str
    label: str
    media_type: str
    module: str
    extensions: tuple[str, ...]
    textual: bool = True
    """The file is characters; its reader gets them decoded."""
    language: str = ""
    """For source code: the name its grammar goes by."""


_OFFICE = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

_BINARY = (
    Format("pdf", "PDF", "application/pdf", "pdf", ("pdf",), False),
    Format("docx", "Word", f"{_OFFICE}.wordprocessingml.document", "docx", ("docx", "docm", "dotx", "dotm"), False),
    Format(
        "pptx",
        "PowerPoint",
        f"{_OFFICE}.presentationml.presentation",
        "pptx",
        ("pptx", "pptm", "ppsx", "ppsm", "potx", "potm"),
        False,
    ),
    Format("xlsx", "Excel", f"{_OFFICE}.spreadsheetml.sheet", "xlsx", ("xlsx", "xlsm", "xltx", "xltm"), False),
    Format("odt", "OpenDocument text", f"{_ODF}.text", "opendocument", ("odt", "ott"), False),
    Format("ods", "OpenDocument spreadsheet", f"{_ODF}.spreadsheet", "opendocument", ("ods", "ots"), False),
    Format("odp", "OpenDocument presentation", f"{_ODF}.presentation", "opendocument", ("odp", "otp"), False),
    Format("epub", "EPUB", "application/epub+zip", "epub", ("epub",), False),
    Format("msg", "Outlook message", "application/vnd.ms-outlook", "msg", ("msg",), False),
    Format("eml", "e-mail", "message/rfc822", "eml", ("eml", "mht", "mhtml"), False),
    Format("rtf", "RTF", "application/rtf", "rtf", ("rtf",), False),
)
_TEXT = (
    Format("html", "HTML", "text/html", "html", ("html", "htm", "xhtml")),
    Format("md", "Markdown", "text/markdown", "markdown", ("md", "markdown", "mdx", "qmd", "rmd")),
    Format("csv", "CSV", "text/csv", "delimited", ("csv",)),
    Format("tsv", "TSV", "text/tab-separated-values", "delimited", ("tsv", "tab")),
    Format("json", "JSON", "application/json", "json", ("json", "geojson", "webmanifest", "har")),
    Format("jsonl", "JSON lines", "application/x-ndjson", "json", ("jsonl", "ndjson")),
    Format("ipynb", "Jupyter notebook", "application/x-ipynb+json", "notebook", ("ipynb",)),
    Format("xml", "XML", "application/xml", "xml", ("xml", "xsl", "xslt", "xsd", "rss", "atom", "svg", "wsdl", "kml")),
    Format("rst", "reStructuredText", "text/x-rst", "plain", ("rst", "rest")),
    Format("org", "Org", "text/x-org", "plain", ("org",)),
    Format("yaml", "YAML", "application/yaml", "plain", ("yaml", "yml")),
    Format("log", "log", "text/plain", "plain", ("log",)),
    Format(
        "txt", "plain text", "text/plain", "plain", ("txt", "text", "asc", "adoc", "asciidoc", "tex", "srt", "vtt", "")
    ),
    Format("conf", "configuration", "text/plain", "plain", ("ini", "cfg", "conf", "toml", "properties", "env")),
)
# language: its file extensions
_LANGUAGES = {
    "python": "py pyi pyw",
    "javascript": "js mjs cjs jsx",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "java": "java",
    "go": "go",
    "rust": "rs",
    "c": "c h",
    "cpp": "cpp cc cxx hpp hh hxx ino",
    "csharp": "cs",
    "ruby": "rb rake gemspec",
    "kotlin": "kt kts",
    "swift": "swift",
    "scala": "scala sc",
    "php": "php",
    "perl": "pl pm",
    "lua": "lua",
    "r": "r",
    "julia": "jl",
    "dart": "dart",
    "groovy": "groovy gradle",
    "haskell": "hs",
    "ocaml": "ml mli",
    "erlang": "erl hrl",
    "elixir": "ex exs",
    "clojure": "clj cljs cljc edn",
    "fsharp": "fs fsx",
    "objective-c": "m mm",
    "visual-basic": "vb bas",
    "zig": "zig",
    "nim": "nim",
    "solidity": "sol",
    "shell": "sh bash zsh ksh fish",
    "powershell": "ps1 psm1",
    "sql": "sql",
    "css": "css scss sass less",
    "vue": "vue svelte",
    "proto": "proto",
    "graphql": "graphql gql",
    "terraform": "tf hcl",
    "make": "mk cmake",
    "assembly": "asm s",
    "pascal": "pas",
    "fortran": "f f90 f95 f03",
    "cobol": "cob cbl",
    "lisp": "lisp el scm rkt",
    "vhdl": "vhd vhdl",
    "verilog": "v sv",
    "matlab": "mat-m",
    "tcl": "tcl",
    "bat": "bat cmd",
}
_CODE = tuple(
    Format(
        f"code-{language}", f"{language} source code", f"text/x-{language}", "code", tuple(ends.split()), True, language
    )
    for language, ends in _LANGUAGES.items()
)

FORMATS = {format_.key: format_ for format_ in (*_BINARY, *_TEXT, *_CODE)}
"""By key."""
BY_EXTENSION = {extension: format_ for format_ in FORMATS.values() for extension in format_.extensions}
"""By file extension, lower case, without the dot."""
BY_NAME = {
    "makefile": FORMATS["code-make"],
    "dockerfile": FORMATS["code-shell"],
    "gemfile": FORMATS["code-ruby"],
    "rakefile": FORMATS["code-ruby"],
    "jenkinsfile": FORMATS["code-groovy"],
}
"""By whole file name, lower case."""
BY_MEDIA_TYPE = {format_.media_type: format_ for format_ in reversed(FORMATS.values())} | {
    "text/plain": FORMATS["txt"],
    "text/xml": FORMATS["xml"],
    "text/rtf": FORMATS["rtf"],
    "text/yaml": FORMATS["yaml"],
    "application/x-yaml": FORMATS["yaml"],
    "application/xhtml+xml": FORMATS["html"],
    "application/jsonl": FORMATS["jsonl"],
    "application/javascript": FORMATS["code-javascript"],
    "text/javascript": FORMATS["code-javascript"],
}
"""By media type."""
SUPPORTED = (
    "PDF, Word, PowerPoint, Excel, OpenDocument, EPUB, RTF, e-mail, HTML, Markdown, CSV, JSON, XML, text and code"
)
"""For messages to people."""
