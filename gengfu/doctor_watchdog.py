"""What `gengfu doctor` says of the self-check: how the canary fares, and whether somebody watches. Warns, never faults:
a watchdog may well run on another machine."""

from datetime import datetime

from alerting.core.canary import CanaryRow, fault
from gengfu.doctor_findings import Finding, fault_of, fine, warning
from gengfu.settings_model import Settings
from gengfu.watchdog.keeping import runs


def canary_finding(row: CanaryRow | None, now: datetime, every_s: float) -> Finding:
    """How the last canary alarm fared, as the service has recorded it."""
    if every_s <= 0:
        return warning("canary", "No canary alarm is sent: set GENGFU_CANARY_EVERY_S to 60.")
    if row is None or row.every_s <= 0:
        return warning("canary", "No canary alarm was sent yet: the service has not run for a minute.")
    wrong = fault(row, now)
    if wrong is not None:
        return fault_of("canary", f"{wrong}: look at broker and log of the service, or start it.")
    if row.seconds is None:
        return fine("canary", "The first canary alarm is on its way.")
    return fine("canary", f"The last canary alarm came through in {row.seconds:.3f} s.")


def watchdog_finding(settings: Settings) -> Finding:
    """Somebody pages the administrator when the service does not."""
    options = settings.watchdog
    if options is None:
        return warning(
            "watchdog",
            "Nobody watches the service: set GENGFU_WATCHDOG__PHONES and a second account in [watchdog.twilio], "
            "then run `gengfu watchdog`.",
        )
    if settings.twilio is not None and settings.twilio.account_sid == options.twilio.account_sid:
        return warning("watchdog", "It uses the service's own provider account: one that is blocked silences both.")
    if runs(settings.folder) is False:
        return warning(
            "watchdog", f"None runs in {settings.folder.resolve()}: start `gengfu watchdog`, here or elsewhere."
        )
    return fine("watchdog", f"It watches, and pages {len(options.phones)} number(s).")
