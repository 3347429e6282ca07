"""What is shown of imports: their state, their counts, the faults found, each in the caller's language."""

from api.schemas.common import Instant, Shown


class ImportCount(Shown):
    create: int
    change: int
    same: int


class ImportFault(Shown):
    """One cell at fault; `cell` is named as a spreadsheet program names it (H17; the header is row 1)."""

    file: str
    sheet: str
    cell: str
    code: str
    reason: str
    suggestion: str


class ImportOut(Shown):
    """`state`: validating, applying, done or refused. Nothing is changed by a refused one or a dry run."""

    id: str
    state: str
    name: str
    sha256: str
    dry_run: bool
    created_at: Instant
    ended_at: Instant | None
    rows: int
    """Rows read so far."""
    size: int
    written: int
    """Of `size` rows that change, how many are written."""
    counts: dict[str, ImportCount]
    faults_total: int
    faults: list[ImportFault]
    """One page of them; at most 10,000 are listed, all are counted."""
    next: str | None
    """The cursor of the next page of faults."""
    warnings_total: int
    warnings: list[ImportFault]
    refusal: str | None
    """Why the file was not read at all."""


class ImportStarted(Shown):
    id: str
