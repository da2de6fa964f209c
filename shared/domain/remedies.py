"""What helps a document that failed, by the code of its failure: said to whoever asks why."""

from collections.abc import Mapping

_PROVIDER = "whoever runs this deployment looks at the model provider's status and settings"
_OPERATOR = "whoever runs this deployment completes its configuration"
_DATABASE = "nothing is wrong with the file: the database was in the way"

HELP: Mapping[str, str] = {
    # The file itself.
    "archive_limits": "unpack the archive and upload what is inside",
    "corrupt_file": "open it in the program it was made with, save it anew, and upload that as a new version",
    "empty_file": "upload a file that has something in it as a new version",
    "encrypted": "remove its password or protection and upload it as a new version",
    "file_too_large": "split the file and upload the parts",
    "no_pages": "upload a file that has pages as a new version",
    "no_text": "if it is a scan, have its text recognised first, and upload that as a new version",
    "parser_crashed": "if it fails again, save it in another format and upload that as a new version",
    "parser_memory": "if it fails again, split the file and upload the parts",
    "parser_timeout": "if it fails again, split the file and upload the parts",
    "too_deep": "flatten what is nested in it and upload it as a new version",
    "too_many_pages": "split the file and upload the parts",
    "too_much_text": "split the file and upload the parts",
    "unsupported_type": "save it in a format that is supported and upload that as a new version",
    "too_many_chunks": "split the file, or let the collection cut larger chunks",
    "malformed_extraction": "its text was damaged on the way",
    # Its upload.
    "upload_missing": "upload it again as a new version: the file that was sent is gone",
    "upload_never_arrived": "no file came before the form expired",
    "cancelled": "it ended because its ingestion was cancelled, not because anything was wrong with it",
    # The work.
    "gave_up": "each try was broken off",
    "internal_error": "whoever runs this deployment looks into its log: this should not happen",
    # The model.
    "model_altered": _OPERATOR,
    "model_broken": _OPERATOR,
    "model_dimensions": "whoever runs this deployment corrects the model's number of dimensions",
    "model_key_refused": "whoever runs this deployment gives it a valid key of the model provider",
    "model_malformed": _PROVIDER,
    "model_missing": _OPERATOR,
    "model_redirected": "whoever runs this deployment corrects the model provider's address",
    "model_rejected": "the provider refuses a text of it: take that passage out and upload it as a new version",
    "model_timeout": _PROVIDER,
    "model_unavailable": _PROVIDER,
    "model_unknown": "whoever runs this deployment corrects the model's name",
    "model_unreachable": _PROVIDER,
    # What it rests on.
    "commit_unknown": _DATABASE,
    "database_aborted": _DATABASE,
    "database_busy": _DATABASE,
    "database_conflict": _DATABASE,
    "database_lost": _DATABASE,
    "database_read_only": _DATABASE,
    "database_timeout": _DATABASE,
    "database_unreachable": _DATABASE,
    "object_forbidden": "whoever runs this deployment lets its functions read the buckets",
    "malformed_secret": _OPERATOR,
    "not_configured": _OPERATOR,
    "not_migrated": "whoever runs this deployment runs its migrations",
    "unavailable": "a part of this deployment did not answer",
}
"""A sentence's beginning, or all of it; `explanation` adds what a retry would do."""
